"""Operator Import Video: capture a clip in a worker process, then import what it wrote."""

# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any, Final

import bpy
from bpy_extras.io_utils import ImportHelper

from ..lifter.errors import CaptureError, InputError
from .capture_settings import MAIN, MORE, CaptureSettings
from .follows_worker import FollowsWorker
from .preferences import body_file, capture_python
from .rig import leave_edit_modes
from .worker import CaptureOptions, Progress, Worker, capture_command

EXTENSIONS: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm")

_running: Worker | None = None


def running_progress() -> Progress | None:
    """How far the running capture is, or None when none runs."""
    return None if _running is None else _running.progress


def stop_running() -> None:
    """Kill the running capture, if any."""
    global _running
    if _running is not None:
        _running.cancel()
        _running = None


class ImportVideo(FollowsWorker, CaptureSettings, bpy.types.Operator, ImportHelper):
    """Capture the people in a video and make animated characters of them"""

    bl_idname = "reel2rig.import_video"
    bl_label = "Import Video"
    bl_options = {"REGISTER"}  # noqa: RUF012 - the import of the result is the step that can be undone

    cancelled = "Capture cancelled"
    escape_cancels = True

    filename_ext = ".mp4"
    filter_glob: bpy.props.StringProperty(default=";".join(f"*{end}" for end in EXTENSIONS), options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    folder: bpy.props.StringProperty(
        name="Capture Folder",
        description="Where the capture is written; left empty, a folder beside the video",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    person: bpy.props.StringProperty(name="Person", description="largest, all, or a person's number", default="largest")

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """One capture at a time."""
        if _running is not None:
            cls.poll_message_set("A capture is running")
        return _running is None

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask for a file, or start at once when the video is known (dropped, or from the panel)."""
        if not self.filepath:
            return ImportHelper.invoke(self, context, event)
        return self.execute(context)

    def execute(self, context: Any) -> set[str]:
        """In a window: start and watch. Without one: capture, wait and import."""
        global _running
        try:
            _running = self._start()
        except CaptureError as error:
            return self.fail(error)
        return self.follow(context, _running)

    def current(self) -> Worker | None:
        """The running capture."""
        return _running

    def stop(self) -> None:
        """Kill the running capture."""
        stop_running()

    def _start(self) -> Worker:
        clip = Path(bpy.path.abspath(self.filepath))
        if not clip.is_file():
            raise InputError("no_such_file", f"There is no video {clip}.", "Choose a video file.")
        folder = Path(bpy.path.abspath(self.folder)) if self.folder else clip.with_name(f"{clip.stem}_capture")
        self._options = CaptureOptions(
            clip=clip,
            out=folder,
            person=self.person,
            body=body_file(),
            **{name: getattr(self, name) for name in (*MAIN, *MORE)},
        )
        return Worker(capture_command(capture_python(), self._options))

    def finish(self) -> set[str]:
        """Import what the capture wrote."""
        global _running
        _running = None
        if self._worker.error is not None:
            return self.fail(self._worker.error)
        result = self._worker.result or {}
        for warning in result.get("warnings", []):
            self.report({"WARNING"}, str(warning))
        leave_edit_modes()
        people = [{"name": str(name)} for name in result.get("people", [])]
        folder = str(result.get("out", self._options.out))
        try:
            return bpy.ops.reel2rig.import_motion(
                "EXEC_DEFAULT", True, directory=folder, files=people, clip=str(self._options.clip)
            )
        except RuntimeError as error:  # the operator's own error report
            self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
            return {"CANCELLED"}


class CancelCapture(bpy.types.Operator):
    """Stop the running capture"""

    bl_idname = "reel2rig.cancel_capture"
    bl_label = "Cancel Capture"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only while a capture runs."""
        return _running is not None

    def execute(self, _context: Any) -> set[str]:
        """Kill it; the watching operator notices."""
        stop_running()
        return {"FINISHED"}


class REEL2RIG_FH_video(bpy.types.FileHandler):  # noqa: N801 - Blender's naming rule
    """Videos dropped into the 3D view."""

    bl_idname = "REEL2RIG_FH_video"
    bl_label = "Capture with Reel2Rig"
    bl_import_operator = ImportVideo.bl_idname
    bl_file_extensions = ";".join(EXTENSIONS)

    @classmethod
    def poll_drop(cls, context: Any) -> bool:
        """Only in the 3D view, while no capture runs."""
        return _running is None and context.area is not None and context.area.type == "VIEW_3D"
