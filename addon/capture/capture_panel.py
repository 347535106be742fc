"""The sidebar tab "Reel2Rig": what captures are made of, and the panel that video and motion files come in by."""

# pyright: reportInvalidTypeForm=false

from typing import Any

import bpy

from ..character.import_motion import ImportMotion
from ..export.export_game import FORMAT_ITEMS, TARGET_ITEMS
from ..preferences import capture_state
from ..set_up.set_up_capture import DEVICES as SET_UP_DEVICES
from ..set_up.set_up_capture import set_up_progress
from ..set_up.set_up_panel import draw_set_up
from ..sidebar import Sidebar
from ..workers.failures import draw_failures
from ..workers.progress_text import pace_text, stage_text
from .capture_jobs import JOBS
from .capture_range import SceneRange, WholeClip
from .capture_settings import MAIN, MORE, CaptureSettings
from .import_video import CancelCapture, ImportVideo, RemoveFromQueue


class Reel2RigSettings(CaptureSettings, bpy.types.PropertyGroup):
    """What the panel hands to the operators; kept with the scene."""

    clip: bpy.props.StringProperty(
        name="Video",
        description="Video of a person",
        subtype="FILE_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    person: bpy.props.EnumProperty(
        name="Person",
        description="Whom to capture",
        items=[("largest", "Largest", "The person largest in the picture"), ("all", "All", "Everybody in the clip")],
        default="largest",
    )
    set_up_device: bpy.props.EnumProperty(
        name="Set Up for", description="What captures will run on", items=SET_UP_DEVICES, default="auto"
    )
    target: bpy.props.EnumProperty(name="Engine", items=TARGET_ITEMS, default="unity")
    file_format: bpy.props.EnumProperty(name="Format", items=FORMAT_ITEMS, default="AUTO")


class REEL2RIG_PT_capture(Sidebar, bpy.types.Panel):  # noqa: N801 - Blender's naming rule
    """Video and motion files in."""

    bl_label = "Capture"

    def draw(self, context: Any) -> None:
        """What runs and what went wrong, then set-up where it is needed, else source, options and button."""
        layout, settings = self.layout, context.scene.reel2rig
        _draw_jobs(layout.column())
        draw_failures(layout.column())
        state = capture_state()
        if not state.ready or set_up_progress() is not None:
            column = layout.column()
            column.use_property_split = True
            draw_set_up(column, settings, state)
        else:
            _draw_capture(layout, settings)
        layout.separator()
        layout.column().operator(ImportMotion.bl_idname, icon="ARMATURE_DATA")


def _draw_jobs(column: Any) -> None:
    """The running capture with its progress, and those that wait."""
    progress = JOBS.progress()
    if progress is not None and JOBS.job is not None:
        column.label(text=JOBS.job.name, icon="FILE_MOVIE", translate=False)
        column.progress(factor=progress.factor, text=stage_text(progress))
        if pace_text(progress):
            column.label(text=pace_text(progress), translate=False)
        column.operator(CancelCapture.bl_idname, icon="CANCEL")
    for number, job in enumerate(JOBS.waiting):
        row = column.row()
        row.label(text=job.name, icon="TIME", translate=False)
        row.operator(RemoveFromQueue.bl_idname, text="", icon="X").index = number


def _draw_capture(layout: Any, settings: Any) -> None:
    """What to capture and how."""
    column = layout.column()
    column.use_property_split = True
    for name in ("clip", "person", *MAIN):
        column.prop(settings, name)
    header, more = layout.panel("reel2rig_more_options", default_closed=True)
    header.label(text="More Options")
    if more is not None:
        more.use_property_split = True
        for name in MORE:
            more.prop(settings, name)
            if name == "end":
                row = more.row(align=True)
                row.operator(SceneRange.bl_idname)
                row.operator(WholeClip.bl_idname)
    button = layout.column().operator(ImportVideo.bl_idname, icon="FILE_MOVIE")
    button.filepath = settings.clip
    for name in ("person", *MAIN, *MORE):
        setattr(button, name, getattr(settings, name))
