"""From exact points to rotations: every part that its points determine is found, the others stay natural."""

from collections.abc import Callable

import numpy as np
import pytest
from reel2rig.lifter.fit.closed_form import HINGES, aligned, between, hinge_flexion, initial_rotations, kabsch
from reel2rig.lifter.fit.gauss_newton import Pose
from reel2rig.lifter.fit.skeleton import RestSkeleton, local_from_global, pose_skeleton
from reel2rig.lifter.records import Joints3D
from reel2rig.smpl_assets.rotation import Array, axis_angle_from_matrix, geodesic_degrees, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import END_NAMES, JOINT, JOINT_NAMES, PARENTS, mirrored

FPS = 30.0
TRUNK = ("pelvis", "spine3")
ENDS = ("head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
ARMS = ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")
LEGS = ("left_hip", "right_hip", "left_knee", "right_knee")
TURN = matrix_from_axis_angle(np.array([0.4, -1.1, 2.0]))
MIRROR = np.diag([-1.0, 1.0, 1.0])


def rows(names: tuple[str, ...]) -> list[int]:
    return [JOINT[name] for name in names]


def hinge_bends(local: Array) -> Array:
    """How far the elbows and knees (T, 4) are bent the natural way, degrees."""
    turns = axis_angle_from_matrix(local)
    return np.degrees(np.stack([turns[:, JOINT[name]] @ np.array(axis) for name, axis in HINGES.items()], axis=1))


def solved(rest: RestSkeleton, pose: Pose) -> tuple[Array, Array, Array]:
    """Found local rotations, found and true world rotations."""
    truth = pose_skeleton(rest, pose.local, pose.pelvis)
    local = initial_rotations(rest, truth.joints, truth.ends, FPS)
    return local, pose_skeleton(rest, local, pose.pelvis).rotations, truth.rotations


def test_rotations_of_real_motion_are_found_part_by_part(rest: RestSkeleton, motion: Pose) -> None:
    _, found, truth = solved(rest, motion)
    error = geodesic_degrees(found, truth)
    assert error[:, rows(TRUNK)].max() < 1  # three points or more: exact
    assert error[:, rows(ENDS)].max() < 1
    assert error[:, rows(ARMS)].mean() < 4  # twist from the bend
    assert error[:, rows(LEGS)].mean() < 4  # straight legs leave their twist open


def test_noisy_points_turn_limbs_little(rest: RestSkeleton, motion: Pose, given: Callable[..., Joints3D]) -> None:
    seen, truth = given(rest, motion, 20.0), pose_skeleton(rest, motion.local, motion.pelvis)
    local = initial_rotations(rest, seen.joints.astype(float), seen.ends.astype(float), FPS)
    error = geodesic_degrees(pose_skeleton(rest, local, motion.pelvis).rotations, truth.rotations)
    assert error[:, rows(LEGS)].mean() < 8
    assert error[:, rows(ARMS)].mean() < 15


def test_points_are_hit_by_the_found_rotations(rest: RestSkeleton, motion: Pose) -> None:
    local, _, _ = solved(rest, motion)
    found, truth = (pose_skeleton(rest, turns, motion.pelvis) for turns in (local, motion.local))
    assert np.linalg.norm(found.joints - truth.joints, axis=-1).mean() < 0.0005
    assert np.linalg.norm(found.ends - truth.ends, axis=-1).mean() < 0.0006


def test_knees_and_elbows_bend_the_natural_way(rest: RestSkeleton, motion: Pose) -> None:
    assert hinge_bends(solved(rest, motion)[0]).min() > -5


@pytest.mark.parametrize("name", HINGES)
@pytest.mark.parametrize("degrees", [40, 90, 130])
def test_a_bent_hinge_alone_is_found_again(rest: RestSkeleton, name: str, degrees: float) -> None:
    local = np.tile(np.eye(3), (1, 24, 1, 1))
    local[:, JOINT[name]] = matrix_from_axis_angle(np.radians(degrees) * np.array(HINGES[name]))
    found = solved(rest, Pose(local, np.zeros((1, 3))))[0]
    bends = dict(zip(HINGES, hinge_bends(found)[0], strict=True))
    assert bends.pop(name) == pytest.approx(degrees, abs=1)
    assert np.abs(list(bends.values())).max() < 0.1


@pytest.mark.parametrize("degrees", [0, 5, 60, 150])
def test_flexion_is_told_by_the_angle_of_bones_out_of_the_hinges_plane(degrees: float) -> None:
    axis, upper, lower = np.array([1.0, 0.0, 0.1]), np.array([0.1, -1.0, 0.0]), np.array([-0.05, -1.0, -0.1])
    turn = matrix_from_axis_angle(np.radians(degrees) * axis / np.linalg.norm(axis))
    flexion, straightest = hinge_flexion(
        axis, upper, lower, 0.4 * (TURN @ upper)[None], 0.5 * (TURN @ turn @ lower)[None]
    )
    assert np.degrees(flexion) == pytest.approx(degrees, abs=1e-6)
    assert -10 < np.degrees(straightest) < 0  # at rest the lower bone points back a little


def test_the_rest_pose_is_no_rotation(rest: RestSkeleton) -> None:
    still = Pose(np.tile(np.eye(3), (2, 24, 1, 1)), np.zeros((2, 3)))
    assert geodesic_degrees(solved(rest, still)[0], np.eye(3)).max() < 0.1


def test_a_turned_world_turns_the_pelvis_only(rest: RestSkeleton, walk: Pose) -> None:
    truth = pose_skeleton(rest, walk.local, walk.pelvis)
    local = initial_rotations(rest, truth.joints, truth.ends, FPS)
    turned = initial_rotations(rest, truth.joints @ TURN.T, truth.ends @ TURN.T, FPS)
    np.testing.assert_allclose(turned[:, 0], TURN @ local[:, 0], atol=1e-6)
    np.testing.assert_allclose(turned[:, 1:], local[:, 1:], atol=1e-6)


def test_a_mirrored_person_takes_the_mirrored_pose(rest: RestSkeleton, motion: Pose) -> None:
    truth = pose_skeleton(rest, motion.local, motion.pelvis)
    joints, ends = truth.joints[:, mirrored(JOINT_NAMES)] @ MIRROR, truth.ends[:, mirrored(END_NAMES)] @ MIRROR
    local = initial_rotations(rest, truth.joints, truth.ends, FPS)
    found = initial_rotations(rest, joints, ends, FPS)
    assert geodesic_degrees(found, MIRROR @ local[:, mirrored(JOINT_NAMES)] @ MIRROR).max() < 1


def test_one_frame_is_enough(rest: RestSkeleton, walk: Pose) -> None:
    _, found, truth = solved(rest, Pose(walk.local[:1], walk.pelvis[:1]))
    assert geodesic_degrees(found, truth)[:, rows(TRUNK + ENDS)].max() < 1


@pytest.mark.parametrize("frames", [slice(None), slice(10, 20)], ids=["all", "some"])
def test_parts_without_ends_follow_their_bone(rest: RestSkeleton, walk: Pose, frames: slice) -> None:
    truth = pose_skeleton(rest, walk.local, walk.pelvis)
    ends = truth.ends.copy()
    ends[frames] = np.nan
    with_ends, without = (initial_rotations(rest, truth.joints, e, FPS) for e in (truth.ends, ends))
    assert np.isfinite(without).all()
    np.testing.assert_allclose(without[:, rows(LEGS + TRUNK)], with_ends[:, rows(LEGS + TRUNK)], atol=1e-9)
    joints = pose_skeleton(rest, without, walk.pelvis).joints
    assert np.linalg.norm(joints - truth.joints, axis=-1).mean() < 0.002


def test_rotations_are_rotations(rest: RestSkeleton, motion: Pose) -> None:
    local = solved(rest, motion)[0]
    np.testing.assert_allclose(local @ np.swapaxes(local, -1, -2), np.broadcast_to(np.eye(3), local.shape), atol=1e-8)
    np.testing.assert_allclose(np.linalg.det(local), 1.0, atol=1e-8)


def test_local_and_world_rotations_are_two_views_of_one_pose(rest: RestSkeleton, walk: Pose) -> None:
    world = pose_skeleton(rest, walk.local, walk.pelvis).rotations
    np.testing.assert_allclose(local_from_global(world), walk.local, atol=1e-9)
    np.testing.assert_allclose(world[:, 1:], world[:, list(PARENTS[1:])] @ walk.local[:, 1:], atol=1e-9)


def test_kabsch_finds_a_rotation_and_never_a_reflection() -> None:
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(kabsch(points, (points @ TURN.T)[None])[0], TURN, atol=1e-9)
    assert np.linalg.det(kabsch(points, (points @ MIRROR)[None])[0]) == pytest.approx(1)


def test_kabsch_listens_to_weights() -> None:
    rest = np.eye(3)
    target = rest @ TURN.T
    target[2] = [9.0, -9.0, 9.0]  # wrong, but without weight
    found = kabsch(rest, target[None], np.array([1.0, 1.0, 0.0]))[0]
    np.testing.assert_allclose(found, TURN, atol=1e-9)


def test_alignment_is_a_swing_without_twist() -> None:
    found = aligned(np.eye(3)[None], np.array([1.0, 0.0, 0.0]), np.array([[0.0, 5.0, 0.0]]))
    np.testing.assert_allclose(axis_angle_from_matrix(found)[0], [0.0, 0.0, np.pi / 2], atol=1e-9)


def test_between_is_a_share_of_the_way() -> None:
    first, second = np.eye(3)[None], matrix_from_axis_angle(np.array([[0.0, 0.9, 0.0]]))
    np.testing.assert_allclose(axis_angle_from_matrix(between(first, second, 1 / 3))[0], [0.0, 0.3, 0.0], atol=1e-9)
