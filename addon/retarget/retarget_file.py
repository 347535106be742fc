"""Captures onto a character that is in a file of its own: .blend, .fbx or .glb."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy

from ...lifter.errors import InputError
from ..export.export_stage import meshes_of
from .bone_map import BoneMap, read_map
from .bone_map_guess import BY_ITSELF, guess_bone_map
from .retarget import RetargetOptions
from .retarget_characters import retarget_characters
from .retarget_rig import read_tree

AUTO: Final = BY_ITSELF


@dataclass(frozen=True)
class Performance:
    """An armature and what it is to play: its own action, or one of several. warnings for the user."""

    rig: Any
    action: Any
    warnings: tuple[str, ...] = ()

    def begin(self) -> None:
        """Let the armature play it."""
        animation = self.rig.animation_data
        animation.action = self.action
        animation.action_slot = self.action.slots[0]


def retargeted(
    scene: Any, sources: Sequence[Any], character: Path, bone_map: str, options: RetargetOptions | None = None
) -> list[Performance]:
    """Each of ``sources`` played by the character in the file ``character``, which comes into ``scene``.

    bone_map: "auto", a convention's name or a saved map. Raises InputError where file or map do not fit.
    """
    rig = load_character(scene, character)
    used = _bone_map(rig, bone_map)
    reports = [retarget_characters(scene, source, [(rig, used)], options)[0] for source in sources]
    return [Performance(rig, report.action, report.warnings) for report in reports]


def load_character(scene: Any, path: Path) -> Any:
    """Bring the objects of a file into ``scene``; returns the armature that moves most vertices.

    Raises InputError when the file cannot be read or has no armature.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise InputError("no_character", f"There is no character {path}.", f"Give a file {', '.join(READERS)}.")
    before = set(scene.objects)
    try:
        reader(scene, path)
    except (RuntimeError, OSError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
        raise InputError(
            "bad_character", f"{path.name} cannot be read: {reason}", "Open it in Blender first."
        ) from error
    rigs = [item for item in scene.objects if item not in before and item.type == "ARMATURE"]
    if not rigs:
        raise InputError("no_armature", f"There is no armature in {path.name}.", "Choose a character that has bones.")
    bpy.context.view_layer.update()
    return max(rigs, key=lambda rig: sum(len(mesh.data.vertices) for mesh in meshes_of(rig)))


def _bone_map(rig: Any, bone_map: str) -> BoneMap:
    """A saved map, or a guess, by ``bone_map``'s convention."""
    if bone_map.lower().endswith(".json"):
        return read_map(Path(bone_map))
    return guess_bone_map(read_tree(rig), bone_map.lower())


def _append_blend(scene: Any, path: Path) -> None:
    with bpy.data.libraries.load(str(path.resolve())) as (there, here):
        here.objects = there.objects
    for item in here.objects:
        if item is not None:
            scene.collection.objects.link(item)


READERS: Final[dict[str, Callable[[Any, Path], Any]]] = {
    ".blend": _append_blend,
    ".fbx": lambda _, path: bpy.ops.import_scene.fbx(filepath=str(path), use_anim=False),
    ".glb": lambda _, path: bpy.ops.import_scene.gltf(filepath=str(path)),
}
