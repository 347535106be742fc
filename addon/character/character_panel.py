"""The panel of the active character: what it is, how its capture went, what can be corrected."""

from typing import Any

import bpy

from ..capture.correct import draw_corrections
from ..capture.refit import Refit
from ..sidebar import Sidebar
from ..text_lines import draw_lines
from .body_choice import LICENCE_TEXT
from .character import LICENCE, REPORT, SOURCE, WARNINGS, active_character
from .look_through import LookThroughCamera


class REEL2RIG_PT_character(Sidebar, bpy.types.Panel):  # noqa: N801 - Blender's naming rule
    """The active character."""

    bl_label = "Character"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only with a character of ours."""
        return active_character(context) is not None

    def draw(self, context: Any) -> None:
        """What it is and what it may be used for, how the capture went, and what can be corrected."""
        rig: Any = active_character(context)
        column = self.layout.column()
        column.label(text=rig.name, icon="ARMATURE_DATA", translate=False)
        for line in _facts(rig, context.scene):
            draw_lines(column, line)
        for warning in filter(None, rig.get(WARNINGS, "").split("\n")):
            draw_lines(column, warning, "ERROR")
        _draw_report(self.layout, rig)
        column = self.layout.column()
        column.operator(LookThroughCamera.bl_idname, icon="VIEW_CAMERA")
        column.operator(Refit.bl_idname, icon="FILE_REFRESH")
        header, body = self.layout.panel("reel2rig_corrections", default_closed=False)
        header.label(text="Corrections")
        if body is not None:
            draw_corrections(body.column(), context, rig)


def _draw_report(layout: Any, rig: Any) -> None:
    """How the capture went, as kept with the character."""
    lines = [line for line in rig.get(REPORT, "").split("\n") if line]
    if not lines:
        return
    header, body = layout.panel("reel2rig_report", default_closed=False)
    header.label(text="Capture Report")
    if body is not None:
        column = body.column(align=True)
        for line in lines:
            draw_lines(column, line)


def _facts(rig: Any, scene: Any) -> list[str]:
    """Licence, source and length, one line each; a capture's report tells the licence, too."""
    facts = [] if rig.get(REPORT) else [f"Licence: {LICENCE_TEXT.get(rig[LICENCE], rig[LICENCE])}"]
    if rig.get(SOURCE):
        facts.append(f"From: {rig[SOURCE].split(' sha256:')[0]}")
    action = rig.animation_data.action if rig.animation_data else None
    if action is not None:
        first, last = action.frame_range
        seconds = (last - first) * scene.render.fps_base / scene.render.fps
        facts.append(f"Frames: {first:g} - {last:g}, {seconds:.2f} s")
    return facts
