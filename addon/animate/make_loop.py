"""Operator Make Loop: the best walk cycle of a range as an action of its own."""

# pyright: reportInvalidTypeForm=false

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT, JOINT_NAMES
from ..character.action_curves import (
    action_of,
    bone_curves,
    curves_of,
    frames_of,
    new_action,
    other_curves,
    read_channels,
    refuse_tweaking,
    repeat_for_ever,
    skeleton_of,
    values_at,
    write_channel,
    write_curve,
)
from ..character.animated_character import OnKeyedBones
from ..character.posed_skeleton import PoseChannels, Skeleton, pose_of
from ..character.rest_pose import ROOT_BONE
from ..character.scene_setup import frame_rate
from ..text_lines import filled, translated
from .key_reduction import Channel
from .loop import close_loop, find_loop
from .root_motion import relocate_travel, travel_of

HIPS: Final = JOINT_NAMES[0]
REPEATS: Final = 0.1


@dataclass(frozen=True)
class LoopReport:
    """What was found: first and last frame in the scene, seconds, mean gap of the joints before the blend in mm.

    unlike: see Loop.
    """

    first: float
    last: float
    seconds: float
    gap_mm: float
    unlike: float

    def sentence(self) -> str:
        """The figures for a person."""
        said = filled(
            "Loop of {count} frames ({seconds:.2f} s), {first:g} to {last:g}; its ends were {gap:.0f} mm apart",
            count=round(self.last - self.first),
            seconds=self.seconds,
            first=self.first,
            last=self.last,
            gap=self.gap_mm,
        )
        if self.unlike < REPEATS:
            return said
        return f"{said}. {translated('Hardly anything repeats here, try another range')}"


class MakeLoop(OnKeyedBones, bpy.types.Operator):
    """Find the best loop in the preview range or the whole motion and make it an action that repeats without a seam"""

    bl_idname = "reel2rig.make_loop"
    bl_label = "Make Loop"

    shortest: bpy.props.FloatProperty(
        name="Shortest Loop (s)", description="A loop lasts at least this many seconds", default=0.5, min=0.1
    )
    repeat: bpy.props.BoolProperty(
        name="Repeat", description="Repeat the loop for ever; the character walks on in each round", default=True
    )

    def change(self, context: Any, rig: Any) -> str:
        """Make the action and give it to the character."""
        return make_loop(rig, context.scene, self.shortest, self.repeat).sentence()


def make_loop(rig: Any, scene: Any, shortest: float, repeat: bool) -> LoopReport:
    """Give ``rig`` an action "NAME loop" with the best loop of at least ``shortest`` seconds; the old action is kept.

    Searched are the scene's preview range, where it is used, or all keyed frames. Raises CaptureError without an
    action, InputError when the range is too short or has no keys, or a strip is tweaked.
    """
    refuse_tweaking(rig)
    action, bag, skeleton, fps = action_of(rig), curves_of(rig), skeleton_of(rig), frame_rate(scene)
    curves = bone_curves(bag, skeleton.names)
    frames = _searched(frames_of(rig, curves.values()), scene)
    channels = read_channels(rig, skeleton, bag, frames)
    body = [skeleton.index(name) for name in JOINT_NAMES]  # a root left behind by the hips never repeats
    hips = (JOINT[HIPS], JOINT["left_hip"], JOINT["right_hip"])
    loop = find_loop(pose_of(skeleton, channels).heads[:, body], hips, fps, max(2, round(shortest * fps)))
    closed = close_loop(skeleton, channels, loop, ROOT_BONE, HIPS)
    travels = _travel(skeleton, channels) != "root"
    keys = _with_travel_on_hips(skeleton, closed.channels) if travels else closed.channels
    extras = [
        (curve.data_path, curve.array_index, values_at(curve, frames)) for curve in other_curves(bag, skeleton.names)
    ]
    action.use_fake_user = True
    made = new_action(rig, f"{action.name} loop")
    start = scene.frame_start + np.arange(loop.last - loop.first + 1.0)
    _write(made, skeleton, sorted({(name, channel) for name, channel, _ in curves}), keys, start)
    for path, index, values in extras:
        write_curve(made.fcurves.new(path, index=index), start, values[loop.first : loop.last + 1])
    _set_cycle(action_of(rig), start)
    if repeat:
        repeat_for_ever(made)
    return LoopReport(
        frames[loop.first], frames[loop.last], (loop.last - loop.first) / fps, 1000 * loop.gap, loop.unlike
    )


def _searched(keyed: Array, scene: Any) -> Array:
    """Whole frames to look for a loop in. Raises InputError when none of the preview range is keyed."""
    first, last = np.ceil(keyed[0]), np.floor(keyed[-1])
    if scene.use_preview_range:
        first, last = max(first, scene.frame_preview_start), min(last, scene.frame_preview_end)
        if first > last:
            message = "The character is not keyed in the marked range."
            raise InputError("outside", message, "Mark another range in the timeline, or none.")
    return np.arange(first, max(first, last) + 1.0)


def _pair(skeleton: Skeleton, channels: PoseChannels) -> tuple[Skeleton, PoseChannels]:
    rows = [skeleton.index(ROOT_BONE), skeleton.index(HIPS)]
    return skeleton.part((ROOT_BONE, HIPS)), PoseChannels(channels.locations[:, rows], channels.quaternions[:, rows])


def _travel(skeleton: Skeleton, channels: PoseChannels) -> str:
    return travel_of(*_pair(skeleton, channels))


def _with_travel_on_hips(skeleton: Skeleton, channels: PoseChannels) -> PoseChannels:
    moved, locations = relocate_travel(*_pair(skeleton, channels), "hips"), channels.locations.copy()
    locations[:, skeleton.index(ROOT_BONE)], locations[:, skeleton.index(HIPS)] = moved.root, moved.hips
    return PoseChannels(locations, channels.quaternions)


def _write(bag: Any, skeleton: Skeleton, keyed: list[tuple[str, Channel]], keys: PoseChannels, frames: Array) -> None:
    for name, channel in keyed:
        values = keys.locations if channel == "location" else keys.quaternions
        write_channel(bag, name, channel, frames, values[:, skeleton.index(name)])


def _set_cycle(action: Any, frames: Array) -> None:
    action.use_frame_range = True
    action.frame_start, action.frame_end = frames[0], frames[-1]
    action.use_cyclic = True
