"""Find the Python in which captures run, and say what it has. Standard library only."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...lifter.errors import CaptureError
from .environment_state import State, inspect, python_in

PACKAGE_FOLDER: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT_VARIABLE: Final = "REEL2RIG_PYTHON"
USER_FOLDER_NAME: Final = "environment"
CHECK_SECONDS: Final = 60
CHECK_SCRIPT: Final = """
import importlib, json, sys
def version(name):
    try:
        module = importlib.import_module(name)
    except Exception as error:
        return "missing: " + str(error)
    return getattr(module, "__version__", "installed")
packages = {name: version(name) for name in ("numpy", "scipy", "av", "onnxruntime")}
providers = sys.modules["onnxruntime"].get_available_providers() if "onnxruntime" in sys.modules else []
print(json.dumps({"python": sys.version.split()[0], "packages": packages, "providers": providers}))
"""


@dataclass(frozen=True)
class EnvironmentReport:
    """What a capture environment holds: Python's version, packages with versions, ONNX Runtime's providers."""

    python: str
    packages: dict[str, str]
    providers: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Packages that a capture needs and that cannot be imported."""
        return tuple(name for name, version in self.packages.items() if version.startswith("missing"))

    def sentence(self) -> str:
        """The report for a person."""
        if self.missing:
            return f"Python {self.python} lacks {', '.join(self.missing)}"
        device = "CUDA" if "CUDAExecutionProvider" in self.providers else "CPU"
        return f"Python {self.python}, ONNX Runtime {self.packages['onnxruntime']} on {device}: ready"


def find_python(chosen: str = "", user_folder: Path | None = None) -> Path:
    """The Python to capture with: the chosen one, REEL2RIG_PYTHON, the one set up, or a checkout's .venv.

    Raises CaptureError("no_environment") that says where it looked.
    """
    if chosen:
        if not Path(chosen).is_file():
            raise CaptureError("no_environment", f"There is no Python at {chosen}.", "Correct it in the preferences.")
        return Path(chosen)
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    candidates = ([Path(named)] if named else []) + [python_in(folder) for folder in _folders(user_folder)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise CaptureError(
        "no_environment",
        f"The environment that captures run in was not found (looked at {looked}).",
        "Run `python build.py setup` in the project's folder, then choose the Python in its .venv in the preferences.",
    )


def environment_state(chosen: str = "", user_folder: Path | None = None, thorough: bool = False) -> State:
    """Whether captures can run: in somebody's own Python, in the one that was set up (looked at), or nowhere yet."""
    if chosen or os.environ.get(ENVIRONMENT_VARIABLE):
        return State("own")
    if user_folder is not None and (user_folder / USER_FOLDER_NAME).exists():
        return inspect(user_folder / USER_FOLDER_NAME, thorough)
    return State("own" if python_in(PACKAGE_FOLDER / ".venv").is_file() else "absent")


def _folders(user_folder: Path | None) -> list[Path]:
    checkout = PACKAGE_FOLDER / ".venv"
    return [checkout] if user_folder is None else [user_folder / USER_FOLDER_NAME, checkout]


def check_python(python: Path) -> EnvironmentReport:
    """Start ``python`` and ask what it has. Raises CaptureError when it does not answer."""
    command = [str(python), "-I", "-X", "utf8", "-c", CHECK_SCRIPT]
    hint = "Choose another Python in the preferences, or run `python build.py setup` again."
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=CHECK_SECONDS, check=True
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise CaptureError("bad_environment", f"{python} does not run: {error}.", hint) from error
    return EnvironmentReport(answer["python"], answer["packages"], tuple(answer["providers"]))
