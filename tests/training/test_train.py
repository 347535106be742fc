"""A run learns, can be killed and resumed, and its weights become an ONNX file that gives the same points."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from reel2rig.lifter.virtual_camera import FEATURES
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.export import export_lifter, parity
from reel2rig.training.learning_rate import learning_rate_share
from reel2rig.training.motion_set import MotionSet, write_motion_set
from reel2rig.training.network import Lifter, load_lifter
from reel2rig.training.train import Run, TrainingSettings, remedies

SETTINGS = TrainingSettings(steps=6, batch=4, frames=9, width=16, check_every=3)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def run(folder: Path, motions: MotionSet, settings: TrainingSettings = SETTINGS) -> Run:
    return Run(folder, settings, motions.only("train"), motions.only("val"))


def record(folder: Path) -> list[tuple[str, ...]]:
    """Rows of record.csv, without the minutes."""
    with (folder / "record.csv").open() as file:
        return [tuple(row)[:-1] for row in csv.reader(file)]


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path, motions: MotionSet) -> None:
    whole = run(tmp_path / "whole", motions)
    whole.train()

    class KilledError(Exception):
        pass

    first = run(tmp_path / "killed", motions)
    step = first._take_step
    steps = 0

    def killed_at_five() -> torch.Tensor:
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
    assert record(tmp_path / "killed") == record(tmp_path / "whole")
    for mine, theirs in ((second.network, whole.network), (second.averaged, whole.averaged)):
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(mine.state_dict()[key], value, rtol=0, atol=0, msg=key)


def test_a_run_goes_on_with_its_own_data_only(tmp_path: Path, motions: MotionSet) -> None:
    run(tmp_path, motions).train()
    other = replace(motions, length=motions.length - 1)
    with pytest.raises(TrainingDataError, match="2 clips of 210 frames, the training file has 2 of 208"):
        run(tmp_path, other).resume()


def test_a_run_leaves_all_that_one_wants_to_know(tmp_path: Path, motions: MotionSet) -> None:
    run(tmp_path, motions).train()
    names = {file.name for file in tmp_path.iterdir()}
    weights = {"state.pth", "best_model.pth", "final_model.pth"}
    assert names == {"config.json", "record.csv", "log.txt", "training_history.png", *weights}
    assert json.loads((tmp_path / "config.json").read_text())["width"] == 16
    assert [row[0] for row in record(tmp_path)] == ["step", "3", "6"]
    assert "validation_mpjpe_mm" in (tmp_path / "log.txt").read_text()
    assert (tmp_path / "training_history.png").read_bytes().startswith(b"\x89PNG")
    loaded = load_lifter(tmp_path / "final_model.pth")
    assert loaded.settings["width"] == 16
    assert not loaded.training


def test_training_stops_early_when_nothing_is_gained(tmp_path: Path, motions: MotionSet) -> None:
    # without a learning rate the averaged network never gets better after the first check
    settings = replace(SETTINGS, steps=50, check_every=2, patience=3, learning_rate=0.0, matrix_rate=0.0)
    run(tmp_path, motions, settings).train()
    assert [row[0] for row in record(tmp_path)] == ["step", "2", "4", "6", "8"]
    assert "stopped early" in (tmp_path / "log.txt").read_text()


def test_mixed_precision_learns_like_full_precision(tmp_path: Path, motions: MotionSet) -> None:
    losses = {}
    for precision in ("float32", "bfloat16"):
        learning = run(tmp_path / precision, motions, replace(SETTINGS, steps=40, precision=precision))
        losses[precision] = np.mean([float(learning._take_step()) for _ in range(40)][-10:])
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.05)


def test_a_loss_that_is_no_number_stops_with_a_word(tmp_path: Path, motions: MotionSet) -> None:
    broken = run(tmp_path, motions)
    with torch.no_grad():
        broken.network.last.bias.fill_(float("nan"))
    with pytest.raises(TrainingDataError, match="smaller --learning-rate"):
        broken.train()
    assert not (tmp_path / "best_model.pth").exists()


def test_running_out_of_memory_is_told_with_what_to_do() -> None:
    with pytest.raises(TrainingDataError, match="--batch 16"), remedies(32):
        torch.empty(1 << 60)
    with pytest.raises(RuntimeError, match="another"), remedies(32):
        raise RuntimeError("another fault")


def test_a_run_can_begin_with_the_weights_of_another(tmp_path: Path, motions: MotionSet) -> None:
    first = run(tmp_path / "first", motions)
    first.train()
    other = run(tmp_path / "other", motions, replace(SETTINGS, seed=7))
    other.begin_with(load_lifter(tmp_path / "first" / "final_model.pth").state_dict())
    for mine, given in zip(other.network.parameters(), first.averaged.parameters(), strict=True):
        assert torch.equal(mine, given)


def test_two_workers_share_a_batch_and_count_when_resumed(tmp_path: Path, motions: MotionSet) -> None:
    write_motion_set(tmp_path / "data.npz", motions)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    verb = ["-m", "reel2rig.training", "train", "--data", "data.npz", "--device", "cpu", "--threads", "1"]
    tiny = ["--steps", "3", "--batch", "4", "--width", "16"]

    done = subprocess.run([*launch, *verb, *tiny], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert record(folder)[-1][0] == "3"
    state = torch.load(folder / "state.pth", weights_only=True)
    assert len(state["randoms"]) == 2
    assert not torch.equal(*state["randoms"])  # each worker sees other pairs
    alone = subprocess.run(
        [sys.executable, *verb, "--resume", str(folder)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert alone.returncode == 2
    assert "2 workers" in alone.stderr


def test_training_lowers_the_loss(tmp_path: Path, motions: MotionSet) -> None:
    learning = run(tmp_path, motions, TrainingSettings(steps=200, batch=8, frames=9, width=16, learning_rate=1e-2))
    losses = [float(learning._take_step()) for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])


def test_the_learning_rate_warms_up_and_falls() -> None:
    shares = [learning_rate_share(step, 1000) for step in range(1000)]
    assert shares[0] == pytest.approx(1 / 200, rel=0.01)
    assert int(np.argmax(shares)) in range(150, 250)
    assert shares[-1] == pytest.approx(1 / 100, rel=0.05)


def some_lifter() -> Lifter:
    """A lifter whose blocks do something, which before training they do not."""
    torch.manual_seed(0)
    network = Lifter(16)
    for name, weight in network.blocks.named_parameters():
        if name.endswith("second.weight"):
            torch.nn.init.normal_(weight)
    return network


def test_an_output_depends_on_its_reach_and_no_further() -> None:
    network = some_lifter().eval()
    features = torch.randn(1, 101, FEATURES, generator=torch.Generator().manual_seed(0))
    features.requires_grad_()
    network(features)[0, 50].sum().backward()
    assert features.grad is not None
    touched = torch.nonzero(features.grad[0].abs().amax(1))[:, 0]
    assert (int(touched.min()), int(touched.max())) == (50 - network.reach, 50 + network.reach)


def test_the_onnx_file_gives_the_points_of_pytorch(tmp_path: Path) -> None:
    network = some_lifter()
    path = tmp_path / "lifter.onnx"
    line = export_lifter(network, path, {"cases": {}})
    assert "MB" in line
    assert parity(network, path) < 1e-4
    largest = max((weight for weight in network.parameters()), key=torch.numel)
    torch.testing.assert_close(largest, largest.half().float(), rtol=0, atol=0)  # rounded as the file's weights are
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["reach_frames"] == network.reach
    assert len(card["joint_names"]) + len(card["end_names"]) == 37
    with torch.no_grad():
        network.last.weight *= 2.0  # another network is told apart
    assert parity(network, path) > 1e-2


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "words.pth").write_text("words")
    torch.save({"weights": {}}, tmp_path / "other.pth")
    for name in ("missing.pth", "words.pth", "other.pth"):
        with pytest.raises(TrainingDataError, match=name):
            load_lifter(tmp_path / name)
