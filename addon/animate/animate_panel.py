"""The panel Animate: what an animator does with a captured character's keys and bones."""

from typing import Any, Final

import bpy

from ..character.animated_character import animated_armature, has_control_rig
from ..sidebar import Sidebar
from .control_rig_operators import AddControlRig, BakeToDeformBones
from .control_rig_table import FK, LIMBS, SWITCH, TWEAKS
from .fit_sliders import FitSliders
from .make_loop import MakeLoop
from .match_controls import MatchControls
from .move_travel import MoveTravel
from .reduce_keys import ReduceKeys
from .shape_keys import AddPoseCorrectives, AddShapeKeys


class REEL2RIG_PT_animate(Sidebar, bpy.types.Panel):  # noqa: N801 - Blender's naming rule
    """The active character's keys and bones."""

    bl_label = "Animate"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only with an armature that has an action."""
        return animated_armature(context) is not None

    def draw(self, context: Any) -> None:
        """The operators, each with its options in the box at the bottom left after it ran."""
        rig, column = animated_armature(context), self.layout.column()
        if rig is not None and has_control_rig(rig):
            column.operator(BakeToDeformBones.bl_idname, icon="ARMATURE_DATA")
            column.operator(ReduceKeys.bl_idname, icon="IPO_BEZIER")
            column.operator(MatchControls.bl_idname, icon="SNAP_ON")
            for limb in LIMBS:
                target = rig.pose.bones.get(limb.target)
                if target is not None and SWITCH in target:
                    column.prop(target, f'["{SWITCH}"]', text=limb.label, slider=True)
            for collection in rig.data.collections:
                if collection.name in (FK, TWEAKS):
                    column.prop(collection, "is_visible", text=collection.name, toggle=True)
            return
        column.operator(AddControlRig.bl_idname, icon="ARMATURE_DATA")
        column.operator(ReduceKeys.bl_idname, icon="IPO_BEZIER")
        column.operator_menu_enum(MoveTravel.bl_idname, "travel", text="Root Motion")
        column.operator(MakeLoop.bl_idname, icon="FILE_REFRESH")
        column.operator(AddShapeKeys.bl_idname, icon="SHAPEKEY_DATA")
        column.operator(AddPoseCorrectives.bl_idname, icon="MOD_MESHDEFORM")
        if FitSliders.poll(context):
            column.operator(FitSliders.bl_idname, icon="ARROW_LEFTRIGHT")


ANIMATE_CLASSES: Final[tuple[type, ...]] = (
    ReduceKeys,
    MoveTravel,
    MakeLoop,
    AddControlRig,
    BakeToDeformBones,
    MatchControls,
    AddShapeKeys,
    AddPoseCorrectives,
    FitSliders,
    REEL2RIG_PT_animate,
)
