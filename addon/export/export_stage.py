"""A clean copy of a character in a scene of its own, for Blender's exporters: what engines trip over is not in it.

The armature object stands at the origin with scale 1 and no turn; only the sampled bones are in it, keyed on every
frame from frame 0; meshes are bound to it. The user's own objects are only looked at.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...smpl_assets.rotation import Array
from ..character.action_curves import new_action, skeleton_of, write_channel
from ..character.posed_skeleton import Pose, channels_of
from .export_mesh import apply_modifiers
from .export_sampling import SampledMotion

BEFORE_THE_TAKE: Final = -1
STILL: Final = 1e-6
SHORTEST_BONE: Final = 1e-4


@dataclass
class Stage:
    """The scene with the copied armature and meshes in it. deforming: bones with weight on some vertex."""

    scene: Any
    rig: Any
    meshes: list[Any] = field(default_factory=list)
    deforming: set[str] = field(default_factory=set)


def meshes_of(rig: Any) -> list[Any]:
    """The meshes that move with ``rig``: bound to it, or its children."""
    return [
        item
        for item in bpy.data.objects
        if item.type == "MESH" and item.users_scene and (item.parent == rig or _is_bound(item, rig))
    ]


@contextlib.contextmanager
def staged(rig: Any, meshes: list[Any], motion: SampledMotion, axes: Array, rig_name: str) -> Iterator[Stage]:
    """The clean copy, in a scene shown by the window for as long; ``axes`` (3, 3) turn Blender's into the file's.

    Objects bear their originals' names meanwhile, the armature ``rig_name``. Frame -1, where the scene stands, shows
    the rest pose; the take runs from frame 0.
    """
    window = bpy.context.window
    shown, before = window.scene, _all_data()
    lent: list[tuple[Any, str]] = []
    scene = bpy.data.scenes.new("Reel2Rig Export")
    try:
        window.scene = scene
        stage = Stage(scene, _clean_armature(motion, axes, scene))
        for mesh in meshes:
            stage.meshes.append(_bound_copy(mesh, rig, motion, axes, stage))
        _set_take(stage, motion)
        _borrow_names(stage, rig_name, meshes, lent)
        yield stage
    finally:
        window.scene = shown
        bpy.data.batch_remove(_all_data() - before)
        for item, name in lent:
            item.name = name
        bpy.context.view_layer.update()


@contextlib.contextmanager
def object_mode() -> Iterator[None]:
    """Object mode inside the block; afterwards the active object is in its mode again."""
    active = bpy.context.view_layer.objects.active
    mode = "OBJECT" if active is None else active.mode
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    try:
        yield
    finally:
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _all_data() -> set[Any]:
    return {
        item for kind in ("scenes", "objects", "armatures", "meshes", "actions") for item in getattr(bpy.data, kind)
    }


def _is_bound(mesh: Any, rig: Any) -> bool:
    return any(modifier.type == "ARMATURE" and modifier.object == rig for modifier in mesh.modifiers)


def _clean_armature(motion: SampledMotion, axes: Array, scene: Any) -> Any:
    """The sampled bones at rest, keyed with the sampled pose."""
    copy = bpy.data.objects.new("Reel2Rig Export", bpy.data.armatures.new("Reel2Rig Export"))
    scene.collection.objects.link(copy)
    scene.view_layers[0].objects.active = copy
    copy.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    _add_bones(copy.data.edit_bones, motion, axes)
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in copy.pose.bones:
        bone.rotation_mode = "QUATERNION"
    for key, text in motion.notes.items():
        copy[key] = text
    _key(copy, motion, axes)
    return copy


def _add_bones(edit_bones: Any, motion: SampledMotion, axes: Array) -> None:
    skeleton = motion.skeleton
    rest_axes, heads = axes @ skeleton.axes, skeleton.heads @ axes.T
    for index, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        bone = edit_bones.new(name)
        length = max(float(skeleton.lengths[index]), SHORTEST_BONE)
        bone.head, bone.tail = Vector(heads[index]), Vector(heads[index] + length * rest_axes[index, :, 1])
        bone.align_roll(Vector(rest_axes[index, :, 2]))
        if parent >= 0:
            bone.parent = edit_bones[skeleton.names[parent]]


def _key(copy: Any, motion: SampledMotion, axes: Array) -> None:
    skeleton = skeleton_of(copy)
    order = [motion.skeleton.index(name) for name in skeleton.names]
    # Blender keeps rest axes to some 1e-6 only, so the pose is what turns these, not those asked for
    turns = axes @ motion.turns[:, order] @ axes.T
    channels = channels_of(skeleton, Pose(turns @ skeleton.axes, motion.pose.heads[:, order] @ axes.T))
    bag = new_action(copy, "Reel2Rig Export")
    frames = np.arange(len(turns), dtype=np.float64)
    for index, name in enumerate(skeleton.names):
        write_channel(bag, name, "rotation_quaternion", frames, channels.quaternions[:, index])
        if np.abs(channels.locations[:, index]).max() > STILL:
            write_channel(bag, name, "location", frames, channels.locations[:, index])


def _bound_copy(mesh: Any, rig: Any, motion: SampledMotion, axes: Array, stage: Stage) -> Any:
    """A copy of ``mesh`` with its own data at rest in the file's axes, bound to the clean armature."""
    copy = mesh.copy()
    copy.data = mesh.data.copy()
    stage.scene.collection.objects.link(copy)
    copy.animation_data_clear()
    copy.hide_viewport = copy.hide_select = copy.hide_render = False
    for modifier in [modifier for modifier in copy.modifiers if modifier.type == "ARMATURE"]:
        copy.modifiers.remove(modifier)
    apply_modifiers(copy)
    copy.data.transform(_to_stage(mesh, motion, axes), shape_keys=True)
    copy.parent, copy.parent_type = stage.rig, "OBJECT"
    copy.matrix_parent_inverse, copy.matrix_basis = Matrix(), Matrix()
    copy.constraints.clear()
    _bind(copy, mesh, rig, motion, stage)
    copy.select_set(True)
    values = motion.shape_keys.get(mesh.name, {})
    if copy.data.shape_keys is not None:
        _key_shapes(copy.data.shape_keys, values)
    return copy


def _to_stage(mesh: Any, motion: SampledMotion, axes: Array) -> Matrix:
    """From the mesh's own units to the stage: where it is on the armature at rest, in the file's axes."""
    turn = np.eye(4)
    turn[:3, :3] = axes
    return Matrix((turn @ motion.to_rest @ motion.placed[mesh]).tolist())


def _bind(copy: Any, mesh: Any, rig: Any, motion: SampledMotion, stage: Stage) -> None:
    """Give ``copy`` one armature modifier; vertices that no bone moves follow the bone that carries the mesh."""
    names = set(motion.skeleton.names)
    used, loose = _weights(copy, names if _is_bound(mesh, rig) else set())
    if len(loose):
        carrier = _carrier(mesh, rig, motion)
        group = copy.vertex_groups.get(carrier) or copy.vertex_groups.new(name=carrier)
        group.add(loose, 1.0, "REPLACE")
        used.add(carrier)
    stage.deforming |= used
    modifier = copy.modifiers.new("Armature", "ARMATURE")
    modifier.object = stage.rig


def _weights(mesh: Any, names: set[str]) -> tuple[set[str], list[int]]:
    """Names of the bones with weight on some vertex, and the vertices that no bone of ``names`` moves."""
    names_of = {group.index: group.name for group in mesh.vertex_groups if group.name in names}
    used: set[int] = set()
    loose = []
    for vertex in mesh.data.vertices:
        moved = [item.group for item in vertex.groups if item.weight > 0.0 and item.group in names_of]
        used.update(moved)
        if not moved:
            loose.append(vertex.index)
    return {names_of[index] for index in used}, loose


def _carrier(mesh: Any, rig: Any, motion: SampledMotion) -> str:
    """The exported bone that a mesh without weights hangs on."""
    if mesh.parent == rig and mesh.parent_type == "BONE":
        bone = rig.data.bones[mesh.parent_bone]
        for item in (bone, *bone.parent_recursive):
            if item.name in motion.skeleton.names:
                return item.name
    return motion.skeleton.names[0]


def _key_shapes(keys: Any, values: dict[str, Array]) -> None:
    """Plain keys for the shape keys that move; drivers stay behind with the original."""
    keys.animation_data_clear()
    moving = {name: value for name, value in values.items() if np.ptp(value) > 0}
    for name, value in values.items():
        keys.key_blocks[name].value = value[0]
    if not moving:
        return
    action = bpy.data.actions.new("Reel2Rig Export")
    slot = action.slots.new(id_type="KEY", name="Reel2Rig Export")
    animation = keys.animation_data_create()
    animation.action, animation.action_slot = action, slot
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    for name, value in moving.items():
        curve = bag.fcurves.new(f'key_blocks["{bpy.utils.escape_identifier(name)}"].value')
        curve.keyframe_points.add(len(value))
        points = np.column_stack([np.arange(len(value)), value]).astype(np.float32)
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.keyframe_points.foreach_set("interpolation", np.ones(len(value), np.int32))
        curve.update()


def _set_take(stage: Stage, motion: SampledMotion) -> None:
    """One NLA strip with the take's name for each thing that moves: exporters then write one take, from 0 s."""
    last = len(motion.pose.heads) - 1
    moving = [stage.rig, *(mesh.data.shape_keys for mesh in stage.meshes if mesh.data.shape_keys is not None)]
    for item in moving:
        animation = item.animation_data
        if animation is None or animation.action is None:
            continue
        action, slot = animation.action, animation.action_slot
        animation.action = None
        track = animation.nla_tracks.new()
        track.name = motion.take
        strip = track.strips.new(motion.take, 0, action)
        strip.action_slot = slot
        strip.action_frame_start, strip.action_frame_end = 0, last
        strip.frame_start, strip.frame_end = 0, last
        strip.extrapolation = "NOTHING"  # frame -1 then shows the rest pose
        strip.name = motion.take
    scene = stage.scene
    scene.render.fps = round(motion.fps)
    scene.render.fps_base = scene.render.fps / motion.fps
    scene.frame_start, scene.frame_end = 0, last
    scene.frame_set(BEFORE_THE_TAKE)


def _borrow_names(stage: Stage, rig_name: str, meshes: list[Any], lent: list[tuple[Any, str]]) -> None:
    """Give the copies their originals' names; ``lent`` gets those who must be given theirs back."""
    wanted = [(bpy.data.objects, stage.rig, rig_name), (bpy.data.armatures, stage.rig.data, rig_name)]
    bones = {bone.name.casefold() for bone in stage.rig.data.bones}
    for copy, mesh in zip(stage.meshes, meshes, strict=True):
        # a node called like a bone makes Unreal rename the bone
        name = f"{mesh.name} mesh" if mesh.name.casefold() in bones else mesh.name
        wanted += [(bpy.data.objects, copy, name), (bpy.data.meshes, copy.data, mesh.data.name)]
    for kind, copy, name in wanted:
        bearer = kind.get(name)
        if bearer is not None and bearer != copy and bearer.library is None:
            lent.append((bearer, name))
            bearer.name = "Reel2Rig lent"
        copy.name = name
