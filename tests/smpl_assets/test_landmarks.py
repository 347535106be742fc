"""Landmarks sit where the mesh has them, in every pose and shape, and fit any body in SMPL's layout."""

from dataclasses import replace

import numpy as np
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.smpl_assets.body import Body, forward, joint_transforms, open_body
from reel2rig.smpl_assets.landmarks import body_landmarks, landmark_table, place_landmarks
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import END_NAMES, JOINT, mirrored

NAMES = (*BLAZEPOSE33, *(name for name in END_NAMES if name not in BLAZEPOSE33))


def posed_landmarks(body: Body, names: tuple[str, ...], poses: np.ndarray, betas: np.ndarray) -> np.ndarray:
    rest = body.rest_joints(betas)
    rotations = matrix_from_axis_angle(poses.reshape(-1, 24, 3))
    world, joints = joint_transforms(rest, body.parents, rotations, np.zeros((len(poses), 3)))
    points = body_landmarks(body, names)
    return place_landmarks(points, points.local_offsets(rest, betas), world, joints)


def rest_landmarks(body: Body, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    return dict(zip(names, posed_landmarks(body, names, np.zeros((1, 72)), np.zeros(10))[0], strict=True))


def test_landmarks_move_with_the_skinned_mesh() -> None:
    random = np.random.default_rng(1)
    body, poses, betas = open_body(), random.normal(0, 0.4, (5, 72)), random.normal(0, 1, 10)
    vertices, _ = forward(body, poses, np.zeros((5, 3)), betas)
    for index, name in enumerate(NAMES):
        rows, weights = landmark_table()[name]
        on_mesh = np.einsum("n,tnc->tc", weights, vertices[:, rows])
        np.testing.assert_allclose(
            posed_landmarks(body, NAMES, poses, betas)[:, index], on_mesh, atol=1e-5, err_msg=name
        )


def test_weights_are_a_mean() -> None:
    for name, (_, weights) in landmark_table().items():
        assert weights.min() >= 0, name
        np.testing.assert_allclose(weights.sum(), 1.0, atol=1e-5, err_msg=name)


def test_left_and_right_are_mirror_images() -> None:
    for names in (BLAZEPOSE33, END_NAMES):
        rest = posed_landmarks(open_body(), names, np.zeros((1, 72)), np.zeros(10))[0]
        np.testing.assert_allclose(rest[list(mirrored(names))] * [-1, 1, 1], rest, atol=0.003)


def test_each_landmark_is_where_its_name_says() -> None:
    rest, joints = rest_landmarks(open_body(), NAMES), open_body().joint_template
    face, left_ear = rest["nose"], rest["left_ear"]
    assert face[2] > left_ear[2] > 0, "the nose is in front of the ear, the ear before the neck"
    assert rest["left_eye"][1] > face[1] > rest["mouth_left"][1], "eyes above the nose above the mouth"
    assert rest["left_big_toe"][2] > joints[JOINT["left_foot"]][2] > rest["left_heel"][2], "toe, ball, heel"
    assert rest["left_heel"][1] < joints[JOINT["left_ankle"]][1], "the heel is below the ankle"
    assert rest["left_index_knuckle"][2] > rest["left_pinky_knuckle"][2], "palms down, index in front"
    for name in ("elbow", "wrist", "knee", "ankle", "shoulder"):
        distance = np.linalg.norm(rest[f"left_{name}"] - joints[JOINT[f"left_{name}"]])
        assert distance < 0.03, f"the detector's {name} is near the joint"


def test_another_body_carries_the_open_bodys_points_scaled_by_stature() -> None:
    open_one = open_body()
    taller = replace(open_one, sha256="another file", v_template=open_one.v_template * 1.2)
    ours, theirs = rest_landmarks(open_one, END_NAMES), rest_landmarks(taller, END_NAMES)
    for name in END_NAMES:
        np.testing.assert_allclose(theirs[name], 1.2 * ours[name], atol=0.004, err_msg=name)
