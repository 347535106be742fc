"""Keys on every frame, written in one go through a channelbag (Blender's slotted actions, 4.4 and later)."""

from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import JOINT_NAMES
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


def _key(bag: Any, bone: str, channel: str, frames: NDArray[np.floating], values: Array) -> None:
    group = bag.groups.get(bone) or bag.groups.new(bone)
    linear = np.full(len(frames), LINEAR, np.int32)
    points = np.empty((len(frames), 2), np.float32)
    points[:, 0] = frames
    for component in range(values.shape[1]):
        points[:, 1] = values[:, component]
        curve = bag.fcurves.new(f'pose.bones["{bone}"].{channel}', index=component)
        curve.group = group
        curve.keyframe_points.add(len(frames))
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.keyframe_points.foreach_set("interpolation", linear)
        curve.update()
