"""Clean-up in the fit's benchmark: ours beside Savitzky-Golay and one-euro, all on the same noisy points.

Every frame is fitted on its own by the closed form; that is "none", and what the others start from. Two rows start from
the refined fit instead, whose smoothness is a part of the same answer.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.signal import savgol_filter

from ..lifter.clean_up import CleanUp, clean_up
from ..lifter.fit import fit
from ..lifter.fit.skeleton import Posed, pose_skeleton, rest_skeleton
from ..lifter.records import Fit
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import (
    Array,
    continuous_quaternions,
    matrix_from_axis_angle,
    matrix_from_quaternion,
    quaternion_from_axis_angle,
)
from .fit_data import CASES, TruthClip, given_points
from .fit_peers import posed_fit
from .fit_rows import Clips, score

Filter = Callable[[Array, float], Array]  # values (T, C) and frames a second to values (T, C)
Cleaner = Callable[[Fit, TruthClip], Posed]
CLOSED_FORM, REFINED = 0, 5  # rounds of Gauss-Newton
SPEED_CUTOFF = 1.0  # hertz, of the one-euro filter's own speed estimate, as in the paper


def score_clean_up(clips: Clips) -> dict[str, Any]:
    """All rows in the columns of fit_rows, and how much of the acceleration error each takes away, at what cost."""
    every = [*clips.validation, *clips.jumps]
    fitted = {rounds: {clip.name: _fit(clip, rounds) for clip in every} for rounds in (CLOSED_FORM, REFINED)}
    found: dict[str, Any] = {}
    for name, (rounds, clean) in rows().items():
        found[name] = score(partial(_cleaned, clean, fitted[rounds]), clips)
    before = found["none"]
    for row in found.values():
        left = row["acceleration_error_mm_per_frame2"] / before["acceleration_error_mm_per_frame2"]
        row["acceleration_error_taken_away_percent"] = round(100 * (1 - left), 1)
        row["mpjpe_cost_mm"] = round(row["mpjpe_mm"] - before["mpjpe_mm"], 2)
    return found


def _fit(clip: TruthClip, rounds: int) -> Fit:
    return fit(given_points(clip, CASES["noisy"]), open_body(), fps=clip.fps, rounds=rounds)


def _cleaned(clean: Cleaner, fitted: dict[str, Fit], clip: TruthClip) -> Posed:
    return clean(fitted[clip.name], clip)


def rows() -> dict[str, tuple[int, Cleaner]]:
    """Each row's fit and clean-up: the filters at settings whose cost in MPJPE lies around that of ours."""
    found: dict[str, tuple[int, Cleaner]] = {"none": (CLOSED_FORM, _as_it_is), "ours, refined": (REFINED, _as_it_is)}
    for strength in (0.25, 0.5, 1.0):
        found[f"ours, smoothing {strength}"] = CLOSED_FORM, partial(ours_cleaned, smoothing=strength, feet=False)
    found["ours, smoothing 0.5 and foot lock"] = CLOSED_FORM, ours_cleaned
    found["ours, refined, smoothing 0.5 and foot lock"] = REFINED, ours_cleaned
    for window in (5, 7, 9, 13):
        how: Filter = partial(savitzky_golay, window=window)
        found[f"Savitzky-Golay, {window} frames"] = CLOSED_FORM, partial(_filtered, how=how)
    for cutoff, slope in ((1.0, 3.0), (3.0, 10.0), (5.0, 30.0)):
        how = partial(one_euro, cutoff=cutoff, slope=slope)
        found[f"one-euro, {cutoff:g} Hz, slope {slope:g}"] = CLOSED_FORM, partial(_filtered, how=how)
    return found


def _as_it_is(fitted: Fit, clip: TruthClip) -> Posed:
    return posed_fit(fitted)


def ours_cleaned(fitted: Fit, clip: TruthClip, smoothing: float = 0.5, feet: bool = True) -> Posed:
    """A fit after the product's clean-up; ``feet`` for contact, floor and foot lock."""
    rest = rest_skeleton(open_body(), fitted.betas)
    local, pelvis = matrix_from_axis_angle(fitted.axis_angle), fitted.trans + rest.joints[0]
    options = CleanUp(smoothing) if feet else CleanUp(smoothing, foot_lock=0.0, floor=0.0)
    local, pelvis, _ = clean_up(rest, local, pelvis, clip.fps, options)
    return pose_skeleton(rest, local, pelvis)


def _filtered(fitted: Fit, clip: TruthClip, how: Filter) -> Posed:
    """Local quaternions and the path of the pelvis through one filter, as people apply it."""
    quaternions = continuous_quaternions(quaternion_from_axis_angle(fitted.axis_angle))
    turned = how(quaternions.reshape(len(quaternions), -1), clip.fps).reshape(quaternions.shape)
    turned = turned / np.linalg.norm(turned, axis=-1, keepdims=True)
    rest = rest_skeleton(open_body(), fitted.betas)
    return pose_skeleton(rest, matrix_from_quaternion(turned), how(fitted.trans + rest.joints[0], clip.fps))


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
