"""The panel Export: the way out to a game, and how far the last file was from the character."""

from typing import Any

import bpy

from ..character.character import EXPORT
from ..sidebar import Sidebar
from ..text_lines import draw_lines
from .export_game import ExportAll, ExportGame, exported_armature


class REEL2RIG_PT_export(Sidebar, bpy.types.Panel):  # noqa: N801 - Blender's naming rule
    """The active character's way into a game."""

    bl_label = "Export"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only with an animated armature."""
        return exported_armature(context) is not None

    def draw(self, context: Any) -> None:
        """Engine, format, the buttons, and the figures of the last file."""
        rig: Any = exported_armature(context)
        settings, column = context.scene.reel2rig, self.layout.column()
        column.use_property_split = True
        column.prop(settings, "target")
        column.prop(settings, "file_format")
        for operator, icon in ((ExportGame, "EXPORT"), (ExportAll, "DUPLICATE")):
            button = column.operator(operator.bl_idname, icon=icon)
            button.target, button.file_format = settings.target, settings.file_format
        for number, figure in enumerate(filter(None, str(rig.get(EXPORT, "")).split(", "))):
            draw_lines(column, figure, "BLANK1" if number else "CHECKMARK")
