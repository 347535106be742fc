"""A newcomer's way in the real Blender window, from the zip to the FBX, with pictures of it. Needs Linux with X (or
xvfb-run), ImageMagick and xdotool, and a folder of wheels for Blender's Python (README, Install):

    BLENDER_USER_RESOURCES=EMPTY_FOLDER xvfb-run -s "-screen 0 1600x1200x24" \\
        blender --factory-startup --window-geometry 0 0 1600 1200 --python docs/make_pictures/blender_window.py \\
        -- dist/reel2rig-0.1.0.zip WHEELS examples/balancing.mp4 docs/pictures

Install the zip, set captures up, drop the clip, stop with Esc in the middle, drop it again, look through the camera at
the character on the person, correct a stretch, read the report, export. It ends with an error where something is not
as it should be. Runs inside Blender, where the project is known only as an installed extension.
"""

import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

EXTENSION = "bl_ext.user_default.reel2rig"
WIDTH = 1200  # px
QUALITY = 84
PATIENCE = 600  # s for one capture


def steps(package: Path, wheels: Path, clip: Path, out: Path) -> Iterator[float]:
    """Do what a user does; yields how many seconds Blender may go on drawing before the next step."""
    bpy.ops.extensions.package_install_files(repo="user_default", filepath=str(package), enable_on_install=True)
    yield from _tidy_window()
    yield from _set_up(wheels, out)
    folder = Path(tempfile.mkdtemp())
    bpy.context.scene.reel2rig.folder = str(folder)
    yield from _drop(clip)
    yield from _until(lambda: _share_done() > 0.4)
    _photograph(out / "window_progress.jpg")
    _press("Escape")
    yield from _until(lambda: _jobs().worker is None)
    assert not bpy.data.armatures, "Esc left something in the scene"
    assert not list(folder.iterdir()), "Esc left something on the disk"
    yield from _drop(clip)
    yield from _until(lambda: len(bpy.data.armatures) > 0 and _jobs().worker is None)
    yield from _look_through_camera()
    yield from _correct()
    with bpy.context.temp_override(**_view()):
        bpy.ops.reel2rig.export_game(filepath=str(folder / f"{clip.stem}.fbx"), target="unity")
    assert (folder / f"{clip.stem}.fbx").stat().st_size > 100_000, "no FBX"
    yield 1.0
    _photograph(out / "window.jpg")
    yield from _show_controls()
    _photograph(out / "window_controls.jpg")


def _tidy_window() -> Iterator[float]:
    """An empty scene, no splash, our tab in a sidebar wide enough to read."""
    bpy.context.preferences.view.show_splash = False
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    view = _view()
    view["area"].spaces.active.show_region_ui = True
    yield 1.0
    _region(view["area"], "UI").active_panel_category = "Reel2Rig"
    yield 1.0


def _set_up(wheels: Path, out: Path) -> Iterator[float]:
    """The panel as a newcomer finds it, and captures set up from a folder of wheels."""
    bpy.context.preferences.system.use_online_access = True  # so that the panel shows both ways
    yield 1.0
    _photograph(out / "window_set_up.jpg")
    with bpy.context.temp_override(**_view()):
        bpy.ops.reel2rig.set_up_from_wheels("EXEC_DEFAULT", directory=str(wheels))
    progress = _module("set_up.set_up_capture").set_up_progress
    yield from _until(lambda: progress() is None or progress()[0].stage == "install")
    yield 0.5
    _photograph(out / "window_setting_up.jpg")
    yield from _until(lambda: progress() is None)
    assert _module("preferences").capture_state().ready, "captures are not set up"


def _drop(clip: Path) -> Iterator[float]:
    """Let go of the file over the 3D view, and choose our line in the menu that Blender shows then."""
    subprocess.run(["xdotool", "mousemove", "600", "400"], check=True)
    yield 0.5
    with bpy.context.temp_override(**_view()):
        bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory=str(clip.parent), files=[{"name": clip.name}])
    yield 1.0
    _press("c")  # Capture Video
    yield from _until(lambda: _jobs().worker is not None)


def _look_through_camera() -> Iterator[float]:
    """The character in its colours over the clip, in the middle of the motion."""
    view, scene = _view(), bpy.context.scene
    space = view["area"].spaces.active
    scene.frame_set((scene.frame_start + scene.frame_end) // 2)
    space.region_3d.view_perspective = "CAMERA"
    space.shading.color_type = "MATERIAL"
    space.overlay.show_bones = False
    yield 0.5
    with bpy.context.temp_override(**view):
        bpy.ops.view3d.view_center_camera()
    yield 1.0


def _correct() -> Iterator[float]:
    """Hold the standing foot for a moment, as the panel's button does."""
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 20, 40
    with bpy.context.temp_override(**_view()):
        bpy.ops.reel2rig.correct_range("EXEC_DEFAULT", kind="stand_left")
    yield from _until(lambda: _jobs().worker is None)
    scene.use_preview_range = False
    assert bpy.context.view_layer.objects.active["reel2rig_corrections"], "nothing was corrected"


def _show_controls() -> Iterator[float]:
    """The control rig in pose mode, seen from the front left."""
    view = _view()
    with bpy.context.temp_override(**view):
        bpy.ops.reel2rig.add_control_rig()
        bpy.ops.object.mode_set(mode="POSE")
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_orbit(angle=0.6, type="ORBITLEFT")
        bpy.ops.view3d.view_orbit(angle=0.3, type="ORBITUP")
        view["area"].spaces.active.overlay.show_bones = True
        bpy.ops.pose.select_all(action="SELECT")
        bpy.ops.view3d.view_selected()
        bpy.ops.pose.select_all(action="DESELECT")
    yield 2.0


def _press(key: str) -> None:
    subprocess.run(["xdotool", "key", key], check=True)


def _photograph(path: Path) -> None:
    """Save the screen, WIDTH px wide. Blender's own screenshot stays black on a virtual screen."""
    subprocess.run(["import", "-window", "root", "-resize", str(WIDTH), "-quality", str(QUALITY), path], check=True)


def _module(name: str) -> Any:
    return sys.modules[f"{EXTENSION}.addon.{name}"]


def _jobs() -> Any:
    return _module("capture.capture_jobs").JOBS


def _share_done() -> float:
    progress = _jobs().progress()
    return progress.factor if progress is not None and progress.stage == "detect" else 0.0


def _until(done: Callable[[], bool]) -> Iterator[float]:
    for _ in range(PATIENCE * 10):
        if done():
            return
        yield 0.1
    raise TimeoutError("the capture took too long")


def _view() -> dict[str, Any]:
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    return {"window": window, "area": area, "region": _region(area, "WINDOW")}


def _region(area: Any, kind: str) -> Any:
    return next(region for region in area.regions if region.type == kind)


def play(moves: Iterator[float]) -> None:
    """Run ``moves`` beside Blender's own drawing, then quit."""

    def tick() -> float | None:
        try:
            return next(moves)
        except StopIteration:
            bpy.ops.wm.quit_blender()
        except Exception:
            traceback.print_exc()
            sys.exit(1)
        return None

    bpy.app.timers.register(tick, first_interval=1.0)


if __name__ == "__main__":
    play(steps(*(Path(argument).resolve() for argument in sys.argv[sys.argv.index("--") + 1 :][:4])))
