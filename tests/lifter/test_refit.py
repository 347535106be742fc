"""A finished capture lifted and fitted again: the same comes out, or what was asked for, or nothing is touched."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reel2rig.lifter import cli, pipeline
from reel2rig.lifter.capture_files import read_keypoints, write_keypoints
from reel2rig.lifter.clip_reader import read_frames
from reel2rig.lifter.corrections import Correction, corrected_keypoints
from reel2rig.lifter.motion_file import Motion, read_motion
from reel2rig.smpl_assets.skeleton import END, PARENTS

DEMO = Path(__file__).parents[2] / "examples" / "balancing.mp4"
FRAMES = 36
FPS = 60
FEET = [END[name] for name in ("left_heel", "left_big_toe", "right_heel", "right_big_toe")]
QUICK = "--no-preview"


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of 0.6 s of the demo clip, which lies beside it. Not to be changed."""
    folder = tmp_path_factory.mktemp("refit")
    clip, out = Path(shutil.copy(DEMO, folder / "균형 🤸.mp4")), folder / "capture (1)"
    options = ["--preset", "fast", "--device", "cpu", "--height", "1.75", "--end", str(FRAMES / FPS)]
    assert cli.main(["capture", str(clip), "--out", str(out), *options, "--progress", "json"]) == 0
    return out


@pytest.fixture
def folder(captured: Path, tmp_path: Path) -> Path:
    """A copy of it, to be refitted."""
    return Path(shutil.copytree(captured, tmp_path / "다시 (1)"))


def refit(capsys: pytest.CaptureFixture[str], folder: Path, *options: object) -> dict[str, Any]:
    """The result of the command, which must succeed."""
    capsys.readouterr()
    status = cli.main(["refit", str(folder), *map(str, options), "--progress", "json"])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert status == 0, last
    return last["result"]


def refusal(capsys: pytest.CaptureFixture[str], folder: Path, *options: object) -> str:
    """Code of the error of a command that ends with status 2 and leaves the folder as it was."""
    before = contents(folder)
    assert cli.main(["refit", str(folder), *map(str, options), "--progress", "json"]) == 2
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["error"]["message"]
    assert last["error"]["hint"]
    assert contents(folder) == before
    return last["error"]["code"]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.exists() else {}


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "capture.json").read_text("utf-8"))


def motion(folder: Path, number: int = 1) -> Motion:
    return read_motion(folder / f"person_{number:02d}.npz")


def assert_same_arrays(one: Path, other: Path) -> None:
    with np.load(one) as ours, np.load(other) as theirs:
        assert sorted(ours.files) == sorted(theirs.files)
        for key in ours.files:
            np.testing.assert_array_equal(ours[key], theirs[key], err_msg=key)


def joints(motion: Motion) -> np.ndarray:
    assert motion.joints is not None
    return motion.joints


def feet(motion: Motion) -> np.ndarray:
    assert motion.ends is not None
    return motion.ends[:, FEET]


def unseen(motion: Motion) -> list[int]:
    assert motion.confidence is not None
    return np.flatnonzero(motion.confidence.max(axis=1) == 0).tolist()


def test_the_same_options_give_the_same_capture(
    captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = refit(capsys, folder)
    assert contents(folder).keys() == contents(captured).keys()
    for name in ("person_01.npz", "joints.npz", "keypoints.npz"):
        assert_same_arrays(folder / name, captured / name)
    assert result["out"] == str(folder)
    assert result["people"] == ["person_01.npz"]
    assert set(result["files"]) == set(contents(captured))
    assert (result["frames"], result["licence"], result["warnings"]) == (FRAMES, "open", [])
    before, after = record(captured), record(folder)
    for key in ("clip", "camera", "provider", "frames", "fps", "people", "seconds_inside_detect"):
        assert after[key] == before[key], key
    assert after["options"] == before["options"] | {"out": str(folder)}
    assert (after["refitted"], after["corrections"]) == (1, [])
    assert after["seconds"]["detect"] == before["seconds"]["detect"]


def test_the_preview_has_every_frame(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "preview.mp4").write_bytes(b"old")
    refit(capsys, folder, "--smoothing", "1")
    assert sum(1 for _ in read_frames(folder / "preview.mp4")) == FRAMES


def test_another_height_scales_the_person(captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def size(motion: Motion) -> float:
        return float(np.linalg.norm(joints(motion)[0, 1:] - joints(motion)[0, PARENTS[1:]], axis=-1).sum())

    refit(capsys, folder, QUICK, "--height", "1.4")
    assert size(motion(folder)) / size(motion(captured)) == pytest.approx(1.4 / 1.75, rel=0.03)
    assert record(folder)["options"]["height"] == 1.4
    refit(capsys, folder, QUICK, "--contacts", "never")
    options = record(folder)["options"]
    assert (options["height"], options["cleaning"]["contacts"]) == (1.4, "never"), "what was asked for stays asked for"
    refit(capsys, folder, QUICK, "--height", "1.75", "--contacts", "auto")
    assert_same_arrays(folder / "person_01.npz", captured / "person_01.npz")
    assert record(folder)["refitted"] == 3


def test_a_build_can_be_given_and_taken_back(captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refit(capsys, folder, QUICK, "--build", "female_heavy")
    assert not np.allclose(motion(folder).betas, motion(captured).betas, atol=0.1)
    refit(capsys, folder, QUICK, "--build", "auto")
    assert_same_arrays(folder / "person_01.npz", captured / "person_01.npz")


def test_another_lens_is_taken_and_kept(captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refit(capsys, folder, QUICK, "--fov", "90")
    refit(capsys, folder, QUICK)
    size = max(record(folder)["clip"]["image_size"])
    for found in (motion(folder).camera_K, read_keypoints(folder / "keypoints.npz").camera_K):
        assert found is not None
        assert found[0, 0] == pytest.approx(size / 2)
    assert "90" in record(folder)["camera"]["source"]
    assert record(folder)["options"]["field_of_view"] == 90
    (folder / "camera.json").write_text(json.dumps({"matrix": record(captured)["camera"]["K"]}))
    refit(capsys, folder, QUICK, "--camera", folder / "camera.json")
    assert record(folder)["options"]["field_of_view"] is None
    np.testing.assert_array_equal(joints(motion(folder)), joints(motion(captured)))
    (folder / "camera.json").unlink()
    refit(capsys, folder, QUICK)
    np.testing.assert_array_equal(joints(motion(folder)), joints(motion(captured)))


def test_swapped_keypoints_are_put_right(captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    swap = Correction("swap", 1, 0.2, 0.4)
    good = read_keypoints(captured / "keypoints.npz")
    write_keypoints(folder / "keypoints.npz", corrected_keypoints(good, [swap]))
    refit(capsys, folder, QUICK)
    wrong = np.linalg.norm(joints(motion(folder)) - joints(motion(captured)), axis=-1).mean(axis=1)
    assert wrong[12:25].mean() > 0.1, "metres"
    for _ in range(2):  # the second time does not swap them back
        refit(capsys, folder, QUICK, "--correct", swap)
        assert_same_arrays(folder / "person_01.npz", captured / "person_01.npz")
    assert record(folder)["corrections"] == ["swap:1:0.2:0.4"]


def test_unseen_frames_are_made_of_those_around(
    captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = read_keypoints(folder / "keypoints.npz")
    bad.keypoints[12:22, :, :2] += np.random.default_rng(0).normal(0, 200, (10, 33, 2))
    write_keypoints(folder / "keypoints.npz", bad)
    result = refit(capsys, folder, QUICK, "--correct", f"unseen:1:{12 / FPS}:{21 / FPS}")
    found = motion(folder)
    assert unseen(found) == list(range(12, 22))
    assert np.linalg.norm(joints(found) - joints(motion(captured)), axis=-1).mean() < 0.08
    assert any("10 frames" in warning for warning in result["warnings"])


def test_a_long_time_unseen_is_bridged_too(captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = read_keypoints(folder / "keypoints.npz")
    write_keypoints(folder / "keypoints.npz", replace(slow, times=10 * slow.times, fps=slow.fps / 10))
    refit(capsys, folder, QUICK, "--correct", "unseen:1:0.5:5.34")
    found = motion(folder)
    assert len(found.trans) == FRAMES
    assert unseen(found) == list(range(3, 33))
    steps = np.linalg.norm(np.diff(joints(found), axis=0), axis=-1)
    assert steps.max() < 0.15, "metres a frame: the pose goes over evenly"


def test_unseen_at_either_end_keeps_the_frames_and_holds_the_pose(
    captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refit(capsys, folder, QUICK, "--smoothing", 0, "--contacts", "never", "--correct", "unseen:1:0:0.15",
          "--correct", "unseen:1:0.5:99")  # fmt: skip
    found, before = motion(folder), motion(captured)
    assert unseen(found) == [*range(10), *range(30, FRAMES)]
    assert found.times is not None
    assert before.times is not None
    np.testing.assert_allclose(found.times, before.times, atol=1e-9)
    np.testing.assert_array_equal(np.asarray(found.frames), np.asarray(before.frames))
    for held, shown in ((slice(0, 10), 10), (slice(30, None), 29)):
        pose = np.broadcast_to(found.poses[shown], found.poses[held].shape)
        np.testing.assert_allclose(found.poses[held], pose, atol=1e-5)
        np.testing.assert_allclose(found.trans[held], np.broadcast_to(found.trans[shown], pose[:, :3].shape), atol=1e-5)


def test_even_a_single_frame_can_be_all_that_is_seen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refit(capsys, folder, QUICK, "--correct", "unseen:1:0:0.29", "--correct", "unseen:1:0.31:9")
    found = motion(folder)
    assert sorted({*range(FRAMES)} - {*unseen(found)}) == [18]
    assert np.ptp(joints(found), axis=0).max() < 1e-4


def test_feet_told_to_stand_keep_still_and_nothing_jumps(
    captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refit(capsys, folder, QUICK, "--correct", "stand_left:1:0.1:0.4")
    before, found = motion(captured), motion(folder)
    assert found.contacts is not None
    assert before.contacts is not None
    assert found.contacts[6:25, :2].all()
    others = np.ones(found.contacts.shape, bool)
    others[6:25, :2] = False
    np.testing.assert_array_equal(found.contacts[others], before.contacts[others])
    slide = np.linalg.norm(np.diff(feet(found), axis=0), axis=-1)[6:24, :2]
    assert slide.max() < 0.001
    speeds = [np.linalg.norm(np.diff(joints(one), axis=0), axis=-1).max() * FPS for one in (before, found)]
    assert speeds[1] < speeds[0] + 1.0, "metres a second"


def test_feet_told_to_be_free_are_not_held(captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = motion(captured).contacts
    assert before is not None
    assert before[6:25].any()
    refit(capsys, folder, QUICK, "--correct", "free:1:0.1:0.4")
    found = motion(folder).contacts
    assert found is not None
    assert not found[6:25].any()
    np.testing.assert_array_equal(np.delete(found, range(6, 25), axis=0), np.delete(before, range(6, 25), axis=0))


def test_people_keep_their_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = read_keypoints(folder / "keypoints.npz")
    other = one.keypoints - np.array([150, 0, 0], np.float32)
    rows = {key: np.concatenate([getattr(one, key)] * 2) for key in ("view", "frames", "times", "world")}
    both = replace(one, **rows, keypoints=np.concatenate([one.keypoints, other]), track_id=np.repeat([1, 7], FRAMES))
    write_keypoints(folder / "keypoints.npz", both)
    facts = record(folder)
    facts["people"] = [{"track_id": 7}, {"track_id": 1}]
    (folder / "capture.json").write_text(json.dumps(facts), "utf-8")
    assert refit(capsys, folder, QUICK, "--correct", "unseen:7:0.5:9")["people"] == ["person_01.npz", "person_02.npz"]
    found = [motion(folder, number) for number in (1, 2)]
    assert [one.track_id for one in found] == [7, 1]
    assert [len(unseen(one)) for one in found] == [6, 0]


def test_without_a_preview_the_old_one_goes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = refit(capsys, folder, QUICK)
    assert not (folder / "preview.mp4").exists()
    assert "preview.mp4" not in result["files"]
    assert result["warnings"] == []


@pytest.mark.parametrize("change", ["gone", "another", "a folder"])
def test_a_clip_that_is_not_there_as_it_was_costs_the_preview_only(
    folder: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = record(folder)
    clip = folder.parent / "clip.mp4"
    if change == "another":
        clip.write_bytes((folder / "preview.mp4").read_bytes())
    elif change == "a folder":
        clip.mkdir()
    facts["options"]["clip"] = str(clip)
    (folder / "capture.json").write_text(json.dumps(facts), "utf-8")
    (warning,) = refit(capsys, folder)["warnings"]
    assert "no preview" in warning
    assert "clip.mp4" in warning
    assert not (folder / "preview.mp4").exists()


def test_corrections_that_change_nothing_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = refit(capsys, folder, QUICK, "--correct", "swap:1:50:60")
    assert any("swap:1:50.0:60.0 is about no frame" in warning for warning in result["warnings"])
    result = refit(capsys, folder, QUICK, "--foot-lock", 0, "--correct", "stand:1:0:1")
    assert any("foot lock is 0" in warning for warning in result["warnings"])


@pytest.mark.parametrize("where", ["write_joints", "write_preview"])
def test_a_stop_in_the_middle_leaves_the_folder_as_it_was(
    folder: Path, where: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    monkeypatch.setattr(pipeline, where, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    assert cli.main(["refit", str(folder), "--height", "1.5", "--progress", "json"]) == 3
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["code"] == "cancelled"
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--correct", "dance:1:0:1"], "bad_correction"),
        (["--correct", "swap:1:0"], "bad_correction"),
        (["--correct", "swap:2:0:1"], "no_such_person"),
        (["--correct", "unseen:1:0:9"], "nobody_left"),
        (["--height", "17"], "bad_height"),
        (["--fov", "200"], "bad_fov"),
        (["--camera", "missing.toml"], "bad_calibration"),
        (["--build", "giant"], "no_build"),
        (["--body", "missing.npz"], "bad_body"),
    ],
)
def test_impossible_options_are_refused(
    folder: Path, options: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(capsys, folder, *options) == code


def test_a_folder_without_a_capture_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, tmp_path) == "no_capture"
    assert refusal(capsys, tmp_path / "missing") == "no_capture"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "5", "{}", '{"format": "other/1"}', "[" * 100_000, "\ud800"])
def test_a_record_that_is_none_is_refused(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "capture.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert refusal(capsys, folder) == "bad_record"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["options"], None),
        (["options", "height"], "tall"),
        (["options", "device"], "toaster"),
        (["options", "clip"], 5),
        (["options", "cleaning", "smoothing"], 7.0),
        (["options", "cleaning", "contacts"], "sometimes"),
        (["clip"], "clip.mp4"),
        (["clip", "image_size"], [1, 2, 3]),
        (["camera", "K"], [[1, 0], [0, 1]]),
        (["camera", "K", 0, 0], 0),
        (["camera", "K", 0, 0], float("nan")),
        (["camera", "K", 0, 0], 10**400),
        (["people"], []),
        (["people"], [{"track_id": 1}, {"track_id": 1}]),
        (["people", 0, "track_id"], "1"),
        (["refitted"], "twice"),
    ],
)
def test_a_record_changed_by_hand_is_refused(
    folder: Path, place: list[Any], value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = record(folder) | {"refitted": 0}
    inner: Any = facts
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (folder / "capture.json").write_text(json.dumps(facts), "utf-8")
    assert refusal(capsys, folder, QUICK) == "bad_record"


def test_keypoints_must_be_those_of_the_capture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keypoints = read_keypoints(folder / "keypoints.npz")
    for other in (
        replace(keypoints, track_id=keypoints.track_id + 1),
        replace(keypoints, image_size=(640, 480)),
        keypoints.select(np.arange(0)),
    ):
        write_keypoints(folder / "keypoints.npz", other)
        assert refusal(capsys, folder) == "bad_keypoints"
    (folder / "keypoints.npz").write_bytes(b"PK damaged")
    assert refusal(capsys, folder) == "not_npz"
    (folder / "keypoints.npz").unlink()
    assert refusal(capsys, folder) == "no_such_file"


def test_a_body_of_ones_own_is_asked_for_again(
    captured: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = record(folder)
    theirs = facts["options"]["body"]
    for path in ("/somewhere/SMPL_NEUTRAL.npz", f"/moved/{Path(theirs).name}"):
        facts["options"]["body"] = path
        (folder / "capture.json").write_text(json.dumps(facts), "utf-8")
        if "SMPL" in path:
            assert refusal(capsys, folder, QUICK) == "which_body"
            refit(capsys, folder, QUICK, "--body", theirs)
        else:
            refit(capsys, folder, QUICK)
        assert_same_arrays(folder / "person_01.npz", captured / "person_01.npz")
