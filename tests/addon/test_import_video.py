"""Import Video as a user's script calls it: one clip, several, errors, cancel, and what the panel says meanwhile."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from reel2rig.addon import registration
from reel2rig.addon.capture import capture_panel, import_video, runs_jobs
from reel2rig.addon.capture.capture_jobs import JOBS, Job
from reel2rig.addon.set_up.environment_state import State
from reel2rig.addon.workers.failures import FAILURES
from reel2rig.addon.workers.worker_commands import CaptureRequest
from reel2rig.lifter.motion_file import Motion, write_motion

pytestmark = pytest.mark.usefixtures("addon")
HANG = (sys.executable, "-c", "import time; time.sleep(60)")
Drawn = Callable[[Any], list[str]]


class FakeCapture:
    """The capture is a script; remembers what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[CaptureRequest] = []
        self.scripts: dict[str, str] = {}

    def clip(self, name: str, script: str) -> Path:
        """A clip ``name`` whose capture is ``script``."""
        self.scripts[name] = script
        (self.folder / name).write_bytes(b"")
        return self.folder / name

    def command(self, _python: Path, request: CaptureRequest) -> list[str]:
        self.requests.append(request)
        return [sys.executable, "-u", "-c", self.scripts[request.clip.name]]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCapture:
    """Stands in for the capture's process."""
    fake = FakeCapture(tmp_path)
    monkeypatch.setattr(import_video, "capture_python", lambda: Path(sys.executable))
    monkeypatch.setattr(import_video, "capture_command", fake.command)
    return fake


def result_script(folder: Path, *people: str) -> str:
    return f"print({json.dumps({'result': {'out': str(folder), 'people': people}})!r})"


def armatures() -> list[str]:
    return sorted(item.name for item in bpy.data.objects if item.type == "ARMATURE")


def test_everybody_of_a_capture_is_imported(fake: FakeCapture, motion: Motion, tmp_path: Path) -> None:
    for name in ("person_01.npz", "person_02.npz"):
        write_motion(tmp_path / name, motion)
    progress = 'print(\'{"stage": "detect", "done": 1, "total": 2, "fps": 1}\')\n'
    clip = fake.clip("춤 🎬.mp4", progress + result_script(tmp_path, "person_01.npz", "person_02.npz"))
    assert bpy.ops.reel2rig.import_video(filepath=str(clip)) == {"FINISHED"}
    assert len(armatures()) == 2
    assert JOBS.progress() is None


def test_several_clips_are_captured_one_after_the_other_and_one_that_fails_does_not_stop_the_rest(
    fake: FakeCapture, motion: Motion, tmp_path: Path
) -> None:
    for name in ("a", "c"):
        (tmp_path / name).mkdir()
        write_motion(tmp_path / name / "person_01.npz", motion)
    fake.clip("a.mp4", result_script(tmp_path / "a", "person_01.npz"))
    fake.clip("b.mp4", "raise SystemExit('out of memory')")
    fake.clip("c.mp4", result_script(tmp_path / "c", "person_01.npz"))
    with pytest.raises(RuntimeError, match="out of memory"):
        bpy.ops.reel2rig.import_video(directory=str(tmp_path), files=[{"name": f"{n}.mp4"} for n in "abc"])
    assert len(armatures()) == 2
    assert [failure.name for failure in FAILURES] == ["b.mp4"]


def test_no_capture_is_written_over_an_earlier_one(fake: FakeCapture, tmp_path: Path) -> None:
    (tmp_path / "a_capture").mkdir()
    for name in ("a.mp4", "a.mov"):
        fake.clip(name, "")
    with pytest.raises(RuntimeError):
        bpy.ops.reel2rig.import_video(directory=str(tmp_path), files=[{"name": "a.mp4"}, {"name": "a.mov"}])
    assert [request.out.name for request in fake.requests] == ["a_capture_2", "a_capture_2"]
    JOBS.add(Job("a", HANG, print, tmp_path / "a_capture_2"))
    assert JOBS.free_folder(tmp_path / "a_capture") == tmp_path / "a_capture_3"


def test_captures_go_where_the_user_wants_them(fake: FakeCapture, tmp_path: Path) -> None:
    clip = fake.clip("a.mp4", "")
    with pytest.raises(RuntimeError):
        bpy.ops.reel2rig.import_video(filepath=str(clip), folder=str(tmp_path / "captures"))
    assert fake.requests[0].out == tmp_path / "captures" / "a_capture"


def test_a_dropped_clip_is_captured_as_the_panel_says(scene: Any) -> None:
    settings = scene.reel2rig
    settings.height, settings.preset, settings.folder, settings.end = 1.9, "best", "//captures", 3.0
    told = {"preset"}
    properties = SimpleNamespace(is_property_set=lambda name: name in told)
    dropped = SimpleNamespace(preset="fast", end=0.0, properties=properties)
    import_video.take_settings(dropped, settings)
    assert (dropped.height, dropped.preset, dropped.folder) == (pytest.approx(1.9), "fast", "//captures")
    assert dropped.end == 0.0, "the part of another video"


def test_a_folder_beside_a_file_that_was_never_saved_is_refused(fake: FakeCapture) -> None:
    with pytest.raises(RuntimeError, match="Save the file first"):
        bpy.ops.reel2rig.import_video(filepath=str(fake.clip("a.mp4", "")), folder="//captures")


def test_no_capture_while_captures_are_set_up(fake: FakeCapture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_jobs, "set_up_progress", lambda: "half way")
    with pytest.raises(RuntimeError, match="being set up"):
        bpy.ops.reel2rig.import_video(filepath=str(fake.clip("a.mp4", "")))
    assert not fake.requests or JOBS.worker is None


def test_what_a_closed_file_stopped_is_said(fake: FakeCapture, drawn: Drawn) -> None:
    for name in ("a.mp4", "b.mp4"):
        JOBS.add(Job(name, HANG, print))
    runs_jobs.RunsJobs().abandon()
    assert JOBS.worker is None
    assert FAILURES[0].name == "a.mp4, b.mp4"
    assert "file was closed" in " ".join(drawn(capture_panel.REEL2RIG_PT_capture))


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            'print(\'{"error": {"code": "x", "message": "Nobody is in view.", "hint": "Choose another clip."}}\')',
            "Choose another clip",
        ),
        ("raise RuntimeError('CUDA out of memory')", "CUDA out of memory"),
        (result_script(Path("/nowhere"), "person_01.npz"), "There is no file"),
    ],
)
def test_what_went_wrong_is_said_and_kept_in_the_panel(fake: FakeCapture, script: str, says: str, drawn: Drawn) -> None:
    clip = fake.clip("a.mp4", script)
    with pytest.raises(RuntimeError, match=says):
        bpy.ops.reel2rig.import_video(filepath=str(clip))
    assert not bpy.data.objects
    assert bpy.ops.reel2rig.import_video.poll()
    assert says in " ".join(drawn(capture_panel.REEL2RIG_PT_capture)).replace("  ", " ")
    assert bpy.ops.reel2rig.dismiss_failures() == {"FINISHED"}
    assert says not in " ".join(drawn(capture_panel.REEL2RIG_PT_capture))
    assert not bpy.ops.reel2rig.dismiss_failures.poll()


def test_the_report_of_a_crash_can_be_copied(fake: FakeCapture, drawn: Drawn) -> None:
    assert not bpy.ops.reel2rig.copy_report.poll()
    clip = fake.clip("옷.mp4", "import sys; print('free: 3 MB', file=sys.stderr); raise MemoryError('no room')")
    with pytest.raises(RuntimeError):
        bpy.ops.reel2rig.import_video(filepath=str(clip))
    shown = drawn(capture_panel.REEL2RIG_PT_capture)
    assert "MemoryError: no room" in shown
    assert "reel2rig.copy_report" in shown
    assert bpy.ops.reel2rig.copy_report() == {"FINISHED"}
    copied = import_video_report()
    assert bpy.app.version_string in copied
    for part in ("옷.mp4: worker_died", "free: 3 MB", "MemoryError: no room", sys.executable):
        assert part in copied


def import_video_report() -> str:
    """What Copy Report puts into the clipboard, which Blender has only in a window."""
    from reel2rig.addon.workers.failures import report_text

    return report_text()


def test_the_clip_and_an_environment_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="There is no video"):
        bpy.ops.reel2rig.import_video(filepath=str(tmp_path / "none.mp4"))
    monkeypatch.setenv("REEL2RIG_PYTHON", "")
    monkeypatch.setattr("reel2rig.addon.set_up.capture_environment.PACKAGE_FOLDER", tmp_path)
    (tmp_path / "a.mp4").touch()
    with pytest.raises(RuntimeError, match=r"build\.py setup"):
        bpy.ops.reel2rig.import_video(filepath=str(tmp_path / "a.mp4"))


def test_cancel_kills_the_running_capture_and_leaves_those_that_wait() -> None:
    assert not bpy.ops.reel2rig.cancel_capture.poll()
    assert JOBS.add(Job("a.mp4", HANG, print))
    assert not JOBS.add(Job("b.mp4", HANG, print))
    first = JOBS.worker
    assert bpy.ops.reel2rig.cancel_capture() == {"FINISHED"}
    assert first is not None
    assert not first.poll()
    assert [job.name for job in JOBS.waiting] == ["b.mp4"]
    assert JOBS.next() is JOBS.worker
    assert JOBS.job is not None
    assert JOBS.job.name == "b.mp4"
    assert JOBS.next() is None


def test_unregister_kills_everything() -> None:
    for name in "ab":
        JOBS.add(Job(name, HANG, print))
    worker = JOBS.worker
    registration.unregister()
    registration.register()
    assert worker is not None
    assert not worker.poll()
    assert (JOBS.worker, JOBS.waiting) == (None, [])


def test_the_panel_shows_what_runs_and_what_waits(monkeypatch: pytest.MonkeyPatch, drawn: Drawn) -> None:
    monkeypatch.setattr(capture_panel, "capture_state", lambda: State("own"))
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        JOBS.add(Job(name, HANG, print))
    shown = drawn(capture_panel.REEL2RIG_PT_capture)
    assert shown[:3] == ["a.mp4", "0.00 Starting", "reel2rig.cancel_capture"]
    assert {"b.mp4", "c.mp4", "reel2rig.import_video"} <= set(shown)
    assert bpy.ops.reel2rig.remove_from_queue(index=0) == {"FINISHED"}
    assert [job.name for job in JOBS.waiting] == ["c.mp4"]


def test_the_part_of_the_clip_is_taken_from_the_timeline(scene: Any) -> None:
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.frame_start, scene.frame_end = 25, 72
    assert bpy.ops.reel2rig.scene_range() == {"FINISHED"}
    assert (scene.reel2rig.start, scene.reel2rig.end) == pytest.approx((1.0, 3.0))
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 49, 60
    bpy.ops.reel2rig.scene_range()
    assert (scene.reel2rig.start, scene.reel2rig.end) == pytest.approx((2.0, 2.5))
    scene.frame_preview_start, scene.frame_preview_end = -20, 0
    with pytest.raises(RuntimeError, match="before the video begins"):
        bpy.ops.reel2rig.scene_range()
    bpy.ops.reel2rig.whole_clip()
    assert (scene.reel2rig.start, scene.reel2rig.end) == (0.0, 0.0)
