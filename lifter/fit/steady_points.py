"""Points made fit for solving: gaps filled, and as much jitter taken out as bone lengths show to be there."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import END_NAMES, JOINT_NAMES, PARENTS
from ..banded import BENDS, add_squares, diagonal

# Root mean square accelerations (metres / s^2, a coordinate) that the points of trunk and limbs are given leave to
# have: one and a half times those of the motion-capture set that the lifter is trained on.
TRUNK_ACCELERATION, LIMB_ACCELERATION = 5.0, 12.0
TRUNK = ("pelvis", "hip", "spine1", "spine2", "spine3", "neck", "collar", "head", "shoulder", "nose", "eye", "ear")
FEWEST_FRAMES = 8  # fewer do not tell jitter from motion


def steady_points(points: Array, known: NDArray[np.bool_], fps: float) -> Array:
    """Joints and ends (3, 37, T) in metres, frames even in time, finite and without jitter; known (37, T)."""
    if not known.all():
        points = interpolated(points, known)
    if points.shape[-1] < FEWEST_FRAMES:
        return points
    off = jitter(points[:, :24])
    return steadied(points, off, fps)


def interpolated(points: Array, known: NDArray[np.bool_]) -> Array:
    """Points (3, P, T), where not ``known`` (P, T) along a line in time and kept before and after.

    Those never known stay as they are, NaN as 0.
    """
    points, frames = np.nan_to_num(points), np.arange(points.shape[-1])
    for row in np.flatnonzero(~known.all(axis=1) & known.any(axis=1)):
        here = known[row]
        for axis in range(3):
            points[axis, row] = np.interp(frames, frames[here], points[axis, row, here])
    return points


def jitter(joints: Array) -> float:
    """By how many metres each coordinate of joints (3, 24, T) is off at random from frame to frame.

    Bones keep their length, so that second differences of their lengths hold nothing but that.
    """
    bones = joints[:, 1:] - joints[:, list(PARENTS[1:])]
    lengths = np.sqrt((bones * bones).sum(axis=0))
    changes = lengths[:, 2:] - 2.0 * lengths[:, 1:-1] + lengths[:, :-2]
    return 1.4826 / np.sqrt(12.0) * float(np.median(np.abs(changes)))


def steadied(points: Array, off: float, fps: float) -> Array:
    """Joints and ends (3, 37, T) as they most likely were when each coordinate is ``off`` metres at random.

    The mean of a Gaussian process with random accelerations (a Whittaker smoother): zero phase, and nothing happens to
    points without jitter.
    """
    result, trunk = np.empty_like(points), _trunk()
    for rows, acceleration in ((trunk, TRUNK_ACCELERATION), (~trunk, LIMB_ACCELERATION)):
        bands = diagonal(np.ones(points.shape[-1]))
        add_squares(bands, (off * fps**2 / acceleration) ** 2, BENDS)
        for axis in range(3):  # one after the other: in place, since that is the layout that LAPACK takes
            moved = points[axis, rows]
            result[axis, rows] = solveh_banded(bands, moved.T, overwrite_b=True, check_finite=False).T
    return result


def _trunk() -> NDArray[np.bool_]:
    names = [name.removeprefix("left_").removeprefix("right_") for name in (*JOINT_NAMES, *END_NAMES)]
    return np.isin(names, TRUNK)
