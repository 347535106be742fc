"""Operator Root Motion: put the travel on the root bone, on the hips, or take it out."""

# pyright: reportInvalidTypeForm=false

from typing import Any, Final

import bpy

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.action_curves import (
    bone_curves,
    curves_of,
    frames_of,
    have_linear_keys_on,
    read_channels,
    repeat_for_ever,
    repeats,
    skeleton_of,
    whole_frames,
    write_channel,
)
from ..character.animated_character import OnKeyedBones
from ..character.rest_pose import ROOT_BONE
from ..character.scene_setup import frame_rate
from ..text_lines import filled
from .root_motion import Travel, Travelled, relocate_travel

HIPS: Final = JOINT_NAMES[0]
TRAVEL_ITEMS: Final = [
    ("root", "On the Root", "The root bone walks on the floor below the hips, as game engines take root motion"),
    ("hips", "On the Hips", "The root bone stays at the origin and the hips travel"),
    ("in_place", "In Place", "The character walks on the spot; its travel is taken out"),
]


class MoveTravel(OnKeyedBones, bpy.types.Operator):
    """Choose which bone carries the character over the floor, for games with or without root motion"""

    bl_idname = "reel2rig.root_motion"
    bl_label = "Root Motion"

    travel: bpy.props.EnumProperty(
        name="Travel", description="Where the way over the floor is", items=TRAVEL_ITEMS, default="root"
    )

    def change(self, context: Any, rig: Any) -> str:
        """Key root and hips anew."""
        frames, moved = move_travel(rig, self.travel)
        if self.travel != "in_place":
            carrier = ROOT_BONE if self.travel == "root" else HIPS
            return filled("{bone} carries the travel of {metres:.2f} m", bone=carrier, metres=moved.length())
        speed = moved.length() * frame_rate(context.scene) / max(frames[-1] - frames[0], 1.0)
        return filled(
            "Took out {metres:.2f} m of travel, {speed:.2f} m/s on average", metres=moved.length(), speed=speed
        )


def move_travel(rig: Any, travel: Travel) -> tuple[Array, Travelled]:
    """Key the locations of root and hips so that the travel is where ``travel`` says; returns frames and locations.

    Linear keys on common frames keep their frames; others, after Reduce Keys for example, become a key on each frame.
    Raises CaptureError when the rig has no action, InputError when root and hips have no keys.
    """
    bag, skeleton = curves_of(rig), skeleton_of(rig).part((ROOT_BONE, HIPS))
    curves = [curve for (_, channel, _), curve in bone_curves(bag, skeleton.names).items() if channel == "location"]
    frames = frames_of(rig, curves)
    if not have_linear_keys_on(curves, frames):
        frames = whole_frames(frames)
    moved = relocate_travel(skeleton, read_channels(rig, skeleton, bag, frames), travel)
    write_channel(bag, ROOT_BONE, "location", frames, moved.root)
    write_channel(bag, HIPS, "location", frames, moved.hips)
    if repeats(bag):
        repeat_for_ever(bag)
    return frames, moved
