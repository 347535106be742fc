"""The open body and its forward pass."""

import numpy as np
import pytest
from reel2rig.smpl_assets.body import Body, forward, open_body
from reel2rig.smpl_assets.rotation import axis_angle_from_matrix, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS, mirrored


@pytest.fixture(scope="module")
def body() -> Body:
    return open_body()


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def test_identity_pose_is_the_rest_body(body: Body) -> None:
    betas = np.array([1.0, -0.5, 0.3])
    vertices, joints = forward(body, np.zeros((1, 72)), np.zeros((1, 3)), betas)
    np.testing.assert_allclose(vertices[0], body.rest_vertices(betas), atol=1e-6)
    np.testing.assert_allclose(joints[0], body.rest_joints(betas), atol=1e-6)


def test_rest_joints_are_regressed_from_the_rest_vertices(body: Body, random: np.random.Generator) -> None:
    betas = random.normal(size=10)
    np.testing.assert_allclose(body.rest_joints(betas), body.J_regressor @ body.rest_vertices(betas), atol=1e-5)


def test_translation_moves_everything_alike(body: Body, random: np.random.Generator) -> None:
    poses, betas, shift = random.normal(0, 0.4, (2, 72)), random.normal(size=10), np.array([[0.5, -2.0, 3.0]])
    here, there = (forward(body, poses, trans, betas) for trans in (np.zeros((2, 3)), np.repeat(shift, 2, axis=0)))
    np.testing.assert_allclose(there[0], here[0] + shift, atol=1e-6)
    np.testing.assert_allclose(there[1], here[1] + shift, atol=1e-6)


def test_global_orient_turns_the_body_about_its_pelvis(body: Body, random: np.random.Generator) -> None:
    poses = random.normal(0, 0.4, (1, 72))
    turn = matrix_from_axis_angle(np.array([0.4, -1.2, 0.7]))
    turned = poses.copy()
    turned[:, :3] = axis_angle_from_matrix(turn @ matrix_from_axis_angle(poses[:, :3]))
    before, after = (forward(body, p, np.zeros((1, 3)), np.zeros(10)) for p in (poses, turned))
    pelvis = before[1][0, 0]
    np.testing.assert_allclose(after[1][0, 0], pelvis, atol=1e-6)
    np.testing.assert_allclose(after[0][0], (before[0][0] - pelvis) @ turn.T + pelvis, atol=1e-6)


def test_bone_lengths_do_not_depend_on_the_pose(body: Body, random: np.random.Generator) -> None:
    betas = random.normal(size=10)
    _, joints = forward(body, random.normal(0, 1, (5, 72)), random.normal(0, 1, (5, 3)), betas)
    parents = list(PARENTS[1:])
    rest = body.rest_joints(betas)
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, parents], axis=-1)
    expected = np.linalg.norm(rest[1:] - rest[parents], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(expected, lengths.shape), atol=1e-6)


def test_a_bent_elbow_moves_the_forearm_and_nothing_else(body: Body) -> None:
    poses = np.zeros((1, 24, 3))
    poses[0, JOINT["left_elbow"]] = [0.0, -np.pi / 2, 0.0]
    vertices, joints = forward(body, poses.reshape(1, 72), np.zeros((1, 3)), np.zeros(10))
    arm = [JOINT[name] for name in ("left_elbow", "left_wrist", "left_hand")]
    still = body.weights[:, arm].sum(axis=1) == 0
    np.testing.assert_allclose(vertices[0][still], body.v_template[still], atol=1e-6)
    # the arm points along +X at rest; turned -90 degrees about Y it points along +Z, forward
    forearm = joints[0, JOINT["left_wrist"]] - joints[0, JOINT["left_elbow"]]
    np.testing.assert_allclose(forearm / np.linalg.norm(forearm), [0, 0, 1], atol=0.03)


def test_the_open_body_stands_upright_symmetric_and_faces_z(body: Body) -> None:
    joints = body.joint_template
    assert joints[JOINT["head"], 1] > joints[JOINT["pelvis"], 1] > joints[JOINT["left_ankle"], 1]
    assert joints[JOINT["left_wrist"], 0] > 0
    assert joints[JOINT["left_foot"], 2] > joints[JOINT["left_ankle"], 2]
    np.testing.assert_allclose(joints[list(mirrored(JOINT_NAMES))], joints * [-1, 1, 1], atol=0.002)


def test_weights_are_shares_of_at_most_four_joints(body: Body) -> None:
    np.testing.assert_allclose(body.weights.sum(axis=1), 1.0, atol=1e-5)
    assert (body.weights >= 0).all()
    assert (body.weights > 0).sum(axis=1).max() <= 4


def test_shape_names_mean_what_they_say(body: Body) -> None:
    unit = dict(zip(body.beta_names, np.eye(10), strict=True))
    assert body.stature(unit["height"]) > body.stature(np.zeros(10)) + 0.03
    assert abs(body.stature(unit["mass"]) - body.stature(np.zeros(10))) < 0.005
    forearm = lambda b: np.ptp(body.rest_joints(b)[[JOINT["left_elbow"], JOINT["left_wrist"]], 0])  # noqa: E731
    assert forearm(unit["forearm"]) > forearm(np.zeros(10)) + 0.005
    presets = dict(body.presets)
    assert body.stature(presets["short"]) < body.stature(presets["neutral"]) < body.stature(presets["tall"])
    assert body.stature(presets["female"]) < body.stature(presets["male"])


def test_quads_and_triangles_describe_the_same_surface(body: Body) -> None:
    assert body.quads is not None
    first = body.quads[:, [0, 1, 2]]
    whole = body.quads[body.quads[:, 2] != body.quads[:, 3]]
    triangles = np.concatenate([first, whole[:, [0, 2, 3]]])
    assert set(map(tuple, triangles.tolist())) == set(map(tuple, body.faces.tolist()))
