"""What points say about the pose: forces are the slope of the loss, stiffnesses never less than its bend."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.fit import targets_for
from reel2rig.lifter.fit.evidence import BodyPoints, body_points, evidence
from reel2rig.lifter.fit.kinematic_tree import Pull, pose_tree
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton, pose_skeleton
from reel2rig.lifter.fit.targets import Spreads, Targets
from reel2rig.lifter.records import Joints3D, Keypoints
from reel2rig.smpl_assets.landmarks import place_landmarks
from reel2rig.smpl_assets.rotation import Array, cross_matrix, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import END

Given = Callable[..., Joints3D]
Seen = Callable[[RestSkeleton, Pose], Keypoints]
STEP = 1e-5
SPREADS = Spreads()
SOLE_OF_A_HEEL = 0.0275  # metres
FACE = slice(11)  # of BlazePose's points; they err together


@pytest.fixture
def pose(walk: Pose) -> Pose:
    return Pose(walk.local[::30].copy(), walk.pelvis[::30].copy())


@pytest.fixture
def on_the_floor(rest: RestSkeleton, pose: Pose, given: Given) -> Targets:
    """Noisy joints and ends, some of them unknown, and a heel that should stand a little elsewhere."""
    joints = given(rest, pose, 60.0)
    joints.ends[:, END["nose"]] = np.nan
    support = np.zeros((len(pose.pelvis), 13))
    support[:, END["left_heel"]] = [1.0, 0.3]
    holds = np.full((len(support), 13, 2), np.nan)
    holds[:, END["left_heel"]] = pose_skeleton(rest, pose.local, pose.pelvis).ends[:, END["left_heel"], :2] + 0.02
    return replace(targets_for(joints, None), support=support, footholds=holds)


@pytest.fixture
def in_the_picture(
    rest: RestSkeleton, pose: Pose, given: Given, seen: Seen, intrinsics: Array, world_from_cam: Array
) -> Targets:
    """Exact keypoints of somebody a little elsewhere, and nothing else of weight."""
    joints = replace(given(rest, pose), camera_K=intrinsics, camera_world_from_cam=world_from_cam)
    targets = targets_for(joints, seen(rest, Pose(pose.local[::-1], pose.pelvis + 0.03)))
    return replace(targets, joint_weights=targets.joint_weights * 1e-9, end_weights=targets.end_weights * 0)


def pull_of(rest: RestSkeleton, pose: Pose, targets: Targets) -> tuple[BodyPoints, Array, Array, Pull]:
    points = body_points(rest, with_keypoints=targets.rays is not None)
    world, joints = pose_tree(rest.joints, pose.local.transpose(2, 3, 1, 0))
    carried = points.carried(world, joints)
    weight, force = evidence(points.shares @ carried, pose.pelvis.T, targets, SPREADS)
    return points, joints, weight, points.pull(carried, weight, force)


def by_joints(joints: Array, wrench: Array, descendants: Array) -> Array:
    """Torques of all joints in world axes and the force on the pelvis, (T, 75), of wrenches (6, 24, T) at bones."""
    below = np.einsum("jk,akt->ajt", descendants, wrench)
    torque = below[:3] - np.cross(joints, below[3:], axis=0)
    return np.concatenate([torque.transpose(2, 1, 0).reshape(-1, 72), below[3:, 0].T], axis=-1)


def loss(rest: RestSkeleton, pose: Pose, targets: Targets) -> Array:
    """Half the squares (T,) of everything in its spread: Cauchy's for points, plain ones for heights."""
    posed = pose_skeleton(rest, pose.local, pose.pelvis)
    if targets.rays is not None and targets.ray_weights is not None and targets.world_from_cam is not None:
        points = place_landmarks(rest.keypoints, rest.keypoint_offsets, posed.rotations, posed.joints)
        seen = (points - targets.world_from_cam[:3, 3]) @ targets.world_from_cam[:3, :3]
        beside = targets.rays * seen[..., 2:] - seen[..., :2]
        weights = targets.ray_weights.copy()
        weights[:, FACE] *= 0.3
        return cauchy(beside, weights, SPREADS.keypoints, 4)
    total = cauchy(posed.joints - targets.joints, targets.joint_weights, SPREADS.joints, 3)
    total += cauchy(posed.ends - np.nan_to_num(targets.ends), targets.end_weights, SPREADS.ends, 3)
    if targets.support is not None:
        height = posed.ends[..., 2] - SOLE_OF_A_HEEL  # no other point stands
        total += (targets.support * (height / SPREADS.floor) ** 2).sum(-1) / 2
    if targets.support is not None and targets.footholds is not None:
        slid = np.nan_to_num(posed.ends[..., :2] - targets.footholds)
        total += cauchy(slid, targets.support, SPREADS.footholds, 4)
    return total


def cauchy(residual: Array, weight: Array, spread: float, reach: float) -> Array:
    squares = (residual**2).sum(-1) / spread**2
    return (weight * reach**2 * np.log1p(squares / reach**2)).sum(-1) / 2


@pytest.mark.parametrize("case", ["on_the_floor", "in_the_picture"])
def test_forces_are_the_slope_of_the_loss(
    case: str, rest: RestSkeleton, pose: Pose, descendants: Array, request: pytest.FixtureRequest
) -> None:
    targets: Targets = request.getfixturevalue(case)
    _, joints, _, pull = pull_of(rest, pose, targets)
    world = pose_skeleton(rest, pose.local, pose.pelvis).rotations
    measured = np.empty((len(joints.T), 75))
    for parameter in range(75):
        nudge = np.zeros(75)
        nudge[parameter] = STEP
        turn = np.swapaxes(world, -1, -2) @ nudge[:72].reshape(24, 3, 1)
        sides = [
            Pose(pose.local @ matrix_from_axis_angle(sign * turn[..., 0]), pose.pelvis + sign * nudge[72:])
            for sign in (1, -1)
        ]
        measured[:, parameter] = (loss(rest, sides[0], targets) - loss(rest, sides[1], targets)) / (2 * STEP)
    found = by_joints(joints, pull.force, descendants)
    np.testing.assert_allclose(found, -measured, atol=2e-4 * np.abs(measured).max())


def jacobian_of_bones(at: Array) -> Array:
    """How a twist moves points ``at`` (N, 3): (N, 3, 6)."""
    return np.concatenate([-cross_matrix(at), np.broadcast_to(np.eye(3), (*at.shape, 3))], axis=-1)


def test_stiffness_is_exact_for_points_of_one_bone_and_safe_for_others(
    rest: RestSkeleton, pose: Pose, in_the_picture: Targets
) -> None:
    points, joints, weight, pull = pull_of(rest, pose, in_the_picture)
    world, _ = pose_tree(rest.joints, pose.local.transpose(2, 3, 1, 0))
    moves = jacobian_of_bones(points.carried(world, joints)[..., 0].T)  # of the first frame
    plain = np.zeros((len(points.shares), 3, 24, 6))
    for row, (point, bone) in enumerate(zip(points.points, points.bones, strict=True)):
        plain[point, :, bone] += points.shares[point, row] * moves[row]
    plain = plain.reshape(len(plain), 3, 144)
    exact = np.einsum("pam,abp,pbn->mn", plain, weight[..., 0], plain)
    found = np.zeros((24, 6, 24, 6))
    for bone in range(24):
        found[bone, :, bone] = pull.stiffness[:, :, bone, 0]
    found = found.reshape(144, 144)
    head = slice(15 * 6, 16 * 6)  # all that hangs on it hangs on nothing else
    np.testing.assert_allclose(found[head, head], exact[head, head], rtol=1e-3, atol=1e-3)
    assert np.linalg.eigvalsh(found - exact).min() > -1e-5 * np.abs(exact).max()


def test_attachments_of_a_point_meet_where_skinning_puts_it(rest: RestSkeleton, pose: Pose) -> None:
    points = body_points(rest, with_keypoints=True)
    carried = points.carried(*pose_tree(rest.joints, pose.local.transpose(2, 3, 1, 0)))
    found = (points.shares @ carried).T + pose.pelvis[:, None]
    posed = pose_skeleton(rest, pose.local, pose.pelvis)
    keypoints = place_landmarks(rest.keypoints, rest.keypoint_offsets, posed.rotations, posed.joints)
    np.testing.assert_allclose(found, np.concatenate([posed.joints, posed.ends, keypoints], axis=1), atol=2e-5)
