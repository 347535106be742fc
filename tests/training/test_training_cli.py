"""python -m reel2rig.training: the verbs hand on to each other, and what goes wrong is told with what to do."""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from reel2rig.lifter.atomic_file import cannot_write
from reel2rig.training import verbs
from reel2rig.training.__main__ import _parser, main
from reel2rig.training.motion_set import MotionSet, read_motion_set, write_motion_set
from reel2rig.training.train import TrainingSettings


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["preprocess", "--source", "cmu_pack", "nowhere"], "No motion pack in nowhere"),
        (["preprocess", "--source", "unheard", "nowhere"], "give one of cmu_pack"),
        (["train", "--data", "none.npz"], "python -m reel2rig.training preprocess"),
        (["evaluate", "missing.pth", "--data", "data.npz"], "missing.pth"),
        (["export", "missing.pth", "--data", "data.npz"], "missing.pth"),
        (["train", "--data", "data.npz", "--resume", "."], "no state.pth"),
        (["train", "--data", "data.npz", "--weights", "missing.pth"], "missing.pth"),
    ],
)
def test_missing_data_ends_with_2_and_a_word(
    arguments: list[str],
    said: str,
    motions: MotionSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_motion_set(Path("data.npz"), motions)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (cannot_write(Path("report.json"), OSError(28, "No space left on device")), 1, "Free some disk space"),
        (PermissionError(13, "Permission denied", "processed"), 1, "Permission denied: 'processed'"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), 1, "Out of memory"),
        (KeyboardInterrupt(), 3, "--resume"),
    ],
)
def test_what_the_machine_cannot_do_is_told_without_a_traceback(
    fault: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: argparse.Namespace) -> None:
        raise fault

    monkeypatch.setattr(verbs, "train", fail)
    assert main(["train"]) == status
    assert said in capsys.readouterr().err


def test_a_fault_of_ours_is_not_taken_for_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: argparse.Namespace) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(verbs, "train", fail)
    with pytest.raises(RuntimeError, match="illegal"):
        main(["train"])


@pytest.mark.parametrize("verb", [["train", "--steps", "0"], ["train", "--batch", "-1"], ["ablate", "--steps", "0"]])
def test_nothing_can_be_done_no_times(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(verb)
    assert "positive" in capsys.readouterr().err


def test_the_options_of_train_are_the_defaults_of_a_run() -> None:
    options = vars(_parser().parse_args(["train"]))
    defaults = asdict(TrainingSettings())
    same = (options.keys() & defaults.keys()) - {"device", "precision"}
    assert {"steps", "batch", "width", "learning_rate", "patience", "seed"} == same
    assert {key: options[key] for key in same} == {key: defaults[key] for key in same}


def test_a_smaller_learning_rate_slows_both_optimizers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, settings = verbs._new_run(_parser().parse_args(["train", "--learning-rate", "0.0005"]))
    usual = TrainingSettings()
    assert settings.learning_rate == usual.learning_rate / 2
    assert settings.matrix_rate == pytest.approx(usual.matrix_rate / 2)


def test_train_evaluate_and_export_hand_on_to_each_other(
    motions: MotionSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_motion_set(Path("data.npz"), motions)
    shared = ["--data", "data.npz"]
    tiny = ["--steps", "2", "--batch", "2", "--width", "16", "--device", "cpu", "--threads", "1"]
    assert main(["train", *tiny, *shared]) == 0
    (model,) = Path("runs").glob("*/final_model.pth")
    monkeypatch.setattr("reel2rig.training.evaluate.CASES", _small_cases())
    assert main(["evaluate", str(model), "--out", "report.json", *shared]) == 0
    assert main(["export", str(model), "--out", "lifter.onnx", *shared]) == 0
    assert "Millimetres, pelvises at" in capsys.readouterr().out
    assert {"report.json", "lifter.onnx", "lifter.json"} <= {file.name for file in tmp_path.iterdir()}


def _small_cases() -> dict:
    from reel2rig.training.evaluate import CASES

    return {"clean": CASES["clean"]}


def test_preprocess_writes_what_train_reads(tmp_path: Path) -> None:
    for split in ("train", "val"):
        np.savez(
            tmp_path / f"{split}_00.npz",
            pose=np.zeros((20, 24, 3), np.int16),
            pose_scale=1e-3,
            joints=np.zeros((20, 24, 3), np.int16),
            joint_scale=1e-3,
            start=np.array([0]),
            length=np.array([20]),
            fps=30.0,
            name=np.array(["a"]),
            desc=np.array(["standing"]),
            subject=np.array([split]),
            split=np.array([split]),
        )
    data = tmp_path / "data.npz"
    assert main(["preprocess", "--source", "cmu_pack", str(tmp_path), "--data", str(data)]) == 0
    found = read_motion_set(data)
    assert found.quaternions.shape == (40, 24, 4)
    assert found.action.tolist() == ["standing", "standing"]
