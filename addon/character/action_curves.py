"""The F-curves of an armature's action: reading poses from them at any frames and writing keys, all in one go."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import CaptureError, InputError
from ...smpl_assets.rotation import Array
from ..animate.key_reduction import Channel
from .posed_skeleton import PoseChannels, Skeleton

LINEAR: Final = 1
BEZIER: Final = 2
FREE: Final = 0
WIDTHS: Final[dict[Channel, int]] = {"location": 3, "rotation_quaternion": 4}


@dataclass(frozen=True)
class Handles:
    """Bezier handles of one curve's keys: left and right (K, 2), frame and value."""

    left: Array
    right: Array


def skeleton_of(rig: Any) -> Skeleton:
    """All bones of ``rig`` as Blender stores them, parents first."""
    bones = sorted(rig.data.bones, key=lambda bone: len(bone.parent_recursive))
    names = tuple(bone.name for bone in bones)
    matrices = np.array([bone.matrix_local for bone in bones], dtype=np.float64)
    return Skeleton(
        names=names,
        parents=tuple(names.index(bone.parent.name) if bone.parent else -1 for bone in bones),
        axes=matrices[:, :3, :3],
        heads=matrices[:, :3, 3],
        lengths=np.array([bone.length for bone in bones]),
    )


def action_of(rig: Any) -> Any:
    """The rig's action. Raises CaptureError when it has none."""
    animation = rig.animation_data
    if animation is None or animation.action is None or animation.action_slot is None:
        raise CaptureError("no_action", f"{rig.name} has no animation.", "Import its motion, or choose an action.")
    return animation.action


def curves_of(rig: Any) -> Any:
    """The bag of F-curves that moves ``rig``. Raises CaptureError when there is none."""
    action = action_of(rig)
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(rig.animation_data.action_slot)
            if bag is not None:
                return bag
    raise CaptureError("no_action", f"The action {action.name} has no keys for {rig.name}.", "Import its motion again.")


def refuse_tweaking(rig: Any) -> None:
    """Raise InputError while a strip of ``rig`` is edited: Blender lets no action be exchanged then."""
    if rig.animation_data is not None and rig.animation_data.use_tweak_mode:
        message = f"A strip of {rig.name} is being tweaked, so it cannot be given another action."
        raise InputError("tweak_mode", message, "Leave tweak mode in the NLA editor (Tab) and try again.")


def new_action(rig: Any, name: str) -> Any:
    """Give ``rig`` a new, empty action; returns its bag of F-curves."""
    return add_action(rig, name, "OBJECT")


def add_action(owner: Any, name: str, id_type: str) -> Any:
    """Give ``owner``, an object or "KEY" (shape keys), a new, empty action; returns its bag of F-curves."""
    action = bpy.data.actions.new(name)
    slot = action.slots.new(id_type=id_type, name=owner.name)
    animation = owner.animation_data_create()
    animation.action = action
    animation.action_slot = slot
    return action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)


def curve_path(bone: str, channel: str) -> str:
    """Data path of one bone's channel."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{channel}'


def bone_curves(bag: Any, names: Iterable[str]) -> dict[tuple[str, Channel, int], Any]:
    """The bag's location and quaternion curves of the bones ``names`` by bone, channel and component."""
    wanted: dict[str, tuple[str, Channel]] = {
        curve_path(name, channel): (name, channel) for name in names for channel in WIDTHS
    }
    found: dict[tuple[str, Channel, int], Any] = {}
    for curve in bag.fcurves:
        if curve.data_path in wanted:
            name, channel = wanted[curve.data_path]
            found[name, channel, curve.array_index] = curve
    return found


def other_curves(bag: Any, names: Iterable[str]) -> list[Any]:
    """The bag's curves that are no location or quaternion of the bones ``names``."""
    wanted = {curve_path(name, channel) for name in names for channel in WIDTHS}
    return [curve for curve in bag.fcurves if curve.data_path not in wanted]


def key_points(curve: Any) -> Array:
    """Keys (K, 2) of a curve: frame and value."""
    points = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points.reshape(-1, 2)


def keyed_frames(curves: Iterable[Any]) -> Array:
    """Every frame (T,) on which one of ``curves`` has a key, rising."""
    frames = [key_points(curve)[:, 0] for curve in curves]
    return np.unique(np.concatenate(frames)).astype(np.float64) if frames else np.zeros(0)


def frames_of(rig: Any, curves: Iterable[Any]) -> Array:
    """The same, at least one. Raises InputError when the curves of ``rig``'s bones have no keys."""
    frames = keyed_frames(curves)
    if not len(frames):
        raise InputError("no_keys", f"The bones of {rig.name} have no keys.", "Choose another action.")
    return frames


def have_linear_keys_on(curves: Iterable[Any], frames: Array) -> bool:
    """Whether each of ``curves`` has linear keys on exactly ``frames`` (T,)."""
    wanted = frames.astype(np.float32)
    return all(np.array_equal(key_points(curve)[:, 0], wanted) and _is_linear(curve) for curve in curves)


def _is_linear(curve: Any) -> bool:
    kinds = np.empty(len(curve.keyframe_points), np.int32)
    curve.keyframe_points.foreach_get("interpolation", kinds)
    return bool(np.all(kinds == LINEAR))


def whole_frames(frames: Array) -> Array:
    """``frames`` (T,) together with all whole frames between the first and the last."""
    first, last = np.ceil(frames[0]), np.floor(frames[-1])
    return np.unique(np.concatenate([frames, np.arange(first, last + 1)]))


def values_at(curve: Any, frames: Array) -> Array:
    """Values (T,) of a curve at ``frames`` (T,), as Blender shows them."""
    points = key_points(curve)
    if not len(curve.modifiers) and np.array_equal(points[:, 0], frames.astype(np.float32)):
        return points[:, 1].astype(np.float64)
    evaluate = curve.evaluate
    return np.array([evaluate(frame) for frame in frames.tolist()])


def read_channels(rig: Any, skeleton: Skeleton, bag: Any, frames: Array) -> PoseChannels:
    """Channels of all bones of ``skeleton`` at ``frames`` (T,); what has no keys stays as it stands in the pose."""
    bones = [rig.pose.bones[name] for name in skeleton.names]
    locations = np.tile(np.array([bone.location for bone in bones], np.float64), (len(frames), 1, 1))
    quaternions = np.tile(np.array([bone.rotation_quaternion for bone in bones], np.float64), (len(frames), 1, 1))
    for (name, channel, component), curve in bone_curves(bag, skeleton.names).items():
        target = locations if channel == "location" else quaternions
        target[:, skeleton.index(name), component] = values_at(curve, frames)
    return PoseChannels(locations, quaternions)


def write_curve(curve: Any, frames: Array, values: Array, handles: Handles | None = None) -> None:
    """Replace a curve's keys by ``values`` (K,) at ``frames`` (K,): linear, or Bezier with free ``handles``."""
    points = curve.keyframe_points
    points.clear()
    points.add(len(frames))
    keys = np.column_stack([frames, values]).astype(np.float32)
    points.foreach_set("co", keys.ravel())
    points.foreach_set("interpolation", np.full(len(frames), LINEAR if handles is None else BEZIER, np.int32))
    if handles is not None:
        for side, ends in (("left", handles.left), ("right", handles.right)):
            points.foreach_set(f"handle_{side}_type", np.full(len(frames), FREE, np.int32))
            points.foreach_set(f"handle_{side}", ends.astype(np.float32).ravel())
    curve.update()


def write_channel(bag: Any, bone: str, channel: Channel, frames: Array, values: Array) -> None:
    """Linear keys ``values`` (T, 3 or 4) of one bone's channel at ``frames`` (T,), on curves made where missing."""
    path, group = curve_path(bone, channel), bag.groups.get(bone) or bag.groups.new(bone)
    for component in range(values.shape[1]):
        curve = bag.fcurves.find(path, index=component)
        if curve is None:
            curve = bag.fcurves.new(path, index=component)
            curve.group = group
        write_curve(curve, frames, values[:, component])


def repeats(bag: Any) -> bool:
    """Whether curves of the bag repeat for ever."""
    return any(modifier.type == "CYCLES" for curve in bag.fcurves for modifier in curve.modifiers)


def repeat_for_ever(bag: Any) -> None:
    """Let all curves repeat; locations go on from where the last round ended, which for most is where it began."""
    for curve in bag.fcurves:
        if not any(modifier.type == "CYCLES" for modifier in curve.modifiers):
            modifier = curve.modifiers.new("CYCLES")
            goes_on = curve.data_path.startswith("pose.bones") and curve.data_path.endswith(".location")
            modifier.mode_before = modifier.mode_after = "REPEAT_OFFSET" if goes_on else "REPEAT"
