"""The panel that moves the user's own characters as a capture moves, with their bone maps."""

from typing import Any, Final

import bpy

from ..sidebar import Sidebar
from .retarget_operator import AddTwistBone, GuessBoneMap, LoadBoneMap, RetargetCapture, SaveBoneMap
from .retarget_settings import LABELS, BoneMapRow, BoneMapSettings, RetargetSettings, chosen_source, chosen_targets

NOT_MISSED: Final = ("left_hand", "right_hand")  # hardly a character has one bone for all fingers


class REEL2RIG_PT_retarget(Sidebar, bpy.types.Panel):  # noqa: N801 - Blender's naming rule
    """Motion for the user's own characters."""

    bl_label = "Retarget"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender's own way of declaring it

    def draw(self, context: Any) -> None:
        """Whose motion, onto whom, how; and the active character's bone map."""
        settings, column = context.scene.reel2rig_retarget, self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(settings, "source")
        source, targets = chosen_source(context), chosen_targets(context)
        if source is not None and settings.source is None:
            column.label(text=source.name, icon="ARMATURE_DATA", translate=False)
        for rig in targets:
            column.label(text=rig.name, icon="FORWARD", translate=False)
        for name in ("feet", "hands", "travel"):
            column.prop(settings, name)
        column.operator(RetargetCapture.bl_idname, icon="CON_ARMATURE")
        if targets:
            _draw_map(self.layout, settings, targets[0])


def _draw_map(layout: Any, settings: Any, rig: Any) -> None:
    """The bone map of ``rig``, one line a joint; those without a bone, or with one that is not there, are marked."""
    header, body = layout.panel("reel2rig_bone_map", default_closed=True)
    shown = rig.reel2rig_bone_map
    header.label(text="Bone Map")
    if body is None:
        return
    column = body.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(settings, "convention")
    guess = column.operator(GuessBoneMap.bl_idname, icon="VIEWZOOM")
    guess.convention = settings.convention
    row = column.row(align=True)
    row.operator(LoadBoneMap.bl_idname, icon="FILE_FOLDER")
    row.operator(SaveBoneMap.bl_idname, icon="FILE_TICK")
    if shown.label:
        column.label(text=shown.label, icon="CHECKMARK")
    bones = rig.data.bones
    entries = {entry.name: entry for entry in shown.rows}
    for joint in (joint for joint in LABELS if joint in entries):
        entry = entries[joint]
        lacking = entry.bone not in bones and not (joint in NOT_MISSED and not entry.bone)
        row = column.row()
        row.alert = lacking
        row.prop_search(entry, "bone", rig.data, "bones", text=LABELS[joint], icon="ERROR" if lacking else "BONE_DATA")
    if shown.twist:
        column.label(text="Twist", icon="CON_ROTLIKE")
    for entry in shown.twist:
        column.prop_search(entry, "bone", rig.data, "bones", text=LABELS[entry.name], icon="BONE_DATA")
    if shown.rows:
        column.operator_menu_enum(AddTwistBone.bl_idname, "limb", text="Add Twist Bone")
        column.prop_search(shown, "root", rig.data, "bones", text="Root")
        column.prop_search(shown, "carrier", rig.data, "bones", text="Moved for the Hips")


RETARGET_CLASSES: Final[tuple[type, ...]] = (
    BoneMapRow,
    BoneMapSettings,
    RetargetSettings,
    RetargetCapture,
    GuessBoneMap,
    SaveBoneMap,
    LoadBoneMap,
    AddTwistBone,
    REEL2RIG_PT_retarget,
)
