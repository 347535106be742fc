"""Our forward pass and the smplx package must place every vertex alike, to 1e-5 m, on both kinds of file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from reel2rig.smpl_assets import smplx_body
from reel2rig.smpl_assets.body import Body, forward, joint_transforms, open_body
from reel2rig.smpl_assets.landmarks import body_landmarks, place_landmarks
from reel2rig.smpl_assets.loader import load_body
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle


@pytest.fixture(params=["open", "licensed"])
def body(request: pytest.FixtureRequest, official_pickle: Callable[[], Path]) -> Body:
    return open_body() if request.param == "open" else load_body(official_pickle())


@pytest.fixture
def motion() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    return random.normal(0, 0.5, (3, 72)), random.normal(0, 1, (3, 3)), random.normal(0, 1, 10)


def test_vertices_and_joints_agree(body: Body, motion: tuple) -> None:
    ours, theirs = forward(body, *motion), smplx_body.forward(body, *motion)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(other, mine, atol=1e-5, rtol=0)


def test_fewer_betas_mean_zeros(body: Body, motion: tuple) -> None:
    poses, trans, _ = motion
    betas = np.array([0.7, -0.2])
    np.testing.assert_allclose(
        smplx_body.forward(body, poses, trans, betas)[1], forward(body, poses, trans, betas)[1], atol=1e-5, rtol=0
    )


def test_long_clips_are_computed_in_parts(body: Body, motion: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = smplx_body.forward(body, *motion)
    monkeypatch.setattr(smplx_body, "FRAMES_AT_ONCE", 2)
    np.testing.assert_allclose(smplx_body.forward(body, *motion)[1], whole[1], atol=1e-6)


def test_the_proxy_places_joints_and_landmarks_as_the_mesh_does(motion: tuple) -> None:
    body = open_body()
    landmarks = body_landmarks(body)
    poses, trans, betas = motion
    rest = body.rest_joints(betas)
    world, joints = joint_transforms(rest, body.parents, matrix_from_axis_angle(poses.reshape(-1, 24, 3)), trans)
    points = place_landmarks(landmarks, landmarks.local_offsets(rest, betas), world, joints)
    tensors = [torch.tensor(array, dtype=torch.float32, requires_grad=True) for array in motion]
    found_joints, found_points = smplx_body.SmplxProxy(body, landmarks)(*tensors)
    np.testing.assert_allclose(found_joints.detach(), joints, atol=1e-5, rtol=0)
    np.testing.assert_allclose(found_points.detach(), points, atol=1e-5, rtol=0)
    found_points.square().sum().backward()
    assert all(tensor.grad is not None and tensor.grad.abs().sum() > 0 for tensor in tensors)
