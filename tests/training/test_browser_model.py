"""The web page's lifter: what its graph takes off its user's hands, its training, and its ONNX file."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from reel2rig.smpl_assets.skeleton import JOINT_NAMES, PARENTS, mirrored
from reel2rig.training import browser_export
from reel2rig.training.browser_export import COMMANDS, METADATA, MODEL, browser_parity, export_browser
from reel2rig.training.browser_model import STATURE, BrowserLifter, load_browser_lifter
from reel2rig.training.browser_train import CASES, BrowserSettings, browser_scores, frames_of, train_browser
from reel2rig.training.browser_verbs import add_export_browser, add_train_browser
from reel2rig.training.detector_noise import DetectorNoise
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.joints_from_landmarks import joint_weights
from reel2rig.training.motion_set import MotionSet, write_motion_set
from reel2rig.training.readers.cmu_pack import PACK
from reel2rig.training.synthesis import PairMaker

SHIPPED = Path(__file__).parents[2] / "examples" / "browser"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def network() -> BrowserLifter:
    """An untrained one whose batch norms have seen something."""
    torch.manual_seed(0)
    lifter = BrowserLifter(16, joint_weights())
    lifter.train()(people(64))
    return lifter.eval()


def people(count: int) -> torch.Tensor:
    """Slopes (count, 48) of scattered points about places all over the picture."""
    random = torch.Generator().manual_seed(1)
    place = torch.rand(count, 1, 2, generator=random) - 0.5
    return (place + 0.2 * torch.randn(count, 24, 2, generator=random)).flatten(1)


def rotation_of_camera() -> torch.Tensor:
    """A camera turned to the right and up."""
    yaw, pitch = torch.tensor(0.3), torch.tensor(0.2)
    about_y = torch.tensor([[yaw.cos(), 0, yaw.sin()], [0, 1, 0], [-yaw.sin(), 0, yaw.cos()]])
    about_x = torch.tensor([[1, 0, 0], [0, pitch.cos(), -pitch.sin()], [0, pitch.sin(), pitch.cos()]])
    return about_y @ about_x


def test_the_pelvis_is_the_origin(network: BrowserLifter) -> None:
    assert float(network(people(5))[:, :3].detach().abs().max()) < 1e-6


def test_a_mirrored_picture_gives_the_mirrored_pose(network: BrowserLifter) -> None:
    slopes = people(5).reshape(5, 24, 2)
    swap = list(mirrored(JOINT_NAMES))
    other = (slopes[:, swap] * torch.tensor([-1.0, 1.0])).flatten(1)
    expected = network(slopes.flatten(1)).reshape(5, 24, 3)[:, swap] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(network(other).reshape(5, 24, 3), expected, atol=1e-5, rtol=1e-4)


def test_what_the_network_sees_does_not_depend_on_where_the_camera_looks(network: BrowserLifter) -> None:
    """Turning the camera moves the person in the picture; up to a roll about the view's axis nothing else changes."""
    points = torch.cat([people(6).reshape(6, 24, 2), torch.ones(6, 24, 1)], -1)
    turned = points @ rotation_of_camera()
    slopes = (turned[..., :2] / turned[..., 2:]).flatten(1)
    sizes, other_sizes = (network.virtual_view(x)[0][:, -1] for x in (people(6), slopes))
    torch.testing.assert_close(sizes, other_sizes, atol=0.06, rtol=0)
    features = network.virtual_view(slopes)[0]
    assert float(features[:, :48].square().mean(1).sub(0.5).abs().max()) < 1e-5  # root mean square distance 1


def test_nobody_to_aim_at_gives_finite_numbers(network: BrowserLifter) -> None:
    for slopes in (torch.zeros(1, 48), torch.full((1, 48), 50.0), torch.linspace(-90, 90, 48)[None]):
        assert torch.isfinite(network(slopes)).all()


def test_true_joints_of_a_batch_are_those_of_people_of_one_stature(motions: MotionSet) -> None:
    batch = PairMaker(motions.only("train"), 0, noise=DetectorNoise(strength=0.0)).batch(4, 3)
    slopes, joints = frames_of(batch, joint_weights())
    assert slopes.shape == (12, 48)
    expected = batch.joints[2, 1, 20] * STATURE / batch.stature[2]
    torch.testing.assert_close(joints[2 * 3 + 1].reshape(24, 3)[20], expected)
    wrist = batch.rays[2, 1].mT @ joint_weights()[20]
    torch.testing.assert_close(slopes[2 * 3 + 1].reshape(24, 2)[20], wrist)


def test_training_learns_and_writes_one_file(tmp_path: Path, motions: MotionSet) -> None:
    settings = BrowserSettings(steps=80, people=16, frames=2, width=32, learning_rate=3e-3)
    trained = train_browser(motions, tmp_path / "model.pth", settings)
    assert [file.name for file in tmp_path.iterdir()] == ["model.pth"]
    torch.testing.assert_close(load_browser_lifter(tmp_path / "model.pth")(people(3)), trained(people(3)))
    torch.manual_seed(settings.seed)
    untrained = BrowserLifter(32, joint_weights())
    after, before = (browser_scores(network, motions.only("val"), samples=64) for network in (trained, untrained))
    assert set(after) == set(CASES)
    assert all(after[case]["mpjpe_mm"] < 0.8 * before[case]["mpjpe_mm"] for case in CASES)


def test_the_onnx_file_gives_pytorchs_joints_for_any_number_of_people(tmp_path: Path, network: BrowserLifter) -> None:
    line = export_browser(network, tmp_path, {"exact_points": {"mpjpe_mm": 1.0}})
    assert "MB" in line
    session = onnxruntime.InferenceSession(tmp_path / MODEL)
    assert [value.name for value in (*session.get_inputs(), *session.get_outputs())] == ["input_2d", "output_3d"]
    for count in (1, 3, 50):
        found = np.asarray(session.run(None, {"input_2d": people(count).numpy()})[0])
        np.testing.assert_allclose(found, network(people(count)).detach().numpy(), atol=1e-5)
    with torch.no_grad():
        network.network.last.weight[3:] += 1.0  # another network is told apart
    assert browser_parity(network, tmp_path / MODEL) > 1e-2


def test_an_onnx_file_that_differs_is_not_written(
    tmp_path: Path, network: BrowserLifter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_export, "browser_parity", lambda network, path: 2e-4)
    with pytest.raises(TrainingDataError, match="differs from PyTorch"):
        export_browser(network, tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "words.pth").write_text("words")
    torch.save({"weights": {}}, tmp_path / "other.pth")
    for name in ("missing.pth", "words.pth", "other.pth"):
        with pytest.raises(TrainingDataError, match=name):
            load_browser_lifter(tmp_path / name)


def test_the_metadata_that_ships_describes_the_model_that_ships() -> None:
    metadata = json.loads((SHIPPED / METADATA).read_text("utf-8"))
    data = (SHIPPED / metadata["model"]).read_bytes()
    assert metadata["sha256"] == hashlib.sha256(data).hexdigest()
    assert metadata["bytes"] == len(data) <= 4e6
    assert tuple(metadata["joint_names"]) == JOINT_NAMES
    assert tuple(metadata["parents"]) == PARENTS
    weights = np.array(metadata["blazepose_to_joints"])
    assert weights.shape == (24, 33)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)


def test_the_formulae_of_the_metadata_lift_people_whose_poses_are_known() -> None:
    """Recorded people 4 m away: pixels by a pinhole camera, then only what the metadata says."""
    metadata = json.loads((SHIPPED / METADATA).read_text("utf-8"))
    with np.load(PACK / "val_00.npz") as pack:
        recorded = pack["joints"][::30].astype(np.float64) * pack["joint_scale"]
    truth = (recorded - recorded[:, :1]) * [1, -1, -1]  # from Y up to the camera's axes
    width, height, field_of_view = 1280, 720, 50.0
    focal = 0.5 * max(width, height) / np.tan(np.radians(0.5 * field_of_view))
    placed = truth + np.array([0.5, 0.1, 4.0])
    pixels = focal * placed[..., :2] / placed[..., 2:] + [(width - 1) / 2, (height - 1) / 2]
    slopes = (pixels - [(width - 1) / 2, (height - 1) / 2]) / focal
    session = onnxruntime.InferenceSession(SHIPPED / metadata["model"])
    output = np.asarray(session.run(None, {"input_2d": slopes.reshape(-1, 48).astype(np.float32)})[0])
    error = np.linalg.norm(output.reshape(-1, 24, 3) - truth, axis=-1)
    assert len(truth) > 100
    assert error.mean() < 0.09  # metres; the people are not all 1.70 m tall


def test_the_commands_of_the_metadata_are_verbs_with_these_options(
    tmp_path: Path, motions: MotionSet, capsys: pytest.CaptureFixture[str]
) -> None:
    write_motion_set(tmp_path / "data.npz", motions)
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers()
    for name, add in (("train-browser", add_train_browser), ("export-browser", add_export_browser)):
        add(verbs.add_parser(name))
    for command in COMMANDS[1:]:
        words = command.format(steps=2).replace("runs/", f"{tmp_path}/").replace("examples/", f"{tmp_path}/")
        options = parser.parse_args([*words.split()[3:], "--data", str(tmp_path / "data.npz")])
        options.run(options)
    printed = capsys.readouterr().out
    assert "exact_points: mpjpe_mm" in printed
    assert "differs from PyTorch by" in printed
    metadata = json.loads((tmp_path / "browser" / METADATA).read_text("utf-8"))
    assert "train-browser --steps 2 " in " ".join(metadata["commands"])
