"""Fit SMPL to predicted joints: betas once per person, pose per frame, bone lengths constant."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.body import Body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import END_NAMES
from ..records import Fit, Joints3D, Keypoints
from ..stretches import unbroken
from ..virtual_camera import rays_from_pixels
from .closed_form import initial_movement
from .footholds import footholds
from .gauss_newton import refine
from .movement import Movement, joined, movement_of_turns
from .record import as_fit, pixels_and_weights, record
from .shape import measured_bones, solve_betas
from .skeleton import rest_skeleton
from .targets import Spreads, Targets

__all__ = ["as_fit", "fit", "stand", "targets_for"]

# Which joint's confidence speaks for an end point.
END_EVIDENCE = (15, 15, 15, 15, 15, 7, 8, 10, 11, 22, 23, 22, 23)
BRIDGED = 0.01  # weight of a joint at confidence 0, whose place is only that between two frames in which it was seen


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
    lengths, spread = measured_bones(joints.joints, joints.confidence)
    betas = solve_betas(body, lengths, stature, spread, fixed_betas)
    rest = rest_skeleton(body, betas)

    def posed(rows: NDArray[np.int64]) -> Movement:
        here = joints.select(rows)
        start = initial_movement(rest, here.joints, here.ends, fps, here.confidence)
        targets = targets_for(here, None if keypoints is None else keypoints.select(rows))
        return refine(rest, start, targets, fps, rounds=rounds, spreads=spreads)

    return record(rest, joined([posed(rows) for rows in unbroken(joints)]), betas, joints, keypoints)


def stand(
    found: Fit, joints: Joints3D, body: Body, *, fps: float, keypoints: Keypoints, support: Array, rounds: int = 3
) -> Fit:
    """Fit again, now that the floor is known: standing feet (support (T, 13), 0..1) are at its height and stay there.

    The whole pose gives way, not only the place, so that the picture stays explained. joints and keypoints: the same
    rows, with a camera.
    """
    rest = rest_skeleton(body, found.betas)
    start = movement_of_turns(found.axis_angle, found.trans + rest.joints[0])

    def posed(rows: NDArray[np.int64]) -> Movement:
        targets = targets_for(joints.select(rows), keypoints.select(rows))
        held = footholds(found.ends[rows], support[rows])
        targets = replace(targets, support=support[rows], footholds=held)
        return refine(rest, start.cut(rows), targets, fps, rounds=rounds)

    return record(rest, joined([posed(rows) for rows in unbroken(joints)]), found.betas, joints, keypoints)


def targets_for(joints: Joints3D, keypoints: Keypoints | None) -> Targets:
    """What one person's rows ask of the pose, and how sure each of them is."""
    sure = np.maximum(joints.confidence, 0.02)
    known = np.isfinite(joints.ends).all(-1)
    weights = sure[:, list(END_EVIDENCE)] * known
    assert len(END_EVIDENCE) == len(END_NAMES)
    # the lifter sees all points together, so even a hidden joint's estimate is worth something, but no bridge's
    joint_weights = np.where(joints.confidence > 0, np.maximum(sure, 0.3), BRIDGED)
    targets = Targets(joints.joints, joints.ends, joint_weights, np.maximum(weights, 0.2) * known)
    if keypoints is None or joints.camera_K is None or joints.camera_world_from_cam is None:
        return targets
    pixels, seen = pixels_and_weights(keypoints.keypoints)
    rays = rays_from_pixels(pixels, joints.camera_K).astype(np.float32)
    return replace(targets, rays=rays, ray_weights=seen, world_from_cam=joints.camera_world_from_cam)
