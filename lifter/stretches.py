"""One person's rows as an even sequence in time: missing frames filled, long gaps cut, rates brought together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .records import Joints3D, Keypoints

LONGEST_GAP = 1.0  # seconds; beyond it a person's motion is not guessed
EVEN_RATES = (14.9, 62.0)  # frames per second that the lifter was trained on
LIFTER_RATE = 30.0


@dataclass(frozen=True)
class Stretch:
    """A person's frames without a long gap, evenly spaced.

    points (T, K, 2) px and confidence (T, K): frames the detector missed are interpolated with confidence 0.
    frames (T,) source frame numbers, times (T,) s.
    """

    points: NDArray[np.float64]
    confidence: NDArray[np.float64]
    frames: NDArray[np.int64]
    times: NDArray[np.float64]


def frame_rate(times: NDArray[np.float64]) -> float:
    """Frames a second of one person's ``times`` (T,), ascending: over all of them, so that rounding does not count."""
    steps = np.diff(times)
    usual = np.median(steps) if len(steps) else 0.0
    if usual <= 0:
        return LIFTER_RATE
    usual = steps[np.abs(steps - usual) < 0.5 * usual].mean()
    return float(np.round(steps / usual).sum() / (times[-1] - times[0]))


def stretches(keypoints: Keypoints, track_id: int) -> list[Stretch]:
    """The even stretches of one person, in time order; empty when the person has no row."""
    rows = np.flatnonzero(keypoints.track_id == track_id)
    rows = rows[np.argsort(keypoints.times[rows], kind="stable")]
    if len(rows) == 0:
        return []
    steps = np.round(np.diff(keypoints.times[rows]) * keypoints.fps)
    rows = rows[np.concatenate([[True], steps > 0])]
    gaps = np.flatnonzero(np.diff(keypoints.times[rows]) > LONGEST_GAP + 0.5 / keypoints.fps)
    return [_filled(keypoints, part) for part in np.split(rows, gaps + 1)]


def unbroken(joints: Joints3D) -> list[NDArray[np.int64]]:
    """Row indices of each person's unbroken stretches."""
    change = np.flatnonzero(
        (np.diff(joints.track_id) != 0) | (np.diff(joints.times) > LONGEST_GAP) | (np.diff(joints.times) < 0)
    )
    return np.split(np.arange(len(joints.times)), change + 1)


def _filled(keypoints: Keypoints, rows: NDArray[np.int64]) -> Stretch:
    times = keypoints.times[rows]
    slot = np.round((times - times[0]) * keypoints.fps).astype(np.int64)
    count = int(slot[-1]) + 1
    confidence = np.zeros((count, keypoints.keypoints.shape[1]))
    confidence[slot] = np.nan_to_num(keypoints.keypoints[rows, :, 2])
    known = np.full((count, keypoints.keypoints.shape[1], 2), np.nan)
    known[slot] = keypoints.keypoints[rows, :, :2]
    known[~np.isfinite(known).all(-1) | (confidence <= 0)] = np.nan
    confidence[np.isnan(known[..., 0])] = 0.0
    every = np.arange(count)
    return Stretch(
        points=_interpolated(known),
        confidence=confidence,
        frames=np.round(np.interp(every, slot, keypoints.frames[rows])).astype(np.int64),
        times=np.interp(every, slot, times),
    )


def _interpolated(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill NaN in time, point by point; a point never seen takes the mean of the others."""
    every = np.arange(len(points))
    filled = points.copy()
    for point in range(points.shape[1]):  # a few dozen points, each one vectorised call
        known = np.flatnonzero(np.isfinite(points[:, point, 0]))
        for axis in range(2):
            if len(known):
                filled[:, point, axis] = np.interp(every, known, points[known, point, axis])
    middle = np.nanmean(filled, axis=1, keepdims=True) if np.isfinite(filled).any() else np.zeros((len(points), 1, 2))
    return np.where(np.isfinite(filled), filled, middle)


def lifter_positions(count: int, fps: float) -> tuple[NDArray[np.float64], float]:
    """Where to sample a stretch for the lifter: positions in frames, and their rate a second.

    Slow clips (below 15 fps) are interpolated up, fast ones are taken as they are up to 62 fps, then thinned.
    """
    if fps < EVEN_RATES[0]:
        repeat = max(1, round(LIFTER_RATE / fps))
        return np.arange((count - 1) * repeat + 1) / repeat, fps * repeat
    thin = max(1, round(fps / LIFTER_RATE)) if fps > EVEN_RATES[1] else 1
    last = np.array([count - 1.0])
    return np.unique(np.concatenate([np.arange(0, count, thin, dtype=np.float64), last])), fps / thin
