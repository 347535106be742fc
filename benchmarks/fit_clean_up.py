"""Clean-up in the fit's benchmark: ours beside Savitzky-Golay and one-euro, all on the same noisy points.

Two rows are not smoothed at all: the points as they are given, and the closed form's fit of each frame on its own, from
which ours and the filters start. Further rows start from the refined fit, which does a part of the smoothing itself: a
filter too, so that ours does not gain from its start. The oracles (fit_oracle.py) show what can be had.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.signal import savgol_filter

from ..lifter.clean_up import CleanUp
from ..lifter.fit import fit
from ..lifter.fit.skeleton import Posed, pose_skeleton, rest_skeleton
from ..lifter.records import Fit, Joints3D
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import (
    Array,
    continuous_quaternions,
    matrix_from_quaternion,
    quaternion_from_axis_angle,
)
from .fit_data import CASES, TruthClip, given_points
from .fit_oracle import oracle
from .fit_ours import ONLY_SMOOTHING, cleaned, posed, refined
from .fit_rows import Clips, score

Filter = Callable[[Array, float], Array]  # values (T, C) and frames a second to values (T, C)
GIVEN, FRAME_BY_FRAME, REFINED = "none: the points", "none: fitted frame by frame", "ours, refined"
NO_TIME = 1e-3  # frames a second: so far apart that no frame says anything about the next
SPEED_CUTOFF = 1.0  # hertz, of the one-euro filter's own speed estimate, as in the paper


@dataclass(frozen=True)
class Start:
    """What a clean-up begins with: the truth's clip, the points given, and their fit, frame by frame or refined."""

    clip: TruthClip
    given: Joints3D
    fitted: Fit


@dataclass(frozen=True)
class CleanUpRow:
    """A clean-up, and the row from whose motion it starts; points_only: it gives no rotations."""

    start: str
    clean: Callable[[Start], Posed]
    points_only: bool = False


def score_clean_up(clips: Clips) -> dict[str, Any]:
    """All rows in the columns of fit_rows, and how much of the acceleration error each takes away, at what cost.

    Taken away counts from the points as given, the cost in MPJPE from the row that a row starts from.
    """
    starts = {name: _starts(solver, clips) for name, solver in ((FRAME_BY_FRAME, frame_by_frame), (REFINED, refined))}
    table, found = rows(), {}
    for name, row in table.items():
        begin = starts[REFINED if row.start == REFINED else FRAME_BY_FRAME]
        found[name] = score(partial(_of_clip, row.clean, begin), clips)
    for name, row in table.items():
        left = found[name]["acceleration_error_mm_per_frame2"] / found[GIVEN]["acceleration_error_mm_per_frame2"]
        found[name]["acceleration_error_taken_away_percent"] = round(100 * (1 - left), 1)
        found[name]["mpjpe_cost_mm"] = round(found[name]["mpjpe_mm"] - found[row.start]["mpjpe_mm"], 2)
    return {name: _without_rotations(found[name]) if row.points_only else found[name] for name, row in table.items()}


def _starts(solver: Callable[[Joints3D, float], Fit], clips: Clips) -> dict[str, Start]:
    points = {clip.name: (clip, given_points(clip, CASES["noisy"])) for clip in (*clips.validation, *clips.jumps)}
    return {name: Start(clip, given, solver(given, clip.fps)) for name, (clip, given) in points.items()}


def _of_clip(clean: Callable[[Start], Posed], starts: dict[str, Start], clip: TruthClip) -> Posed:
    return clean(starts[clip.name])


def _without_rotations(row: dict[str, float | None]) -> dict[str, float | None]:
    return {name: value for name, value in row.items() if not name.endswith("_degrees")}


def rows() -> dict[str, CleanUpRow]:
    """Each row's clean-up: the filters at settings whose cost in MPJPE lies around that of ours."""
    found = {
        GIVEN: CleanUpRow(GIVEN, _points, points_only=True),
        FRAME_BY_FRAME: CleanUpRow(FRAME_BY_FRAME, _as_fitted),
        REFINED: CleanUpRow(REFINED, _as_fitted),
    }
    for strength in (0.25, 0.5, 1.0):
        clean = partial(_ours, options=replace(ONLY_SMOOTHING, smoothing=strength))
        found[f"ours, smoothing {strength}"] = CleanUpRow(FRAME_BY_FRAME, clean)
    found[f"{REFINED}, smoothing 0.5"] = CleanUpRow(REFINED, partial(_ours, options=ONLY_SMOOTHING))
    found[f"{REFINED}, whole clean-up"] = CleanUpRow(REFINED, _ours)
    for window in (5, 7, 9, 13):
        clean = partial(_filtered, how=partial(savitzky_golay, window=window))
        found[f"Savitzky-Golay, {window} frames"] = CleanUpRow(FRAME_BY_FRAME, clean)
    clean = partial(_filtered, how=partial(savitzky_golay, window=9))
    found[f"{REFINED}, Savitzky-Golay, 9 frames"] = CleanUpRow(REFINED, clean)
    for cutoff, slope in ((1.0, 3.0), (3.0, 10.0), (5.0, 30.0)):
        clean = partial(_filtered, how=partial(one_euro, cutoff=cutoff, slope=slope))
        found[f"one-euro, {cutoff:g} Hz, slope {slope:g}"] = CleanUpRow(FRAME_BY_FRAME, clean)
    found["oracle on the points"] = CleanUpRow(GIVEN, lambda begin: oracle(_points(begin), begin.clip.posed), True)
    found[f"oracle on {REFINED}"] = CleanUpRow(
        REFINED, lambda begin: oracle(posed(begin.fitted), begin.clip.posed), True
    )
    return found


def frame_by_frame(given: Joints3D, fps: float) -> Fit:
    """The closed form of every frame on its own, whatever ``fps``; only betas and noise are read off the whole clip."""
    return fit(given, open_body(), fps=NO_TIME, rounds=0)


def _points(begin: Start) -> Posed:
    """The points as given; without rotations of their own, those of a fit stand in."""
    joints, ends = (points.astype(np.float64) for points in (begin.given.joints, begin.given.ends))
    return Posed(posed(begin.fitted).rotations, joints, ends)


def _as_fitted(begin: Start) -> Posed:
    return posed(begin.fitted)


def _ours(begin: Start, options: CleanUp | None = None) -> Posed:
    return cleaned(begin.fitted, begin.clip.fps, options)


def _filtered(begin: Start, how: Filter) -> Posed:
    """Local quaternions and the path of the pelvis through one filter, as people apply it."""
    fitted, fps = begin.fitted, begin.clip.fps
    quaternions = continuous_quaternions(quaternion_from_axis_angle(fitted.axis_angle))
    turned = how(quaternions.reshape(len(quaternions), -1), fps).reshape(quaternions.shape)
    turned = turned / np.linalg.norm(turned, axis=-1, keepdims=True)
    rest = rest_skeleton(open_body(), fitted.betas)
    return pose_skeleton(rest, matrix_from_quaternion(turned), how(fitted.trans + rest.joints[0], fps))


def savitzky_golay(values: Array, fps: float, window: int) -> Array:
    """Values (T, C) smoothed by parabolas over ``window`` frames (Savitzky and Golay, 1964)."""
    return np.asarray(savgol_filter(values, min(window, len(values) - 1 + len(values) % 2), 2, axis=0))


def one_euro(values: Array, fps: float, cutoff: float, slope: float) -> Array:
    """Values (T, C) through the one-euro filter (Casiez et al., 2012): a low-pass that opens with speed, and lags.

    cutoff: hertz at rest; slope: hertz more for every unit a second.
    """
    result, speed = values.astype(np.float64), np.zeros(values.shape[1])
    for frame in range(1, len(values)):
        change = (values[frame] - values[frame - 1]) * fps
        speed = speed + _share(SPEED_CUTOFF, fps) * (change - speed)
        result[frame] += (1 - _share(cutoff + slope * np.abs(speed), fps)) * (result[frame - 1] - values[frame])
    return result


def _share(cutoff: Array | float, fps: float) -> Array | float:
    """How far a first-order low-pass goes towards a new value in one frame."""
    return 1.0 / (1.0 + fps / (2 * np.pi * cutoff))
