"""A real clip through the whole chain, in a worker process as the extension starts it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from reel2rig.lifter.capture_files import read_joints, read_keypoints
from reel2rig.lifter.motion_file import Motion, read_motion
from reel2rig.smpl_assets.skeleton import END, PARENTS

DEMO = Path(__file__).parents[2] / "examples" / "balancing.mp4"
FRAMES = 100
FEET = [END[name] for name in ("left_heel", "left_big_toe", "right_heel", "right_big_toe")]
# Makes importing smplx and torch fail, as where they are not installed. Put on the path as sitecustomize.
BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("smplx", "torch"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
"""


@dataclass(frozen=True)
class Capture:
    """A finished capture."""

    folder: Path
    lines: list[dict[str, Any]]

    @cached_property
    def record(self) -> dict[str, Any]:
        return json.loads((self.folder / "capture.json").read_text("utf-8"))

    @cached_property
    def motion(self) -> Motion:
        return read_motion(self.folder / "person_01.npz")


def capture(clip: Path, out: Path, *options: str, search_path: Path | None = None) -> Capture:
    """Run the worker on ``clip`` and read what it says."""
    command = [sys.executable, "-m", "reel2rig.lifter", "capture", str(clip), "--out", str(out)]
    command += ["--preset", "fast", "--device", "cpu", "--progress", "json", *options]
    environment = os.environ | ({} if search_path is None else {"PYTHONPATH": str(search_path)})
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr)
    return Capture(out, lines)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """The demo clip, captured into a folder whose name is not plain."""
    return capture(DEMO, tmp_path_factory.mktemp("e2e") / "균형 잡기 🤸 (1)", "--height", "1.75")


def test_every_file_is_there_and_nothing_else(demo: Capture) -> None:
    names = {file.name for file in demo.folder.iterdir()}
    assert names == {"capture.json", "keypoints.npz", "joints.npz", "person_01.npz", "preview.mp4"}
    assert [file.name for file in demo.folder.parent.iterdir()] == [demo.folder.name]


def test_the_worker_tells_its_stages_and_then_the_result(demo: Capture) -> None:
    stages = list(dict.fromkeys(line["stage"] for line in demo.lines[:-1]))
    assert stages == ["open", "detect", "track", "lift", "place", "fit", "write", "preview"]
    result = demo.lines[-1]["result"]
    assert (result["people"], result["frames"], result["licence"]) == (["person_01.npz"], FRAMES, "open")
    assert set(demo.record["seconds"]) == set(stages)


def test_the_motion_is_whole_and_finite(demo: Capture) -> None:
    motion = demo.motion
    assert motion.poses.shape == (FRAMES, 72)
    assert motion.fps == 60
    assert motion.frames is not None
    assert motion.frames.tolist() == list(range(FRAMES))
    for name in ("poses", "trans", "betas", "joints", "ends", "confidence", "contacts", "camera_K"):
        assert np.isfinite(getattr(motion, name)).all(), name
    assert motion.source.startswith("balancing.mp4 sha256:")
    assert motion.licence == "open"


def test_bones_keep_their_length(demo: Capture) -> None:
    joints = demo.motion.joints
    assert joints is not None
    bones = np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1)
    assert np.ptp(bones, axis=0).max() < 1e-4
    assert 0.25 < bones.max() < 0.6  # metres


def test_the_skeleton_lies_on_the_person_in_the_picture(demo: Capture) -> None:
    (person,) = demo.record["people"]
    assert person["pixel_residual"] < 25  # of 1920; the man is about 900 px tall
    assert person["mean_confidence"] > 0.5


def test_the_man_is_upright_with_his_feet_on_the_floor(demo: Capture) -> None:
    joints, ends = demo.motion.joints, demo.motion.ends
    assert joints is not None
    assert ends is not None
    lowest = ends[:, FEET, 2].min(axis=1)
    assert np.mean(np.abs(lowest) < 0.05) > 0.7
    assert 1.4 < np.median(joints[:, 15, 2]) < 1.75  # head joint
    knees = joints[:, [4, 5], 2]
    assert (knees < joints[:, [0], 2]).all()


def test_neighbouring_frames_are_near_each_other(demo: Capture) -> None:
    joints = demo.motion.joints
    assert joints is not None
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * demo.motion.fps
    assert steps.max() < 8  # metres a second


def test_the_preview_has_every_frame(demo: Capture) -> None:
    with av.open(str(demo.folder / "preview.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert float(container.streams.video[0].average_rate or 0) == 60
    assert len(pictures) == FRAMES
    side = pictures[0][:, -pictures[0].shape[0] * 3 // 4 :]
    assert len(np.unique(side.reshape(-1, 3) // 32, axis=0)) > 5  # red, blue and yellow on grey: somebody is drawn


def test_the_stages_can_be_run_again_from_their_files(demo: Capture, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reel2rig.lifter"]
    joints, motion = tmp_path / "joints.npz", tmp_path / "person.npz"
    again = [
        "lift",
        str(demo.folder / "keypoints.npz"),
        "--out",
        str(joints),
        "--height",
        "1.75",
        "--person",
        "largest",
    ]
    subprocess.run([*command, *again], check=True)
    expected, found = read_joints(demo.folder / "joints.npz"), read_joints(joints)
    np.testing.assert_allclose(found.joints, expected.joints, atol=1e-4)
    keypoints = ["--keypoints", str(demo.folder / "keypoints.npz"), "--height", "1.75"]
    subprocess.run([*command, "fit", str(joints), "--out", str(motion), *keypoints], check=True)
    captured, fitted = demo.motion, read_motion(motion)
    assert captured.joints is not None
    assert fitted.joints is not None
    np.testing.assert_allclose(fitted.joints, captured.joints, atol=1e-3)


def test_a_clip_stored_on_its_side_gives_the_same_motion(demo: Capture, tmp_path: Path) -> None:
    turned = capture(_stored_on_its_side(tmp_path / "turned.mp4"), tmp_path / "out", "--height", "1.75")
    assert turned.record["clip"]["rotation"] in (90, 270)
    ours, theirs = read_keypoints(demo.folder / "keypoints.npz"), read_keypoints(turned.folder / "keypoints.npz")
    assert ours.image_size == theirs.image_size == (1088, 1920)
    off = np.linalg.norm(ours.keypoints[:, 11:, :2] - theirs.keypoints[:, 11:, :2], axis=-1)
    assert np.median(off) < 8  # px: the copy is coded anew, and detectors are sensitive
    assert demo.motion.joints is not None
    assert turned.motion.joints is not None
    distance = np.linalg.norm(
        (demo.motion.joints - demo.motion.joints[:, :1]) - (turned.motion.joints - turned.motion.joints[:, :1]), axis=-1
    )
    assert distance.mean() < 0.04


def _stored_on_its_side(path: Path) -> Path:
    """A copy of the demo whose pictures lie on their side; the header tells to turn them, as phones do."""
    with av.open(str(DEMO)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=60, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1088, "yuv420p"
        for frame in source.decode(video=0):
            rgb = np.ascontiguousarray(np.rot90(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
            target.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        target.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    one = 0x10000
    matrix = [0, one, 0, -one, 0, 0, 0, 0, 0x40000000]
    data[start : start + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
    return path


def test_without_smplx_and_torch_the_default_capture_works(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    check = "import importlib.util as u\ntry:\n    u.find_spec('smplx')\nexcept ImportError:\n    print('blocked')"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", check], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "blocked"
    done = capture(DEMO, tmp_path / "out", "--end", "0.1", search_path=tmp_path)
    assert done.record["licence"] == "open"
    assert len(done.motion.trans) == 6


def test_one_frame_is_a_capture_too(tmp_path: Path) -> None:
    done = capture(DEMO, tmp_path / "out", "--end", "0.01")
    assert len(done.motion.trans) == 1
    assert np.isfinite(done.motion.poses).all()
    assert any("height" in warning for warning in done.record["warnings"])
