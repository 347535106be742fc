"""Retarget one capture onto characters of a Blender file: all of them or, where one cannot be, none. Needs bpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.rotation import Array, geodesic_degrees
from ..character.character import LICENCE, SOURCE
from .bone_map import BoneMap
from .bone_tree import BoneTree
from .retarget import Retargeted, RetargetOptions, retarget
from .retarget_keying import key_character
from .retarget_rig import posed_axes, read_capture, read_tree

FOLLOWS: Final = 1.0  # degrees that a bone may be off its keys
CHECKED: Final = (0.0, 0.5, 1.0)  # shares of the motion
NAMED: Final = 6  # bones in one warning


@dataclass(frozen=True)
class RetargetReport:
    """One character's new action: its keys, the character's size over the capture's, warnings for the user."""

    rig: Any
    action: Any
    frame_count: int
    ratio: float
    warnings: tuple[str, ...]


def retarget_characters(
    scene: Any, source: Any, targets: Sequence[tuple[Any, BoneMap]], options: RetargetOptions | None = None
) -> list[RetargetReport]:
    """Give each of ``targets``, an armature and its bone map, a new action that moves it as ``source`` moves.

    Nothing is keyed unless all can be. Raises InputError naming bones, and CaptureError when ``source`` has no keys.
    """
    bpy.context.view_layer.update()  # objects may have been moved since the scene was last drawn
    motion, frames = read_capture(source, scene)
    planned = []
    for rig, bone_map in targets:
        _check_editable(rig)
        tree = read_tree(rig)
        planned.append((rig, bone_map, tree, retarget(motion, tree, bone_map, options)))
    return [_apply(scene, source, frames, *plan) for plan in planned]


def _check_editable(rig: Any) -> None:
    if rig.library is not None or (rig.override_library is not None and rig.override_library.is_system_override):
        message = f"{rig.name} is linked from another file and cannot be keyed."
        raise InputError("linked", message, "Make a library override of it: Object, Library Override, Make.")
    if rig.animation_data is not None and rig.animation_data.use_tweak_mode:
        message = f"A strip of {rig.name} is being tweaked, so it cannot be given another action."
        raise InputError("tweak_mode", message, "Leave tweak mode in the NLA editor (Tab) and try again.")


def _apply(
    scene: Any, source: Any, frames: Array, rig: Any, bone_map: BoneMap, tree: BoneTree, result: Retargeted
) -> RetargetReport:
    warnings = [*result.warnings, *_set_properties(rig, bone_map.properties), *_keep_action(rig)]
    action = key_character(rig, f"{source.name} {rig.name}", frames, result)
    for key in (LICENCE, SOURCE):
        if key in source:
            action[key] = source[key]
    if any(not track.mute and len(track.strips) for track in rig.animation_data.nla_tracks):
        warnings.append(f"{rig.name}: its NLA tracks play along with the new action; mute them to see that alone.")
    held = _held_bones(scene, rig, tree, frames, result)
    if held:
        names = ", ".join(held[:NAMED]) + (", ..." if len(held) > NAMED else "")
        warnings.append(f"{rig.name}: constraints or drivers hold {names}; mute them to see the whole motion.")
    return RetargetReport(rig, action, len(frames), result.ratio, tuple(warnings))


def _set_properties(rig: Any, properties: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Set a control rig's switches; says which were changed."""
    changed = []
    for bone, values in properties.items():
        pose_bone = rig.pose.bones[bone]
        for name, value in values.items():
            if name in pose_bone and pose_bone[name] != value:
                pose_bone[name] = type(pose_bone[name])(value)
                changed.append(f"{bone} {name}")
    if changed:
        rig.update_tag()
    return [f"{rig.name}: set {', '.join(changed)} so that the keyed bones take effect."] if changed else []


def _keep_action(rig: Any) -> list[str]:
    """Keep the action that a new one takes the place of in the file."""
    action = rig.animation_data.action if rig.animation_data else None
    if action is None or action.use_fake_user or action.users > 1:
        return []
    action.use_fake_user = True
    return [f"{rig.name}: its earlier action {action.name} is kept in the file."]


def _held_bones(scene: Any, rig: Any, tree: BoneTree, frames: Array, result: Retargeted) -> list[str]:
    """Keyed bones that are not where their keys put them at a few moments."""
    now, part = scene.frame_current, scene.frame_subframe
    bones = sorted(result.pose.turns)
    names = [tree.names[bone] for bone in bones]
    off = np.zeros(len(bones))
    for row in {round(share * (len(frames) - 1)) for share in CHECKED}:
        scene.frame_set(int(np.floor(frames[row])), subframe=float(frames[row] % 1.0))
        wanted = np.stack([result.pose.turns[bone][row] @ tree.axes[bone] for bone in bones])
        off = np.maximum(off, geodesic_degrees(wanted, posed_axes(rig, names)))
    scene.frame_set(now, subframe=part)
    return [name for name, angle in zip(names, off.tolist(), strict=True) if angle > FOLLOWS]
