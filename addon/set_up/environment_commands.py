"""Run the commands of a set-up one after the other and pass on what they say. Standard library only."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ...lifter.errors import CaptureError
from .set_up_errors import explained

RAW_PROGRESS: Final = (24, 1)
"""The first pip that can tell bytes in lines."""
# Settings of the user that would send packages elsewhere than into the environment.
SETTINGS: Final = {
    "PIP_USER": "0",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_NO_COLOR": "1",
}
UNWANTED: Final = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_BINARY", "PIP_CONSTRAINT", "PIP_PYTHON")


def say(line: str) -> None:
    """One line of the log."""
    print(line, flush=True)


def tell(message: dict[str, Any]) -> None:
    """One message for the program that watches."""
    print(json.dumps(message, ensure_ascii=False), flush=True)


def stage(name: str, done: float = 0.0, total: float = 0.0) -> None:
    """Tell what is being done, and how far it is."""
    tell({"stage": name, "done": round(done), "total": round(total), "fps": 0.0})


def progress_words(pip: tuple[int, ...]) -> list[str]:
    """The option that makes this version of pip tell how far a download is, or keep quiet about it."""
    return ["--progress-bar", "raw" if pip >= RAW_PROGRESS else "off"]


def run(
    step: str,
    command: Sequence[str | Path],
    following: tuple[float, float] | None = None,
    wheels: Path | None = None,
    failing: Callable[[str, str], CaptureError] | None = None,
) -> list[str]:
    """Run ``command`` and return its lines, which are passed on as they come.

    ``following``: megabytes fetched before and in all; pip's own progress is told as such. Raises the CaptureError that
    ``failing`` makes of step and output, else the one that fits the output.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment = {key: value for key, value in environment.items() if key not in UNWANTED} | SETTINGS
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        fetched = re.match(r"Progress (\d+) of (\d+)", line)
        if fetched and following:
            stage("fetch MB", following[0] + int(fetched[1]) / 1e6, following[1])
        elif not fetched:
            lines.append(line.rstrip())
            if not line.startswith("{"):
                say(f"  {lines[-1]}")
    if process.wait() != 0:
        output = "\n".join(lines)
        raise failing(step, output) if failing else explained(step, output, wheels)
    return lines
