"""Operators that choose which part of the video is captured."""

from typing import Any

import bpy

from ..character.scene_setup import scene_seconds
from ..text_lines import translated


class SceneRange(bpy.types.Operator):
    """Capture the part of the video that lies in the scene's frame range, or in the timeline's preview range"""

    bl_idname = "reel2rig.scene_range"
    bl_label = "Scene Range"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    def execute(self, context: Any) -> set[str]:
        """Set start and end."""
        scene = context.scene
        first, last = scene.frame_start, scene.frame_end
        if scene.use_preview_range:
            first, last = scene.frame_preview_start, scene.frame_preview_end
        end = scene_seconds(scene, last + 1)
        if end <= 0:
            self.report({"ERROR"}, translated("The range ends before the video begins, at frame 1"))
            return {"CANCELLED"}
        scene.reel2rig.start, scene.reel2rig.end = max(0.0, scene_seconds(scene, first)), end
        return {"FINISHED"}


class WholeClip(bpy.types.Operator):
    """Capture the whole video"""

    bl_idname = "reel2rig.whole_clip"
    bl_label = "Whole Video"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    def execute(self, context: Any) -> set[str]:
        """Forget start and end."""
        context.scene.reel2rig.start = context.scene.reel2rig.end = 0.0
        return {"FINISHED"}
