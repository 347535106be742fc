"""Write one character for a game engine, read the file back, and keep it only when it is right."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from ..lifter.atomic_file import written_whole
from ..lifter.errors import CaptureError
from . import character
from .export_check import ExportExpectation, ExportReport, check_export
from .export_targets import FBX_OPTIONS, GLB_OPTIONS, TARGETS, Format
from .exported_motion import ExportedMotion, WrongExportError
from .fbx_reader import read_fbx
from .glb_reader import read_glb
from .rig import leave_edit_modes, posed_heads

CHECKED_FRAMES: Final = 100
READERS: Final[dict[Format, Callable[[Path], ExportedMotion]]] = {"FBX": read_fbx, "GLB": read_glb}
OPERATORS: Final[dict[Format, tuple[str, str, dict[str, Any]]]] = {
    "FBX": ("export_scene", "fbx", FBX_OPTIONS),
    "GLB": ("export_scene", "gltf", GLB_OPTIONS),
}


def export_character(rig: Any, path: Path, target: str, file_format: Format, scene: Any) -> ExportReport:
    """Write ``rig`` with its mesh and action to ``path`` for ``target`` at the rate of ``scene``, and check the file.

    The user's scene, selection, current frame and animation are left as they were. Raises CaptureError, and leaves
    no new file, when the character has no action, the exporter fails or what is read back differs from the rig.
    """
    animation = rig.animation_data
    if animation is None or animation.action is None:
        raise CaptureError("no_action", f"{rig.name} has no animation.", "Import its motion again.")
    leave_edit_modes()
    with written_whole(path) as part, _stage(rig, scene) as stage, _single_take(rig) as strip:
        stage.frame_start, stage.frame_end = int(strip.frame_start), int(strip.frame_end)
        expected = _expectation(rig, stage, strip.name)
        with _named(rig, TARGETS[target].armature_name):
            _write(part, target, file_format, stage)
        try:
            report = check_export(READERS[file_format](part), expected)
        except WrongExportError as error:
            message = f"The exported {path.name} is not right: {error}."
            raise CaptureError(
                "wrong_export", message, "It was removed. Please report this with the motion file."
            ) from error
    return report


@contextlib.contextmanager
def _stage(rig: Any, scene: Any) -> Iterator[Any]:
    """A scene of its own with the character selected in it, at the rate of ``scene``."""
    stage = bpy.data.scenes.new("Reel2Rig Export")
    stage.render.fps, stage.render.fps_base = scene.render.fps, scene.render.fps_base
    objects = [rig, *character.figures_of(rig)]
    hidden = [(item, item.hide_viewport, item.hide_select) for item in objects]
    try:
        for item in objects:
            stage.collection.objects.link(item)
            item.hide_viewport = item.hide_select = False
        layer = stage.view_layers[0]
        for item in objects:
            item.select_set(True, view_layer=layer)
        layer.objects.active = rig
        yield stage
    finally:
        for item, viewport, select in hidden:
            item.hide_viewport, item.hide_select = viewport, select
        bpy.data.scenes.remove(stage)
        bpy.context.view_layer.update()  # poses shared with the user's scene go back to its current frame


@contextlib.contextmanager
def _single_take(rig: Any) -> Iterator[Any]:
    """The rig's action as its only audible NLA strip, over whole frames: both exporters then write one named take."""
    animation = rig.animation_data
    action, slot = animation.action, animation.action_slot
    muted = [(track, track.mute) for track in animation.nla_tracks]
    first, last = (int(np.floor(action.frame_range[0])), int(np.ceil(action.frame_range[1])))
    track = animation.nla_tracks.new()
    try:
        for other, _ in muted:
            other.mute = True
        track.name = action.name
        strip = track.strips.new(action.name, first, action)
        strip.action_slot = slot
        strip.action_frame_start, strip.action_frame_end = first, last
        strip.frame_start, strip.frame_end = first, last
        strip.name = action.name
        animation.action = None
        yield strip
    finally:
        animation.nla_tracks.remove(track)
        for other, mute in muted:
            other.mute = mute
        animation.action = action
        animation.action_slot = slot


@contextlib.contextmanager
def _named(rig: Any, name: str | None) -> Iterator[None]:
    """The rig under another name, taken from whatever else bears it for as long."""
    if name is None or rig.name == name:
        yield
        return
    own, bearer = rig.name, bpy.data.objects.get(name)
    if bearer is not None:
        bearer.name = f"{name} (Reel2Rig export)"
    rig.name = name
    try:
        yield
    finally:
        rig.name = own
        if bearer is not None:
            bearer.name = name


def _expectation(rig: Any, stage: Any, take: str) -> ExportExpectation:
    count = stage.frame_end - stage.frame_start + 1
    samples = np.unique(np.linspace(0, count - 1, CHECKED_FRAMES).round())
    heads = []
    for sample in samples:
        stage.frame_set(stage.frame_start + int(sample))
        heads.append(posed_heads(rig, stage.view_layers[0].depsgraph))
    return ExportExpectation(
        take=take,
        frame_count=count,
        fps=stage.render.fps / stage.render.fps_base,
        licence=rig[character.LICENCE],
        samples=samples,
        heads=np.array(heads),
    )


def _write(part: Path, target: str, file_format: Format, stage: Any) -> None:
    """Run Blender's exporter in the ``stage`` scene. Raises CaptureError with its last line when it fails."""
    module, name, options = OPERATORS[file_format]
    engine = TARGETS[target]
    options = options | (engine.fbx if file_format == "FBX" else engine.glb)
    operator = getattr(getattr(bpy.ops, module), name)
    window = bpy.context.window
    shown = window.scene
    try:
        window.scene = stage  # the glTF exporter works on the window's scene whatever the context says
        operator(filepath=str(part), check_existing=False, **options)
    except (RuntimeError, AttributeError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no reason given"
        hint = (
            f"Check in the preferences that Blender's own {file_format} add-on is enabled, and that the disk has room."
        )
        raise CaptureError("export_failed", f"Blender could not write the {file_format}: {reason}", hint) from error
    finally:
        window.scene = shown
