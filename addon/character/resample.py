"""A motion at other times: between two of its frames rotations turn evenly, everything else runs straight. Needs numpy
only."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...lifter.errors import InputError
from ...lifter.motion_file import Motion
from ...smpl_assets.rotation import Array, axis_angle_from_quaternion, quaternion_from_axis_angle

LONGEST_STEP: Final = 0.25
STEPS_IN_A_GAP: Final = 2.5
BETWEEN: Final = ("trans", "joints", "ends", "confidence", "contacts")


def seconds_of(motion: Motion) -> NDArray[np.float64]:
    """Times (T,) in seconds of a motion's frames. Raises InputError when they do not rise."""
    if motion.times is None:
        return np.arange(len(motion.poses)) / motion.fps
    times = np.asarray(motion.times, np.float64)
    if not (np.all(np.isfinite(times)) and np.all(np.diff(times) > 0)):
        raise InputError("bad_motion", "The motion's times do not rise from frame to frame.", "Capture the clip again.")
    return times


def resample(motion: Motion, seconds: NDArray[np.float64]) -> Motion:
    """``motion`` at ``seconds`` (N,), rising. Times before its first or after its last frame show that frame.

    Rotations by slerp (Shoemake, Animating rotation with quaternion curves, 1985), the rest linearly. A time that a
    frame has gives exactly that frame.
    """
    times = motion.times if motion.times is not None else seconds_of(motion)
    later = np.clip(np.searchsorted(times, seconds, side="left"), 0, len(times) - 1)
    earlier = np.where(times[later] > seconds, np.maximum(later - 1, 0), later)
    steps = times[later] - times[earlier]
    share = np.clip(np.divide(seconds - times[earlier], steps, out=np.zeros(len(seconds)), where=steps > 0), 0.0, 1.0)
    values = {name: getattr(motion, name) for name in BETWEEN}
    return replace(
        motion,
        poses=_turned(motion.poses, earlier, later, share),
        times=np.asarray(seconds, np.float64),
        frames=None if motion.frames is None else motion.frames[np.where(share < 0.5, earlier, later)],
        **{name: _mixed(rows, earlier, later, share) for name, rows in values.items() if rows is not None},
    )


def known_times(times: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of ``seconds`` (N,) lie within ``times`` (T,), and not in a gap.

    A gap is longer than a quarter of a second, and than two and a half ordinary steps.
    """
    longest = max(LONGEST_STEP, STEPS_IN_A_GAP * float(np.median(np.diff(times)))) if len(times) > 1 else 0.0
    later = np.clip(np.searchsorted(times, seconds, side="left"), 0, len(times) - 1)
    earlier = np.maximum(later - 1, 0)
    inside = (seconds >= times[0]) & (seconds <= times[-1])
    return inside & ((times[later] == seconds) | (times[later] - times[earlier] <= longest))


def _mixed(rows: Array, earlier: NDArray, later: NDArray, share: Array) -> Array:
    weight = share.reshape(-1, *[1] * (rows.ndim - 1))
    mixed = rows[earlier] + weight * (rows[later] - rows[earlier])
    return np.where(weight == 0, rows[earlier], mixed).astype(rows.dtype)


def _turned(poses: Array, earlier: NDArray, later: NDArray, share: Array) -> Array:
    """Axis-angle rows (N, 3 J) between rows of ``poses`` (T, 3 J)."""
    quaternions = quaternion_from_axis_angle(poses.reshape(len(poses), -1, 3).astype(np.float64))
    first, second = quaternions[earlier], quaternions[later]
    cosine = np.einsum("njq,njq->nj", first, second)
    second = np.where(cosine[..., None] < 0, -second, second)  # the short way round
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    sine, near = np.sin(angle), angle < 1e-6
    weight = np.where(near, share[:, None], np.sin(share[:, None] * angle) / np.where(near, 1.0, sine))
    rest = np.where(near, 1.0 - share[:, None], np.sin((1.0 - share[:, None]) * angle) / np.where(near, 1.0, sine))
    turned = rest[..., None] * first + weight[..., None] * second
    turned = axis_angle_from_quaternion(turned / np.linalg.norm(turned, axis=-1, keepdims=True))
    rows = turned.reshape(len(share), -1)
    return np.where(share[:, None] == 0, poses[earlier], rows).astype(poses.dtype)
