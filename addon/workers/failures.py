"""What went wrong with captures: kept until dismissed, shown in the panel, and copied for whoever can help."""

import platform
from dataclasses import dataclass
from typing import Any, Final

import bpy

from ...lifter.errors import CancelledError, CaptureError
from ..text_lines import draw_lines
from .worker import Worker

SHOWN_LINES: Final = 5


@dataclass(frozen=True)
class Failure:
    """An error on the way of ``name`` (a clip); the command and the last lines of the worker, if one ran."""

    name: str
    error: CaptureError
    command: tuple[str, ...] = ()
    last_lines: tuple[str, ...] = ()

    @property
    def unexpected(self) -> bool:
        """Whether the worker died or is at fault, so that its last lines may tell why."""
        return self.error.code in ("worker_died", "internal")


FAILURES: Final[list[Failure]] = []


def remember(name: str, error: CaptureError, worker: Worker | None = None) -> None:
    """Keep an error for the panel; a cancelled capture is none."""
    if isinstance(error, CancelledError):
        return
    said = () if worker is None else worker.last_lines
    FAILURES.append(Failure(name, error, () if worker is None else worker.command, said))


def report_text() -> str:
    """All kept failures with what is known of the machine, to be sent to whoever can help."""
    lines = [f"Reel2Rig in Blender {bpy.app.version_string}, Python {platform.python_version()}, {platform.platform()}"]
    for failure in FAILURES:
        lines += ["", f"{failure.name}: {failure.error.code}", failure.error.message, failure.error.hint]
        lines += [" ".join(failure.command), *failure.last_lines] if failure.command else []
    return "\n".join(lines) + "\n"


class CopyReport(bpy.types.Operator):
    """Copy what went wrong, with the last lines of the capture, to the clipboard"""

    bl_idname = "reel2rig.copy_report"
    bl_label = "Copy Report"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only when something went wrong."""
        return bool(FAILURES)

    def execute(self, context: Any) -> set[str]:
        """Put the text into the clipboard."""
        context.window_manager.clipboard = report_text()
        self.report({"INFO"}, "The report is in the clipboard")
        return {"FINISHED"}


class DismissFailures(bpy.types.Operator):
    """Remove the messages from the panel"""

    bl_idname = "reel2rig.dismiss_failures"
    bl_label = "Dismiss"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only when something went wrong."""
        return bool(FAILURES)

    def execute(self, _context: Any) -> set[str]:
        """Forget them."""
        FAILURES.clear()
        return {"FINISHED"}


def draw_failures(column: Any) -> None:
    """Every message with its hint, the last lines of a crash, and the two buttons; nothing when all went well."""
    if not FAILURES:
        return
    box = column.box()
    for failure in FAILURES:
        draw_lines(box, f"{failure.name}: {failure.error.message}" if failure.name else failure.error.message, "ERROR")
        draw_lines(box, failure.error.hint, "BLANK1")
        for line in failure.last_lines[-SHOWN_LINES:] if failure.unexpected else ():
            box.label(text=line)
    row = box.row()
    row.operator(CopyReport.bl_idname, icon="COPYDOWN")
    row.operator(DismissFailures.bl_idname, icon="X")
