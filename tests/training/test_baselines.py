"""The baselines learn, are found again, and are told the frame they predict in."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from reel2rig.training.baselines import (
    _take_step,
    load_baselines,
    new_baselines,
    picture_joints,
    train_baselines,
    training_of,
)
from reel2rig.training.detector_noise import DetectorNoise
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.evaluation_cases import AS_RECORDED, CLEAN
from reel2rig.training.joints_from_landmarks import joint_weights
from reel2rig.training.motion_set import MotionSet
from reel2rig.training.synthesis import Batch, PairMaker
from torch import Tensor, nn


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def batch_of(motions: MotionSet, noise: DetectorNoise = CLEAN) -> Batch:
    return PairMaker(motions, 0, augmentation=AS_RECORDED, noise=noise).batch(6, 8)


class Says(nn.Module):
    """A network that gives the same rows whatever it is asked."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, inputs: Tensor) -> Tensor:
        return self.rows.reshape(len(inputs), -1)


def test_the_plain_recipe_is_right_when_its_world_joints_are(motions: MotionSet) -> None:
    batch = batch_of(motions)
    world = batch.joints @ batch.world_from_camera[:, None].mT
    plain = replace(new_baselines()["plain_recipe"], network=Says(world - world.mean(2, keepdim=True)))
    assert float(plain.loss(batch)) == pytest.approx(0, abs=1e-9)
    found = plain.points(batch)
    torch.testing.assert_close(found - found[:, :, :1], batch.joints, atol=1e-4, rtol=0)


def test_the_single_frame_is_right_when_its_joints_in_statures_are(motions: MotionSet) -> None:
    batch = batch_of(motions)
    single = replace(new_baselines()["single_frame"], network=Says(batch.target[:, :, :24]))
    assert float(single.loss(batch)) == pytest.approx(0, abs=1e-6)


def test_the_pictures_joints_lie_where_the_joints_are_seen(motions: MotionSet) -> None:
    batch = batch_of(motions)
    points = batch.joints + batch.root[:, :, None]
    truth = points[..., :2] / points[..., 2:] / batch.image[:, None, None]
    found = picture_joints(batch, joint_weights()).unflatten(2, (24, 2))
    size = (truth.amax(2) - truth.amin(2)).amax(-1)[..., None]
    assert ((found - truth).norm(dim=-1) / size).median() < 0.03


def test_where_a_missing_point_is_stays_hidden(motions: MotionSet) -> None:
    batch = batch_of(motions)
    confidence = batch.confidence.clone()
    confidence[:, 3:5, 7] = 0  # one point for two frames
    confidence[0, :, 9] = 0  # one point for all frames
    confidence[1, :2] = 0  # nothing at first
    rays = batch.rays.clone()
    rays[confidence == 0] = 1e6
    held = picture_joints(replace(batch, confidence=confidence, rays=rays), joint_weights())
    assert held.abs().max() < 100
    torch.testing.assert_close(held[1, 0], held[1, 2])
    frozen = batch.rays.clone()
    frozen[:, 3:5, 7] = frozen[:, 2:3, 7]
    expected = picture_joints(replace(batch, rays=frozen), joint_weights())
    torch.testing.assert_close(held[2:], expected[2:], msg="the missing point stays where it was seen last")


def test_both_learn(motions: MotionSet) -> None:
    torch.manual_seed(0)
    batch, baselines = batch_of(motions), new_baselines()
    optimizer = torch.optim.AdamW([p for b in baselines.values() for p in b.network.parameters()], lr=1e-3)
    before = {name: baseline.loss(batch).item() for name, baseline in baselines.items()}
    for _ in range(20):
        _take_step(baselines, batch, optimizer)
    assert all(baseline.loss(batch).item() < 0.5 * before[name] for name, baseline in baselines.items())


def test_training_writes_what_is_found_again(tmp_path: Path, motions: MotionSet) -> None:
    errors = train_baselines(motions, tmp_path, steps=3, batch=4)
    assert {file.name for file in tmp_path.iterdir()} == {
        "plain_recipe.pth", "single_frame.pth", "record.csv", "config.json",
    }  # fmt: skip
    told = training_of(tmp_path)
    assert told["settings"]["steps"] == 3
    assert [(row["step"], row["frames_seen"]) for row in told["record"]] == [(3, 3 * 4 * 8)]
    assert told["record"][0]["single_frame_mpjpe_mm"] == errors["single_frame"]
    assert set(errors) == set(load_baselines(tmp_path)) == {"plain_recipe", "single_frame"}


def test_a_folder_without_baselines_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="training baselines"):
        load_baselines(tmp_path)
