"""The refinement: what its steps do to a noisy motion, in pieces and in bounded memory."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.fit import gauss_newton, targets_for
from reel2rig.lifter.fit.closed_form import initial_rotations
from reel2rig.lifter.fit.gauss_newton import refine
from reel2rig.lifter.fit.limits import excess
from reel2rig.lifter.fit.movement import movement_of, pose_of
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton, pose_skeleton
from reel2rig.lifter.fit.targets import Targets
from reel2rig.lifter.records import Joints3D, Keypoints
from reel2rig.smpl_assets.rotation import Array, axis_angle_from_matrix, geodesic_degrees, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import END, JOINT

Given = Callable[..., Joints3D]
Seen = Callable[[RestSkeleton, Pose], Keypoints]
FPS = 30.0
NOISE = 20.0  # mm


@pytest.fixture
def pictured(
    rest: RestSkeleton, walk: Pose, given: Given, seen: Seen, intrinsics: Array, world_from_cam: Array
) -> tuple[Pose, Targets]:
    """The closed form of a noisy walk, and what joints, ends and exact keypoints ask of it."""
    joints = replace(given(rest, walk, NOISE), camera_K=intrinsics, camera_world_from_cam=world_from_cam)
    return closed_form(rest, joints), targets_for(joints, seen(rest, walk))


def closed_form(rest: RestSkeleton, joints: Joints3D) -> Pose:
    points = joints.joints.astype(float)
    return Pose(initial_rotations(rest, points, joints.ends.astype(float), FPS), points[:, 0])


def refined(rest: RestSkeleton, start: Pose, targets: Targets, rounds: int = 5) -> Pose:
    return pose_of(refine(rest, movement_of(start), targets, FPS, rounds=rounds))


def error(rest: RestSkeleton, found: Pose, truth: Pose) -> float:
    """Mean distance of joints in millimetres."""
    a, b = (pose_skeleton(rest, pose.local, pose.pelvis).joints for pose in (found, truth))
    return 1000 * float(np.linalg.norm(a - b, axis=-1).mean())


@pytest.mark.parametrize("clip", ["walk", "dribble sideways", "shoot", "turn around"])
def test_noise_shrinks(rest: RestSkeleton, motions: dict[str, Pose], given: Given, clip: str) -> None:
    joints = given(rest, motions[clip], NOISE)
    start = closed_form(rest, joints)
    found = refined(rest, start, targets_for(joints, None))
    assert error(rest, found, motions[clip]) < 12
    assert error(rest, found, motions[clip]) < 0.7 * error(rest, start, motions[clip])


def test_fast_motion_is_blunted_less_than_its_noise(rest: RestSkeleton, motions: dict[str, Pose], given: Given) -> None:
    joints = given(rest, motions["run"], NOISE)
    found = refined(rest, closed_form(rest, joints), targets_for(joints, None))
    assert error(rest, found, motions["run"]) < NOISE


def test_exact_input_at_rest_in_time_stays_exact(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    still = Pose(np.repeat(walk.local[:1], 20, axis=0), np.repeat(walk.pelvis[:1], 20, axis=0))
    joints = given(rest, still)
    assert error(rest, refined(rest, closed_form(rest, joints), targets_for(joints, None)), still) < 2


@pytest.mark.parametrize("with_keypoints", [False, True])
def test_exact_input_stays_exact_in_any_motion(
    rest: RestSkeleton,
    motion: Pose,
    given: Given,
    seen: Seen,
    intrinsics: Array,
    with_keypoints: bool,
    world_from_cam: Array,
) -> None:
    joints = replace(given(rest, motion), camera_K=intrinsics, camera_world_from_cam=world_from_cam)
    targets = targets_for(joints, seen(rest, motion) if with_keypoints else None)
    assert error(rest, refined(rest, motion, targets), motion) < 1


def test_no_rounds_change_nothing(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, walk, NOISE)
    start = movement_of(closed_form(rest, joints))
    assert refine(rest, start, targets_for(joints, None), FPS, rounds=0) is start


def test_an_outlier_does_not_bend_the_body(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, walk)
    pose = closed_form(rest, joints)
    joints.joints[30, JOINT["left_wrist"]] += [0.0, 0.0, 1.5]
    found = refined(rest, pose, targets_for(joints, None))
    truth = pose_skeleton(rest, walk.local, walk.pelvis).joints
    off = pose_skeleton(rest, found.local, found.pelvis).joints - truth
    assert np.linalg.norm(off[30], axis=-1).max() < 0.15


def test_joints_come_back_inside_their_limits(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    local = walk.local[:10].copy()
    local[:, JOINT["left_knee"]] = matrix_from_axis_angle(np.array([-0.5, 0.0, 0.0]))
    wrong = Pose(local, walk.pelvis[:10])
    joints = given(rest, wrong)
    found = refined(rest, wrong, targets_for(joints, None))
    over = [
        np.degrees(-excess(axis_angle_from_matrix(p.local))[:, JOINT["left_knee"], 0].min()) for p in (wrong, found)
    ]
    assert over[0] > 20
    assert over[1] < over[0] / 2


def test_unknown_ends_do_no_harm(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, walk, NOISE)
    joints.ends[:, END["nose"]] = np.nan
    joints.ends[20:40] = np.nan
    found = refined(rest, closed_form(rest, joints), targets_for(joints, None))
    assert np.isfinite(found.local).all()
    assert error(rest, found, walk) < 15


def test_unknown_ends_do_no_harm_in_the_picture(rest: RestSkeleton, walk: Pose, pictured: tuple[Pose, Targets]) -> None:
    start, targets = pictured
    targets.ends[:] = np.nan
    found = refined(rest, start, replace(targets, end_weights=np.zeros_like(targets.end_weights)))
    assert np.isfinite(found.local).all()
    assert error(rest, found, walk) < error(rest, start, walk)


def test_borders_between_pieces_leave_no_seam(
    rest: RestSkeleton, pictured: tuple[Pose, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = refined(rest, *pictured)
    monkeypatch.setattr(gauss_newton, "CHUNK", 7)
    pieces = refined(rest, *pictured)
    assert geodesic_degrees(whole.local, pieces.local).max() < 0.01
    np.testing.assert_allclose(whole.pelvis, pieces.pelvis, atol=1e-5)


def test_one_frame_is_enough(rest: RestSkeleton, walk: Pose, pictured: tuple[Pose, Targets]) -> None:
    start, targets = pictured
    found = refined(rest, Pose(start.local[:1], start.pelvis[:1]), targets.cut(slice(1)))
    truth = Pose(walk.local[:1], walk.pelvis[:1])
    assert error(rest, found, truth) < error(rest, Pose(start.local[:1], start.pelvis[:1]), truth)


def test_frames_of_which_nothing_is_known_go_on_smoothly(rest: RestSkeleton, pictured: tuple[Pose, Targets]) -> None:
    start, targets = pictured
    assert targets.ray_weights is not None
    for weights in (targets.joint_weights, targets.end_weights, targets.ray_weights):
        weights[10:12] = 0.0
    found = refined(rest, start, targets)
    steps = geodesic_degrees(found.local[1:], found.local[:-1])
    assert steps[9:12].max() <= np.delete(steps, [9, 10, 11], axis=0).max()


def test_the_given_start_is_left_alone(rest: RestSkeleton, pictured: tuple[Pose, Targets]) -> None:
    start, targets = movement_of(pictured[0]), pictured[1]
    quaternions, pelvis = start.quaternions.copy(), start.pelvis.copy()
    refine(rest, start, targets, FPS, rounds=1)
    np.testing.assert_array_equal(start.quaternions, quaternions)
    np.testing.assert_array_equal(start.pelvis, pelvis)


def test_an_hour_needs_less_than_half_a_gigabyte(rest: RestSkeleton, pictured: tuple[Pose, Targets]) -> None:
    """Beside its input, and with the result: 4 kB a frame, 108,000 frames."""
    count = 10_000
    rows = np.arange(count) % len(pictured[0].pelvis)
    start, once = movement_of(pictured[0]).cut(rows), pictured[1]
    assert once.rays is not None
    assert once.ray_weights is not None
    long = replace(
        once,
        joints=once.joints[rows],
        ends=once.ends[rows],
        joint_weights=once.joint_weights[rows],
        end_weights=once.end_weights[rows],
        rays=once.rays[rows],
        ray_weights=once.ray_weights[rows],
    )
    tracemalloc.start()
    refine(rest, start, long, FPS, rounds=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4000 * count
