"""What a fit hands on: axis-angles, places, and how far they are from what was given."""

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from ..records import Fit, Joints3D, Keypoints
from .frames_last import matrix_of, pieces, rotation_vector, unit
from .kinematic_tree import carried_points, pose_tree
from .movement import Movement, movement_of
from .skeleton import Pose, RestSkeleton


def as_fit(rest: RestSkeleton, pose: Pose, betas: Array, joints: Joints3D, keypoints: Keypoints | None) -> Fit:
    """The record of a fitted ``pose``: rotations, positions, and distances to what was given (rows alike)."""
    return record(rest, movement_of(pose), betas, joints, keypoints)


def record(rest: RestSkeleton, moved: Movement, betas: Array, joints: Joints3D, keypoints: Keypoints | None) -> Fit:
    """The same for a movement, worked through in pieces."""
    count = moved.pelvis.shape[1]
    found = Fit(
        axis_angle=np.empty((count, 24, 3)),
        trans=moved.pelvis.T - rest.joints[0],
        betas=betas,
        joints=np.empty((count, 24, 3)),
        ends=np.empty((count, len(rest.end_offsets), 3)),
        joint_residual=np.empty(count),
        pixel_residual=np.full(count, np.nan),
    )
    for part in pieces(count):
        quaternions, pelvis = unit(moved.quaternions[..., part].astype(np.float64)), moved.pelvis[:, None, part]
        found.axis_angle[part] = rotation_vector(quaternions).T
        world, around = pose_tree(rest.joints, matrix_of(quaternions))
        found.joints[part] = (around + pelvis).T
        found.ends[part] = (carried_points(rest.ends.weights, rest.end_offsets, world, around) + pelvis).T
        found.joint_residual[part] = _joint_residual(around, joints.joints[part], joints.confidence[part])
        if keypoints is not None and joints.camera_K is not None and joints.camera_world_from_cam is not None:
            points = carried_points(rest.keypoints.weights, rest.keypoint_offsets, world, around) + pelvis
            pixels = _pixels(points, joints.camera_K, joints.camera_world_from_cam)
            found.pixel_residual[part] = _pixel_residual(pixels, keypoints.keypoints[part])
    return found


def _joint_residual(around: Array, given: Array, confidence: Array) -> Array:
    """Mean distance (T,) of joints (3, 24, T) around the pelvis from those given (T, 24, 3) with a confidence (T, 24).

    Those at confidence 0 are not known and do not count; NaN where none is known.
    """
    apart, known = around - (given - given[:, :1]).T, (confidence > 0).T
    total = np.where(known, np.sqrt((apart * apart).sum(axis=0)), 0.0).sum(axis=0)
    return np.divide(total, known.sum(axis=0), out=np.full(len(total), np.nan), where=known.any(axis=0))


def _pixels(points: Array, camera_K: Array, world_from_cam: Array) -> Array:
    """Where points (3, P, T) m in the world are in the picture: (2, P, T) px."""
    seen = np.tensordot(world_from_cam[:3, :3].T, points - world_from_cam[:3, 3, None, None], 1)
    return np.tensordot(camera_K[:2, :2], seen[:2] / np.maximum(seen[2], 1e-3), 1) + camera_K[:2, 2, None, None]


def _pixel_residual(pixels: Array, keypoints: Array) -> NDArray[np.float64]:
    """Mean distance (T,) px of ``pixels`` (2, P, T) from keypoints (T, P, 3), by weight."""
    given, weight = pixels_and_weights(keypoints)
    apart = pixels - given.T
    return (np.sqrt((apart * apart).sum(axis=0)) * weight.T).sum(axis=0) / np.maximum(weight.sum(axis=-1), 1e-6)


def pixels_and_weights(keypoints: Array) -> tuple[Array, Array]:
    """Pixels (T, P, 2) and weights (T, P) of keypoints (T, P, 3); points without a place (NaN) weigh nothing."""
    points = keypoints.astype(np.float64)
    known = np.isfinite(points).all(-1)
    return np.where(known[..., None], points[..., :2], 0.0), np.where(known, points[..., 2] ** 2, 0.0)
