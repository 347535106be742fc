"""What the panel shows while captures are not set up: why, what set-up would fetch, the buttons, and its progress."""

from typing import Any

import bpy

from ...lifter.errors import CaptureError
from ..preferences import ADDON
from ..text_lines import draw_lines, explained, translated
from ..workers.progress_text import stage_text
from .environment_state import State
from .set_up_capture import (
    OFFLINE,
    CancelSetUp,
    SetUpCapture,
    SetUpFromWheels,
    plan_in_words,
    set_up_progress,
)


def draw_set_up(column: Any, settings: Any, state: State) -> None:
    """Progress while a set-up runs, else what is missing and the one button that helps."""
    running = set_up_progress()
    if running is not None:
        progress, line = running
        said = f"{translated('Setting up')}: {stage_text(progress)}"
        column.progress(factor=progress.factor, text=said)
        column.label(text=line, translate=False)
        column.operator(CancelSetUp.bl_idname, icon="CANCEL")
        return
    if state.kind == "broken":
        draw_lines(column, f"The packages for captures are broken: {state.reason}", "ERROR")
    else:
        draw_lines(column, "Captures need packages of their own.", "INFO")
    try:
        _draw_ways(column, settings, translated("Repair") if state.kind == "broken" else SetUpCapture.bl_label)
    except CaptureError as error:
        draw_lines(column, explained(error), "ERROR")
    own = column.operator("preferences.addon_show", text="Use an Existing Environment", icon="PREFERENCES")
    own.module = ADDON


def _draw_ways(column: Any, settings: Any, name: str) -> None:
    """What set-up would fetch and its buttons. Raises CaptureError where it cannot be."""
    plan = plan_in_words(settings.set_up_device)
    column.prop(settings, "set_up_device")
    for line in plan:
        draw_lines(column, line)
    if not bpy.app.online_access:
        draw_lines(column, OFFLINE, "INTERNET_OFFLINE")
    button = column.operator(SetUpCapture.bl_idname, text=name, icon="IMPORT")
    button.device = settings.set_up_device
    column.operator(SetUpFromWheels.bl_idname, icon="FILE_FOLDER").device = settings.set_up_device
