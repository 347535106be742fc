"""From SMPL's rotations to what Blender's pose bones are keyed with. Needs numpy only.

A bone with rest axes A (columns, armature frame) turned by SMPL's global rotation G shows the axes G C^T A, where C
turns the body frame (Y up, facing +Z) into Blender's rest frame. So a local rotation R becomes (C^T A)^T R (C^T A);
the pelvis, whose parent does not turn, becomes A^T R C^T A.
"""

from dataclasses import dataclass

import numpy as np

from ...smpl_assets.rotation import (
    Array,
    continuous_quaternions,
    matrix_from_axis_angle,
    matrix_from_quaternion,
    quaternion_from_axis_angle,
    quaternion_from_matrix,
)
from .rest_pose import TO_BLENDER


@dataclass(frozen=True)
class BoneChannels:
    """quaternions (T, 24, 4) w x y z; pelvis_location and root_location (T, 3) metres in the bones' own rest axes."""

    quaternions: Array
    pelvis_location: Array
    root_location: Array


def bone_channels(poses: Array, pelvis: Array, rest_axes: Array, rest_pelvis: Array) -> BoneChannels:
    """Pose-bone channels for poses (T, 24, 3) axis-angle and pelvis positions (T, 3) in the Z-up world.

    rest_axes (24, 3, 3): the bones' rest axes as columns, armature frame; rest_pelvis (3,): the pelvis bone's head.
    The root bone carries the travel over the floor (x, y); the pelvis bone carries the rest, so a game engine that
    takes root motion from the root bone finds it there. The root bone's rest axes are the armature's.
    """
    change = TO_BLENDER.T @ rest_axes
    quaternions = _conjugated(quaternion_from_axis_angle(poses.astype(np.float64)), quaternion_from_matrix(change))
    first = matrix_from_axis_angle(poses[:, 0].astype(np.float64))
    quaternions[:, 0] = quaternion_from_matrix(rest_axes[0].T @ first @ change[0])
    root = pelvis * np.array([1.0, 1.0, 0.0])
    return BoneChannels(
        quaternions=continuous_quaternions(quaternions),
        pelvis_location=(pelvis - root - rest_pelvis) @ rest_axes[0],
        root_location=root,
    )


def _conjugated(quaternions: Array, change: Array) -> Array:
    """Quaternions (T, J, 4) seen from the axes given by ``change`` (J, 4): only their vector parts turn."""
    vectors = np.einsum("jba,tjb->tja", matrix_from_quaternion(change), quaternions[..., 1:])
    return np.concatenate([quaternions[..., :1], vectors], axis=-1)
