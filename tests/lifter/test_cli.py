"""The command line: exit statuses and messages for ordinary bad input, and nothing left behind."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.error import OSError as AvOSError
from reel2rig.lifter import cli, file_info, lift, pipeline
from reel2rig.lifter.capture_files import write_keypoints
from reel2rig.lifter.motion_file import read_motion
from reel2rig.lifter.records import Keypoints

DEMO = Path(__file__).parents[2] / "examples" / "balancing.mp4"
IMPORTS_ARE_SLOW = 120  # seconds


def write_clip(path: Path, frames: int, level: int = 90) -> Path:
    """A clip of plain grey: nobody is in view."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(frames):
            picture = np.full((64, 96, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A file with sound only."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    """Exit status and the last JSON line of a command."""
    status = cli.main([*map(str, arguments), "--progress", "json"])
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Code of the error of a command that ends with status 2."""
    status, last = run(capsys, *arguments)
    assert status == 2, last
    assert last["error"]["message"]
    assert last["error"]["hint"]
    return last["error"]["code"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a name that is not plain."""
    folder = tmp_path / "내 영상 🕺 (1)"
    folder.mkdir()
    return folder


@pytest.fixture
def clip(folder: Path) -> Path:
    return write_clip(folder / "빈 방 🎬.mp4", 5)


def test_files_that_are_no_video_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("This is not a video.\n" * 50)
    write_sound(folder / "sound.mp4")
    out = folder / "out"
    for name, code in {
        "missing.mp4": "no_such_file",
        "empty.mp4": "empty_file",
        "text.mp4": "unreadable_video",
        "sound.mp4": "no_video",
        ".": "not_a_file",
    }.items():
        assert refusal(capsys, "capture", folder / name, "--out", out) == code
        assert refusal(capsys, "detect", folder / name, "--out", out / "keypoints.npz") == code
    assert not out.exists()


@pytest.mark.parametrize("frames", [1, 5])
def test_nobody_in_view_is_told(folder: Path, frames: int, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(folder / "clip.mp4", frames)
    before = sorted(folder.iterdir())
    assert refusal(capsys, "capture", clip, "--out", folder / "out", "--preset", "fast") == "nobody_found"
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--height", "17"], "bad_height"),
        (["--height", "0"], "bad_height"),
        (["--height", "nan"], "bad_height"),
        (["--fov", "0"], "bad_fov"),
        (["--fov", "200"], "bad_fov"),
        (["--person", "tallest"], "bad_person"),
        (["--person", "0"], "bad_person"),
        (["--start", "-1"], "bad_range"),
        (["--end", "0"], "bad_range"),
        (["--start", "nan"], "bad_range"),
        (["--start", "0.1", "--end", "0.05"], "bad_range"),
        (["--start", "99"], "bad_range"),
        (["--camera", "missing.toml"], "bad_calibration"),
        (["--body", "missing.npz"], "bad_body"),
        (["--body", __file__], "bad_body"),
        (["--out", __file__], "bad_out"),
        (["--build", "giant"], "no_build"),
    ],
)
def test_impossible_options_are_refused_before_the_work(
    clip: Path, options: list[str], code: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "track", lambda *_: pytest.fail("the work has begun"))
    assert refusal(capsys, "capture", clip, "--out", clip.parent / "out", *options) == code
    assert list(clip.parent.iterdir()) == [clip]


def test_refining_without_smplx_is_refused_before_the_work(
    clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smplx", None)  # import smplx now fails
    monkeypatch.setattr("reel2rig.lifter.checked_options.find_spec", lambda name: None if name == "smplx" else name)
    assert refusal(capsys, "capture", clip, "--out", clip.parent / "out", "--refine", "smplx") == "no_smplx"


@pytest.mark.parametrize("arguments", [[], ["dance"], ["capture", "clip.mp4"], ["info", "x", "--progress", "loud"]])
def test_misspelt_commands_end_with_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_people_read_message_and_hint_on_stderr(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["capture", str(clip), "--out", str(clip.parent / "out"), "--height", "170"]) == 2
    captured = capsys.readouterr()
    assert "reel2rig: A height of 170 m is not possible." in captured.err
    assert "for example 1.70" in captured.err
    assert captured.out == ""


def failing(error: BaseException) -> Any:
    def fail(_: Path) -> dict:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ZeroDivisionError("0/0"), 1, "internal"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, "cannot_write"),
        (AvOSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, "cannot_write"),
        (MemoryError(), 1, "no_memory"),
        (KeyboardInterrupt(), 3, "cancelled"),
        (BrokenPipeError(errno.EPIPE, "pipe"), 3, "cancelled"),
    ],
)
def test_whatever_fails_has_a_status_and_a_code(
    error: BaseException,
    status: int,
    code: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(file_info, "describe", failing(error))
    assert cli.main(["info", "clip.mp4", "--progress", "json"]) == status
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["code"] == code
    # a traceback is for our own faults only, and then it is the report to send in
    assert ("Traceback" in captured.err) == (code == "internal")
    assert ("ZeroDivisionError: 0/0" in captured.out) == (code == "internal")


def test_info_tells_what_files_hold(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "info", clip)[1]["result"]["size"] == "96 x 64"
    np.savez(clip.parent / "joints.npz", joints=np.zeros((3, 24, 3)), fps=30)
    assert run(capsys, "info", clip.parent / "joints.npz")[1]["result"]["rows"] == 3
    np.savez(clip.parent / "other.npz", weights=np.zeros(3))
    assert refusal(capsys, "info", clip.parent / "other.npz") == "unknown_file"
    assert cli.main(["info", str(clip)]) == 0
    assert "96 x 64" in capsys.readouterr().out


def standing_people(frames: int = 12) -> np.ndarray:
    """Rough joints (T, 24, 3) of somebody standing, metres, Z up, drifting sideways."""
    from reel2rig.smpl_assets.body import open_body

    rest = open_body().joint_template.astype(np.float64)
    upright = np.stack([rest[:, 0], -rest[:, 2], rest[:, 1] - rest[:, 1].min()], axis=-1)
    return upright + np.linspace(0, 0.3, frames)[:, None, None] * np.array([1.0, 0.0, 0.0])


def test_joints_of_another_estimator_become_a_motion(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joints = standing_people()
    np.savez(folder / "other.npz", joints=joints, fps=25.0)
    out = folder / "person.npz"
    status, last = run(capsys, "fit", folder / "other.npz", "--out", out, "--contacts", "never")  # they glide
    assert status == 0, last
    motion = read_motion(out)
    assert motion.fps == pytest.approx(25.0)
    assert motion.poses.shape == (12, 72)
    assert last["result"]["joint_residual_mm"] < 20
    moved = motion.trans[-1] - motion.trans[0]
    np.testing.assert_allclose(moved, [0.3, 0.0, 0.0], atol=0.05)


def test_standing_feet_hold_a_gliding_person_as_far_as_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(folder / "gliding.npz", joints=standing_people(60), fps=30.0)
    ways = {}
    for lock in ("0", "1"):
        out = folder / f"lock_{lock}.npz"
        assert run(capsys, "fit", folder / "gliding.npz", "--out", out, "--foot-lock", lock)[0] == 0
        motion = read_motion(out)
        assert motion.contacts is not None
        assert motion.contacts.mean() > 0.9
        ways[lock] = motion.trans[-1, 0] - motion.trans[0, 0]
    assert ways["0"] == pytest.approx(0.3, abs=0.02)
    assert abs(ways["1"]) < 0.05
    assert run(capsys, "fit", folder / "gliding.npz", "--out", out, "--contacts", "never")[0] == 0
    contacts = read_motion(out).contacts
    assert contacts is not None
    assert not contacts.any()


@pytest.mark.parametrize("share", ["1.5", "-0.1", "nan", "much"])
def test_a_strength_is_between_0_and_1(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["fit", "joints.npz", "--out", "person.npz", "--smoothing", share])
    assert f"--smoothing: {share} is not a number from 0 to 1" in capsys.readouterr().err


def test_frames_without_joints_are_filled_marked_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joints = standing_people(60)
    joints[10:13] = joints[20:50] = np.nan
    np.savez(folder / "other.npz", joints=joints, fps=25.0)
    out = folder / "person.npz"
    status, last = run(capsys, "fit", folder / "other.npz", "--out", out, "--contacts", "never")
    assert status == 0, last
    motion = read_motion(out)
    assert motion.confidence is not None
    unseen = np.flatnonzero(motion.confidence.max(axis=1) == 0)
    assert unseen.tolist() == [*range(10, 13), *range(20, 50)]
    np.testing.assert_allclose(motion.trans[:, 0] - motion.trans[0, 0], np.linspace(0, 0.3, 60), atol=0.02)
    told = " ".join(last["result"]["warnings"])
    assert "from 0.8 s for 1.2 s" in told
    assert "3 frames" in told


def test_camera_frame_joints_are_stood_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = standing_people()
    seen = np.stack([world[..., 0], -world[..., 2], world[..., 1] + 3.0], axis=-1)  # a level OpenCV camera
    np.savez(folder / "other.npz", joints=seen, fps=25.0, frame="camera")
    assert run(capsys, "fit", folder / "other.npz", "--out", folder / "person.npz")[0] == 0
    motion = read_motion(folder / "person.npz")
    assert motion.joints is not None
    assert motion.joints[:, 15, 2].min() > motion.joints[:, 0, 2].max() > 0.7  # head above pelvis above floor


def test_fit_takes_the_person_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joints = np.concatenate([standing_people(), standing_people() + np.array([2.0, 0, 0])])
    times = np.tile(np.arange(12) / 25, 2)
    np.savez(folder / "two.npz", joints=joints, times=times, track_id=np.repeat([1, 4], 12))
    assert refusal(capsys, "fit", folder / "two.npz", "--out", folder / "p.npz", "--person", "2") == "no_such_person"
    assert run(capsys, "fit", folder / "two.npz", "--out", folder / "p.npz", "--person", "4")[0] == 0
    motion = read_motion(folder / "p.npz")
    assert motion.track_id == 4
    assert motion.trans[0, 0] > 1.5


def test_fit_takes_the_first_of_several_people_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joints, times = np.concatenate([standing_people()] * 2), np.tile(np.arange(12) / 25, 2)
    np.savez(folder / "two.npz", joints=joints, times=times, track_id=np.repeat([0, 1], 12))
    status, last = run(capsys, "fit", folder / "two.npz", "--out", folder / "p.npz")
    assert status == 0
    assert read_motion(folder / "p.npz").track_id == 0
    assert "Person 0 is taken. Give --person for another: the file also holds 1." in last["result"]["warnings"]
    np.savez(folder / "mixed.npz", joints=joints, times=times)
    assert refusal(capsys, "fit", folder / "mixed.npz", "--out", folder / "p.npz") == "bad_times"


def test_fit_refuses_keypoints_that_are_not_of_the_same_capture(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = Keypoints(
        keypoints=np.ones((12, 33, 3), np.float32), set="blazepose33", track_id=np.zeros(12, np.int64),
        view=np.zeros(12, np.int64), frames=np.arange(12), times=np.arange(12) / 25, image_size=(640, 480), fps=25.0,
        clip_frames=12,
    )  # fmt: skip
    joints = {"joints": standing_people(), "fps": 25.0}
    camera = {"camera_K": np.diag([500.0, 500, 1]), "camera_world_from_cam": np.eye(4)}
    fit = ("fit", folder / "joints.npz", "--out", folder / "p.npz", "--keypoints", folder / "keypoints.npz")
    for given, keypoints in (
        (joints, points),  # no camera
        (joints | camera, points.select(np.arange(0))),  # nobody
        (joints | camera, replace(points, track_id=points.track_id + 7)),  # somebody else
        (joints | camera, replace(points, times=points.times + 9)),  # another clip
    ):
        np.savez(folder / "joints.npz", **given)
        write_keypoints(folder / "keypoints.npz", keypoints)
        assert refusal(capsys, *fit) == "bad_keypoints"
    assert not (folder / "p.npz").exists()
    write_keypoints(folder / "keypoints.npz", points.select(np.arange(1)))  # seen in one frame
    assert run(capsys, *fit)[0] == 0


def test_lift_uses_the_lens_of_the_keypoints_file_unless_told_otherwise(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lenses = []

    def seen(_keypoints: Keypoints, camera_K: np.ndarray, *_: object) -> None:
        lenses.append(camera_K)
        raise KeyboardInterrupt

    monkeypatch.setattr(lift, "lift", seen)
    K = np.array([[700.0, 0, 320], [0, 700, 240], [0, 0, 1]])
    ones = np.ones(3, np.int64)
    points = np.ones((3, 33, 3), np.float32)
    keypoints = Keypoints(points, "blazepose33", ones, 0 * ones, np.arange(3), np.arange(3) / 30, (640, 480), 30.0, 3)
    write_keypoints(folder / "plain.npz", keypoints)
    write_keypoints(folder / "lens.npz", replace(keypoints, camera_K=K))
    for arguments in (["lens.npz"], ["lens.npz", "--fov", "90"], ["plain.npz"]):
        run(capsys, "lift", folder / arguments[0], *arguments[1:], "--out", folder / "joints.npz")
    np.testing.assert_array_equal(lenses[0], K)
    assert [round(float(lens[0, 0])) for lens in lenses[1:]] == [320, round(320 / np.tan(np.radians(27.5)))]


def test_a_worker_stopped_in_the_middle_ends_with_3_and_leaves_nothing(folder: Path) -> None:
    out = folder / "out"
    command = [sys.executable, "-m", "reel2rig.lifter", "capture", str(DEMO), "--out", str(out), "--progress", "json"]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    for line in worker.stdout:
        said = json.loads(line)
        if said["stage"] == "detect" and said["done"] > 0:
            break
    worker.send_signal(signal.SIGTERM)
    rest, complaints = worker.communicate(timeout=IMPORTS_ARE_SLOW)
    assert worker.returncode == 3
    assert json.loads(rest.splitlines()[-1])["error"]["code"] == "cancelled"
    assert "Traceback" not in complaints
    assert list(folder.iterdir()) == []


def test_a_worker_stopped_while_it_starts_ends_with_3(folder: Path) -> None:
    command = ["-X", "importtime", "-m", "reel2rig.lifter", "capture", str(DEMO), "--out", str(folder / "out")]
    worker = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert worker.stderr is not None
    next(line for line in worker.stderr if "numpy.version" in line)  # its imports go on after this one
    worker.send_signal(signal.SIGTERM)
    _, complaints = worker.communicate(timeout=IMPORTS_ARE_SLOW)
    assert worker.returncode == 3
    assert "Traceback" not in complaints
    assert list(folder.iterdir()) == []
