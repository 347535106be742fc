"""What the operators of the panel Animate have in common: the armature they work on, errors and their report."""

from typing import Any, Final

import bpy

from ...lifter.errors import CaptureError, InputError
from ...smpl_assets.skeleton import JOINT_NAMES
from ..text_lines import explained, translated
from .character import active_character, is_character
from .delete_character import is_linked
from .rest_pose import ROOT_BONE
from .rig import leave_edit_modes

CONTROL_RIG: Final = "reel2rig_control_rig"
LINKED: Final = "The character is linked: open the file that it is in"


def has_control_rig(rig: Any) -> bool:
    """Whether the rig's bones follow controls made by Add Control Rig."""
    return CONTROL_RIG in rig


def animated_character(context: Any) -> Any | None:
    """The armature that the user means, when it is a character of ours and has an action."""
    rig = animated_armature(context)
    return rig if is_character(rig) else None


def animated_armature(context: Any) -> Any | None:
    """The active armature, or that of the active mesh, whoever made it, else the character; when it has an action."""
    active = context.view_layer.objects.active
    meant = (active, active.parent) if active is not None else ()
    armatures = [item for item in meant if item is not None and item.type == "ARMATURE"]
    rig = armatures[0] if armatures else active_character(context)
    return rig if _has_action(rig) else None


def is_held_by_a_library(rig: Any) -> bool:
    """Whether the animated ``rig`` has keys, or a character of ours has bones, that another file holds."""
    ours = is_character(rig) and (is_linked(rig) or rig.data.library is not None)
    return ours or rig.animation_data.action.library is not None


def may_change(cls: Any, rig: Any | None, nobody: str) -> bool:
    """The poll of an operator ``cls`` that changes keys of ``rig``; ``nobody``: what it says where there is none."""
    reason = nobody if rig is None else LINKED if is_held_by_a_library(rig) else None
    if reason is not None:
        cls.poll_message_set(translated(reason))
    return reason is None


def check_bones(rig: Any) -> None:
    """Raise InputError when a character of ours has lost bones, or bones that turn otherwise than by quaternions."""
    missing = [name for name in (ROOT_BONE, *JOINT_NAMES) if name not in rig.data.bones]
    if missing:
        message = f"{rig.name} has no bone {', '.join(missing)} any more."
        raise InputError("bones_missing", message, "Undo the renaming, or import the motion as a new character.")
    odd = [name for name in (ROOT_BONE, *JOINT_NAMES) if rig.pose.bones[name].rotation_mode != "QUATERNION"]
    if odd:
        message = f"The bone {odd[0]} of {rig.name} does not turn by quaternions."
        raise InputError("not_quaternions", message, "Turn the keys into quaternions (Pose > Convert Rotation Modes).")


def _has_action(rig: Any) -> bool:
    return rig is not None and rig.animation_data is not None and rig.animation_data.action is not None


class OnKeyedBones:
    """Mixin for operators that change the keys of deform bones. ``change`` does it and returns what to report."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it
    report: Any
    poll_message_set: Any

    @classmethod
    def armature(cls, context: Any) -> Any | None:
        """The armature to work on, or None."""
        return animated_character(context)

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs an animated character whose own bones are keyed."""
        rig = cls.armature(context)
        if rig is not None and has_control_rig(rig):
            cls.poll_message_set(translated("Bake the control rig to the deform bones first"))
            return False
        return may_change(cls, rig, "Select an animated character made by Reel2Rig")

    def execute(self, context: Any) -> set[str]:
        """Change the keys and say what was done; an error leaves everything as it was, and Pose Mode stays."""
        rig: Any = self.armature(context)
        posing = rig.mode == "POSE" and rig == context.view_layer.objects.active
        leave_edit_modes()
        try:
            if is_character(rig):
                check_bones(rig)
            sentence = self.change(context, rig)
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        finally:
            if posing:
                bpy.ops.object.mode_set(mode="POSE")
        self.report({"INFO"}, sentence)
        return {"FINISHED"}

    def change(self, context: Any, rig: Any) -> str:
        """Do it to ``rig``; returns a sentence with the figures."""
        raise NotImplementedError


class OnControlRig:
    """Mixin for operators that work on a character with a control rig of ours."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it
    poll_message_set: Any

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs a character of this file with a control rig."""
        rig = animated_character(context)
        controlled = rig if rig is not None and has_control_rig(rig) else None
        return may_change(cls, controlled, "Select a character with a control rig")
