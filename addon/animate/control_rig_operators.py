"""Operators Add Control Rig and Bake to Deform Bones."""

from typing import Any

import bpy

from ...lifter.errors import CaptureError
from ..character.animated_character import (
    OnControlRig,
    OnKeyedBones,
    animated_character,
)
from ..character.rig import leave_edit_modes
from ..text_lines import explained, filled
from .control_rig_bake import bake_to_deform_bones, put_on_controls


class AddControlRig(OnKeyedBones, bpy.types.Operator):
    """Add controls for posing (IK and FK hands and feet, hips, spine, head) with the captured motion on them"""

    bl_idname = "reel2rig.add_control_rig"
    bl_label = "Add Control Rig"

    def change(self, context: Any, rig: Any) -> str:
        """Controls and their keys."""
        count = put_on_controls(rig, context.scene)
        return filled("{count} frames are on the controls; pose them in Pose Mode", count=count)


class BakeToDeformBones(OnControlRig, bpy.types.Operator):
    """Key the character's own bones as the controls hold them, and remove the control rig"""

    bl_idname = "reel2rig.bake_control_rig"
    bl_label = "Bake to Deform Bones"

    def execute(self, context: Any) -> set[str]:
        """Bake every frame and clean up."""
        leave_edit_modes()
        try:
            count = bake_to_deform_bones(animated_character(context), context.scene)
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        self.report({"INFO"}, filled("{count} frames are on the character's own bones", count=count))
        return {"FINISHED"}
