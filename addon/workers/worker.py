"""A capture in a process of its own: started, watched and killed from here. Standard library only, no bpy.

The process prints JSON lines: {"stage", "done", "total", "fps"}, then {"result": {...}} or
{"error": {"code", "message", "hint"}}.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...lifter.errors import CancelledError, CaptureError

KEPT_LINES: Final = 20
GRACE_SECONDS: Final = 0.5
"""How long a cancelled capture may take to remove its half-written files before it is killed."""


@dataclass(frozen=True)
class Progress:
    """How far a capture is: stage name, frames done of total, frames per second."""

    stage: str = "starting"
    done: int = 0
    total: int = 0
    fps: float = 0.0

    @property
    def factor(self) -> float:
        """Share of the stage that is done, 0..1."""
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0

    @property
    def seconds_left(self) -> float:
        """How long the rest of the stage takes at this speed; 0 while that is not known."""
        return max(0, self.total - self.done) / self.fps if self.fps > 0 else 0.0


class Worker:
    """A running command. Call ``poll`` on the main thread; ``progress``, ``result`` and ``error`` follow it."""

    def __init__(self, command: Sequence[str], what: str = "capture") -> None:
        """Start ``command``, which does ``what``, in a process group of its own.

        Raises CaptureError when it cannot be started.
        """
        self._what = what
        self.command = tuple(command)
        self.progress = Progress()
        self.result: dict[str, Any] | None = None
        self.error: CaptureError | None = None
        self._messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._last_lines: deque[str] = deque(maxlen=KEPT_LINES)
        try:
            self._process = _start(command)
        except OSError as error:
            hint = "Check the Python of the capture environment in the preferences."
            raise CaptureError("no_worker", f"The {what} could not be started: {error}.", hint) from error
        self._threads = [
            threading.Thread(target=self._read_messages, daemon=True),
            threading.Thread(target=self._read_complaints, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def poll(self) -> bool:
        """Take in what the process has said; True while it runs. Afterwards either result or error is set."""
        running = self._process.poll() is None
        if not running:
            for thread in self._threads:
                thread.join(timeout=1.0)  # a grandchild may hold the pipe open; its words are not waited for
        while not self._messages.empty():
            self._take(self._messages.get())
        if not running and self.result is None and self.error is None:
            self.error = self._crash()
        return running

    @property
    def last_line(self) -> str:
        """The latest line of the log, empty while there is none."""
        return self._last_lines[-1].strip() if self._last_lines else ""

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The last lines of the log."""
        return tuple(self._last_lines)

    def cancel(self) -> None:
        """Kill the process and its children at once."""
        _kill_group(self._process)
        self._process.wait()
        self.result, self.error = None, CancelledError()

    def wait(self, seconds: float) -> None:
        """Sleep until the process ends, for ``seconds`` at most."""
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict):
                self._messages.put(message)
            else:
                self._last_lines.append(line.rstrip())

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._last_lines.append(line.rstrip())

    def _take(self, message: dict[str, Any]) -> None:
        if "result" in message:
            self.result = dict(message["result"])
        elif "error" in message:
            said = message["error"]
            text = str(said.get("message") or f"The {self._what} failed.")
            self.error = CaptureError(str(said.get("code", "failed")), text, str(said.get("hint", "")))
        elif "stage" in message:
            done, total, fps = (message.get(key) or 0 for key in ("done", "total", "fps"))
            self.progress = Progress(str(message["stage"]), int(done), int(total), float(fps))

    def _crash(self) -> CaptureError:
        code = self._process.returncode
        reason = next((line for line in reversed(self._last_lines) if line.strip()), "it said nothing")
        hint = "Blender is not affected. Check the capture environment in the preferences, or try a lighter preset."
        if self._what != "capture":
            hint = "Blender is not affected. Press the button again."
        return CaptureError("worker_died", f"The {self._what} stopped (status {code}): {reason}", hint)


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    own_group: dict[str, Any] = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        **own_group,
    )


def _kill_group(process: subprocess.Popen[str]) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
        process.kill()
        return
    for blow, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, blow)
            process.wait(timeout=seconds)
        except (ProcessLookupError, PermissionError):  # they have all ended; macOS says so in its own way
            return
        except subprocess.TimeoutExpired:
            continue
