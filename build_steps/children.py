"""Run a command that talks to the person itself, and end it with us."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .console import BuildError, end

SECONDS_TO_FINISH = 3


def run_child(command: Sequence[str | Path], cwd: Path | None = None, limit: float | None = None) -> int:
    """Run ``command`` on this terminal and return its exit status.

    On Ctrl-C the command has got the signal too: it gets a moment to clean up before it is ended.
    Raises BuildError when it has not ended after ``limit`` seconds.
    """
    words = [str(part) for part in command]
    process = subprocess.Popen(words, cwd=cwd)
    try:
        return process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        end(process)
        raise BuildError(f"{' '.join(words[:4])} had not ended after {limit:.0f} s and was stopped.") from None
    except KeyboardInterrupt:
        try:
            process.wait(timeout=SECONDS_TO_FINISH)
        except subprocess.TimeoutExpired:
            end(process)
        raise
