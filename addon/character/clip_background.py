"""The clip behind its camera's view, in time with the scene at any frame rate.

A movie image shows one of its frames for each scene frame. Where the rates differ, the offset between the two grows
evenly: it is animated as a straight line that goes on at both ends. Everything hangs on frames, so a change of the
scene's rate later plays clip and characters faster or slower together.
"""

import math
from pathlib import Path
from typing import Any, Final

import bpy

from .scene_setup import FIRST_FRAME, frame_rate

OFFSET_PATH: Final = "background_images[{}].image_user.frame_offset"
LONGEST: Final = 1_000_000  # frames: the scene's count, which at a high rate goes beyond the clip's
LINEAR: Final = "LINEAR"


def show_clip(scene: Any, camera: Any, clip: Path) -> str | None:
    """Show ``clip`` behind the camera's view, its time 0 at FIRST_FRAME; returns a warning when that is not possible.

    Blender turns the pictures as the file's rotation says, and shows clips of varying rate at an even one.
    """
    path = str(Path(clip).resolve())
    fps = _clip_rate(path)
    if fps is None:
        return f"Blender cannot read {Path(clip).name}, so the camera has no picture behind it."
    background = camera.data.background_images.new()
    background.image = bpy.data.images.load(path, check_existing=True)
    background.alpha = 1.0
    background.frame_method = _frame_method(scene.render, *background.image.size)
    background.display_depth = "BACK"
    camera.data.show_background_images = True
    user = background.image_user
    user.frame_start, user.frame_duration, user.use_auto_refresh = FIRST_FRAME, LONGEST, True
    clip_frames = fps / frame_rate(scene)
    last = math.ceil(background.image.frame_duration / clip_frames)
    _key_offset(camera, len(camera.data.background_images) - 1, clip_frames, last)
    return None


def _clip_rate(path: str) -> float | None:
    """Frames per second as Blender plays the file, or None when it cannot; a movie image does not tell."""
    try:
        movie = bpy.data.movieclips.load(path, check_existing=False)
    except RuntimeError:  # no such file
        return None
    fps = movie.fps if movie.frame_duration > 0 else 0.0
    bpy.data.movieclips.remove(movie)
    return fps if fps > 0 else None


def _frame_method(render: Any, width: int, height: int) -> str:
    """The clip as wide as the view, as the camera's lens expects, also where another capture gave the render size."""
    if (render.resolution_x, render.resolution_y) == (width, height):
        return "STRETCH"
    wider = width * render.resolution_y > height * render.resolution_x
    return "FIT" if wider else "CROP"


def _key_offset(camera: Any, index: int, clip_frames: float, span: int) -> None:
    """Let background ``index`` move on by ``clip_frames`` pictures a scene frame, to the nearest one.

    The line's two keys are ``span`` frames apart. Blender cuts the curve's value towards zero to a whole number, which
    half a frame away from zero makes rounding.
    """
    action = bpy.data.actions.new(f"{camera.name} clip")
    slot = action.slots.new(id_type="CAMERA", name=camera.data.name)
    animation = camera.data.animation_data_create()
    animation.action, animation.action_slot = action, slot
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    curve = bag.fcurves.new(OFFSET_PATH.format(index))
    curve.extrapolation = LINEAR
    curve.keyframe_points.add(2)
    half = math.copysign(0.5, clip_frames - 1.0)
    for point, frames in zip(curve.keyframe_points, (0, span), strict=True):
        point.co, point.interpolation = (FIRST_FRAME + frames, frames * (clip_frames - 1.0) + half), LINEAR
    curve.update()
