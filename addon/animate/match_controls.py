"""Operator Match IK and FK: before a limb is switched, both kinds of its controls are put where the limb is."""

from typing import Any

import bpy
import numpy as np

from ...lifter.errors import CaptureError, InputError
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.action_curves import skeleton_of
from ..character.animated_character import OnControlRig, animated_character
from ..character.posed_skeleton import Pose, channels_of
from ..character.rest_pose import ROOT_BONE
from ..text_lines import explained, filled
from .control_rig import check_controls
from .control_rig_bake import control_pose
from .control_rig_table import LIMBS, Limb, fk, tweak
from .key_reduction import Channel


class MatchControls(OnControlRig, bpy.types.Operator):
    """Put IK and FK controls of all limbs where the limbs are in this frame, so that switching does not move them"""

    bl_idname = "reel2rig.match_controls"
    bl_label = "Match IK and FK"

    def execute(self, context: Any) -> set[str]:
        """Key the limbs' controls in the current frame."""
        rig: Any = animated_character(context)
        try:
            count = match_controls(rig, context.evaluated_depsgraph_get(), context.scene.frame_current_final)
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        self.report({"INFO"}, filled("{count} controls are keyed where the limbs are", count=count))
        return {"FINISHED"}


def match_controls(rig: Any, depsgraph: Any, frame: float) -> int:
    """Key the controls of ``rig``'s limbs at ``frame`` for the pose that ``depsgraph`` shows; returns how many.

    Raises InputError when some are missing, or the rest position is shown.
    """
    check_controls(rig)
    if rig.data.pose_position == "REST":
        message = f"{rig.name} is shown in its rest position."
        raise InputError("rest_position", message, "Choose Pose Position in the settings of its armature.")
    skeleton = skeleton_of(rig)
    body = skeleton.part((ROOT_BONE, *JOINT_NAMES))
    posed = rig.evaluated_get(depsgraph).pose.bones
    matrices = np.array([posed[name].matrix for name in body.names], dtype=np.float64)[None]
    shown = Pose(matrices[..., :3, :3], matrices[..., :3, 3])
    keys = channels_of(skeleton, control_pose(skeleton, body, shown))
    channels = [pair for limb in LIMBS for pair in _channels(limb)]
    for name, channel in channels:
        values = keys.locations if channel == "location" else keys.quaternions
        _key(rig.pose.bones[name], channel, values[0, skeleton.index(name)], frame)
    return len({name for name, _ in channels})


def _channels(limb: Limb) -> list[tuple[str, Channel]]:
    turned = [*map(fk, limb.bones), limb.target, tweak(limb.upper), tweak(limb.lower)]
    return [*((name, "rotation_quaternion") for name in turned), (limb.target, "location"), (limb.pole, "location")]


def _key(bone: Any, channel: Channel, values: Array, frame: float) -> None:
    if channel == "rotation_quaternion" and np.dot(values, bone.rotation_quaternion) < 0:
        values = -values  # the same turn, near the keys beside it
    setattr(bone, channel, values.tolist())
    bone.keyframe_insert(channel, frame=frame, group=bone.name)
