"""Operator Look Through Camera: the character over the clip that it was captured from."""

from typing import Any

import bpy

from ..text_lines import translated
from .capture_collection import camera_of
from .character import active_character


class LookThroughCamera(bpy.types.Operator):
    """Look at this character through the camera that filmed it, with the clip behind it"""

    bl_idname = "reel2rig.look_through_camera"
    bl_label = "Look Through Camera"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs a character whose capture knows its camera."""
        rig = active_character(context)
        found = rig is not None and camera_of(rig) is not None
        if not found:
            cls.poll_message_set(translated("Select a character that came with its camera"))
        return found

    def execute(self, context: Any) -> set[str]:
        """Make it the scene's camera, and the 3D view's."""
        context.scene.camera = camera_of(active_character(context))
        area = context.area
        if area is not None and area.type == "VIEW_3D" and area.spaces.active.region_3d is not None:
            area.spaces.active.region_3d.view_perspective = "CAMERA"
        return {"FINISHED"}
