"""Set-up as a user sees it: the buttons, what the panel says before, meanwhile and after, and what a capture finds."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from reel2rig.addon import preferences, registration
from reel2rig.addon.capture import capture_panel
from reel2rig.addon.capture.capture_jobs import JOBS
from reel2rig.addon.set_up import capture_environment, environment_state, package_lock, set_up_capture
from reel2rig.addon.workers.worker import Worker

pytestmark = pytest.mark.usefixtures("addon", "installed")
Drawn = Callable[[Any], list[str]]
HANG = [sys.executable, "-c", "import time; print('Downloading numpy', flush=True); time.sleep(60)"]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As after installing the zip: a user folder, no environment anywhere, a system that packages are built for."""
    monkeypatch.delenv(capture_environment.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(capture_environment, "PACKAGE_FOLDER", tmp_path / "package")
    monkeypatch.setattr(preferences, "user_folder", lambda: tmp_path / "user")
    monkeypatch.setattr(package_lock, "this_platform", lambda: "linux-x86_64")
    monkeypatch.setattr(package_lock, "cuda_driver", lambda: 0)
    preferences.forget_state()
    yield
    preferences.forget_state()


@pytest.fixture
def online(addon: None) -> Iterator[None]:
    """Blender may go online."""
    bpy.context.preferences.system.use_online_access = True
    yield
    bpy.context.preferences.system.use_online_access = False


@pytest.fixture
def fake_set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Let set-up be a script; returns a function that sets it, and keeps what was asked for."""

    def use(script: str) -> list[Any]:
        file, asked = tmp_path / "fake.py", []
        file.write_text(script, encoding="utf-8")

        def command(*words: Any) -> list[str]:
            asked.append(words)
            return [sys.executable, "-u", str(file)]

        monkeypatch.setattr(set_up_capture, "set_up_command", command)
        return asked

    return use


def whole_environment(folder: Path) -> environment_state.Stamp:
    """A folder that passes for a whole environment at a quick look."""
    python = environment_state.python_in(folder)
    python.parent.mkdir(parents=True)
    python.touch()
    lock = package_lock.digest(package_lock.lock_file("cpu"))
    stamp = environment_state.Stamp(str(folder), "3.13.0", sys.executable, "lib", "cpu", lock, "CPUExecutionProvider")
    environment_state.write_stamp(folder, stamp)
    return stamp


def test_the_panel_says_what_will_be_fetched_and_offers_every_way(drawn: Drawn) -> None:
    said = drawn(capture_panel.REEL2RIG_PT_capture)
    text = " ".join(said)
    assert f"Fetches about {package_lock.download_megabytes('cpu')} MB, for the processor" in text
    assert "Needs 560 MB of disk" in text
    for button in ("set_up_capture", "set_up_from_wheels", "import_motion"):
        assert f"reel2rig.{button}" in said
    assert "preferences.addon_show" in said
    assert "reel2rig.import_video" not in said


def test_without_online_access_the_button_says_where_to_switch_it_on(
    tmp_path: Path, fake_set_up: Any, drawn: Drawn
) -> None:
    assert not bpy.app.online_access
    assert not bpy.ops.reel2rig.set_up_capture.poll()
    shown = " ".join(drawn(capture_panel.REEL2RIG_PT_capture)).replace("  ", " ")
    assert "Edit > Preferences > System > Network" in shown
    fake_set_up("print('{\"result\": {}}')")
    (tmp_path / "a.whl").touch()
    assert bpy.ops.reel2rig.set_up_from_wheels(directory=str(tmp_path)) == {"FINISHED"}


@pytest.mark.usefixtures("online")
def test_set_up_asks_for_the_private_folder_and_the_device(tmp_path: Path, fake_set_up: Any) -> None:
    result = {"provider": "CUDAExecutionProvider", "seconds": 12.3, "warnings": ["slow"]}
    asked = fake_set_up(f"print({json.dumps({'result': result})!r})")
    assert bpy.ops.reel2rig.set_up_capture(device="cuda") == {"FINISHED"}
    assert asked == [(tmp_path / "user" / "environment", "cuda", None)]
    assert set_up_capture.set_up_progress() is None


def test_a_folder_without_wheels_is_refused(tmp_path: Path) -> None:
    for folder in ("", str(tmp_path)):
        with pytest.raises(RuntimeError, match="There are no wheels"):
            bpy.ops.reel2rig.set_up_from_wheels(directory=folder)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('print(\'{"error": {"code": "x", "message": "No network.", "hint": "Check it."}}\')', "No network. Check it."),
        ("raise RuntimeError('odd')", "The set-up stopped .*odd"),
    ],
)
def test_a_set_up_that_fails_says_so_and_leaves_nothing(
    tmp_path: Path, fake_set_up: Any, script: str, says: str
) -> None:
    fake_set_up(script)
    (tmp_path / "a.whl").touch()
    (tmp_path / "user" / "environment.part").mkdir(parents=True)
    with pytest.raises(RuntimeError, match=says):
        bpy.ops.reel2rig.set_up_from_wheels(directory=str(tmp_path))
    assert not (tmp_path / "user" / "environment.part").exists()
    assert bpy.ops.reel2rig.set_up_from_wheels.poll()


def test_a_system_without_packages_is_told_in_the_panel(monkeypatch: pytest.MonkeyPatch, drawn: Drawn) -> None:
    monkeypatch.setattr(package_lock, "this_platform", lambda: "macos-x86_64")
    said = drawn(capture_panel.REEL2RIG_PT_capture)
    assert "no packages for CPU on macos-x86_64" in " ".join(said)
    assert "reel2rig.set_up_capture" not in said
    assert "preferences.addon_show" in said


def test_while_it_runs_the_panel_shows_the_log_and_cancel_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: Drawn
) -> None:
    for stop in (bpy.ops.reel2rig.cancel_set_up, lambda: (registration.unregister(), registration.register())):
        running = Worker(HANG, "set-up")
        monkeypatch.setattr(set_up_capture, "_running", running)
        while not running.last_line:
            running.wait(0.02)
        part = tmp_path / "user" / "environment.part"
        part.mkdir(parents=True)
        assert drawn(capture_panel.REEL2RIG_PT_capture)[:3] == [
            "0.00 Setting up: Starting",
            "Downloading numpy",
            "reel2rig.cancel_set_up",
        ]
        assert not bpy.ops.reel2rig.set_up_from_wheels.poll()
        stop()
        assert not running.poll()
        assert not part.exists()
        assert not bpy.ops.reel2rig.cancel_set_up.poll()


def test_no_set_up_while_a_capture_uses_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JOBS, "worker", "busy")
    assert not bpy.ops.reel2rig.set_up_from_wheels.poll()


def test_a_whole_environment_makes_way_for_the_capture(tmp_path: Path, drawn: Drawn) -> None:
    whole_environment(tmp_path / "user" / "environment")
    assert "reel2rig.import_video" in drawn(capture_panel.REEL2RIG_PT_capture)


def test_a_broken_one_is_found_when_a_capture_starts_and_repaired_with_one_button(tmp_path: Path, drawn: Drawn) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(RuntimeError, match="not set up yet"):
        bpy.ops.reel2rig.import_video(filepath=str(tmp_path / "a.mp4"))
    whole_environment(tmp_path / "user" / "environment")
    preferences.forget_state()
    assert "reel2rig.import_video" in drawn(capture_panel.REEL2RIG_PT_capture)
    with pytest.raises(RuntimeError, match="Press Repair"):  # the thorough look finds no packages in it
        bpy.ops.reel2rig.import_video(filepath=str(tmp_path / "a.mp4"))
    said = drawn(capture_panel.REEL2RIG_PT_capture)
    assert "its files are missing" in " ".join(said)
    assert "Repair" in said


def test_a_moved_one_is_told_in_the_panel_at_once(tmp_path: Path, drawn: Drawn) -> None:
    folder = tmp_path / "user" / "environment"
    stamp = whole_environment(folder)
    environment_state.write_stamp(folder, dataclasses.replace(stamp, folder=str(tmp_path / "elsewhere")))
    assert "It was moved here" in " ".join(drawn(capture_panel.REEL2RIG_PT_capture))


def test_somebodys_own_environment_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(capture_environment.ENVIRONMENT_VARIABLE, sys.executable)
    assert preferences.capture_state().kind == "own"
    assert preferences.capture_python() == Path(sys.executable)


def test_a_checkout_is_not_set_up_from_the_panel(monkeypatch: pytest.MonkeyPatch, drawn: Drawn) -> None:
    monkeypatch.setattr(preferences, "user_folder", lambda: None)
    assert not bpy.ops.reel2rig.set_up_from_wheels.poll()
    said = drawn(capture_panel.REEL2RIG_PT_capture)
    assert "build.py setup" in " ".join(said)
