"""Operator Reduce Keys: fewer keys on the character, with a promise in millimetres that is measured afterwards."""

# pyright: reportInvalidTypeForm=false

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.rotation import Array
from ..character.action_curves import (
    Handles,
    bone_curves,
    curves_of,
    frames_of,
    key_points,
    read_channels,
    skeleton_of,
    values_at,
    write_curve,
)
from ..character.animated_character import (
    OnKeyedBones,
    animated_armature,
    has_control_rig,
    may_change,
)
from ..character.posed_skeleton import PoseChannels, Skeleton, pose_of
from ..character.scene_setup import frame_rate
from ..text_lines import filled
from .control_rig import OURS, check_controls, control_names
from .control_rig_shown import ShownBody
from .key_moments import moments_of
from .key_reduction import Channel, ReducedTrack, reduce_keys
from .measured_points import MeasuredPoints

MILLIMETRES: Final = 1000.0
FLAT: Final = 1e-6


@dataclass(frozen=True)
class KeyReport:
    """Keys on all curves before and after, and the greatest joint error in millimetres, measured on the new curves."""

    before: int
    after: int
    error_mm: float

    def sentence(self) -> str:
        """The figures for a person."""
        return filled(
            "{before:,} keys became {after:,}, joints stay within {error:.2f} mm",
            before=self.before,
            after=self.after,
            error=self.error_mm,
        )


def reduce_rig_keys(rig: Any, tolerance_mm: float, fps: float) -> KeyReport:
    """Thin out the keys of ``rig``'s action; heads, tails and points beside bones (for twist) stay
    within ``tolerance_mm`` at all keyed frames.

    Only location and quaternion curves of bones are touched. The error in the report comes from the new curves as
    Blender evaluates them. Raises CaptureError when there is no action, InputError when its bones have no keys or
    turn otherwise than by quaternions, or when controls are missing.
    """
    if has_control_rig(rig):
        check_controls(rig)
    full, bag = skeleton_of(rig), curves_of(rig)
    skeleton = full.part(control_names()) if has_control_rig(rig) else full
    curves = bone_curves(bag, skeleton.names)
    _refuse_what_is_not_keyed(rig, bag)
    frames = frames_of(rig, curves.values())
    before = sum(len(curve.keyframe_points) for curve in curves.values())
    channels = read_channels(rig, skeleton, bag, frames)
    pose = pose_of(skeleton, channels)
    shown = ShownBody(full, skeleton, channels) if has_control_rig(rig) else None
    keyed: list[tuple[int, Channel]] = sorted({(skeleton.index(name), channel) for name, channel, _ in curves})
    moments = moments_of(skeleton, channels, pose, frames / fps, keyed)
    scale = max(abs(factor) for factor in rig.matrix_world.to_scale())
    tolerance = tolerance_mm / MILLIMETRES / scale
    tracks = reduce_keys(skeleton, channels, frames, keyed, tolerance, moments, shown)
    after = sum(_write(track, skeleton, curves, frames) for track in tracks)
    reduced = _evaluated(skeleton, curves, frames, channels)
    own = MeasuredPoints.of(skeleton).apart(pose, pose_of(skeleton, reduced))
    error = scale * float((own if shown is None else shown.errors(reduced)).max())
    return KeyReport(before, after, MILLIMETRES * error)


class ReduceKeys(OnKeyedBones, bpy.types.Operator):
    """Keep as few keys as the tolerance allows, with smooth curves between them"""

    bl_idname = "reel2rig.reduce_keys"
    bl_label = "Reduce Keys"

    tolerance: bpy.props.FloatProperty(
        name="Tolerance (mm)",
        description="How far a joint may be from where it was, in millimetres",
        default=5.0,
        min=0.1,
        soft_max=50.0,
    )

    @classmethod
    def armature(cls, context: Any) -> Any | None:
        """Any armature with an action, not only characters of ours."""
        return animated_armature(context)

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs an animated armature; the keys may be on controls."""
        return may_change(cls, cls.armature(context), "Select an animated armature")

    def change(self, context: Any, rig: Any) -> str:
        """Thin out the keys."""
        return reduce_rig_keys(rig, self.tolerance, frame_rate(context.scene)).sentence()


def _refuse_what_is_not_keyed(rig: Any, bag: Any) -> None:
    """Raise InputError when something besides location and quaternion curves turns or moves the bones."""
    constraints = [(bone.name, item) for bone in rig.pose.bones for item in bone.constraints if not item.mute]
    held = [name for name, item in constraints if not item.name.startswith(OURS)]
    if held:
        message = f"The bones of {rig.name} follow constraints ({held[0]})."
        raise InputError("constraints", message, "Bake them to keys first (Pose > Animation > Bake Action).")
    odd = [
        curve for curve in bag.fcurves if curve.data_path.endswith(("rotation_euler", "rotation_axis_angle", "scale"))
    ]
    if any(curve.data_path.startswith("pose.bones") and not _is_flat(curve) for curve in odd):
        message = f"The bones of {rig.name} are keyed with Euler angles or scale."
        raise InputError("not_quaternions", message, "Turn the keys into quaternions (Pose > Convert Rotation Modes).")


def _is_flat(curve: Any) -> bool:
    return bool(np.ptp(key_points(curve)[:, 1]) < FLAT) if len(curve.keyframe_points) else True


def _write(track: ReducedTrack, skeleton: Skeleton, curves: dict[tuple[str, Channel, int], Any], frames: Array) -> int:
    """Put the track's keys on its curves; returns how many there are on all of them."""
    at, name, written = frames[track.keys], skeleton.names[track.bone], 0
    for component in range(track.values.shape[1]):
        curve = curves.get((name, track.channel, component))
        if curve is not None:
            write_curve(curve, at, track.values[:, component], _handles(track, component, at))
            written += len(at)
    return written


def _handles(track: ReducedTrack, component: int, at: Array) -> Handles:
    third = np.diff(at) / 3.0
    left, right = (np.column_stack([at, track.values[:, component]]) for _ in range(2))
    left[1:] = np.column_stack([at[1:] - third, track.arriving[:, component]])
    right[:-1] = np.column_stack([at[:-1] + third, track.leaving[:, component]])
    left[0, 0] -= 1.0
    right[-1, 0] += 1.0
    return Handles(left, right)


def _evaluated(
    skeleton: Skeleton, curves: dict[tuple[str, Channel, int], Any], frames: Array, channels: PoseChannels
) -> PoseChannels:
    """Channels with the curves as Blender evaluates them; what has none stays as in ``channels``."""
    locations, quaternions = channels.locations.copy(), channels.quaternions.copy()
    for (name, channel, component), curve in curves.items():
        target = locations if channel == "location" else quaternions
        target[:, skeleton.index(name), component] = values_at(curve, frames)
    return PoseChannels(locations, quaternions)
