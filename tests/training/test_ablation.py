"""Variants of the lifter differ from it in one thing each."""

import json
from pathlib import Path

import pytest
import torch
from reel2rig.training import ablation
from reel2rig.training.ablation import WhiteNoise, ablate, ablation_table, in_the_picture, without_confidence
from reel2rig.training.evaluation_cases import AS_RECORDED, CLEAN
from reel2rig.training.motion_set import MotionSet
from reel2rig.training.synthesis import Batch, PairMaker
from reel2rig.training.train import TrainingSettings


@pytest.fixture
def batch(motions: MotionSet) -> Batch:
    return PairMaker(motions, 3, augmentation=AS_RECORDED, noise=CLEAN).batch(6, 5)


def test_the_picture_variant_sees_pixels_and_says_camera_axes(batch: Batch) -> None:
    changed = in_the_picture(batch)
    points = changed.features[..., :66].unflatten(-1, (33, 2))
    rays = batch.rays
    for axis in (0, 1):  # a person cut out of the picture is the picture, moved and scaled
        spread, seen = rays[..., axis].diff(dim=2), points[..., axis].diff(dim=2)
        torch.testing.assert_close(
            spread * seen.abs().amax(2, True), seen * spread.abs().amax(2, True), atol=1e-4, rtol=0
        )
    joints = changed.target[:, :, :24] * batch.stature[:, None, None, None]
    torch.testing.assert_close(joints, batch.joints, atol=1e-5, rtol=0)


def test_without_confidence_everything_else_stays(batch: Batch) -> None:
    changed = without_confidence(batch).features
    assert (changed[..., 66:99] == 1).all()
    keep = [*range(66), 99]
    assert torch.equal(changed[..., keep], batch.features[..., keep])


def test_white_noise_is_one_percent_of_the_box_and_new_in_every_frame(motions: MotionSet) -> None:
    clean, noisy = (
        PairMaker(motions, 3, augmentation=AS_RECORDED, noise=n).batch(64, 9) for n in (CLEAN, WhiteNoise())
    )
    random = torch.Generator().manual_seed(0)
    rays = clean.rays
    error = WhiteNoise().seen(rays, torch.zeros(64, 9, 4), clean.image, clean.fps, random)[0] - rays
    box = (rays.amax(2) - rays.amin(2)).amax(-1).mean(1)[:, None, None, None]
    assert float((error / box).std()) == pytest.approx(0.01, rel=0.05)
    steps = (error / box).diff(dim=1).std()
    assert float(steps) == pytest.approx(0.01 * 2**0.5, rel=0.05)
    assert (noisy.confidence == 1).all()


def test_variants_are_trained_scored_and_told_in_a_table(
    tmp_path: Path, motions: MotionSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "CAMERAS", 1)
    settings = TrainingSettings(steps=2, batch=2, frames=9, width=16)
    report = ablate(motions, tmp_path, settings, ("without velocity", "1 frame"))
    assert list(report) == ["window of 1 frame", "without velocity loss"]
    assert report["without velocity loss"]["settings"]["velocity_weight"] == 0
    assert json.loads((tmp_path / "ablation.json").read_text()) == json.loads(json.dumps(report))
    again = ablate(motions, tmp_path, settings, ("width 96",))  # rows of before are kept
    assert len(again) == 3
    assert len(ablation_table(again).splitlines()) == 2 + 3
