"""Damped Gauss-Newton on all joints of a frame at once: 3D points, 2D keypoints, limits and smoothness together.

Every frame is one small normal system (72 rotations + 3 translation); frames are solved as a batch and talk to each
other through a smoothed copy of the motion that is renewed in every round.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ...smpl_assets.body import joint_transforms
from ...smpl_assets.rotation import (
    Array,
    axis_angle_from_matrix,
    continuous_quaternions,
    cross_matrix,
    matrix_from_axis_angle,
    matrix_from_quaternion,
    quaternion_from_matrix,
)
from ...smpl_assets.skeleton import PARENTS
from ..ground import POINTS_TO_SOLE
from .limits import excess
from .skeleton import RestSkeleton, descendants

CHUNK = 256  # frames solved at once; bounds memory


@dataclass(frozen=True)
class Spreads:
    """How far each kind of evidence may be trusted: standard deviations in metres, or radians where said."""

    joints: float = 0.08
    ends: float = 0.08
    keypoints: float = 0.015
    start: float = 0.35  # radians from the closed form
    smooth: float = 0.10  # radians from the smoothed motion
    limits: float = 0.03  # radians beyond a limit
    path: float = 0.05  # from the smoothed path
    place: float = 0.05  # from where the person was placed: one picture tells depth poorly
    floor: float = 0.01
    smoothing: float = 0.06  # seconds, standard deviation of the smoothed copy


@dataclass(frozen=True)
class Targets:
    """What the pose should explain. joints (T, 24, 3), ends (T, 13, 3) m, world; weights (T, 24), (T, 13) 0..1.

    rays (T, 33, 2) slopes and ray_weights (T, 33), seen by the camera world_from_cam (4, 4); None without a clip.
    With rays the picture says where the person stands; joints and ends then count relative to each other only.
    support (T, 13): how surely an end point stands on the floor; None when the floor is not known.
    """

    joints: Array
    ends: Array
    joint_weights: Array
    end_weights: Array
    rays: Array | None = None
    ray_weights: Array | None = None
    world_from_cam: Array | None = None
    support: Array | None = None


@dataclass(frozen=True)
class Pose:
    """local (T, 24, 3, 3) rotations, pelvis (T, 3) metres, world."""

    local: Array
    pelvis: Array


def refine(
    rest: RestSkeleton, start: Pose, targets: Targets, fps: float, *, rounds: int = 5, spreads: Spreads | None = None
) -> Pose:
    """Improve ``start``; bone lengths stay those of ``rest``."""
    spreads = spreads or Spreads()
    moves = descendants()
    pose = start
    for _ in range(rounds):
        smooth = smoothed(pose, spreads.smoothing * fps)
        targets = _brought_along(rest, pose, targets)
        pieces = [
            _step(
                rest,
                _cut(pose, part),
                _cut(start, part),
                _cut(smooth, part),
                _cut_targets(targets, part),
                spreads,
                moves,
            )
            for part in _parts(len(pose.pelvis))
        ]
        pose = Pose(np.concatenate([p.local for p in pieces]), np.concatenate([p.pelvis for p in pieces]))
    return pose


def _brought_along(rest: RestSkeleton, pose: Pose, targets: Targets) -> Targets:
    """The targets moved as a whole to where the person stands now, when the picture says where that is."""
    if targets.rays is None:
        return targets
    _, joints = joint_transforms(rest.joints, PARENTS, pose.local, pose.pelvis - rest.joints[0])
    weight = targets.joint_weights[..., None]
    shift = ((joints - targets.joints) * weight).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    return replace(targets, joints=targets.joints + shift, ends=targets.ends + shift)


def smoothed(pose: Pose, sigma: float) -> Pose:
    """A zero-phase Gaussian average of the motion over time, in quaternion space."""
    if sigma < 0.2 or len(pose.pelvis) < 3:
        return pose
    quaternions = continuous_quaternions(quaternion_from_matrix(pose.local))
    mean = gaussian_filter1d(quaternions, sigma, axis=0, mode="nearest")
    mean = mean / np.linalg.norm(mean, axis=-1, keepdims=True)
    return Pose(matrix_from_quaternion(mean), gaussian_filter1d(pose.pelvis, sigma, axis=0, mode="nearest"))


def _step(
    rest: RestSkeleton,
    pose: Pose,
    start: Pose,
    smooth: Pose,
    targets: Targets,
    spreads: Spreads,
    moves: NDArray[np.bool_],
) -> Pose:
    world, joints = joint_transforms(rest.joints, PARENTS, pose.local, pose.pelvis - rest.joints[0])
    normal = np.zeros((len(joints), 75, 75))
    gradient = np.zeros((len(joints), 75))
    identity = np.eye(24)
    for weights, offsets, goal, weight, spread in (
        (identity, np.zeros((24, 24, 3)), targets.joints, targets.joint_weights, spreads.joints),
        (rest.ends.weights, rest.end_offsets, targets.ends, targets.end_weights, spreads.ends),
    ):
        points, jacobian = _points(weights, offsets, world, joints, moves)
        residual = np.nan_to_num(goal - points)
        robust = weight / (1.0 + (residual**2).sum(-1) / (3 * spread) ** 2)
        _add(normal, gradient, jacobian, residual, robust / spread**2)
        if targets.support is not None and goal is targets.ends:
            # only the height counts: one row of the three
            down = np.where(targets.support > 0, POINTS_TO_SOLE - points[..., 2], 0.0)[..., None]
            _add(normal, gradient, jacobian[..., 2:, :], down, targets.support / spreads.floor**2)
    if targets.rays is not None:
        _add_rays(normal, gradient, rest, world, joints, targets, spreads, moves)
    _add_priors(normal, gradient, pose, start, smooth, spreads)
    delta = np.linalg.solve(normal, gradient[..., None])[..., 0]
    turns = delta[:, :72].reshape(-1, 24, 3)
    turns *= np.minimum(1.0, 0.6 / np.maximum(np.linalg.norm(turns, axis=-1, keepdims=True), 1e-9))
    return Pose(pose.local @ matrix_from_axis_angle(turns), pose.pelvis + delta[:, 72:])


def _points(
    weights: Array, offsets: Array, world: Array, joints: Array, moves: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Positions (T, P, 3) of skinned points and their derivatives (T, P, 3, 75) by local turns and translation.

    Turning joint j by a small d (in its own axes) moves a point by (G_j d) x (point - joint).
    """
    parts = np.einsum("tkab,pkb->tpka", world, offsets, optimize=True) + weights[..., None] * joints[:, None]
    moved = np.einsum("jk,tpka->tpja", moves.astype(float), parts, optimize=True)
    arms = moved - (weights @ moves.T)[..., None] * joints[:, None]
    by_turn = -cross_matrix(arms) @ world[:, None]
    by_turn = np.swapaxes(by_turn, 2, 3).reshape(*by_turn.shape[:2], 3, 72)
    by_shift = np.broadcast_to(np.eye(3), (*by_turn.shape[:2], 3, 3))
    return parts.sum(axis=2), np.concatenate([by_turn, by_shift], axis=-1)


def _add(normal: Array, gradient: Array, jacobian: Array, residual: Array, weight: Array) -> None:
    """Add points' least squares (jacobian (T, P, C, 75), residual (T, P, C), weight (T, P)) to the normal system."""
    scale = np.sqrt(weight)[..., None]
    j = (jacobian * scale[..., None]).reshape(len(jacobian), -1, 75)
    r = (residual * scale).reshape(len(residual), -1)
    normal += np.swapaxes(j, -1, -2) @ j
    gradient += (np.swapaxes(j, -1, -2) @ r[..., None])[..., 0]


def _add_rays(
    normal: Array,
    gradient: Array,
    rest: RestSkeleton,
    world: Array,
    joints: Array,
    targets: Targets,
    spreads: Spreads,
    moves: NDArray[np.bool_],
) -> None:
    """2D evidence, in metres at the point's depth: how far the point lies beside its ray."""
    assert targets.rays is not None
    assert targets.ray_weights is not None
    assert targets.world_from_cam is not None
    points, jacobian = _points(rest.keypoints.weights, rest.keypoint_offsets, world, joints, moves)
    turn, centre = targets.world_from_cam[:3, :3], targets.world_from_cam[:3, 3]
    seen = (points - centre) @ turn
    depth = np.maximum(seen[..., 2:], 0.2)
    residual = targets.rays * depth - seen[..., :2]
    by_camera = np.einsum("ba,tpbc->tpac", turn, jacobian, optimize=True)
    across = by_camera[..., :2, :] - targets.rays[..., None] * by_camera[..., 2:, :]
    robust = targets.ray_weights / (1.0 + (residual**2).sum(-1) / (4 * spreads.keypoints) ** 2)
    _add(normal, gradient, across, residual, robust / spreads.keypoints**2)


def _add_priors(normal: Array, gradient: Array, pose: Pose, start: Pose, smooth: Pose, spreads: Spreads) -> None:
    """Stay near the closed form and the smoothed motion, and inside the joints' limits."""
    back = np.swapaxes(pose.local, -1, -2)
    over = -excess(axis_angle_from_matrix(pose.local)).reshape(len(pose.pelvis), 72)
    diagonal = np.zeros((len(pose.pelvis), 75))
    for goal, spread in ((start.local, spreads.start), (smooth.local, spreads.smooth)):
        diagonal[:, :72] += 1.0 / spread**2
        gradient[:, :72] += axis_angle_from_matrix(back @ goal).reshape(-1, 72) / spread**2
    diagonal[:, :72] += (over != 0) / spreads.limits**2
    gradient[:, :72] += over / spreads.limits**2
    for goal, spread in ((start.pelvis, spreads.place), (smooth.pelvis, spreads.path)):
        diagonal[:, 72:] += 1.0 / spread**2
        gradient[:, 72:] += (goal - pose.pelvis) / spread**2
    normal += diagonal[:, :, None] * np.eye(75)


def _parts(count: int) -> list[slice]:
    return [slice(first, first + CHUNK) for first in range(0, count, CHUNK)]


def _cut(pose: Pose, part: slice) -> Pose:
    return Pose(pose.local[part], pose.pelvis[part])


def _cut_targets(targets: Targets, part: slice) -> Targets:
    def cut(rows: Array | None) -> Array | None:
        return None if rows is None else rows[part]

    return replace(
        targets,
        joints=targets.joints[part],
        ends=targets.ends[part],
        joint_weights=targets.joint_weights[part],
        end_weights=targets.end_weights[part],
        rays=cut(targets.rays),
        ray_weights=cut(targets.ray_weights),
        support=cut(targets.support),
    )
