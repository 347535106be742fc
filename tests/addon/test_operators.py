"""Every operator, as a user's script calls it: what it does, when it may be called, what it says when it cannot."""

from pathlib import Path
from typing import Any

import bpy
import pytest
from reel2rig.addon import preferences, registration
from reel2rig.addon.capture import capture_panel, capture_settings, import_video
from reel2rig.addon.character import character_panel
from reel2rig.addon.export import export_panel
from reel2rig.addon.export.export_game import ExportGame
from reel2rig.addon.set_up.environment_state import State
from reel2rig.addon.workers.worker_commands import CaptureRequest
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import open_body

pytestmark = pytest.mark.usefixtures("addon")


def test_import_motion_makes_the_character_active(motion_path: Path) -> None:
    assert bpy.ops.reel2rig.import_motion(filepath=str(motion_path)) == {"FINISHED"}
    rig = bpy.context.view_layer.objects.active
    assert rig.name == "walk_person_01"
    assert rig.select_get()


def test_import_motion_takes_several_files_and_leaves_pose_mode(motion: Motion, tmp_path: Path) -> None:
    for name in ("사람 1.npz", "사람 2 🎬.npz"):
        write_motion(tmp_path / name, motion)
    files = [{"name": "사람 1.npz"}, {"name": "사람 2 🎬.npz"}]
    bpy.ops.reel2rig.import_motion(directory=str(tmp_path), files=files)
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.reel2rig.import_motion(directory=str(tmp_path), files=files)
    assert len([item for item in bpy.data.objects if item.type == "ARMATURE"]) == 4
    assert "walk_사람 2 🎬" in bpy.data.collections


def test_import_motion_can_be_undone(motion_path: Path) -> None:
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    bpy.ops.ed.undo_push(message="after")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo()
    assert not bpy.data.armatures


@pytest.mark.parametrize(
    ("name", "content", "says"), [("none.npz", None, "no file"), ("text.npz", b"hello", "not a readable")]
)
def test_import_motion_says_what_is_wrong(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RuntimeError, match=says):
        bpy.ops.reel2rig.import_motion(filepath=str(tmp_path / name))
    assert not bpy.data.objects


def test_export_game_needs_a_character_and_keeps_the_figures(motion_path: Path, tmp_path: Path, drawn: Any) -> None:
    assert not bpy.ops.reel2rig.export_game.poll()
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    for target, name in (("unreal", "a.fbx"), ("godot", "a.glb")):
        assert bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "a"), target=target) == {"FINISHED"}
        assert (tmp_path / name).stat().st_size > 1000
    assert "40 frames" in bpy.context.view_layer.objects.active["reel2rig_export"]
    assert "a.glb: 40 frames (1.30 s)" in drawn(export_panel.REEL2RIG_PT_export)


def test_export_game_reports_a_folder_it_cannot_write(motion_path: Path, tmp_path: Path) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeError, match="choose another folder"):
        bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "file" / "a.fbx"), target="unity")


def test_check_environment_reports_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REEL2RIG_PYTHON", str(tmp_path / "python"))
    (tmp_path / "python").write_text("no program")
    with pytest.raises(RuntimeError, match="does not run"):
        bpy.ops.reel2rig.check_environment()
    monkeypatch.setattr(preferences, "check_python", lambda python: preferences_report())
    assert bpy.ops.reel2rig.check_environment() == {"FINISHED"}


def preferences_report() -> Any:
    from reel2rig.addon.set_up.capture_environment import EnvironmentReport

    return EnvironmentReport("3.11", {"onnxruntime": "1.31"}, ())


def test_videos_may_be_dropped_into_the_3d_view_only() -> None:
    handler = import_video.REEL2RIG_FH_video
    assert ".mp4" in handler.bl_file_extensions.split(";")
    area = bpy.context.window.screen.areas[0]
    for kind, expected in (("VIEW_3D", True), ("TEXT_EDITOR", False)):
        area.type = kind
        with bpy.context.temp_override(area=area):
            assert handler.poll_drop(bpy.context) is expected


def test_the_panel_shows_source_and_character(motion_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: Any) -> None:
    monkeypatch.setattr(capture_panel, "capture_state", lambda: State("own"))
    shown = drawn(capture_panel.REEL2RIG_PT_capture)
    assert "reel2rig.import_video" in shown
    assert {"height", "preset", "start", "end", "build", "smoothing", "contacts", "foot_lock", "floor"} <= set(shown)
    assert not character_panel.REEL2RIG_PT_character.poll(bpy.context)
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    said = drawn(character_panel.REEL2RIG_PT_character)
    assert "Licence: may be used commercially" in said
    assert "From: walk.mp4" in said
    assert "Frames: 1 - 40, 1.30 s" in said
    assert ExportGame.bl_idname in drawn(export_panel.REEL2RIG_PT_export)


def test_the_builds_offered_are_those_of_the_open_body() -> None:
    assert {build for build, _, _ in capture_settings.BUILDS[1:]} <= dict(open_body().presets).keys()


def test_the_panels_options_are_the_commands_defaults() -> None:
    settings, options = bpy.context.scene.reel2rig, CaptureRequest(clip=Path("a.mp4"), out=Path("b"))
    for name in (*capture_settings.MAIN, *capture_settings.MORE):
        if name not in ("height", "folder"):
            assert getattr(settings, name) == pytest.approx(getattr(options, name))


def test_unregister_leaves_nothing_behind() -> None:
    registration.unregister()
    names = [cls.__name__ for cls in registration.CLASSES]
    left = [name for name in names if hasattr(bpy.types, name)]
    operators = [name for name in dir(bpy.ops.reel2rig) if not name.startswith("_")]
    lines = [
        f
        for menu in (bpy.types.TOPBAR_MT_file_import, bpy.types.TOPBAR_MT_file_export)
        for f in menu._dyn_ui_initialize()
    ]
    assert not left
    assert not operators
    assert not hasattr(bpy.types.Scene, "reel2rig")
    assert not [line for line in lines if "reel2rig" in line.__module__]
    handlers = [
        f
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
        for f in getattr(bpy.app.handlers, name)
    ]
    assert not [f for f in handlers if "reel2rig" in getattr(f, "__module__", "")]
    registration.register()
