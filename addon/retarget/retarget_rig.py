"""Between Blender and retarget.py: reading a capture and a character, keying the character. Needs bpy."""

from collections.abc import Sequence
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.rotation import Array, matrix_from_quaternion
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.action_curves import curves_of, keyed_frames, read_channels, skeleton_of, whole_frames
from ..character.posed_skeleton import pose_of
from ..character.rig import rest_axes, rest_heads
from ..character.scene_setup import frame_rate
from ..export.export_sampling import played_alone
from .bone_tree import BoneTree
from .retarget import CapturedMotion

EVEN_SCALE: Final = 0.001
EVERY_FRAME: Final = 1.01  # frames between keys; further apart, the keys were reduced


def read_tree(rig: Any) -> BoneTree:
    """The bones of ``rig`` at rest, as it stands in the world. Raises InputError for a mirrored or uneven scale."""
    bones = sorted(rig.data.bones, key=lambda bone: len(bone.parent_recursive))
    numbers = {bone.name: number for number, bone in enumerate(bones)}
    object_axes, origin, scale = _object_frame(rig)
    matrices = np.array([bone.matrix_local for bone in bones], np.float64).reshape(-1, 4, 4)
    tails = np.array([bone.tail_local for bone in bones], np.float64).reshape(-1, 3)
    return BoneTree(
        names=tuple(numbers),
        parents=np.array([numbers[bone.parent.name] if bone.parent else -1 for bone in bones], np.int64),
        heads=matrices[:, :3, 3] @ (scale * object_axes).T + origin,
        tails=tails @ (scale * object_axes).T + origin,
        axes=object_axes @ matrices[:, :3, :3],
        object_axes=object_axes,
        object_origin=origin,
        scale=scale,
        connected=np.array([bone.use_connect for bone in bones], bool),
        inherits_rotation=np.array([bone.use_inherit_rotation for bone in bones], bool),
        local_location=np.array([bone.use_local_location for bone in bones], bool),
        bounds=_skin_bounds(rig, object_axes),
    )


def _object_frame(rig: Any) -> tuple[Array, Array, float]:
    """Axes (3, 3), origin (3,) m and scale of an armature object in the world."""
    matrix = np.array(rig.matrix_world, np.float64)
    sizes = np.linalg.norm(matrix[:3, :3], axis=0)
    axes = matrix[:3, :3] / np.maximum(sizes, 1e-12)
    crooked = np.abs(axes.T @ axes - np.eye(3)).max() > EVEN_SCALE or np.linalg.det(axes) < 0
    if crooked or sizes.min() < 1e-9 or sizes.max() / sizes.min() > 1.0 + EVEN_SCALE:
        message = f"{rig.name} is mirrored or scaled unevenly."
        raise InputError("uneven_scale", message, "Apply its scale: Object, Apply, Scale (Ctrl A).")
    return axes, matrix[:3, 3], float(sizes.mean())


def _skin_bounds(rig: Any, axes: Array) -> Array | None:
    """Lowest and highest points (2, 3) along ``axes`` of the meshes that ``rig`` deforms, at rest, in the world."""
    found = []
    for figure in bpy.data.objects:
        if figure.type != "MESH" or not figure.data.vertices or not _deforms(rig, figure):
            continue
        points = np.empty(3 * len(figure.data.vertices), np.float32)
        figure.data.vertices.foreach_get("co", points)
        matrix = np.array(figure.matrix_world, np.float64)
        along = (points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]) @ axes
        found += [along.min(axis=0), along.max(axis=0)]
    return np.stack([np.min(found, axis=0), np.max(found, axis=0)]) if found else None


def _deforms(rig: Any, figure: Any) -> bool:
    return any(modifier.type == "ARMATURE" and modifier.object == rig for modifier in figure.modifiers)


def read_capture(rig: Any, scene: Any) -> tuple[CapturedMotion, Array]:
    """What our character ``rig`` does, and the scene frames (T,) of it.

    F-curves are read in one go. Where constraints or drivers move its bones, as in a control rig, the scene is played
    frame by frame instead. Raises CaptureError when it has no keys.
    """
    frames = _frames(rig)
    axes, heads = _played(rig, scene, frames) if _is_constrained(rig) else _keyed(rig, frames)
    turned, origin, scale = _object_frame(rig)
    steps = np.diff(frames)
    motion = CapturedMotion(
        axes=turned @ axes,
        joints=scale * heads @ turned.T + origin,
        rest_axes=turned @ rest_axes(rig),
        rest_joints=scale * rest_heads(rig) @ turned.T + origin,
        object_axes=turned,
        object_origin=origin,
        rate=frame_rate(scene) / (float(np.median(steps)) if len(steps) else 1.0),
    )
    return motion, frames


def _frames(rig: Any) -> Array:
    """The keys' frames where there is one on every frame, else all whole frames between the first and the last."""
    frames = keyed_frames(curves_of(rig).fcurves)
    if len(frames) == 0:
        raise InputError("no_keys", f"{rig.name} has no keys.", "Import its motion again.")
    if len(frames) > 1 and np.diff(frames).max() > EVERY_FRAME:
        return whole_frames(frames)
    return frames


def _is_constrained(rig: Any) -> bool:
    """Whether something besides its own keys moves the captured bones."""
    bones = [rig.pose.bones[name] for name in JOINT_NAMES]
    bones += [above for bone in bones for above in bone.parent_recursive]
    active = any(not constraint.mute and constraint.influence > 0 for bone in bones for constraint in bone.constraints)
    layered = any(not track.mute and len(track.strips) for track in rig.animation_data.nla_tracks)
    drivers = any("pose.bones" in driver.data_path for driver in rig.animation_data.drivers)
    eulers = any(bone.rotation_mode != "QUATERNION" for bone in bones)
    return active or drivers or layered or eulers


def _keyed(rig: Any, frames: Array) -> tuple[Array, Array]:
    """Axes (T, 24, 3, 3) and heads (T, 24, 3) of the captured bones from F-curves, armature frame."""
    skeleton = skeleton_of(rig)
    pose = pose_of(skeleton, read_channels(rig, skeleton, curves_of(rig), frames))
    rows = [skeleton.index(name) for name in JOINT_NAMES]
    return pose.axes[:, rows], pose.heads[:, rows]


def _played(rig: Any, scene: Any, frames: Array) -> tuple[Array, Array]:
    """The same by playing it, for what F-curves alone do not tell; also where ``scene`` does not show it."""
    matrices = np.empty((len(frames), len(JOINT_NAMES), 4, 4))
    with played_alone(rig, scene, []) as stage:
        for row, frame in enumerate(frames.tolist()):
            stage.frame_set(int(np.floor(frame)), subframe=frame % 1.0)
            posed = rig.evaluated_get(stage.view_layers[0].depsgraph)
            matrices[row] = [posed.pose.bones[name].matrix for name in JOINT_NAMES]
    axes = matrices[..., :3, :3] / np.linalg.norm(matrices[..., :3, :3], axis=-2, keepdims=True)
    return axes, matrices[..., :3, 3]


def posed_axes(rig: Any, names: Sequence[str]) -> Array:
    """World axes (N, 3, 3) of pose bones at the scene's current frame."""
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    matrices = [(posed.matrix_world @ posed.pose.bones[name].matrix).to_quaternion() for name in names]
    return matrix_from_quaternion(np.array(matrices, np.float64).reshape(-1, 4))
