"""Operators Retarget, Guess Bone Map, Save Bone Map, Load Bone Map and Add Twist Bone."""

# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ...lifter.errors import CaptureError
from ..character.rig import leave_edit_modes
from ..text_lines import explained, filled
from .bone_map import BoneMap, check_map, missing_joints, read_map, write_map
from .bone_map_guess import BY_ITSELF, guess_bone_map
from .bone_map_names import TWISTING
from .retarget_characters import retarget_characters
from .retarget_rig import read_tree
from .retarget_settings import CONVENTION_ITEMS, LABELS, chosen_source, chosen_targets


class RetargetCapture(bpy.types.Operator):
    """Move the selected characters as the captured one moves; each gets a new action"""

    bl_idname = "reel2rig.retarget"
    bl_label = "Retarget"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    @classmethod
    def poll(cls, context: Any) -> bool:
        """With a capture and another armature selected."""
        if chosen_source(context) is None:
            cls.poll_message_set("Import a capture first, or choose which one to take the motion from")
            return False
        if not chosen_targets(context):
            cls.poll_message_set("Select the armature of the character that is to move")
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Retarget onto all selected armatures, or none."""
        settings, source = context.scene.reel2rig_retarget, chosen_source(context)
        rigs = chosen_targets(context)
        try:
            if context.mode != "POSE":  # who poses goes on posing
                leave_edit_modes()
            maps = [_shown_map(rig, settings.convention) for rig in rigs]
            reports = retarget_characters(context.scene, source, list(zip(rigs, maps, strict=True)), settings.options())
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        for warning in dict.fromkeys(text for report in reports for text in report.warnings):
            self.report({"WARNING"}, warning)
        says = "Retargeted onto {count} character(s), {frames} frames"
        self.report({"INFO"}, filled(says, count=len(reports), frames=reports[0].frame_count))
        return {"FINISHED"}


class GuessBoneMap(bpy.types.Operator):
    """Find out which of the selected characters' bones are hips, legs, spine, arms and head"""

    bl_idname = "reel2rig.guess_bone_map"
    bl_label = "Guess Bone Map"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    convention: bpy.props.EnumProperty(
        name="Bone Names",
        description="How the character's bones are named",
        items=CONVENTION_ITEMS,
        default=BY_ITSELF,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """With an armature selected that is no capture."""
        return _has_target(cls, context)

    def execute(self, context: Any) -> set[str]:
        """Fill the maps of all selected armatures."""
        for rig in chosen_targets(context):
            try:
                bone_map = guess_bone_map(read_tree(rig), self.convention)
            except CaptureError as error:
                self.report({"ERROR"}, f"{rig.name}: {explained(error)}")
                return {"CANCELLED"}
            rig.reel2rig_bone_map.fill(bone_map)
            lacking = missing_joints(bone_map)
            without = f", without {', '.join(lacking)}" if lacking else ""
            self.report({"INFO"}, f"{rig.name}: {bone_map.label}, {len(bone_map.joints)} bones{without}")
        return {"FINISHED"}


class SaveBoneMap(bpy.types.Operator, ExportHelper):
    """Save the active character's bone map as a file, to use it again for others"""

    bl_idname = "reel2rig.save_bone_map"
    bl_label = "Save Bone Map"

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """With an armature selected whose map is filled."""
        if not _has_target(cls, context):
            return False
        if not chosen_targets(context)[0].reel2rig_bone_map.rows:
            cls.poll_message_set("Guess or load a bone map first")
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Write the map, whole or not at all."""
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(".json")
        try:
            write_map(path, chosen_targets(context)[0].reel2rig_bone_map.bone_map())
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Saved {path.name}")
        return {"FINISHED"}


class LoadBoneMap(bpy.types.Operator, ImportHelper):
    """Use a saved bone map for the selected characters"""

    bl_idname = "reel2rig.load_bone_map"
    bl_label = "Load Bone Map"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """With an armature selected that is no capture."""
        return _has_target(cls, context)

    def execute(self, context: Any) -> set[str]:
        """Fill the maps of all selected armatures, if they have its bones."""
        rigs = chosen_targets(context)
        try:
            bone_map = read_map(Path(bpy.path.abspath(self.filepath)))
            for rig in rigs:
                check_map(bone_map, rig.data.bones.keys())
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        for rig in rigs:
            rig.reel2rig_bone_map.fill(bone_map)
        return {"FINISHED"}


class AddTwistBone(bpy.types.Operator):
    """Add a line for a bone that shares a limb's twist; lines without a bone do not count"""

    bl_idname = "reel2rig.add_twist_bone"
    bl_label = "Add Twist Bone"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    limb: bpy.props.EnumProperty(
        name="Limb",
        description="Limb whose twist the bone shares",
        items=[(name, LABELS[name], "") for name in TWISTING],
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """With an armature selected that is no capture."""
        return _has_target(cls, context)

    def execute(self, context: Any) -> set[str]:
        """Add the line to the active character's map."""
        row = chosen_targets(context)[0].reel2rig_bone_map.twist.add()
        row.name = self.limb
        return {"FINISHED"}


def _has_target(cls: Any, context: Any) -> bool:
    if not chosen_targets(context):
        cls.poll_message_set("Select the armature of the character that is to move")
        return False
    return True


def _shown_map(rig: Any, convention: str) -> BoneMap:
    """The map that the panel shows for ``rig``; guessed, and shown from now on, when there is none yet."""
    settings = rig.reel2rig_bone_map
    if not settings.rows:
        settings.fill(guess_bone_map(read_tree(rig), convention))
    return settings.bone_map()
