"""The armature: SMPL's bones under a real root bone, in the rest pose of one body and shape."""

from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES, PARENTS
from .rest_pose import ROOT_BONE, ROOT_LENGTH, RestPose


def build_armature(name: str, rest: RestPose, collection: Any) -> Any:
    """Armature object ``name`` in ``collection`` with bones root and JOINT_NAMES, keyed as quaternions.

    The object stands at the world's origin. ``root`` lies on the floor, does not deform and parents the pelvis.
    """
    armature = bpy.data.armatures.new(name)
    armature.display_type = "STICK"
    rig = bpy.data.objects.new(name, armature)
    rig.show_in_front = True
    collection.objects.link(rig)
    with edit_mode(rig):
        _add_bones(armature.edit_bones, rest)
    armature.bones[ROOT_BONE].use_deform = False
    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return rig


def rest_axes(rig: Any) -> Array:
    """Rest axes (24, 3, 3) of the SMPL bones as columns, armature frame, as Blender really stores them."""
    return np.array([rig.data.bones[name].matrix_local.to_3x3() for name in JOINT_NAMES], dtype=np.float64)


def rest_heads(rig: Any) -> Array:
    """Rest heads (24, 3) of the SMPL bones in metres, armature frame."""
    return np.array([rig.data.bones[name].head_local for name in JOINT_NAMES], dtype=np.float64)


def posed_heads(rig: Any, depsgraph: Any) -> Array:
    """World positions (25, 3) in metres of root and the SMPL bones' heads at the scene's current frame."""
    posed = rig.evaluated_get(depsgraph)
    heads = [posed.matrix_world @ posed.pose.bones[name].head for name in (ROOT_BONE, *JOINT_NAMES)]
    return np.array(heads, dtype=np.float64)


class edit_mode:  # noqa: N801 - reads as a context manager
    """Edit ``rig`` inside the block, X-Axis Mirror off; active object and selection are as before afterwards."""

    def __init__(self, rig: Any) -> None:
        self._rig = rig

    def __enter__(self) -> None:
        leave_edit_modes()
        layer = bpy.context.view_layer
        self._active = layer.objects.active
        self._selected = [item for item in layer.objects if item.select_get()]
        self._mirrored, self._rig.data.use_mirror_x = self._rig.data.use_mirror_x, False
        layer.objects.active = self._rig
        bpy.ops.object.mode_set(mode="EDIT")

    def __exit__(self, *_: object) -> None:
        bpy.ops.object.mode_set(mode="OBJECT")
        self._rig.data.use_mirror_x = self._mirrored
        layer = bpy.context.view_layer
        for item in layer.objects:
            item.select_set(item in self._selected)
        layer.objects.active = self._active


def leave_edit_modes() -> None:
    """Go to object mode when the active object is in another one."""
    active = bpy.context.view_layer.objects.active
    if active is not None and active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def _add_bones(edit_bones: Any, rest: RestPose) -> None:
    root = edit_bones.new(ROOT_BONE)
    root.head, root.tail, root.roll = Vector(), Vector((0.0, ROOT_LENGTH, 0.0)), 0.0
    for index, name in enumerate(JOINT_NAMES):
        bone = edit_bones.new(name)
        bone.head, bone.tail = Vector(rest.heads[index]), Vector(rest.tails[index])
        bone.align_roll(Vector(rest.bone_z[index]))
        bone.parent = root if PARENTS[index] < 0 else edit_bones[JOINT_NAMES[PARENTS[index]]]
