"""Operators that make the private environment of captures: Set Up Capture (Repair), from a folder of wheels, Cancel."""

# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any, Final

import bpy

from ..lifter.errors import CaptureError
from .environment_build import discard
from .import_video import running_progress
from .package_lock import choose_kind, disk_megabytes, download_megabytes, kind_in_words
from .preferences import forget_state, private_environment
from .worker import Progress, Worker, set_up_command

POLL_SECONDS: Final = 0.1
DEVICES: Final = [
    ("auto", "Automatic", "For CUDA when there is an NVIDIA card with a recent driver, otherwise for the processor"),
    ("cpu", "Processor", "For the processor: the smallest to fetch"),
    ("cuda", "CUDA", "For an NVIDIA card"),
]
OFFLINE: Final = "Blender's online access is off"
OFFLINE_REMEDY: Final = "Edit > Preferences > System > Network"
NOT_INSTALLED: Final = "Only for an installed extension; a checkout is set up by python build.py setup"

_running: Worker | None = None


def set_up_progress() -> tuple[Progress, str] | None:
    """How far the running set-up is and its latest line, or None when none runs."""
    return None if _running is None else (_running.progress, _running.last_line)


def stop_set_up() -> None:
    """Kill the running set-up, if any, and remove what it had half made."""
    global _running
    if _running is not None:
        _running.cancel()
        _running = None
        _tidy()


def plan_in_words(device: str) -> list[str]:
    """What set-up would fetch and how much room it needs. Raises CaptureError where there is nothing to set up."""
    if private_environment() is None:
        raise CaptureError("not_installed", NOT_INSTALLED + ".")
    kind = choose_kind(device)
    return [
        f"Fetches about {download_megabytes(kind)} MB, {kind_in_words(kind)}",
        f"Needs {disk_megabytes(kind)} MB of disk, in the extension's own folder",
    ]


class _MakesEnvironment:
    """Mixin: start the set-up, follow it while Blender stays usable, say how it ended."""

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """One at a time, and only where the extension has a folder of its own."""
        return _refused(cls) is None

    def modal(self: Any, context: Any, event: Any) -> set[str]:
        """Follow the set-up; it is cancelled from the panel, as Esc is pressed for much else meanwhile."""
        if _running is not self._worker:
            self._stop_watching(context)
            self.report({"INFO"}, "Set-up cancelled. What was fetched is kept for the next time")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        running = self._worker.poll()
        _redraw(context)
        if running:
            return {"PASS_THROUGH"}
        self._stop_watching(context)
        return self._finish()

    def cancel(self: Any, context: Any) -> None:
        """Called by Blender when the window closes: leave no process behind."""
        stop_set_up()
        self._stop_watching(context)

    def _set_up(self: Any, context: Any, device: str, wheels: Path | None) -> set[str]:
        global _running
        environment = private_environment()
        assert environment is not None, "poll has asked"
        try:
            kind = choose_kind(device, wheels)
            download_megabytes(kind)  # refuses systems that nothing is built for
            command = set_up_command(environment, kind, wheels)
            self._worker = _running = Worker(command, "set-up")
        except CaptureError as error:
            return self._fail(error)
        if bpy.app.background:
            while self._worker.poll():
                self._worker.wait(POLL_SECONDS)
            return self._finish()
        manager = context.window_manager
        self._timer = manager.event_timer_add(POLL_SECONDS, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def _finish(self: Any) -> set[str]:
        global _running
        _running = None
        forget_state()
        if self._worker.error is not None:
            _tidy()
            return self._fail(self._worker.error)
        result = self._worker.result or {}
        for warning in result.get("warnings", []):
            self.report({"WARNING"}, str(warning))
        device = "CUDA" if str(result.get("provider", "")).startswith("CUDA") else "the processor"
        self.report({"INFO"}, f"Captures are set up, on {device}, in {result.get('seconds', 0):.0f} s")
        return {"FINISHED"}

    def _fail(self: Any, error: CaptureError) -> set[str]:
        self.report({"ERROR"}, f"{error.message} {error.hint}".strip())
        return {"CANCELLED"}

    def _stop_watching(self: Any, context: Any) -> None:
        context.window_manager.event_timer_remove(self._timer)
        _redraw(context)


class SetUpCapture(_MakesEnvironment, bpy.types.Operator):
    """Fetch the packages that captures need into a folder of this extension. Blender's own Python is left alone"""

    bl_idname = "reel2rig.set_up_capture"
    bl_label = "Set Up Capture"

    device: bpy.props.EnumProperty(name="Device", items=DEVICES, default="auto")

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only where Blender may go online."""
        refused = _refused(cls)
        if refused is None and not bpy.app.online_access:
            refused = f"{OFFLINE}. Switch it on in {OFFLINE_REMEDY}, or install from a folder of wheels"
            cls.poll_message_set(refused)
        return refused is None

    def execute(self, context: Any) -> set[str]:
        """In a window: start and watch. Without one: wait for the end."""
        return self._set_up(context, self.device, None)


class SetUpFromWheels(_MakesEnvironment, bpy.types.Operator):
    """Set captures up without a network, from a folder of wheels fetched on another machine (see the README)"""

    bl_idname = "reel2rig.set_up_from_wheels"
    bl_label = "Install from a Folder of Wheels"

    directory: bpy.props.StringProperty(name="Folder of Wheels", subtype="DIR_PATH", options={"SKIP_SAVE"})
    device: bpy.props.EnumProperty(name="Device", items=DEVICES, default="auto")

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        """In a window: start and watch. Without one: wait for the end."""
        wheels = Path(bpy.path.abspath(self.directory))
        if not self.directory or not any(wheels.glob("*.whl")):
            return self._fail(CaptureError("no_wheels", f"There are no wheels (.whl) in {wheels}.", "Choose another."))
        return self._set_up(context, self.device, wheels)


class CancelSetUp(bpy.types.Operator):
    """Stop the set-up. What was fetched is kept, so that the next try goes on from there"""

    bl_idname = "reel2rig.cancel_set_up"
    bl_label = "Cancel Set-Up"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only while a set-up runs."""
        return _running is not None

    def execute(self, _context: Any) -> set[str]:
        """Kill it; the watching operator notices."""
        stop_set_up()
        return {"FINISHED"}


def _refused(cls: Any) -> str | None:
    """Why no set-up may start now, told to Blender for the button's tooltip; None when it may."""
    refused = None
    if _running is not None:
        refused = "A set-up is running"
    elif running_progress() is not None:
        refused = "A capture is running"
    elif private_environment() is None:
        refused = NOT_INSTALLED
    if refused is not None:
        cls.poll_message_set(refused)
    return refused


def _tidy() -> None:
    environment = private_environment()
    if environment is not None:
        discard(environment)


def _redraw(context: Any) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()
