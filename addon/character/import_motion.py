"""Operator Import Motion: .npz files (ours or AMASS) become characters."""

# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any

import bpy
from bpy_extras.io_utils import ImportHelper

from ...lifter.errors import CaptureError
from ..preferences import body_file
from ..text_lines import explained, filled, translated
from .body_choice import body_from
from .character import import_motions
from .rig import leave_edit_modes


class ImportMotion(bpy.types.Operator, ImportHelper):
    """Make an animated character from a motion file (.npz, from a capture or AMASS)"""

    bl_idname = "reel2rig.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    filename_ext = ".npz"
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    clip: bpy.props.StringProperty(
        name="Clip", description="Video to show behind the camera", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    frame_rate: bpy.props.EnumProperty(
        name="Frame Rate",
        description="Which rate the scene has afterwards. The motion keeps its speed and lies on whole frames; "
        "changing the scene's rate later plays character and clip faster or slower together",
        items=[
            ("auto", "Automatic", "The motion's rate while nothing in the scene is animated, afterwards the scene's"),
            ("clip", "From Motion", "The scene takes the motion's rate, what is animated already changes its speed"),
            ("scene", "Keep Scene's", "The scene keeps its rate"),
        ],
        default="auto",
    )

    def execute(self, context: Any) -> set[str]:
        """Build the characters in the current scene and make the first one active."""
        try:
            body = body_from(body_file())
            leave_edit_modes()
            clip = Path(bpy.path.abspath(self.clip)) if self.clip else None
            characters = import_motions(context.scene, self._paths(), body, clip, self.frame_rate)
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        for item in context.view_layer.objects:
            item.select_set(False)
        characters[0].rig.select_set(True)
        context.view_layer.objects.active = characters[0].rig
        for warning in dict.fromkeys(text for character in characters for text in character.warnings):
            self.report({"WARNING"}, translated(warning))
        keys = sum(character.frame_count for character in characters)
        said = filled("Imported {characters} character(s), {frames} frames", characters=len(characters), frames=keys)
        self.report({"INFO"}, said)
        return {"FINISHED"}

    def _paths(self) -> list[Path]:
        names = [item.name for item in self.files if item.name]
        if names:
            return [Path(bpy.path.abspath(self.directory)) / name for name in names]
        return [Path(bpy.path.abspath(self.filepath))]
