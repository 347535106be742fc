"""What an armature really does, frame by frame in metres, whatever drives it: keys, constraints, drivers, NLA strips.

Only the bones that a game needs are looked at (export_bones.py).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import CaptureError
from ...smpl_assets.rotation import Array
from ..character.character import BODY, LICENCE, SOURCE
from ..character.posed_skeleton import Pose, Skeleton
from .export_bones import exported_tree

NOTES: Final = (LICENCE, BODY, SOURCE)
SAME_SCALE: Final = 1e-3
BONE_SCALE: Final = 0.1  # stretchy bones of control rigs may be off by as much; they keep their size in the file


@dataclass(frozen=True)
class SampledMotion:
    """A take of ``rig`` on whole frames at ``fps``: the first frame is time 0.

    skeleton: the exported bones at rest, as the object is turned and scaled but at the world's origin, metres.
    pose: the same bones in the world, axes (T, B, 3, 3) and heads (T, B, 3) in metres. to_rest (4, 4): from the
    armature's own units to the frame of ``skeleton``. shape_keys: values (T,) of each mesh's animated ones by name.
    notes: what the file is to say about licence, body and source. placed (4, 4): where each mesh object is on the
    armature at rest, in the armature's units.
    """

    take: str
    fps: float
    skeleton: Skeleton
    pose: Pose
    to_rest: Array
    shape_keys: dict[str, dict[str, Array]]
    notes: dict[str, str]
    placed: dict[Any, Array]

    @property
    def turns(self) -> Array:
        """How far each bone is turned from rest (T, B, 3, 3), world axes."""
        return self.pose.axes @ np.swapaxes(self.skeleton.axes, -1, -2)


def sample_motion(rig: Any, scene: Any, meshes: list[Any]) -> SampledMotion:
    """Play the take of ``rig`` once, in a scene of its own at the rate of ``scene``; ``meshes`` for their shape keys.

    Raises CaptureError when there is no animation, no deforming bone, or a scale that games cannot take.
    """
    frames = _take_frames(rig)
    tree = exported_tree(rig)
    keyed = [mesh for mesh in meshes if _has_moving_shape_keys(mesh)]
    posed, world, shape_keys = _played(rig, scene, frames, keyed)
    unit = _metres_per_unit(scene)
    scale = _object_scale(rig, world) * unit
    order = [list(rig.pose.bones.keys()).index(name) for name in tree]
    _require_unscaled(list(tree), posed[:, order])
    turned = world[:, None, :3, :3] / (scale / unit)
    matrices = posed[:, order]
    axes = turned @ (matrices[..., :3, :3] / np.linalg.norm(matrices[..., :3, :3], axis=-2, keepdims=True))
    heads = (world[:, None] @ matrices)[..., :3, 3] * unit
    to_rest = np.eye(4)
    to_rest[:3, :3] = turned[0, 0] * scale
    action = rig.animation_data.action
    return SampledMotion(
        take=(rig.name if action is None else action.name).replace("|", "_"),  # FBX parts names there
        fps=scene.render.fps / scene.render.fps_base,
        skeleton=_rest_skeleton(rig, tree, turned[0, 0], scale),
        pose=Pose(axes, heads),
        to_rest=to_rest,
        shape_keys=shape_keys,
        notes=_notes(rig),
        placed=_placed(rig, scene, meshes),
    )


def _placed(rig: Any, scene: Any, meshes: list[Any]) -> dict[Any, Array]:
    """Where each mesh is on the armature at rest, also where ``scene`` does not show them: (4, 4), its units."""
    with played_alone(rig, scene, meshes) as stage:
        stage.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        graph = stage.view_layers[0].depsgraph
        seen = rig.evaluated_get(graph)
        back, placed = seen.matrix_world.inverted(), {}
        for mesh in meshes:
            on_armature = back @ mesh.evaluated_get(graph).matrix_world
            if mesh.parent == rig and mesh.parent_type == "BONE":
                bone = seen.pose.bones[mesh.parent_bone]
                on_armature = rig.data.bones[mesh.parent_bone].matrix_local @ bone.matrix.inverted() @ on_armature
            placed[mesh] = np.array(on_armature, np.float64)
    return placed


def _notes(rig: Any) -> dict[str, str]:
    """Licence, body and source as the character has them, or the action that was retargeted to it."""
    bearers = [item for item in (rig.animation_data.action, rig) if item is not None]
    found = {key: next((str(item[key]) for item in bearers if key in item), "") for key in NOTES}
    return {key: text for key, text in found.items() if text}


def _rest_skeleton(rig: Any, tree: dict[str, str | None], turned: Array, scale: float) -> Skeleton:
    names = list(tree)
    bones = [rig.data.bones[name] for name in names]
    matrices = np.array([bone.matrix_local for bone in bones], dtype=np.float64)
    return Skeleton(
        names=tuple(names),
        parents=tuple(-1 if parent is None else names.index(parent) for parent in tree.values()),
        axes=turned @ matrices[:, :3, :3],
        heads=scale * matrices[:, :3, 3] @ turned.T,
        lengths=scale * np.array([bone.length for bone in bones]),
    )


def _take_frames(rig: Any) -> list[int]:
    """Whole frames of the rig's action, else of its NLA strips; two for a single pose."""
    animation = rig.animation_data
    if animation is not None and animation.action is not None:
        first, last = animation.action.frame_range
    else:
        tracks = [] if animation is None else [track for track in animation.nla_tracks if not track.mute]
        strips = [strip for track in tracks for strip in track.strips if not strip.mute]
        if not strips:
            raise CaptureError("no_action", f"{rig.name} has no animation.", "Import its motion again.")
        first, last = min(strip.frame_start for strip in strips), max(strip.frame_end for strip in strips)
    frames = list(range(int(np.floor(first)), int(np.ceil(last)) + 1))
    return frames if len(frames) > 1 else [frames[0]] * 2


def _played(
    rig: Any, scene: Any, frames: list[int], keyed: list[Any]
) -> tuple[Array, Array, dict[str, dict[str, Array]]]:
    """Of each frame: the pose bones' matrices (T, B, 4, 4), the object's (T, 4, 4), and moving shape keys."""
    posed = np.empty((len(frames), len(rig.pose.bones), 16), np.float32)
    world = np.empty((len(frames), 4, 4))
    shapes = {mesh.name: np.empty((len(frames), len(mesh.data.shape_keys.key_blocks))) for mesh in keyed}
    with played_alone(rig, scene, keyed) as stage:
        stage.frame_set(frames[0])
        graph = stage.view_layers[0].depsgraph
        for row, frame in enumerate(frames):
            stage.frame_set(frame)
            seen = rig.evaluated_get(graph)
            seen.pose.bones.foreach_get("matrix", posed[row].ravel())
            world[row] = seen.matrix_world
            for mesh in keyed:
                blocks = mesh.data.shape_keys.evaluated_get(graph).key_blocks
                shapes[mesh.name][row] = [block.value for block in blocks]
    names = {mesh.name: mesh.data.shape_keys.key_blocks.keys() for mesh in keyed}
    moving = {name: dict(zip(names[name], values.T, strict=True)) for name, values in shapes.items()}
    matrices = np.swapaxes(posed.reshape(*posed.shape[:2], 4, 4), -1, -2)  # Blender keeps matrices by columns
    return matrices.astype(np.float64), world, moving


@contextlib.contextmanager
def played_alone(rig: Any, scene: Any, others: list[Any]) -> Iterator[Any]:
    """A scene of its own with ``rig`` and ``others`` in it, at the rate of ``scene``: nothing else costs time.

    The rig moves in it, also while its rest position is shown.
    """
    stage = bpy.data.scenes.new("Reel2Rig Sampling")
    stage.render.fps, stage.render.fps_base = scene.render.fps, scene.render.fps_base
    hidden = [item for item in (rig, *others) if item.hide_viewport]
    shown, rig.data.pose_position = rig.data.pose_position, "POSE"
    try:
        for item in (rig, *others):
            stage.collection.objects.link(item)
        for item in hidden:
            item.hide_viewport = False
        yield stage
    finally:
        rig.data.pose_position = shown
        for item in hidden:
            item.hide_viewport = True
        bpy.data.scenes.remove(stage)
        bpy.context.view_layer.update()  # poses shared with the user's scene go back to its current frame


def _metres_per_unit(scene: Any) -> float:
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else units.scale_length


def _object_scale(rig: Any, world: Array) -> float:
    """The object's scale. Raises CaptureError unless it is one positive number throughout (0.01 is fine)."""
    columns = np.linalg.norm(world[:, :3, :3], axis=1)
    scale = float(columns[0, 0])
    if scale <= 0 or np.abs(columns / scale - 1.0).max() > SAME_SCALE or np.linalg.det(world[0, :3, :3]) < 0:
        raise CaptureError(
            "odd_scale",
            f"The scale of {rig.name} differs from axis to axis, changes in time or mirrors it.",
            "Apply the object's scale (Ctrl A) and try again.",
        )
    return scale


def _require_unscaled(names: list[str], matrices: Array) -> None:
    scales = np.linalg.norm(matrices[..., :3, :3], axis=-2)
    off = np.abs(scales - 1.0).max(axis=(0, 2))
    worst = int(np.argmax(off))
    if off[worst] > BONE_SCALE:
        raise CaptureError(
            "scaled_bone",
            f"The bone {names[worst]} is scaled in the animation, by up to {off[worst]:.0%}.",
            "Games want bones that keep their size: take the scale out of the animation.",
        )


def _has_moving_shape_keys(mesh: Any) -> bool:
    keys = mesh.data.shape_keys
    animation = None if keys is None else keys.animation_data
    return animation is not None and (animation.action is not None or bool(animation.drivers or animation.nla_tracks))
