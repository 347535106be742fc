"""Pictures of the real Blender window: before set-up, capturing, done. Needs Linux, ImageMagick, X screen or xvfb-run:

    BLENDER_USER_RESOURCES=EMPTY_FOLDER REEL2RIG_PYTHON=.venv/bin/python xvfb-run -s "-screen 0 1600x900x24" \\
        blender --factory-startup --window-geometry 0 0 1600 900 --python docs/make_pictures/blender_window.py \\
        -- dist/reel2rig-0.1.0.zip examples/balancing.mp4 docs/pictures

Runs inside Blender, where the project is known only as an installed extension, so it imports nothing of ours.
"""

import os
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


def steps(package: Path, clip: Path, out: Path) -> Iterator[float]:
    """Do what a user does; yields how many seconds Blender may go on drawing before the next step."""
    bpy.ops.extensions.package_install_files(repo="user_default", filepath=str(package), enable_on_install=True)
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    bpy.context.preferences.view.show_splash = False
    view = _view()
    view["area"].spaces.active.show_region_ui = True
    yield 1.0
    _region(view["area"], "UI").active_panel_category = "Reel2Rig"
    yield from _show_set_up(out / "window_set_up.jpg")
    bpy.context.scene.reel2rig.clip = str(clip)
    folder = Path(tempfile.mkdtemp())
    with bpy.context.temp_override(**view):
        bpy.ops.reel2rig.import_video("INVOKE_DEFAULT", filepath=str(clip), folder=str(folder / "capture"))
    yield from _until(lambda: _share_done() > 0.4)
    _photograph(out / "window_progress.jpg")
    yield from _until(lambda: any(item.type == "ARMATURE" for item in bpy.data.objects))
    bpy.ops.reel2rig.export_game(filepath=str(folder / f"{clip.stem}.fbx"), target="unity")
    yield from _look_through_camera(view)
    _photograph(out / "window.jpg")


def _show_set_up(picture: Path) -> Iterator[float]:
    """The panel as a newcomer finds it, then with the environment that REEL2RIG_PYTHON names."""
    preferences = bpy.context.preferences.addons[EXTENSION].preferences
    python = os.environ.pop("REEL2RIG_PYTHON")
    bpy.context.preferences.system.use_online_access = True
    preferences.python = ""  # setting it lets the extension look anew
    yield 2.0
    _photograph(picture)
    preferences.python = str(Path(python).absolute())
    yield 0.5


def _look_through_camera(view: dict[str, Any]) -> Iterator[float]:
    """The character in its colours over the clip, in the middle of the motion."""
    scene, space = bpy.context.scene, view["area"].spaces.active
    scene.frame_set((scene.frame_start + scene.frame_end) // 2)
    space.region_3d.view_perspective = "CAMERA"
    space.shading.color_type = "MATERIAL"
    space.overlay.show_bones = False
    yield 0.5
    with bpy.context.temp_override(**view):
        bpy.ops.view3d.view_center_camera()
    yield 1.5


def _photograph(path: Path) -> None:
    """Save the screen, WIDTH px wide. Blender's own screenshot stays black on a virtual screen."""
    subprocess.run(["import", "-window", "root", "-resize", str(WIDTH), "-quality", str(QUALITY), path], check=True)


def _share_done() -> float:
    progress = sys.modules[f"{EXTENSION}.addon.import_video"].running_progress()
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
    play(steps(*(Path(argument).resolve() for argument in sys.argv[sys.argv.index("--") + 1 :][:3])))
