"""The refinement: its derivatives, and what its steps do to a noisy motion."""

from collections.abc import Callable

import numpy as np
import pytest
from reel2rig.lifter.fit import targets_for
from reel2rig.lifter.fit.closed_form import initial_rotations
from reel2rig.lifter.fit.gauss_newton import Pose, _points, refine, smoothed
from reel2rig.lifter.fit.limits import excess
from reel2rig.lifter.fit.skeleton import RestSkeleton, descendants, pose_skeleton
from reel2rig.lifter.records import Joints3D
from reel2rig.smpl_assets.body import joint_transforms
from reel2rig.smpl_assets.rotation import Array, axis_angle_from_matrix, geodesic_degrees, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import END, JOINT, PARENTS

Given = Callable[..., Joints3D]
FPS = 30.0
NOISE = 20.0  # mm
STEP = 1e-5


def closed_form(rest: RestSkeleton, joints: Joints3D) -> Pose:
    points = joints.joints.astype(float)
    return Pose(initial_rotations(rest, points, joints.ends.astype(float), FPS), points[:, 0])


def error(rest: RestSkeleton, found: Pose, truth: Pose) -> float:
    """Mean distance of joints in millimetres."""
    a, b = (pose_skeleton(rest, pose.local, pose.pelvis).joints for pose in (found, truth))
    return 1000 * float(np.linalg.norm(a - b, axis=-1).mean())


def test_a_joint_moves_itself_and_everything_below_it() -> None:
    moves = descendants()
    assert moves[JOINT["pelvis"]].all()
    below = {name for name, joint in JOINT.items() if moves[JOINT["left_elbow"], joint]}
    assert below == {"left_elbow", "left_wrist", "left_hand"}


def test_derivatives_agree_with_finite_differences(rest: RestSkeleton, walk: Pose) -> None:
    pose = Pose(walk.local[::30], walk.pelvis[::30])

    def points(local: Array, pelvis: Array) -> tuple[Array, Array]:
        world, joints = joint_transforms(rest.joints, PARENTS, local, pelvis - rest.joints[0])
        return _points(rest.keypoints.weights, rest.keypoint_offsets, world, joints, descendants())

    here, jacobian = points(pose.local, pose.pelvis)
    measured = np.empty_like(jacobian)
    for parameter in range(75):
        nudge = np.zeros(75)
        nudge[parameter] = STEP
        turned = pose.local @ matrix_from_axis_angle(nudge[:72].reshape(24, 3))
        measured[..., parameter] = (points(turned, pose.pelvis + nudge[72:])[0] - here) / STEP
    np.testing.assert_allclose(jacobian, measured, atol=1e-4)


@pytest.mark.parametrize("clip", ["walk", "dribble sideways", "shoot", "turn around"])
def test_noise_shrinks(rest: RestSkeleton, motions: dict[str, Pose], given: Given, clip: str) -> None:
    joints = given(rest, motions[clip], NOISE)
    start = closed_form(rest, joints)
    found = refine(rest, start, targets_for(joints, None), FPS)
    assert error(rest, found, motions[clip]) < 12
    assert error(rest, found, motions[clip]) < 0.7 * error(rest, start, motions[clip])


def test_fast_motion_is_blunted_less_than_its_noise(rest: RestSkeleton, motions: dict[str, Pose], given: Given) -> None:
    joints = given(rest, motions["run"], NOISE)
    found = refine(rest, closed_form(rest, joints), targets_for(joints, None), FPS)
    assert error(rest, found, motions["run"]) < NOISE


def test_exact_input_at_rest_in_time_stays_exact(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    still = Pose(np.repeat(walk.local[:1], 20, axis=0), np.repeat(walk.pelvis[:1], 20, axis=0))
    joints = given(rest, still)
    assert error(rest, refine(rest, closed_form(rest, joints), targets_for(joints, None), FPS), still) < 2


def test_no_rounds_change_nothing(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, walk, NOISE)
    start = closed_form(rest, joints)
    assert refine(rest, start, targets_for(joints, None), FPS, rounds=0) is start


def test_an_outlier_does_not_bend_the_body(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, walk)
    pose = closed_form(rest, joints)
    joints.joints[30, JOINT["left_wrist"]] += [0.0, 0.0, 1.5]
    found = refine(rest, pose, targets_for(joints, None), FPS)
    truth = pose_skeleton(rest, walk.local, walk.pelvis).joints
    off = pose_skeleton(rest, found.local, found.pelvis).joints - truth
    assert np.linalg.norm(off[30], axis=-1).max() < 0.15


def test_joints_come_back_inside_their_limits(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    local = walk.local[:10].copy()
    local[:, JOINT["left_knee"]] = matrix_from_axis_angle(np.array([-0.5, 0.0, 0.0]))
    wrong = Pose(local, walk.pelvis[:10])
    joints = given(rest, wrong)
    found = refine(rest, wrong, targets_for(joints, None), FPS)
    over = [
        np.degrees(-excess(axis_angle_from_matrix(p.local))[:, JOINT["left_knee"], 0].min()) for p in (wrong, found)
    ]
    assert over[0] > 20
    assert over[1] < over[0] / 2


def test_unknown_ends_do_no_harm(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, walk, NOISE)
    joints.ends[:, END["nose"]] = np.nan
    joints.ends[20:40] = np.nan
    found = refine(rest, closed_form(rest, joints), targets_for(joints, None), FPS)
    assert np.isfinite(found.local).all()
    assert error(rest, found, walk) < 15


def test_smoothing_is_zero_phase_and_keeps_a_steady_turn() -> None:
    turn = matrix_from_axis_angle(np.linspace(0, 2, 41)[:, None] * np.array([0.0, 0.0, 1.0]))
    local = np.tile(np.eye(3), (41, 24, 1, 1))
    local[:, 0] = turn
    path = np.linspace(0, 1, 41)[:, None] * np.ones(3)
    found = smoothed(Pose(local, path), 2.0)
    assert geodesic_degrees(found.local[10:-10], local[10:-10]).max() < 0.01
    np.testing.assert_allclose(found.pelvis[10:-10], path[10:-10], atol=1e-9)


def test_smoothing_of_a_clip_too_short_to_smooth_is_nothing() -> None:
    pose = Pose(np.tile(np.eye(3), (2, 24, 1, 1)), np.zeros((2, 3)))
    assert smoothed(pose, 5.0) is pose
