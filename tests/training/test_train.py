"""A run learns, can be killed and resumed, and its weights become an ONNX file that gives the same points."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from reel2rig.lifter.virtual_camera import FEATURES
from reel2rig.training.export import export_lifter, parity
from reel2rig.training.motion_pack import MotionSet, TrainingDataError
from reel2rig.training.network import Lifter, load_lifter
from reel2rig.training.train import Run, TrainingSettings, learning_rate

SETTINGS = TrainingSettings(steps=6, batch=4, frames=9, width=16, check_every=3)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def run(folder: Path, motions: MotionSet, settings: TrainingSettings = SETTINGS) -> Run:
    return Run(folder, settings, motions.only("train"), motions.only("val"))


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path, motions: MotionSet) -> None:
    whole = run(tmp_path / "whole", motions)
    whole.train()

    class KilledError(Exception):
        pass

    first = run(tmp_path / "killed", motions)
    step = first._take_step
    steps = 0

    def killed_at_five() -> float:
        nonlocal steps
        steps += 1
        if steps == 5:
            raise KilledError
        return step()

    first._take_step = killed_at_five  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        first.train()
    second = run(tmp_path / "killed", motions)
    second.resume()
    assert second.step == 3  # of the last check
    second.train()
    for mine, theirs in ((second.network, whole.network), (second.averaged, whole.averaged)):
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(mine.state_dict()[key], value, rtol=0, atol=0, msg=key)


def test_a_run_writes_its_settings_record_and_weights(tmp_path: Path, motions: MotionSet) -> None:
    run(tmp_path, motions).train()
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"config.json", "record.csv", "state.pth", "best_model.pth", "final_model.pth"}
    assert json.loads((tmp_path / "config.json").read_text())["width"] == 16
    with (tmp_path / "record.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["3", "6"]
    loaded = load_lifter(tmp_path / "final_model.pth")
    assert loaded.settings["width"] == 16
    assert not loaded.training


def test_training_lowers_the_loss(tmp_path: Path, motions: MotionSet) -> None:
    learning = run(tmp_path, motions, TrainingSettings(steps=200, batch=8, frames=9, width=16, learning_rate=1e-2))
    losses = [learning._take_step() for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])


def test_the_learning_rate_warms_up_and_falls() -> None:
    settings = TrainingSettings(steps=1000)
    rates = [learning_rate(settings, step) for step in range(1000)]
    assert rates[0] == pytest.approx(settings.learning_rate / 200, rel=0.01)
    assert int(np.argmax(rates)) in range(150, 250)
    assert rates[-1] == pytest.approx(settings.learning_rate / 100, rel=0.05)


def test_an_output_depends_on_its_reach_and_no_further() -> None:
    network = Lifter(16).eval()
    features = torch.randn(1, 101, FEATURES, generator=torch.Generator().manual_seed(0))
    features.requires_grad_()
    network(features)[0, 50].sum().backward()
    assert features.grad is not None
    touched = torch.nonzero(features.grad[0].abs().amax(1))[:, 0]
    assert (int(touched.min()), int(touched.max())) == (50 - network.reach, 50 + network.reach)


def test_the_onnx_file_gives_the_points_of_pytorch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Lifter(16)
    path = tmp_path / "lifter.onnx"
    line = export_lifter(network, path, {"cases": {}})
    assert "MB" in line
    assert parity(network, path) < 1e-4
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["reach_frames"] == network.reach
    assert len(card["joint_names"]) + len(card["end_names"]) == 37
    with torch.no_grad():
        network.last.weight += 1.0  # another network is told apart
    assert parity(network, path) > 1e-2


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "words.pth").write_text("words")
    torch.save({"weights": {}}, tmp_path / "other.pth")
    for name in ("missing.pth", "words.pth", "other.pth"):
        with pytest.raises(TrainingDataError, match=name):
            load_lifter(tmp_path / name)
