"""Fitting a finished capture again: settings and corrections are asked for, kept and taken back. The worker is fake."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.capture import refit
from reel2rig.addon.capture.capture_jobs import JOBS, Job
from reel2rig.addon.capture.refit import asked_before, corrections_of
from reel2rig.addon.character import character_panel
from reel2rig.addon.character.character import CORRECTIONS
from reel2rig.addon.workers.worker_commands import FitRequest
from reel2rig.lifter.motion_file import Motion, write_motion

pytestmark = pytest.mark.usefixtures("addon")
HANG = (sys.executable, "-c", "import time; time.sleep(60)")
CLEANING = {"smoothing": 0.25, "contacts": "always", "foot_lock": 1.0, "floor": 0.5}
OPTIONS = {"height": 1.9, "build": "thin", "cleaning": CLEANING}


class FakeRefit:
    """The re-fit writes the same people one metre higher; remembers what was asked for."""

    def __init__(self, motions: dict[str, Motion]) -> None:
        self.motions = motions
        self.asked: list[tuple[FitRequest, list[str]]] = []
        self.fails = False

    def command(self, _python: Path, folder: Path, request: FitRequest, corrections: list[str]) -> list[str]:
        self.asked.append((request, corrections))
        for name, motion in self.motions.items():
            write_motion(folder / name, replace(motion, trans=motion.trans + np.array([0, 0, 1], np.float32)))
        people = list(self.motions)
        script = f"print({json.dumps({'result': {'out': str(folder), 'people': people}})!r})"
        return [sys.executable, "-c", "raise SystemExit('no memory')" if self.fails else script]


@pytest.fixture
def capture(motion: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRefit:
    """Two people of one capture, imported; the first one is active."""
    folder = tmp_path / "춤_capture"
    folder.mkdir()
    times = np.arange(40) / 30.0
    sure = np.ones((40, 24), np.float32)
    sure[12:20] = 0.1
    seen = replace(motion, times=times, confidence=sure)
    motions = {"person_01.npz": replace(seen, track_id=1), "person_02.npz": replace(seen, track_id=7)}
    for name, one in motions.items():
        write_motion(folder / name, one)
    people = [{"file": name, "track_id": one.track_id} for name, one in motions.items()]
    record = {"format": "reel2rig-capture/1", "options": OPTIONS, "people": people}
    (folder / "capture.json").write_text(json.dumps(record), encoding="utf-8")
    fake = FakeRefit(motions)
    monkeypatch.setattr(refit, "refit_command", fake.command)
    monkeypatch.setattr(refit, "capture_python", lambda: Path(sys.executable))
    bpy.ops.reel2rig.import_motion(directory=str(folder), files=[{"name": name} for name in motions])
    return fake


def rig(number: int = 1) -> Any:
    return bpy.data.objects[f"walk_person_0{number}"]


def height(item: Any) -> float:
    """Where the pelvis is now, in metres over the floor."""
    return item.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones["pelvis"].head.z


def mark(scene: Any, first: int, last: int) -> None:
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, first, last


def test_it_starts_from_the_settings_of_the_capture(capture: FakeRefit) -> None:
    expected = {"height": 1.9, "build": "thin", **CLEANING}
    assert asked_before(rig()) == expected
    bpy.ops.reel2rig.refit(**{**expected, "build": "auto", "smoothing": 0.75})
    assert asked_before(rig()) == pytest.approx({**expected, "build": "auto", "smoothing": 0.75})


@pytest.mark.parametrize("options", [None, [], {"height": "tall", "build": "giant", "cleaning": {"smoothing": 7}}])
def test_settings_that_a_hand_has_damaged_are_left_out(capture: FakeRefit, options: Any) -> None:
    record = {"format": "reel2rig-capture/1", "options": options}
    (refit.capture_folder(rig()) / "capture.json").write_text(json.dumps(record))
    assert asked_before(rig()) == {}


def test_everybody_of_the_capture_gets_the_new_motion_and_undo_takes_it_back(capture: FakeRefit) -> None:
    before = height(rig(1))
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.reel2rig.refit(height=1.9) == {"FINISHED"}
    assert capture.asked[0][0].height == pytest.approx(1.9)
    assert [height(rig(number)) for number in (1, 2)] == pytest.approx([before + 1.0] * 2, abs=1e-3)
    bpy.ops.ed.undo_push(message="after")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo()
    assert height(rig(1)) == pytest.approx(before)


def test_the_marked_range_is_corrected_in_seconds_of_the_clip(capture: FakeRefit, scene: Any, drawn: Any) -> None:
    assert not bpy.ops.reel2rig.correct_range.poll()
    mark(scene, 4, 10)
    assert bpy.ops.reel2rig.correct_range(kind="swap") == {"FINISHED"}
    mark(scene, 13, 22)
    bpy.ops.reel2rig.correct_range(kind="stand_left")
    first, second = corrections_of(rig())
    assert (first.kind, first.person, second.kind) == ("swap", 1, "stand_left")
    times = np.arange(40) / 30.0
    assert np.flatnonzero(first.holds(times)).tolist() == list(range(3, 10))  # frame 1 shows the clip's frame 0
    assert np.flatnonzero(second.holds(times)).tolist() == list(range(12, 22))
    assert capture.asked[-1][1] == [str(first), str(second)]
    assert CORRECTIONS in rig(2)
    assert not corrections_of(rig(2))
    shown = drawn(character_panel.REEL2RIG_PT_character)
    assert "4 - 10: Swap Left and Right" in shown
    assert "13 - 22: Left Foot Stands" in shown


def test_corrections_of_the_others_are_kept_and_each_can_be_removed(capture: FakeRefit, scene: Any) -> None:
    mark(scene, 4, 10)
    bpy.ops.reel2rig.correct_range(kind="swap")
    bpy.context.view_layer.objects.active = rig(2)
    bpy.ops.reel2rig.correct_range(kind="free")
    assert sorted(text.split(":")[0] for text in capture.asked[-1][1]) == ["free", "swap"]
    assert [(one.kind, one.person) for one in corrections_of(rig(2))] == [("free", 7)]
    bpy.ops.reel2rig.remove_correction(index=0)
    assert corrections_of(rig(2)) == []
    assert [one.kind for one in corrections_of(rig(1))] == ["swap"]
    assert bpy.ops.reel2rig.remove_correction(index=5) == {"CANCELLED"}


def test_two_characters_of_one_person_correct_it_once(capture: FakeRefit, scene: Any) -> None:
    twin = rig().copy()
    twin.data = rig().data.copy()
    scene.collection.objects.link(twin)
    mark(scene, 4, 10)
    bpy.ops.reel2rig.correct_range(kind="swap")
    bpy.ops.reel2rig.correct_range(kind="stand")
    assert [text.split(":")[0] for text in capture.asked[-1][1]] == ["swap", "stand"]
    bpy.ops.reel2rig.remove_correction(index=1)
    assert [text.split(":")[0] for text in capture.asked[-1][1]] == ["swap"]


def test_uncertain_stretches_are_interpolated_everywhere_or_in_the_marked_range(capture: FakeRefit, scene: Any) -> None:
    mark(scene, 30, 40)
    assert bpy.ops.reel2rig.interpolate_uncertain() == {"CANCELLED"}
    scene.use_preview_range = False
    bpy.ops.reel2rig.interpolate_uncertain()
    (found,) = corrections_of(rig())
    assert (found.kind, found.start, found.end) == ("unseen", pytest.approx(12 / 30), pytest.approx(19 / 30))


def test_corrections_and_settings_outlive_saving_and_loading(capture: FakeRefit, scene: Any, tmp_path: Path) -> None:
    mark(scene, 4, 10)
    bpy.ops.reel2rig.correct_range(kind="swap")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "장면.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "장면.blend"))
    bpy.context.view_layer.objects.active = rig()
    assert [one.kind for one in corrections_of(rig())] == ["swap"]
    before = height(rig())
    bpy.ops.reel2rig.refit(height=1.8)
    assert [text.split(":")[0] for text in capture.asked[-1][1]] == ["swap"]
    assert height(rig()) == pytest.approx(before, abs=1e-3)


def test_a_refit_that_fails_changes_nothing(capture: FakeRefit, scene: Any) -> None:
    before = height(rig())
    capture.fails = True
    mark(scene, 4, 10)
    with pytest.raises(RuntimeError, match="no memory"):
        bpy.ops.reel2rig.correct_range(kind="swap")
    assert height(rig()) == before
    assert corrections_of(rig()) == []


def test_controls_are_baked_first(capture: FakeRefit) -> None:
    bpy.ops.reel2rig.add_control_rig()
    assert "Bake to Deform Bones" in str(refit.refused(bpy.context))
    bpy.ops.reel2rig.bake_control_rig()
    assert refit.refused(bpy.context) is None


def test_a_character_that_cannot_be_rebuilt_does_not_hold_up_the_others(capture: FakeRefit) -> None:
    before = height(rig(2))
    rig(1).data.bones["left_knee"].name = "Knie"
    with pytest.raises(RuntimeError, match="left_knee"):
        bpy.ops.reel2rig.refit(height=1.9)
    assert height(rig(2)) == pytest.approx(before + 1.0, abs=0.05)


@pytest.mark.parametrize("operator", ["refit", "correct_range", "interpolate_uncertain", "remove_correction"])
def test_what_is_needed(operator: str, capture: FakeRefit, scene: Any, motion: Motion, tmp_path: Path) -> None:
    mark(scene, 4, 10)
    called = getattr(bpy.ops.reel2rig, operator)
    assert called.poll()
    JOBS.add(Job("a.mp4", HANG, print))
    assert not called.poll()
    JOBS.stop_all()
    (tmp_path / "춤_capture").rename(tmp_path / "moved")
    assert not called.poll()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert not called.poll()


def test_a_capture_that_moved_together_with_the_blend_is_found(capture: FakeRefit, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "춤_capture").rename(tmp_path / "elsewhere" / "춤_capture")
    assert not bpy.ops.reel2rig.refit.poll()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "elsewhere" / "a.blend"))
    assert bpy.ops.reel2rig.refit(height=1.8) == {"FINISHED"}
    assert refit.capture_folder(rig()) == tmp_path / "elsewhere" / "춤_capture"


def test_lone_motion_files_cannot_be_fitted_again(motion_path: Path) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    assert refit.refused(bpy.context) is not None
    assert not bpy.ops.reel2rig.refit.poll()


def test_a_person_is_deleted_and_the_other_one_stays(capture: FakeRefit) -> None:
    assert bpy.ops.reel2rig.delete_person() == {"FINISHED"}
    assert [item.name for item in bpy.data.objects if item.type == "ARMATURE"] == ["walk_person_02"]
    bpy.ops.reel2rig.refit()
    assert bpy.ops.reel2rig.delete_person() == {"FINISHED"}
    assert not bpy.ops.reel2rig.delete_person.poll()


def test_looking_through_the_camera_of_the_active_character(capture: FakeRefit, scene: Any) -> None:
    own = scene.camera
    scene.camera = None
    assert bpy.ops.reel2rig.look_through_camera() == {"FINISHED"}
    assert scene.camera == own
    bpy.data.objects.remove(own)
    assert not bpy.ops.reel2rig.look_through_camera.poll()


def test_a_corrected_capture_that_is_imported_again_keeps_its_corrections(capture: FakeRefit, scene: Any) -> None:
    folder = refit.capture_folder(rig())
    record = json.loads((folder / "capture.json").read_text("utf-8"))
    record["corrections"] = ["swap:7:0.1:0.2", "free:1:0.5:0.6"]
    (folder / "capture.json").write_text(json.dumps(record), encoding="utf-8")
    bpy.ops.reel2rig.import_motion(filepath=str(folder / "person_01.npz"))
    again = bpy.context.view_layer.objects.active
    assert [one.kind for one in corrections_of(again)] == ["free"]


def test_damaged_corrections_are_left_out(capture: FakeRefit) -> None:
    rig()[CORRECTIONS] = "swap:1:0:1\nnonsense\nfly:1:0:1"
    assert [one.kind for one in corrections_of(rig())] == ["swap"]


def test_every_correction_has_a_button_with_a_tooltip() -> None:
    from reel2rig.addon.capture.correct import KIND_ITEMS, CorrectRange
    from reel2rig.lifter.corrections import KINDS

    assert {kind for kind, _, _ in KIND_ITEMS} == set(KINDS)
    describe: Callable[..., str] = CorrectRange.description
    assert "left limbs" in describe(bpy.context, type("Properties", (), {"kind": "swap"})())
