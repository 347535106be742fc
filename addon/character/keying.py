"""Keys on every frame, written in one go through a channelbag (Blender's slotted actions, 4.4 and later)."""

from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from .bone_channels import BoneChannels
from .rest_pose import ROOT_BONE

LINEAR: Final = 1


def key_bones(rig: Any, name: str, frames: NDArray[np.floating], channels: BoneChannels) -> Any:
    """Give ``rig`` a new action ``name`` with a key on each of ``frames`` (T,); returns the action.

    Linear interpolation: between two captured frames nothing is known that would justify a curve.
    """
    action = bpy.data.actions.new(name)
    slot = action.slots.new(id_type="OBJECT", name=rig.name)
    animation = rig.animation_data_create()
    animation.action = action
    animation.action_slot = slot
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    _key(bag, ROOT_BONE, "location", frames, channels.root_location)
    _key(bag, JOINT_NAMES[0], "location", frames, channels.pelvis_location)
    for joint, bone in enumerate(JOINT_NAMES):
        _key(bag, bone, "rotation_quaternion", frames, channels.quaternions[:, joint])
    return action


def key_number(rig: Any, data_path: str, group: str, frames: NDArray[np.floating], values: Array) -> None:
    """A key on each of ``frames`` (T,) with ``values`` (T,) for a number of ``rig`` itself, in the action it has."""
    animation = rig.animation_data
    bag = animation.action.layers[0].strips[0].channelbag(animation.action_slot)
    _key_curve(bag, data_path, 0, group, np.stack([frames, values], axis=1).astype(np.float32))


def keyed_curve(rig: Any, data_path: str) -> Any | None:
    """The first curve with ``data_path`` in the action that ``rig`` has, or None."""
    animation = rig.animation_data
    if animation is None or animation.action is None or animation.action_slot is None:
        return None
    bags = [strip.channelbag(animation.action_slot) for layer in animation.action.layers for strip in layer.strips]
    curves = [bag.fcurves.find(data_path) for bag in bags if bag is not None]
    return next((curve for curve in curves if curve is not None), None)


def _key(bag: Any, bone: str, channel: str, frames: NDArray[np.floating], values: Array) -> None:
    points = np.empty((len(frames), 2), np.float32)
    points[:, 0] = frames
    for component in range(values.shape[1]):
        points[:, 1] = values[:, component]
        _key_curve(bag, f'pose.bones["{bone}"].{channel}', component, bone, points)


def _key_curve(bag: Any, data_path: str, index: int, group: str, points: NDArray[np.float32]) -> None:
    """A curve through ``points`` (T, 2), frame and value."""
    curve = bag.fcurves.new(data_path, index=index)
    curve.group = bag.groups.get(group) or bag.groups.new(group)
    curve.keyframe_points.add(len(points))
    curve.keyframe_points.foreach_set("co", points.ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(len(points), LINEAR, np.int32))
    curve.update()
