"""Joints as weighted means of the detector's points: the weights find known ones and hold on new bodies."""

import json
from pathlib import Path

import pytest
import torch
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES, mirrored
from reel2rig.training.detector_noise import DetectorNoise
from reel2rig.training.joints_from_landmarks import fitted_weights, joint_weights, measured_weights, write_table
from reel2rig.training.motion_set import MotionSet, read_motion_set
from reel2rig.training.preprocess import preprocess
from reel2rig.training.readers import sources
from reel2rig.training.synthesis import Augmentation, PairMaker


def test_rows_sum_to_one_so_that_pixels_and_slopes_give_the_same_joints() -> None:
    weights = joint_weights()
    assert weights.shape == (24, 33)
    torch.testing.assert_close(weights.sum(1), torch.ones(24), atol=1e-5, rtol=0)
    points = torch.rand(33, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(weights @ (800 * points + 300), 800 * (weights @ points) + 300, atol=0.01, rtol=0)


def test_left_mirrors_right() -> None:
    weights = joint_weights()
    turned = weights[list(mirrored(JOINT_NAMES))][:, list(mirrored(BLAZEPOSE33))]
    torch.testing.assert_close(turned, weights)


def test_each_joint_leans_most_on_the_landmark_of_its_name() -> None:
    weights = joint_weights()
    for name in ("left_elbow", "right_elbow", "left_knee", "right_ankle", "left_hip"):
        assert int(weights[JOINT[name]].argmax()) == BLAZEPOSE33.index(name), name


def test_known_weights_are_found_up_to_the_ridge() -> None:
    random = torch.Generator().manual_seed(0)
    landmarks = torch.rand(4000, 33, 2, generator=random)
    one_sided = torch.rand(24, 33, generator=random)
    truth = one_sided + one_sided[list(mirrored(JOINT_NAMES))][:, list(mirrored(BLAZEPOSE33))]
    truth = truth / truth.sum(1, keepdim=True)
    torch.testing.assert_close(fitted_weights(landmarks, truth @ landmarks), truth, atol=0.002, rtol=0)


def test_joints_of_new_bodies_are_within_two_percent_of_the_box(motions: MotionSet) -> None:
    clean = DetectorNoise(strength=0.0)
    batch = PairMaker(motions.only("val"), 3, augmentation=Augmentation(focal_error=0.0), noise=clean).batch(32, 4)
    points = batch.joints + batch.root[:, :, None]
    error = (joint_weights() @ batch.rays - points[..., :2] / points[..., 2:]).norm(dim=-1)
    box = (batch.rays.amax(2) - batch.rays.amin(2)).amax(-1, keepdim=True)
    assert float((error / box).mean()) < 0.02


def test_the_table_is_what_its_command_makes_of_the_motion_pack(tmp_path: Path) -> None:
    data = tmp_path / "processed_data.npz"
    preprocess(sources(None), data, report=lambda line: None)
    found = measured_weights(read_motion_set(data).only("train"))
    torch.testing.assert_close(found, joint_weights(), atol=0.02, rtol=0)


def test_a_written_table_holds_every_joint_and_point_by_name(tmp_path: Path) -> None:
    write_table(joint_weights(), tmp_path / "table.json")
    table = json.loads((tmp_path / "table.json").read_text("utf-8"))
    assert tuple(table) == JOINT_NAMES
    assert all(tuple(row) == BLAZEPOSE33 for row in table.values())
    assert all(sum(row.values()) == pytest.approx(1, abs=1e-5) for row in table.values())
