"""Operator Export for Games: the active character to FBX or GLB, read back and checked."""

# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any, Final

import bpy
from bpy_extras.io_utils import ExportHelper

from ..lifter.errors import CaptureError
from .character import EXPORT, active_character
from .export import export_character
from .export_targets import TARGETS, Format

TARGET_ITEMS: Final = [(key, target.label, target.description) for key, target in TARGETS.items()]
FORMAT_ITEMS: Final = [
    ("AUTO", "As the Engine Likes", "The engine's usual format"),
    ("FBX", "FBX", "Autodesk FBX, binary"),
    ("GLB", "glTF Binary", "One .glb file"),
]


def _character(context: Any) -> Any:
    """The active character; poll has seen that there is one."""
    return active_character(context)


def chosen_format(target: str, file_format: str) -> Format:
    """The format to write: the one asked for, or the engine's usual one for "AUTO"."""
    return TARGETS[target].default_format if file_format == "AUTO" else ("GLB" if file_format == "GLB" else "FBX")


class ExportGame(bpy.types.Operator, ExportHelper):
    """Write the character for a game engine, read the file back and compare it with the rig"""

    bl_idname = "reel2rig.export_game"
    bl_label = "Export for Games"
    bl_options = {"REGISTER"}  # noqa: RUF012 - the file is its only effect

    filename_ext = ""
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.fbx;*.glb", options={"HIDDEN"})
    target: bpy.props.EnumProperty(name="Engine", items=TARGET_ITEMS, default="unity")
    file_format: bpy.props.EnumProperty(name="Format", items=FORMAT_ITEMS, default="AUTO")

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs a character of ours."""
        if active_character(context) is None:
            cls.poll_message_set("Select a character made by Reel2Rig")
            return False
        return True

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask for a file named after the character."""
        if not self.filepath:
            self.filepath = bpy.path.clean_name(_character(context).name) + self._suffix()
        return ExportHelper.invoke(self, context, event)

    def check(self, _context: Any) -> bool:
        """Keep the ending in step with engine and format while the file browser is open."""
        path = str(Path(self.filepath).with_suffix(self._suffix()))
        changed, self.filepath = path != self.filepath, path
        return changed

    def execute(self, context: Any) -> set[str]:
        """Export and check; the figures stay with the character for the panel."""
        rig = _character(context)
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(self._suffix())
        try:
            report = export_character(
                rig, path, self.target, chosen_format(self.target, self.file_format), context.scene
            )
        except CaptureError as error:
            self.report({"ERROR"}, f"{error.message} {error.hint}")
            return {"CANCELLED"}
        rig[EXPORT] = f"{path.name}: {report.sentence()}"
        self.report({"INFO"}, rig[EXPORT])
        return {"FINISHED"}

    def _suffix(self) -> str:
        return "." + chosen_format(self.target, self.file_format).lower()
