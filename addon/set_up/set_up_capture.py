"""Operators that make the private environment of captures: Set Up Capture (Repair), from a folder of wheels, Cancel."""

# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any, Final

import bpy

from ...lifter.errors import CaptureError
from ..capture.capture_jobs import JOBS
from ..preferences import forget_state, private_environment
from ..text_lines import filled, translated
from ..workers.follows_worker import FollowsWorker
from ..workers.worker import Progress, Worker
from ..workers.worker_commands import set_up_command
from .environment_build import discard
from .package_lock import choose_kind, disk_megabytes, download_megabytes, kind_in_words

DEVICES: Final = [
    ("auto", "Automatic", "For CUDA when there is an NVIDIA card with a recent driver, otherwise for the processor"),
    ("cpu", "Processor", "For the processor: the smallest to fetch"),
    ("cuda", "CUDA", "For an NVIDIA card"),
]
OFFLINE: Final = (
    "Blender's online access is off: switch it on in Edit > Preferences > System > Network, "
    "or install from a folder of wheels"
)
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
    fetched = filled("Fetches about {megabytes} MB", megabytes=download_megabytes(kind))
    return [
        f"{fetched}, {translated(kind_in_words(kind))}",
        filled("Needs {megabytes} MB of disk, in the extension's own folder", megabytes=disk_megabytes(kind)),
    ]


class _MakesEnvironment(FollowsWorker):
    """Mixin: the set-up as a worker. It is cancelled from the panel only, as Esc is pressed for much else meanwhile."""

    cancelled = "Set-up cancelled. What was fetched is kept for the next time"
    escape_cancels = False

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """One at a time, and only where the extension has a folder of its own."""
        return _refused(cls) is None

    def current(self) -> Worker | None:
        """The running set-up."""
        return _running

    def stop(self) -> None:
        """Kill the running set-up."""
        stop_set_up()

    def finish(self: Any) -> set[str]:
        """Say how the set-up ended."""
        global _running
        _running = None
        forget_state()
        if self._worker.error is not None:
            _tidy()
            return self.fail(self._worker.error, "Set-up")
        result = self._worker.result or {}
        for warning in result.get("warnings", []):
            self.report({"WARNING"}, translated(str(warning)))
        on_card = str(result.get("provider", "")).startswith("CUDA")
        device, seconds = translated("CUDA" if on_card else "the processor"), result.get("seconds", 0)
        said = filled("Captures are set up, on {device}, in {seconds:.0f} s", device=device, seconds=seconds)
        self.report({"INFO"}, said)
        return {"FINISHED"}

    def set_up(self, context: Any, device: str, wheels: Path | None) -> set[str]:
        """Start it, for ``device`` (auto, cpu or cuda), from the folder ``wheels`` or over the network."""
        global _running
        environment = private_environment()
        assert environment is not None, "poll has asked"
        try:
            kind = choose_kind(device, wheels)
            download_megabytes(kind)  # refuses systems that nothing is built for
            _running = Worker(set_up_command(environment, kind, wheels), "set-up")
        except CaptureError as error:
            return self.fail(error, "Set-up")
        return self.follow(context, _running)


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
            refused = OFFLINE
            cls.poll_message_set(translated(OFFLINE))
        return refused is None

    def execute(self, context: Any) -> set[str]:
        """In a window: start and watch. Without one: wait for the end."""
        return self.set_up(context, self.device, None)


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
            return self.fail(CaptureError("no_wheels", f"There are no wheels (.whl) in {wheels}.", "Choose another."))
        return self.set_up(context, self.device, wheels)


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
    elif JOBS.worker is not None:
        refused = "A capture is running"
    elif private_environment() is None:
        refused = NOT_INSTALLED
    if refused is not None:
        cls.poll_message_set(translated(refused))
    return refused


def _tidy() -> None:
    environment = private_environment()
    if environment is not None:
        discard(environment)
