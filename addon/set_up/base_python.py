"""Find a Python that an environment can be made from: Blender's own, else one of the system. Standard library only.

Making an environment writes nothing into the Python it stands on.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...lifter.errors import CaptureError

SUPPORTED: Final = ((3, 13), (3, 11), (3, 12), (3, 14))
"""Pythons that the lock has packages for; Blender's first."""
PROOF: Final = (
    "import sys, venv, ensurepip; print(sys.executable);"
    "print(*sys.version_info[:2], sys.maxsize > 2**32, ensurepip.version())"
)
PROOF_SECONDS: Final = 30


@dataclass(frozen=True)
class BasePython:
    """A Python that can make environments, and the version of the pip that it puts into them."""

    path: Path
    pip: tuple[int, ...]


def find_base_python() -> BasePython:
    """The first that proves itself. Raises CaptureError("no_python")."""
    for command in _candidates():
        found = _prove(command)
        if found is not None:
            return found
    raise CaptureError(
        "no_python",
        "No Python was found that can make an environment: not Blender's own, and none of 3.11 to 3.14 on this system.",
        "Install Python 3.13 (on Debian and Ubuntu with python3-venv) and press the button again.",
    )


def _candidates() -> Iterator[list[str]]:
    yield [sys.executable]
    launcher = shutil.which("py") if sys.platform == "win32" else None
    for major, minor in SUPPORTED:
        if launcher:
            yield [launcher, f"-{major}.{minor}"]
        named = shutil.which(f"python{major}.{minor}")
        if named:
            yield [named]
    for name in ("python3", "python"):
        named = shutil.which(name)
        if named:
            yield [named]


def _prove(command: list[str]) -> BasePython | None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        answer = subprocess.run(
            [*command, "-I", "-X", "utf8", "-c", PROOF],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PROOF_SECONDS,
            stdin=subprocess.DEVNULL,
            env=clean,
            check=True,
        )
        path, facts = answer.stdout.strip().splitlines()[-2:]
        major, minor, is_64_bit, pip = facts.split()
        version = (int(major), int(minor))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if version not in SUPPORTED or is_64_bit != "True":
        return None
    return BasePython(Path(path), tuple(int(part) for part in pip.split(".") if part.isdigit()))
