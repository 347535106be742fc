"""The whole fitter: joints in, a person of one shape in motion out."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.fit import fit, frames_last, gauss_newton
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton, rest_skeleton
from reel2rig.lifter.records import Fit, Joints3D, Keypoints
from reel2rig.smpl_assets.body import Body, forward, open_body
from reel2rig.smpl_assets.rotation import Array, geodesic_degrees, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import PARENTS

Given = Callable[..., Joints3D]
FPS = 30.0


def error(found: Fit, truth: Joints3D) -> float:
    """Mean distance of joints in millimetres."""
    return 1000 * float(np.linalg.norm(found.joints - truth.joints, axis=-1).mean())


def bone_lengths(found: Fit) -> Array:
    return np.linalg.norm(found.joints[:, 1:] - found.joints[:, list(PARENTS[1:])], axis=-1)


@pytest.fixture(params=["open", "licensed"])
def body(request: pytest.FixtureRequest, licensed_body: Body) -> Body:
    return open_body() if request.param == "open" else licensed_body


def test_noisy_joints_become_a_motion_near_the_truth(body: Body, walk: Pose, given: Given) -> None:
    rest = rest_skeleton(body, np.zeros(10))
    found = fit(given(rest, walk, noise=20.0), body, fps=FPS)
    assert error(found, given(rest, walk)) < 12
    turns = geodesic_degrees(matrix_from_axis_angle(found.axis_angle), walk.local)
    assert turns.mean() < 10


def test_bones_keep_their_length(body: Body, motion: Pose, given: Given) -> None:
    found = fit(given(rest_skeleton(body, np.zeros(10)), motion, noise=30.0), body, fps=FPS)
    assert np.ptp(bone_lengths(found), axis=0).max() < 1e-9


def test_the_result_is_what_the_body_does_with_these_parameters(body: Body, walk: Pose, given: Given) -> None:
    joints = given(rest_skeleton(body, np.zeros(10)), walk, noise=20.0)
    found = fit(joints, body, fps=FPS)
    posed = forward(body, found.axis_angle.reshape(-1, 72), found.trans, found.betas)[1]
    np.testing.assert_allclose(found.joints, posed, atol=1e-5)
    apart = (posed - posed[:, :1]) - (joints.joints - joints.joints[:, :1])
    residual = np.linalg.norm(apart, axis=-1).mean(axis=-1)
    np.testing.assert_allclose(found.joint_residual, residual, atol=1e-5)
    assert np.isnan(found.pixel_residual).all()  # nothing was known about a picture


def test_the_size_of_the_person_is_found(rest: RestSkeleton, betas: Array, walk: Pose, given: Given) -> None:
    body = open_body()
    found = fit(given(rest, walk, noise=10.0), body, fps=FPS)
    assert body.stature(found.betas) == pytest.approx(body.stature(betas), abs=0.02)


def test_a_build_that_is_known_is_kept_and_exact_joints_are_met(
    rest: RestSkeleton, betas: Array, walk: Pose, given: Given
) -> None:
    known = {name: float(betas[open_body().beta_names.index(name)]) for name in ("mass", "gender", "muscle")}
    found = fit(given(rest, walk), open_body(), fps=FPS, fixed_betas=known)
    np.testing.assert_allclose(found.betas[1:4], betas[1:4], atol=1e-6)
    assert error(found, given(rest, walk)) < 1.0


def test_a_given_stature_is_kept(rest: RestSkeleton, betas: Array, walk: Pose, given: Given) -> None:
    body = open_body()
    found = fit(given(rest, walk, noise=10.0), body, fps=FPS, stature=body.stature(betas))
    assert body.stature(found.betas) == pytest.approx(body.stature(betas), abs=0.01)


def pose_error(found: Fit, truth: Joints3D) -> float:
    """Mean distance in mm of the joints with both pelvises in one place: where a picture puts somebody is depth."""
    apart = (found.joints - found.joints[:, :1]) - (truth.joints - truth.joints[:, :1])
    return 1000 * float(np.linalg.norm(apart, axis=-1).mean())


def test_the_picture_corrects_noisy_joints(
    rest: RestSkeleton,
    walk: Pose,
    given: Given,
    seen: Callable[[RestSkeleton, Pose], Keypoints],
    intrinsics: Array,
    world_from_cam: Array,
) -> None:
    joints = replace(given(rest, walk, noise=20.0), camera_K=intrinsics, camera_world_from_cam=world_from_cam)
    keypoints = seen(rest, walk)
    found = fit(joints, open_body(), fps=FPS, keypoints=keypoints)
    blind = fit(joints, open_body(), fps=FPS)
    assert found.pixel_residual.mean() < 2.0  # the person is about 380 px tall
    assert pose_error(found, given(rest, walk)) < pose_error(blind, given(rest, walk))


@pytest.mark.parametrize("place", [5000.0, np.nan], ids=["far off", "nowhere"])
def test_points_that_were_not_seen_have_no_say(
    place: float,
    rest: RestSkeleton,
    walk: Pose,
    given: Given,
    seen: Callable[[RestSkeleton, Pose], Keypoints],
    intrinsics: Array,
    world_from_cam: Array,
) -> None:
    joints = replace(given(rest, walk), camera_K=intrinsics, camera_world_from_cam=world_from_cam)
    keypoints = seen(rest, walk)
    keypoints.keypoints[:, 11:17] = [place, -place, 0.0]
    found = fit(joints, open_body(), fps=FPS, keypoints=keypoints)
    assert error(found, joints) < 10
    assert found.pixel_residual.mean() < 2.0


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_clips_of_a_few_frames(rest: RestSkeleton, walk: Pose, given: Given, frames: int) -> None:
    short = Pose(walk.local[:frames], walk.pelvis[:frames])
    found = fit(given(rest, short), open_body(), fps=FPS)
    assert found.axis_angle.shape == (frames, 24, 3)
    assert error(found, given(rest, short)) < 12


def test_joints_without_ends_are_enough(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, walk)
    joints.ends[:] = np.nan
    found = fit(joints, open_body(), fps=FPS)
    assert np.isfinite(found.axis_angle).all()
    assert np.isfinite(found.ends).all()
    assert error(found, joints) < 12


def test_rotations_do_not_jump(rest: RestSkeleton, motion: Pose, given: Given) -> None:
    found = matrix_from_axis_angle(fit(given(rest, motion, noise=10.0), open_body(), fps=FPS).axis_angle)
    fastest = geodesic_degrees(motion.local[1:], motion.local[:-1]).max()
    assert geodesic_degrees(found[1:], found[:-1]).max() < fastest + 15


def test_a_doubt_is_less_than_a_certainty(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    wrong = given(rest, walk)
    wrong.joints[:, 20] += np.array([0.15, 0.0, 0.0], np.float32)  # left wrist
    doubted = replace(wrong, confidence=wrong.confidence.copy())
    doubted.confidence[:, 20] = 0.0
    truth = given(rest, walk)
    sure, unsure = (fit(j, open_body(), fps=FPS).joints[:, 20] for j in (wrong, doubted))
    assert np.linalg.norm(unsure - truth.joints[:, 20]) < np.linalg.norm(sure - truth.joints[:, 20])


def test_a_joint_at_confidence_0_has_next_to_no_say_and_does_not_count(
    rest: RestSkeleton, walk: Pose, given: Given
) -> None:
    truth, wrong = given(rest, walk), given(rest, walk)
    gap = slice(len(walk.pelvis) // 3, len(walk.pelvis) // 2)
    wrong.joints[gap, 18] += np.array([0.1, 0.0, 0.0], np.float32)  # left elbow
    wrong = replace(wrong, confidence=wrong.confidence.copy())
    wrong.confidence[gap, 18] = 0.0
    found = fit(wrong, open_body(), fps=FPS)
    assert np.linalg.norm(found.joints[gap, 18] - truth.joints[gap, 18], axis=-1).mean() < 0.008
    assert found.joint_residual[gap].max() < 0.001


@pytest.mark.parametrize("rounds", [0, 3])
def test_pieces_of_any_size_give_the_same(
    rest: RestSkeleton, motion: Pose, given: Given, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    joints = given(rest, motion, noise=20.0)
    whole = fit(joints, open_body(), fps=FPS, rounds=rounds)
    monkeypatch.setattr(frames_last, "PIECE", 7)
    monkeypatch.setattr(gauss_newton, "CHUNK", 11)
    found = fit(joints, open_body(), fps=FPS, rounds=rounds)
    turns = (matrix_from_axis_angle(one.axis_angle) for one in (whole, found))
    assert np.radians(geodesic_degrees(*turns)).max() < 1e-6
    np.testing.assert_allclose(found.joints, whole.joints, atol=1e-6)


def test_long_clips_need_bounded_memory(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    long = Pose(np.tile(walk.local, (50, 1, 1, 1)), np.tile(walk.pelvis, (50, 1)))
    joints = given(rest, long)
    tracemalloc.start()
    found = fit(joints, open_body(), fps=FPS, rounds=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.trans) == 3000
    assert peak < 40e6
