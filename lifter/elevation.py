"""Take back the lifter's pull towards the usual camera height.

How steeply a camera looks down on a person is the hardest thing to see in 2D keypoints, so a lifter that is unsure
answers nearer to level: people seen from above come out leaning away, their depth too small and, for the same height
in the picture, too far off. A clip has one camera and many frames, so the mean answer can be moved back by what is
missing on average (regression dilution, Spearman 1904). Body and up turn together.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import Array, matrix_from_axis_angle
from .place import level_up
from .records import Lifted
from .virtual_camera import rays_from_pixels

# How many degrees are missing where the lifter says so many: chosen on renders of training motion, where it makes up,
# joints and place better, and checked on renders of other people (benchmarks/rendered_truth.py). Cameras that look up
# gain nothing. Who seems to be seen more steeply than people are filmed is likelier to lean.
SAID, MISSING = (0.0, 18.0, 25.0, 35.0), (0.0, 5.4, 5.4, 0.0)


def with_full_elevation(lifted: Lifted) -> Lifted:
    """The same people, each turned about the camera's level axis until seen as steeply as is most probable."""
    joints, ends = lifted.joints.joints.copy(), lifted.joints.ends.copy()
    up = lifted.up.copy()
    for track in np.unique(lifted.joints.track_id):
        rows = lifted.joints.track_id == track
        turn = _correction(lifted, rows)
        joints[rows], ends[rows] = joints[rows] @ turn.T.astype(np.float32), ends[rows] @ turn.T.astype(np.float32)
        up[rows] = up[rows] @ turn.T
    return replace(lifted, joints=replace(lifted.joints, joints=joints, ends=ends), up=up)


def _correction(lifted: Lifted, rows: NDArray[np.bool_]) -> Array:
    """Rotation (3, 3) in camera axes for one person's rows."""
    assert lifted.joints.camera_K is not None
    points = lifted.keypoints.keypoints[rows].astype(np.float64)
    weights = points[..., 2] + 1e-6
    rays = rays_from_pixels(points[..., :2], lifted.joints.camera_K)
    middle = (rays * weights[..., None]).sum(axis=(0, 1)) / weights.sum()
    view = np.append(middle, 1.0) / np.linalg.norm(np.append(middle, 1.0))
    up = level_up(lifted.up[rows], points[..., 2])
    level = np.cross(view, up)
    if np.linalg.norm(level) < 0.2:  # nearly straight from above or below: there is no level axis to turn about
        return np.eye(3)
    elevation = np.degrees(np.arcsin(np.clip(-up @ view, -1.0, 1.0)))
    missing = np.radians(np.interp(elevation, SAID, MISSING))
    return matrix_from_axis_angle(missing * level / np.linalg.norm(level))
