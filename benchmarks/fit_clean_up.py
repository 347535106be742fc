"""Clean-up in the fit's benchmark: ours beside Savitzky-Golay and one-euro, all on the same noisy points.

The closed form's fit is "none", and what the others start from. Two rows start from the refined fit instead, whose
smoothness is a part of the same answer.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.signal import savgol_filter

from ..lifter.fit.skeleton import Posed, pose_skeleton, rest_skeleton
from ..lifter.records import Fit
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import (
    Array,
    continuous_quaternions,
    matrix_from_quaternion,
    quaternion_from_axis_angle,
)
from .fit_data import CASES, TruthClip, given_points
from .fit_ours import ONLY_SMOOTHING, cleaned, closed_form, posed, refined
from .fit_rows import Clips, score

Filter = Callable[[Array, float], Array]  # values (T, C) and frames a second to values (T, C)
Cleaner = Callable[[Fit, float], Posed]  # and frames a second
REFINED = "ours, refined"
SPEED_CUTOFF = 1.0  # hertz, of the one-euro filter's own speed estimate, as in the paper


def score_clean_up(clips: Clips) -> dict[str, Any]:
    """All rows in the columns of fit_rows, and how much of the acceleration error each takes away, at what cost."""
    every = [*clips.validation, *clips.jumps]
    points = {clip.name: given_points(clip, CASES["noisy"]) for clip in every}
    by_frame, whole = (
        {clip.name: fit(points[clip.name], clip.fps) for clip in every} for fit in (closed_form, refined)
    )
    found: dict[str, Any] = {}
    for name, clean in rows().items():
        fitted = whole if name.startswith(REFINED) else by_frame
        found[name] = score(partial(_cleaned, clean, fitted), clips)
    before = found["none"]
    for row in found.values():
        left = row["acceleration_error_mm_per_frame2"] / before["acceleration_error_mm_per_frame2"]
        row["acceleration_error_taken_away_percent"] = round(100 * (1 - left), 1)
        row["mpjpe_cost_mm"] = round(row["mpjpe_mm"] - before["mpjpe_mm"], 2)
    return found


def _cleaned(clean: Cleaner, fitted: dict[str, Fit], clip: TruthClip) -> Posed:
    return clean(fitted[clip.name], clip.fps)


def rows() -> dict[str, Cleaner]:
    """Each row's clean-up: the filters at settings whose cost in MPJPE lies around that of ours."""
    found: dict[str, Cleaner] = {"none": _as_it_is, REFINED: _as_it_is}
    for strength in (0.25, 0.5, 1.0):
        options = replace(ONLY_SMOOTHING, smoothing=strength)
        found[f"ours, smoothing {strength}"] = partial(cleaned, options=options)
    found["ours, whole clean-up"] = cleaned
    found[f"{REFINED}, whole clean-up"] = cleaned
    for window in (5, 7, 9, 13):
        found[f"Savitzky-Golay, {window} frames"] = partial(_filtered, how=partial(savitzky_golay, window=window))
    for cutoff, slope in ((1.0, 3.0), (3.0, 10.0), (5.0, 30.0)):
        how = partial(one_euro, cutoff=cutoff, slope=slope)
        found[f"one-euro, {cutoff:g} Hz, slope {slope:g}"] = partial(_filtered, how=how)
    return found


def _as_it_is(fitted: Fit, fps: float) -> Posed:
    return posed(fitted)


def _filtered(fitted: Fit, fps: float, how: Filter) -> Posed:
    """Local quaternions and the path of the pelvis through one filter, as people apply it."""
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
