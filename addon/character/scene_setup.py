"""The scene around a character: frame rate, frame range, and the camera that filmed the clip."""

from dataclasses import replace
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...lifter.errors import InputError
from ...lifter.motion_file import Motion
from .capture_collection import CAPTURE_ID
from .resample import known_times, resample, seconds_of

FIRST_FRAME: Final = 1
"""The scene frame that shows the clip's time 0."""
SENSOR_WIDTH_MM: Final = 36.0
LAST_FRAME: Final = 1_048_574  # of any Blender scene
RATE: Final = "reel2rig_rate"
"""Frames per second at which a rig was keyed; a scene with another rate by now plays it faster or slower."""


def frame_rate(scene: Any, rig: Any | None = None) -> float:
    """Frames per second of ``scene``, or those at which ``rig`` was keyed, where it tells."""
    kept = 0.0 if rig is None else float(rig.get(RATE, 0.0))
    return kept if kept > 0 else scene.render.fps / scene.render.fps_base


def set_frame_rate(scene: Any, fps: float) -> None:
    """Set ``scene`` to ``fps`` frames per second, also where that is not a whole number (29.97)."""
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps


def scene_frame(scene: Any, seconds: float, rig: Any | None = None) -> float:
    """The frame of ``scene``, whole or not, at ``seconds`` of the clip's time, as ``rig`` was keyed."""
    return FIRST_FRAME + seconds * frame_rate(scene, rig)


def scene_seconds(scene: Any, frame: float, rig: Any | None = None) -> float:
    """The clip's time in seconds at ``frame`` of ``scene``; the inverse of ``scene_frame``."""
    return (frame - FIRST_FRAME) / frame_rate(scene, rig)


def scene_frames(motion: Motion, scene: Any, rig: Any | None = None) -> NDArray[np.float64]:
    """Scene frame numbers (T,) of a motion's frames; whole numbers wherever they are within a fiftieth of one.

    Raises InputError when the motion's times do not rise, or go on for longer than a scene can last.
    """
    rate = frame_rate(scene, rig)
    frames = FIRST_FRAME + seconds_of(motion) * rate
    if frames[-1] > LAST_FRAME:
        message = f"The motion ends after {frames[-1] / rate / 3600:.3g} hours, beyond the last frame."
        raise InputError("too_long", message, "Capture the clip in parts.")
    whole = np.round(frames)
    return np.where(np.abs(frames - whole) < 0.02, whole, frames)


def on_whole_frames(motion: Motion, scene: Any, rig: Any | None = None) -> tuple[NDArray[np.float64], Motion]:
    """Whole frames (N,) of ``scene`` and the motion on them, a row a frame; gaps in the motion's time stay gaps.

    ``rig``: at the rate that it was keyed at. A motion that already lies on whole frames is returned as it is. Raises
    InputError when its times do not rise.
    """
    own = scene_frames(motion, scene, rig)
    if np.array_equal(own, np.round(own)) and np.all(np.diff(own) > 0):
        return own, motion
    between = np.arange(np.ceil(own[0]), np.floor(own[-1]) + 1.0)
    rate = frame_rate(scene, rig)
    frames = between[known_times(own / rate, between / rate)]
    if len(frames) == 0:  # all of it lies between two frames
        frames = np.round(own[:1])
    on_own_frames = replace(motion, times=(own - FIRST_FRAME) / rate)
    return frames, resample(on_own_frames, (frames - FIRST_FRAME) / rate)


def is_animated(scene: Any) -> bool:
    """Whether any object of ``scene``, its data or its shape keys are animated."""
    owners = [owner for item in scene.objects for owner in (item, item.data, getattr(item.data, "shape_keys", None))]
    animations = [owner.animation_data for owner in owners if owner is not None and owner.animation_data is not None]
    return any(animation.action is not None or len(animation.nla_tracks) > 0 for animation in animations)


def cover_frames(scene: Any, first: float, last: float, only_widen: bool) -> None:
    """Set the scene's range to the whole frames around ``first`` and ``last`` and go to the first.

    ``only_widen`` adds them to the range that the scene has, and stays at the current frame.
    """
    first, last = int(np.floor(first)), int(np.ceil(last))
    if only_widen:
        first, last = min(first, scene.frame_start), max(last, scene.frame_end)
    scene.frame_start, scene.frame_end = first, last
    scene.frame_set(scene.frame_current if only_widen else first)


def add_camera(scene: Any, collection: Any, motion: Motion, name: str) -> Any | None:
    """The camera that filmed ``motion``, or None when the motion does not know it.

    The scene looks through it at the clip's size, unless it has the camera of an earlier capture, or one of the user's
    and something that is animated, so that a shot is being made.
    """
    if not knows_camera(motion):
        return None
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    collection.objects.link(camera)
    place_camera(camera, motion)
    if scene.camera is None or not (CAPTURE_ID in scene.camera or is_animated(scene)):
        scene.camera = camera
        _set_render_size(scene.render, motion)
    camera[CAPTURE_ID] = collection.get(CAPTURE_ID, "")
    return camera


def knows_camera(motion: Motion) -> bool:
    """Whether ``motion`` says where it was filmed from, through which lens and at which size."""
    return not any(item is None for item in (motion.camera_K, motion.camera_world_from_cam, motion.image_size))


def place_camera(camera: Any, motion: Motion) -> None:
    """Put ``camera`` where ``motion`` was filmed from, with the same lens.

    Intrinsics are in pixels, where pixel (0, 0) is the centre of the top left one. OpenCV's camera looks along +Z with
    Y down, Blender's along -Z with Y up.
    """
    assert motion.camera_K is not None
    assert motion.camera_world_from_cam is not None
    assert motion.image_size is not None
    camera.matrix_world = Matrix(motion.camera_world_from_cam.tolist()) @ Matrix.Diagonal((1.0, -1.0, -1.0, 1.0))
    lens, K, (width, height) = camera.data, motion.camera_K, motion.image_size
    lens.sensor_fit = "HORIZONTAL"
    lens.sensor_width = SENSOR_WIDTH_MM
    lens.lens = K[0, 0] * SENSOR_WIDTH_MM / width
    lens.shift_x = -(K[0, 2] - (width - 1) / 2) / width
    lens.shift_y = (K[1, 2] - (height - 1) / 2) * (K[0, 0] / K[1, 1]) / width
    lens.clip_start, lens.clip_end = 0.01, 1000.0


def _set_render_size(render: Any, motion: Motion) -> None:
    assert motion.camera_K is not None
    assert motion.image_size is not None
    (render.resolution_x, render.resolution_y), render.resolution_percentage = motion.image_size, 100
    ratio = motion.camera_K[0, 0] / motion.camera_K[1, 1]
    render.pixel_aspect_x, render.pixel_aspect_y = max(1.0, 1.0 / ratio), max(1.0, ratio)
