"""Tell what is going on: JSON lines for programs, one changing line for people."""

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from . import cancellation
from .errors import CancelledError

INTERVAL = 0.2  # seconds between two lines


class Reporter:
    """Reports stages and times them. ``seconds`` holds the time of each stage that has ended.

    JSON lines go to standard output, words for people to standard error. When nobody reads them any more (Blender
    has gone), a stage ends with CancelledError.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.seconds: dict[str, float] = {}
        self._name, self._total = "", 0
        self._started = self._shown = 0.0

    def stage(self, name: str, total: int = 0) -> Callable[[int], None]:
        """Begin a stage of ``total`` steps (0: unknown); call the result with the number of steps done."""
        self.end()
        self._name, self._total, self._started, self._shown = name, total, time.monotonic(), 0.0
        self._show(0)
        return self.update

    def update(self, done: int) -> None:
        """``done`` steps of the current stage are done."""
        cancellation.check()
        if time.monotonic() - self._shown >= INTERVAL:
            self._show(done)

    def end(self) -> None:
        """End the current stage."""
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + time.monotonic() - self._started
            self._show(self._total)
            self._name = ""
            if not self.as_json and not self.quiet:
                self._say(sys.stderr, "\n")

    def result(self, data: dict[str, Any], summary: str = "") -> None:
        """The last word: what was made; ``summary`` is for people, on standard output."""
        with suppress(CancelledError):
            self.end()
            if self.as_json:
                self._line({"result": data})
            elif summary:
                self._say(sys.stdout, summary + "\n")

    def error(self, code: str, message: str, hint: str) -> None:
        """The last word: why nothing was made."""
        begun, self._name = bool(self._name), ""
        with suppress(CancelledError):
            if self.as_json:
                self._line({"error": {"code": code, "message": message, "hint": hint}})
                return
            lines = ["" if begun else None, f"reel2rig: {message}", f"  {hint}" if hint else None]
            self._say(sys.stderr, "".join(f"{line}\n" for line in lines if line is not None))

    def _show(self, done: int) -> None:
        self._shown = time.monotonic()
        rate = done / max(self._shown - self._started, 1e-3)
        if self.as_json:
            self._line({"stage": self._name, "done": done, "total": self._total, "fps": round(rate, 1)})
        elif not self.quiet:
            count = f"{done}/{self._total}" if self._total else str(done) if done else ""
            speed = f"{rate:.1f} frames/s" if done else ""
            self._say(sys.stderr, f"\r{self._name:<9} {count:>11}  {speed:<16}")

    def _line(self, data: dict[str, Any]) -> None:
        self._say(sys.stdout, json.dumps(data, ensure_ascii=True) + "\n")

    def _say(self, stream: TextIO, text: str) -> None:
        """Write and flush. Raises CancelledError when nobody listens any more."""
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EINVAL):  # Windows answers the latter
                raise
            _discard(stream)
            raise CancelledError from error


def _discard(stream: TextIO) -> None:
    """What is still unsaid goes nowhere, so that Python does not complain at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
