"""Fit SMPL to predicted joints: betas once per person, pose per frame, bone lengths constant."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.body import Body
from ...smpl_assets.landmarks import place_landmarks
from ...smpl_assets.rotation import (
    Array,
    axis_angle_from_quaternion,
    continuous_quaternions,
    matrix_from_axis_angle,
    matrix_from_quaternion,
    quaternion_from_matrix,
)
from ...smpl_assets.skeleton import END_NAMES
from ..records import Fit, Joints3D, Keypoints
from ..stretches import unbroken
from ..virtual_camera import rays_from_pixels
from .closed_form import initial_rotations
from .footholds import footholds
from .gauss_newton import Pose, Spreads, Targets, refine
from .shape import measured_bones, solve_betas
from .skeleton import Posed, RestSkeleton, pose_skeleton, rest_skeleton

# Which joint's confidence speaks for an end point.
END_EVIDENCE = (15, 15, 15, 15, 15, 7, 8, 10, 11, 22, 23, 22, 23)


def fit(
    joints: Joints3D,
    body: Body,
    *,
    fps: float,
    stature: float | None = None,
    keypoints: Keypoints | None = None,
    rounds: int = 3,
    spreads: Spreads | None = None,
    fixed_betas: Mapping[str, float] | None = None,
) -> Fit:
    """Fit one person's rows (world frame, times ascending); what lies on two sides of a long gap is fitted apart.

    stature: metres, or None to take it from the joints. keypoints: the same rows in 2D; with them and a camera the
    pose also explains the picture. Closed form first, then ``rounds`` of damped Gauss-Newton on joints and ends.
    fixed_betas: see solve_betas.
    """
    lengths, spread = measured_bones(joints.joints.astype(np.float64), joints.confidence.astype(np.float64))
    betas = solve_betas(body, lengths, stature, spread, fixed_betas)
    rest = rest_skeleton(body, betas)

    def posed(rows: NDArray[np.int64]) -> Pose:
        here = joints.select(rows)
        given, ends = here.joints.astype(np.float64), here.ends.astype(np.float64)
        start = Pose(initial_rotations(rest, given, ends, fps), given[:, 0])
        targets = targets_for(here, None if keypoints is None else keypoints.select(rows))
        return refine(rest, start, targets, fps, rounds=rounds, spreads=spreads)

    return as_fit(rest, _joined([posed(rows) for rows in unbroken(joints)]), betas, joints, keypoints)


def stand(
    found: Fit, joints: Joints3D, body: Body, *, fps: float, keypoints: Keypoints, support: Array, rounds: int = 3
) -> Fit:
    """Fit again, now that the floor is known: standing feet (support (T, 13), 0..1) are at its height and stay there.

    The whole pose gives way, not only the place, so that the picture stays explained. joints and keypoints: the same
    rows, with a camera.
    """
    rest = rest_skeleton(body, found.betas)
    start = Pose(matrix_from_axis_angle(found.axis_angle), found.trans + rest.joints[0])

    def posed(rows: NDArray[np.int64]) -> Pose:
        targets = targets_for(joints.select(rows), keypoints.select(rows))
        held = footholds(found.ends[rows], support[rows])
        targets = replace(targets, support=support[rows], footholds=held)
        return refine(rest, Pose(start.local[rows], start.pelvis[rows]), targets, fps, rounds=rounds)

    return as_fit(rest, _joined([posed(rows) for rows in unbroken(joints)]), found.betas, joints, keypoints)


def _joined(parts: list[Pose]) -> Pose:
    return Pose(np.concatenate([part.local for part in parts]), np.concatenate([part.pelvis for part in parts]))


def as_fit(rest: RestSkeleton, pose: Pose, betas: Array, joints: Joints3D, keypoints: Keypoints | None) -> Fit:
    """The record of a fitted ``pose``: continuous rotations, positions, and distances to what was given."""
    quaternions = continuous_quaternions(quaternion_from_matrix(pose.local))
    posed = pose_skeleton(rest, matrix_from_quaternion(quaternions), pose.pelvis)
    return Fit(
        axis_angle=axis_angle_from_quaternion(quaternions),
        trans=pose.pelvis - rest.joints[0],
        betas=betas,
        joints=posed.joints,
        ends=posed.ends,
        joint_residual=_joint_residual(posed.joints, joints.joints),
        pixel_residual=_pixel_residual(rest, posed, joints, keypoints),
    )


def targets_for(joints: Joints3D, keypoints: Keypoints | None) -> Targets:
    """What one person's rows ask of the pose, and how sure each of them is."""
    sure = np.maximum(joints.confidence.astype(np.float64), 0.02)
    ends = joints.ends.astype(np.float64)
    known = np.isfinite(ends).all(-1)
    weights = sure[:, list(END_EVIDENCE)] * known
    assert len(END_EVIDENCE) == len(END_NAMES)
    # the lifter sees all points together, so even a hidden joint's estimate is worth something
    targets = Targets(joints.joints.astype(np.float64), ends, np.maximum(sure, 0.3), np.maximum(weights, 0.2) * known)
    if keypoints is None or joints.camera_K is None or joints.camera_world_from_cam is None:
        return targets
    pixels, seen = _seen(keypoints)
    rays = rays_from_pixels(pixels, joints.camera_K)
    return replace(targets, rays=rays, ray_weights=seen, world_from_cam=joints.camera_world_from_cam)


def _seen(keypoints: Keypoints) -> tuple[Array, Array]:
    """Pixels (T, 33, 2) and weights (T, 33); points without a place, as NaN says, weigh nothing."""
    points = keypoints.keypoints.astype(np.float64)
    known = np.isfinite(points).all(-1)
    return np.where(known[..., None], points[..., :2], 0.0), np.where(known, points[..., 2] ** 2, 0.0)


def _joint_residual(fitted: Array, given: Array) -> Array:
    """Mean distance (T,) of joints with both pelvises in one place."""
    apart = (fitted - fitted[:, :1]) - (given - given[:, :1])
    return np.linalg.norm(apart, axis=-1).mean(axis=-1)


def _pixel_residual(
    rest: RestSkeleton, posed: Posed, joints: Joints3D, keypoints: Keypoints | None
) -> NDArray[np.float64]:
    if keypoints is None or joints.camera_K is None or joints.camera_world_from_cam is None:
        return np.full(len(posed.joints), np.nan)
    points = place_landmarks(rest.keypoints, rest.keypoint_offsets, posed.rotations, posed.joints)
    turn, centre = joints.camera_world_from_cam[:3, :3], joints.camera_world_from_cam[:3, 3]
    seen = (points - centre) @ turn
    pixels = seen[..., :2] / np.maximum(seen[..., 2:], 1e-3) @ joints.camera_K[:2, :2].T + joints.camera_K[:2, 2]
    given, weight = _seen(keypoints)
    distance = np.linalg.norm(pixels - given, axis=-1)
    return (distance * weight).sum(-1) / np.maximum(weight.sum(-1), 1e-6)
