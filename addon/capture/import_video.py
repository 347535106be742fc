"""Operator Import Video: capture clips in a worker process, one after the other, and import what it wrote."""

# pyright: reportInvalidTypeForm=false

from functools import partial
from pathlib import Path
from typing import Any, Final

import bpy
from bpy_extras.io_utils import ImportHelper

from ...lifter.errors import CaptureError, InputError
from ..preferences import body_file, capture_python
from ..workers.worker_commands import CaptureRequest, capture_command
from .capture_jobs import JOBS, Job
from .capture_settings import MAIN, MORE, CaptureSettings
from .runs_jobs import RunsJobs

EXTENSIONS: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm")


class ImportVideo(RunsJobs, CaptureSettings, bpy.types.Operator, ImportHelper):
    """Capture the people in a video and make animated characters of them. Further videos wait for their turn"""

    bl_idname = "reel2rig.import_video"
    bl_label = "Capture Video"
    bl_options = {"REGISTER"}  # noqa: RUF012 - the import of the result is the step that can be undone

    filename_ext = ".mp4"
    filter_glob: bpy.props.StringProperty(default=";".join(f"*{end}" for end in EXTENSIONS), options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    person: bpy.props.StringProperty(name="Person", description="largest, all, or a person's number", default="largest")

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask for a file, or start at once when the video is known (dropped, or from the panel)."""
        take_settings(self, context.scene.reel2rig)
        if not self.filepath and not self.files:
            return ImportHelper.invoke(self, context, event)
        return self.execute(context)

    def execute(self, context: Any) -> set[str]:
        """In a window: start and watch. Without one: capture, wait and import."""
        clips = self._clips()
        try:
            missing = next((clip for clip in clips if not clip.is_file()), None)
            if missing is not None:
                raise InputError("no_such_file", f"There is no video {missing}.", "Choose a video file.")
            if self.folder.startswith("//") and not bpy.data.filepath:
                hint = "Save the file first, or choose another folder for Captures In."
                raise InputError("no_file", f"{self.folder} is beside a file that was never saved.", hint)
            python = capture_python()
        except CaptureError as error:
            return self.fail(error, ", ".join(clip.name for clip in clips))
        return self.run(context, [self._job(python, clip) for clip in clips])

    def _clips(self) -> list[Path]:
        names = [item.name for item in self.files if item.name]
        if names:
            return [Path(bpy.path.abspath(self.directory)) / name for name in names]
        return [Path(bpy.path.abspath(self.filepath))]

    def _job(self, python: Path, clip: Path) -> Job:
        out = Path(bpy.path.abspath(self.folder)) / f"{clip.stem}_capture" if self.folder else None
        request = CaptureRequest(
            clip=clip,
            out=JOBS.free_folder(out or clip.with_name(f"{clip.stem}_capture")),
            person=self.person,
            body=body_file(),
            **{name: getattr(self, name) for name in (*MAIN, *MORE) if name != "folder"},
        )
        return Job(clip.name, tuple(capture_command(python, request)), partial(_import, clip), request.out)


def take_settings(operator: Any, settings: Any) -> None:
    """What was not told to ``operator``, as when a video was dropped, is as the panel has it.

    Start and end are those of the panel's own video: of another one everything is captured.
    """
    for name in ("person", *MAIN, *MORE):
        if name not in ("start", "end") and not operator.properties.is_property_set(name):
            setattr(operator, name, getattr(settings, name))


def _import(clip: Path, result: dict[str, Any]) -> None:
    """Import what a capture of ``clip`` wrote, as one step that can be undone."""
    people = [{"name": str(name)} for name in result.get("people", [])]
    bpy.ops.reel2rig.import_motion(
        "EXEC_DEFAULT", True, directory=str(result.get("out", "")), files=people, clip=str(clip)
    )


class CancelCapture(bpy.types.Operator):
    """Stop the running capture. Videos that wait are captured next"""

    bl_idname = "reel2rig.cancel_capture"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only while a capture runs."""
        return JOBS.worker is not None

    def execute(self, _context: Any) -> set[str]:
        """Kill it; the watching operator notices."""
        JOBS.stop()
        return {"FINISHED"}


class RemoveFromQueue(bpy.types.Operator):
    """Do not capture this video"""

    bl_idname = "reel2rig.remove_from_queue"
    bl_label = "Remove from Queue"

    index: bpy.props.IntProperty(options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only while videos wait."""
        return bool(JOBS.waiting)

    def execute(self, _context: Any) -> set[str]:
        """Forget it."""
        if 0 <= self.index < len(JOBS.waiting):
            del JOBS.waiting[self.index]
        return {"FINISHED"}


class REEL2RIG_FH_video(bpy.types.FileHandler):  # noqa: N801 - Blender's naming rule
    """Videos dropped into the 3D view."""

    bl_idname = "REEL2RIG_FH_video"
    bl_label = "Capture with Reel2Rig"
    bl_import_operator = ImportVideo.bl_idname
    bl_file_extensions = ";".join(EXTENSIONS)

    @classmethod
    def poll_drop(cls, context: Any) -> bool:
        """Only in the 3D view."""
        return context.area is not None and context.area.type == "VIEW_3D"
