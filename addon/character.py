"""A character in a Blender file: building it from a motion file, finding it again, and what is known about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import bpy

from ..lifter.errors import InputError
from ..lifter.motion_file import Motion, read_motion
from ..smpl_assets.body import Body
from . import scene_setup
from .body_choice import ChosenBody, choose_body
from .bone_channels import bone_channels
from .keying import key_bones
from .rest_pose import rest_pose
from .rig import build_armature, rest_axes, rest_heads
from .skin import build_mesh

LICENCE: Final = "reel2rig_licence"
BODY: Final = "reel2rig_body"
SOURCE: Final = "reel2rig_source"
WARNINGS: Final = "reel2rig_warnings"
EXPORT: Final = "reel2rig_export"
FrameRate = Literal["auto", "clip", "scene"]
NAME_BYTES: Final = 48  # Blender 4.5 cuts names at 63 bytes and adds .001 where they meet


@dataclass(frozen=True)
class ImportedCharacter:
    """One motion in the scene: its armature object and mesh object, frames keyed and warnings for the user."""

    rig: Any
    figure: Any
    frame_count: int
    warnings: tuple[str, ...]


def import_motions(
    scene: Any, paths: Sequence[Path], body: Body, clip: Path | None = None, frame_rate: FrameRate = "auto"
) -> list[ImportedCharacter]:
    """Build a character for each motion file, one collection each, and set frame rate, range and camera.

    ``frame_rate``: "clip" gives the scene the first motion's rate, "scene" keeps the scene's own, "auto" keeps it
    where something is animated already. Motions of another rate keep their time, resampled onto whole frames.
    Nothing is built unless every file can be read. Raises InputError for a file that is no motion.
    """
    motions = [(path, read_motion(path)) for path in map(Path, paths)]
    if not motions:
        raise InputError(
            "no_motion", "There is no motion to import: nobody was found.", "Choose another clip or person."
        )
    animated = scene_setup.is_animated(scene)
    if frame_rate == "clip" or (frame_rate == "auto" and not animated):
        scene_setup.set_frame_rate(scene, motions[0][1].fps)
    takes = [(path, *scene_setup.on_whole_frames(motion, scene)) for path, motion in motions]
    characters = [
        build_character(scene, character_name(path, motion), motion, choose_body(motion, body), frames)
        for path, frames, motion in takes
    ]
    first, last = min(frames[0] for _, frames, _ in takes), max(frames[-1] for _, frames, _ in takes)
    scene_setup.cover_frames(scene, first, last, only_widen=animated)
    warning = _film(scene, motions[0][1], clip)
    if warning:
        characters[0] = _with_warning(characters[0], warning)
    return characters


def build_character(scene: Any, name: str, motion: Motion, chosen: ChosenBody, frames: Any) -> ImportedCharacter:
    """Armature, skinned mesh and keys for one person in a collection of its own, linked to ``scene``."""
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    rest = rest_pose(chosen.body, chosen.betas)
    rig = build_armature(name, rest, collection)
    figure = build_mesh(f"{name} body", chosen.body, rest.vertices, rig, collection)
    channels = bone_channels(motion.poses24, chosen.pelvis, rest_axes(rig), rest_heads(rig)[0])
    key_bones(rig, name, frames, channels)
    rig[LICENCE], rig[BODY], rig[SOURCE] = chosen.licence, chosen.body.identity(), motion.source
    rig[WARNINGS] = "\n".join(chosen.warnings)
    return ImportedCharacter(rig, figure, len(frames), chosen.warnings)


def character_name(path: Path, motion: Motion) -> str:
    """Name of the character and its take: the clip's name and the motion file's, cut to what Blender keeps."""
    clip = Path(motion.source.split(" sha256:")[0]).stem
    name = f"{clip}_{path.stem}" if clip and not path.stem.startswith(clip) else path.stem
    return name.encode("utf-8")[:NAME_BYTES].decode("utf-8", "ignore")


def is_character(item: Any) -> bool:
    """Whether an object is an armature made by this add-on."""
    return item is not None and item.type == "ARMATURE" and LICENCE in item


def active_character(context: Any) -> Any | None:
    """The character the user means: the active object's armature, else the scene's only character."""
    active = context.view_layer.objects.active
    if active is not None:
        for item in (active, active.parent):
            if is_character(item):
                return item
    found = [item for item in context.scene.objects if is_character(item)]
    return found[0] if len(found) == 1 else None


def figures_of(rig: Any) -> list[Any]:
    """The mesh objects that ``rig`` deforms as its children."""
    return [child for child in rig.children if child.type == "MESH"]


def _film(scene: Any, motion: Motion, clip: Path | None) -> str | None:
    camera = scene_setup.add_camera(scene, scene.collection, motion)
    if camera is None or clip is None:
        return None
    return scene_setup.show_clip(scene, camera, clip)


def _with_warning(character: ImportedCharacter, warning: str) -> ImportedCharacter:
    warnings = (*character.warnings, warning)
    character.rig[WARNINGS] = "\n".join(warnings)
    return ImportedCharacter(character.rig, character.figure, character.frame_count, warnings)
