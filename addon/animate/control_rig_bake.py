"""Captured motion onto the controls, in one go, and the posed rig back to keys of SMPL's bones."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.action_curves import (
    action_of,
    bone_curves,
    curve_path,
    curves_of,
    frames_of,
    have_linear_keys_on,
    new_action,
    other_curves,
    read_channels,
    refuse_tweaking,
    repeat_for_ever,
    repeats,
    skeleton_of,
    values_at,
    whole_frames,
    write_channel,
    write_curve,
)
from ..character.animated_character import CONTROL_RIG
from ..character.posed_skeleton import Pose, PoseChannels, Skeleton, channels_of, pose_of
from ..character.rest_pose import ROOT_BONE
from .control_rig import add_control_rig, added_bones, all_controls, remove_control_rig
from .control_rig_pose import limb_pose
from .control_rig_table import LIMBS, Limb, mechanism, tweak
from .key_reduction import Channel

ON_CONTROLS: Final = "controls"
BAKED: Final = "posed"
EVEN: Final = 1.001  # scales of the axes may differ by this factor


def put_on_controls(rig: Any, scene: Any) -> int:
    """Add the control rig to ``rig`` and key its motion on the controls in an action of its own; returns the frames.

    The old action is kept. Raises CaptureError when the rig has no action, InputError when it is hidden or tweaked,
    mirrored or stretched, or its bones have no keys, the names of controls, or are another object's, too.
    """
    _refuse_out_of_reach(rig)
    _refuse_what_spoils_controls(rig)
    action, bag, captured = action_of(rig), curves_of(rig), skeleton_of(rig)
    curves = bone_curves(bag, captured.names)
    frames = frames_of(rig, curves.values())
    if not have_linear_keys_on(curves.values(), frames):
        frames = whole_frames(frames)
    channels = read_channels(rig, captured, bag, frames)
    add_control_rig(rig, scene)
    skeleton = skeleton_of(rig)
    pose = control_pose(skeleton, captured, pose_of(captured, channels))
    keys = channels_of(skeleton, pose)
    rig[CONTROL_RIG] = action.name
    action.use_fake_user = True
    made = new_action(rig, f"{action.name} {ON_CONTROLS}")
    stay: list[tuple[str, Channel]] = sorted(
        {(name, channel) for name, channel, _ in curves if name not in JOINT_NAMES}
    )
    _write(made, skeleton, keyed_controls() + stay, keys, frames)
    _copy_curves(other_curves(bag, captured.names), made, frames)
    _copy_cycle(action, bag, action_of(rig), made)
    _stand_still(rig, JOINT_NAMES)
    return len(frames)


def bake_to_deform_bones(rig: Any, scene: Any) -> int:
    """Key SMPL's bones as the controls hold them in an action of its own, and remove the control rig; returns frames.

    What counts is the pose that Blender evaluates, with everything the animator added. Raises CaptureError when the
    rig has no action, InputError when it is hidden or tweaked, or its bones have no keys or are another object's, too.
    """
    _refuse_out_of_reach(rig)
    bag = curves_of(rig)
    names = tuple(bone.name for bone in rig.data.bones)
    frames = whole_frames(frames_of(rig, bone_curves(bag, names).values()))
    full = skeleton_of(rig)
    skeleton = full.part((ROOT_BONE, *JOINT_NAMES))
    keys = channels_of(skeleton, _evaluated_pose(rig, scene, full, skeleton.names, frames))
    controls = action_of(rig)
    made = new_action(rig, f"{rig[CONTROL_RIG]} {BAKED}")
    pairs = _all("location", (ROOT_BONE, "pelvis")) + _all("rotation_quaternion", (ROOT_BONE, *JOINT_NAMES))
    _write(made, skeleton, pairs, keys, frames)
    replaced = tuple(curve_path(name, "") for name in (ROOT_BONE, *JOINT_NAMES, *added_bones()))
    _copy_curves([curve for curve in bag.fcurves if not curve.data_path.startswith(replaced)], made, frames)
    _copy_cycle(controls, bag, action_of(rig), made)
    remove_control_rig(rig)
    del rig[CONTROL_RIG]
    if not controls.users:
        bpy.data.actions.remove(controls)
    return len(frames)


def keyed_controls() -> list[tuple[str, Channel]]:
    """Bones and channels that hold the motion while the control rig is there."""
    poles, targets = [limb.pole for limb in LIMBS], [limb.target for limb in LIMBS]
    tweaks = [tweak(bone) for limb in LIMBS for bone in (limb.upper, limb.lower)]
    turned = [*(control.name for control in all_controls()), *targets, *tweaks]
    return _all("location", ("pelvis_ctrl", *targets, *poles)) + _all("rotation_quaternion", turned)


def _all(channel: Channel, names: Iterable[str]) -> list[tuple[str, Channel]]:
    return [(name, channel) for name in names]


def control_pose(skeleton: Skeleton, captured: Skeleton, pose: Pose) -> Pose:
    """Axes and heads of all bones of the control rig for a ``pose`` of the captured ones."""
    count = len(pose.heads)
    axes, heads = np.tile(skeleton.axes, (count, 1, 1, 1)), np.tile(skeleton.heads, (count, 1, 1))
    stands_on = {name: name for name in captured.names} | {item.name: item.bone for item in all_controls()}
    for name, bone in stands_on.items():
        axes[:, skeleton.index(name)] = pose.axes[:, captured.index(bone)]
        heads[:, skeleton.index(name)] = pose.heads[:, captured.index(bone)]
    for limb in LIMBS:
        _pose_limb(skeleton, limb, axes, heads)
    return Pose(axes, heads)


def _pose_limb(skeleton: Skeleton, limb: Limb, axes: Array, heads: Array) -> None:
    """Fill in axes and heads of the limb's IK bones from those of its SMPL bones, in place."""
    upper, lower, end = (skeleton.index(name) for name in limb.bones)
    begin = heads[:, upper]
    found = limb_pose(begin, heads[:, lower], heads[:, end], limb.side * axes[:, upper, :, 2])
    for name, turned, place in (
        (limb.target, axes[:, end], found.target),
        (limb.pole, np.eye(3), found.pole),
        (limb.aim, found.aim, begin),
        (mechanism(limb.upper), found.upper, begin),
        (mechanism(limb.lower), found.lower, found.middle),
        (tweak(limb.upper), axes[:, upper], begin),
        (tweak(limb.lower), axes[:, lower], found.middle),
    ):
        axes[:, skeleton.index(name)], heads[:, skeleton.index(name)] = turned, place


def _write(bag: Any, skeleton: Skeleton, pairs: list[tuple[str, Channel]], keys: PoseChannels, frames: Array) -> None:
    for name, channel in pairs:
        values = keys.locations if channel == "location" else keys.quaternions
        write_channel(bag, name, channel, frames, values[:, skeleton.index(name)])


def _copy_curves(curves: list[Any], target: Any, frames: Array) -> None:
    """Key what is no bone's own (the confidence, say) in the bag ``target`` on the same frames."""
    for curve in curves:
        write_curve(target.fcurves.new(curve.data_path, index=curve.array_index), frames, values_at(curve, frames))


def _copy_cycle(old: Any, old_bag: Any, new: Any, new_bag: Any) -> None:
    """A loop stays a loop."""
    new.use_frame_range, new.use_cyclic = old.use_frame_range, old.use_cyclic
    if old.use_frame_range:
        new.frame_start, new.frame_end = old.frame_start, old.frame_end
    if repeats(old_bag):
        repeat_for_ever(new_bag)


def _refuse_out_of_reach(rig: Any) -> None:
    """Raise InputError for a rig that cannot go into Edit Mode, is tweaked, or has bones that are another's, too."""
    refuse_tweaking(rig)
    others = [item.name for item in bpy.data.objects if item != rig and item.data == rig.data]
    if others:
        message = f"{rig.name} shares its bones with {others[0]}."
        raise InputError("shared", message, "Give it its own: Object > Relations > Make Single User > Object & Data.")
    if not rig.visible_get():
        raise InputError("hidden", f"{rig.name} is hidden.", "Show it in the viewport and its collection, then go on.")


def _refuse_what_spoils_controls(rig: Any) -> None:
    """Raise InputError for a rig that has bones called as controls are, or that is mirrored or stretched."""
    taken = [name for name in added_bones() if name in rig.data.bones]
    if taken:
        message = f"{rig.name} has a bone {taken[0]} already, as a control is called."
        raise InputError("name_taken", message, "Rename that bone and try again.")
    scale = np.array(rig.matrix_world.to_scale())
    if scale.min() <= 0 or scale.max() > EVEN * scale.min():
        message = f"{rig.name} is mirrored or stretched."
        raise InputError("stretched", message, "Give it and its parents the same positive scale on all axes.")


def _stand_still(rig: Any, names: tuple[str, ...]) -> None:
    """Bones that follow controls keep nothing of their own."""
    for name in names:
        bone = rig.pose.bones[name]
        bone.location, bone.rotation_quaternion = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)


def _evaluated_pose(rig: Any, scene: Any, full: Skeleton, names: tuple[str, ...], frames: Array) -> Pose:
    """The pose of the bones ``names`` at ``frames`` (T,) as Blender evaluates it."""
    order = [bone.name for bone in rig.pose.bones]
    rows = [order.index(name) for name in names]
    matrices = np.empty((len(frames), len(order), 4, 4), np.float32)
    flat = np.empty(16 * len(order), np.float32)
    with _alone(rig, scene) as stage:
        for number, frame in enumerate(frames.tolist()):
            stage.frame_set(int(np.floor(frame)), subframe=frame - np.floor(frame))
            posed = rig.evaluated_get(stage.view_layers[0].depsgraph)
            posed.pose.bones.foreach_get("matrix", flat)
            matrices[number] = flat.reshape(-1, 4, 4).swapaxes(-1, -2)  # Blender stores columns first
    chosen = matrices[:, rows].astype(np.float64)
    axes = chosen[..., :3, :3]
    return Pose(axes / np.linalg.norm(axes, axis=-2, keepdims=True), chosen[..., :3, 3])


@contextlib.contextmanager
def _alone(rig: Any, scene: Any) -> Iterator[Any]:
    """A scene with nothing but the rig, so that a frame costs no mesh; posed, also where its rest position is shown."""
    shown, rig.data.pose_position = rig.data.pose_position, "POSE"
    stage = bpy.data.scenes.new("Reel2Rig Bake")
    stage.render.fps, stage.render.fps_base = scene.render.fps, scene.render.fps_base
    try:
        stage.collection.objects.link(rig)
        yield stage
    finally:
        rig.data.pose_position = shown
        bpy.data.scenes.remove(stage)
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
