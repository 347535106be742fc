"""Tell what is going on: JSON lines for programs, one changing line for people."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

INTERVAL = 0.2  # seconds between two lines


class Reporter:
    """Reports stages and times them. ``seconds`` holds the time of each stage that has ended."""

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
        if time.monotonic() - self._shown >= INTERVAL:
            self._show(done)

    def end(self) -> None:
        """End the current stage."""
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + time.monotonic() - self._started
            self._show(self._total)
            self._name = ""
            if not self.as_json and not self.quiet:
                print(file=sys.stderr)

    def result(self, data: dict[str, Any]) -> None:
        """The last word: what was made."""
        self.end()
        if self.as_json:
            self._line({"result": data})

    def error(self, code: str, message: str, hint: str) -> None:
        """The last word: why nothing was made."""
        self._name = ""
        if self.as_json:
            self._line({"error": {"code": code, "message": message, "hint": hint}})
        else:
            print(f"\nreel2rig: {message}\n  {hint}" if hint else f"\nreel2rig: {message}", file=sys.stderr)

    def _show(self, done: int) -> None:
        self._shown = time.monotonic()
        rate = done / max(self._shown - self._started, 1e-3)
        if self.as_json:
            self._line({"stage": self._name, "done": done, "total": self._total, "fps": round(rate, 1)})
        elif not self.quiet:
            count = f"{done}/{self._total}" if self._total else str(done) if done else ""
            speed = f"{rate:.1f} frames/s" if done else ""
            print(f"\r{self._name:<9} {count:>11}  {speed:<16}", end="", file=sys.stderr, flush=True)

    def _line(self, data: dict[str, Any]) -> None:
        print(json.dumps(data, ensure_ascii=True), flush=True)
