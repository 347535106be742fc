"""Talk to the person: errors with a remedy, and long commands behind one progress line."""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TAIL_LINES = 15


class BuildError(Exception):
    """Something went wrong that a person can act on: what happened, what to do, and the exit status."""

    def __init__(self, message: str, remedy: str = "", status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.status = status


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def start_captured(
    command: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start ``command`` without input; what it prints, errors too, comes through its stdout as text."""
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def run_quietly(
    title: str,
    command: Sequence[str | Path],
    cwd: Path | None = None,
    remedy: Callable[[str], str] | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run ``command`` behind a progress line with the elapsed seconds and return what it printed.

    Raises BuildError with the last lines and ``remedy(output)`` when it fails. When the wait is interrupted the
    command is ended first.
    """
    started = time.monotonic()
    lines: deque[str] = deque(maxlen=400)
    progress = ProgressLine(title)
    process = start_captured(command, cwd, env)
    reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
    reader.start()
    try:
        while (status := _wait(process, 0.5)) is None:
            progress.show(time.monotonic() - started)
    except BaseException:
        progress.close("stopped")
        end(process)
        raise
    reader.join()
    output = "".join(lines)
    progress.close(f"done in {time.monotonic() - started:.0f} s" if status == 0 else f"failed (exit status {status})")
    if status != 0:
        last = "".join(f"    {line}" for line in list(lines)[-TAIL_LINES:]).rstrip()
        raise BuildError(f"{title} failed. Its last lines:\n{last}", remedy(output) if remedy else "")
    return output


def end(process: subprocess.Popen) -> None:
    """End a child process: ask first, then insist. Returns when it is gone."""
    process.terminate()
    if _wait(process, 5) is None:
        process.kill()
        process.wait()


class ProgressLine:
    """One line that counts the seconds on a terminal; in a log, one line at the start and one at the end."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.live = sys.stdout.isatty()
        if not self.live:
            say(f"  {title} ...")

    def show(self, seconds: float) -> None:
        """Redraw the line with the seconds gone by."""
        if self.live:
            print(f"\r  {self.title} ... {seconds:.0f} s ", end="", flush=True)

    def close(self, outcome: str) -> None:
        """Finish the line with how it went."""
        say(f"\r  {self.title}: {outcome}          " if self.live else f"  {self.title}: {outcome}")


def _collect(process: subprocess.Popen, lines: deque[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)


def _wait(process: subprocess.Popen, seconds: float) -> int | None:
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
