"""The second back end: torch and smplx bring a finished fit nearer to what was given, or leave it."""

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.fit import fit, smplx_refine
from reel2rig.lifter.fit.limits import excess
from reel2rig.lifter.fit.shape import SEEN_BETAS
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton, rest_skeleton
from reel2rig.lifter.fit.smplx_refine import refine_with_smplx
from reel2rig.lifter.records import Fit, Joints3D, Keypoints
from reel2rig.smpl_assets.body import Body, forward, open_body
from reel2rig.smpl_assets.errors import SmplxMissingError
from reel2rig.smpl_assets.rotation import Array, geodesic_degrees, matrix_from_axis_angle

Given = Callable[..., Joints3D]
FPS = 30.0


@pytest.fixture(params=["open", "licensed"])
def body(request: pytest.FixtureRequest, licensed_body: Body) -> Body:
    return open_body() if request.param == "open" else licensed_body


@pytest.fixture
def joints(body: Body, walk: Pose, given: Given) -> Joints3D:
    return given(rest_skeleton(body, np.full(10, 0.3)), walk, noise=20.0)


@pytest.fixture
def rough(body: Body, joints: Joints3D) -> Fit:
    """The closed form alone."""
    return fit(joints, body, fps=FPS, rounds=0)


def distance(found: Fit, joints: Joints3D) -> float:
    """Mean distance to the joints and the known ends in metres."""
    both = np.concatenate([found.joints - joints.joints, found.ends - joints.ends], axis=1)
    return float(np.nanmean(np.linalg.norm(both, axis=-1)))


def test_joints_come_nearer(body: Body, joints: Joints3D, rough: Fit) -> None:
    found = refine_with_smplx(rough, joints, body, fps=FPS, keypoints=None)
    assert found.joint_residual.mean() < 0.97 * rough.joint_residual.mean()
    assert np.abs(excess(found.axis_angle)).mean() <= np.abs(excess(rough.axis_angle)).mean()


def test_the_residuals_are_those_of_the_result(body: Body, joints: Joints3D, rough: Fit) -> None:
    found = refine_with_smplx(rough, joints, body, fps=FPS, keypoints=None, steps=5)
    posed = forward(body, found.axis_angle.reshape(-1, 72), found.trans, found.betas)[1]
    np.testing.assert_allclose(found.joints, posed, atol=1e-5)
    apart = (posed - posed[:, :1]) - (joints.joints - joints.joints[:, :1])
    residual = np.linalg.norm(apart, axis=-1).mean(axis=-1)
    np.testing.assert_allclose(found.joint_residual, residual, atol=1e-5)
    assert np.isnan(found.pixel_residual).all()


def test_the_finished_fit_becomes_no_worse(body: Body, joints: Joints3D) -> None:
    start = fit(joints, body, fps=FPS)
    found = refine_with_smplx(start, joints, body, fps=FPS, keypoints=None)
    assert found.joint_residual.mean() <= start.joint_residual.mean()
    turns = [matrix_from_axis_angle(each.axis_angle) for each in (start, found)]
    jumps = [geodesic_degrees(each[1:], each[:-1]).max() for each in turns]
    assert jumps[1] < jumps[0] + 10


def test_a_fit_without_fault_comes_back_as_it_is(rest: RestSkeleton, walk: Pose, betas: Array, given: Given) -> None:
    truth = given(rest, walk)
    start = fit(truth, open_body(), fps=FPS)
    fitted = replace(truth, joints=start.joints.astype(np.float32), ends=start.ends.astype(np.float32))
    assert refine_with_smplx(start, fitted, open_body(), fps=FPS, keypoints=None, steps=3) is start


def test_what_joints_do_not_show_keeps_its_preset(walk: Pose, rest: RestSkeleton, given: Given) -> None:
    body, joints = open_body(), given(rest, walk, noise=20.0)
    start = fit(joints, body, fps=FPS, rounds=0)
    found = refine_with_smplx(start, joints, body, fps=FPS, keypoints=None, steps=10)
    unseen = [index for index, name in enumerate(body.beta_names) if name not in SEEN_BETAS]
    assert unseen
    np.testing.assert_allclose(found.betas[unseen], start.betas[unseen], atol=1e-6)
    assert np.abs(found.betas - start.betas).max() > 0


def test_the_picture_is_explained_better(
    rest: RestSkeleton,
    walk: Pose,
    given: Given,
    seen: Callable[[RestSkeleton, Pose], Keypoints],
    intrinsics: Array,
    world_from_cam: Array,
) -> None:
    joints = replace(given(rest, walk, noise=20.0), camera_K=intrinsics, camera_world_from_cam=world_from_cam)
    keypoints = seen(rest, walk)
    start = fit(joints, open_body(), fps=FPS, keypoints=keypoints, rounds=0)
    found = refine_with_smplx(start, joints, open_body(), fps=FPS, keypoints=keypoints)
    assert found.pixel_residual.mean() < 0.6 * start.pixel_residual.mean()


def test_long_clips_are_summed_up_in_parts(
    body: Body, joints: Joints3D, rough: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = refine_with_smplx(rough, joints, body, fps=FPS, keypoints=None, steps=3)
    monkeypatch.setattr(smplx_refine, "FRAMES_AT_ONCE", 7)
    parts = refine_with_smplx(rough, joints, body, fps=FPS, keypoints=None, steps=3)
    np.testing.assert_allclose(parts.joints, whole.joints, atol=1e-3)
    np.testing.assert_allclose(parts.betas, whole.betas, atol=1e-3)


def test_unknown_ends_and_one_frame(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    joints = given(rest, Pose(walk.local[:1], walk.pelvis[:1]), noise=20.0)
    joints.ends[:, 3:] = np.nan
    start = fit(joints, open_body(), fps=FPS, rounds=0)
    found = refine_with_smplx(start, joints, open_body(), fps=FPS, keypoints=None)
    assert np.isfinite(found.axis_angle).all()
    assert distance(found, joints) < distance(start, joints)


@pytest.mark.parametrize("package", ["smplx", "torch"])
def test_a_missing_package_is_named(
    package: str, rest: RestSkeleton, walk: Pose, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    joints = given(rest, walk)
    start = fit(joints, open_body(), fps=FPS, rounds=0)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SmplxMissingError, match=package):
        refine_with_smplx(start, joints, open_body(), fps=FPS, keypoints=None)
