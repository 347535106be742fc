"""What the worker processes are told: the command lines of captures, re-fits and the set-up. No bpy."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...smpl_assets.body import OPEN_BODY

START_SCRIPT: Final = Path(__file__).resolve().parent / "start_module.py"
RUN: Final = ("-I", "-X", "utf8", "-u", str(START_SCRIPT))


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """What to ask of the fit; see ``reel2rig refit --help``. height in metres, 0 leaves it to the lifter."""

    height: float = 0.0
    body: Path | None = None
    build: str = "auto"
    smoothing: float = 0.5
    contacts: str = "auto"
    foot_lock: float = 1.0
    floor: float = 1.0


@dataclass(frozen=True, kw_only=True)
class CaptureRequest(FitRequest):
    """What to ask of a capture; see ``reel2rig capture --help``. start and end in seconds, end 0 is the clip's."""

    clip: Path
    out: Path
    preset: str = "balanced"
    device: str = "auto"
    person: str = "largest"
    start: float = 0.0
    end: float = 0.0


def capture_command(python: Path, request: CaptureRequest) -> list[str]:
    """The command line of a capture in the environment of ``python``."""
    command = _lifter(python, "capture", str(request.clip), "--out", str(request.out))
    command += ["--preset", request.preset, "--device", request.device, "--person", request.person]
    for name in ("start", "end"):
        if getattr(request, name) > 0:
            command += [f"--{name}", f"{getattr(request, name):.3f}"]
    return command + _fit_words(request)


def refit_command(python: Path, folder: Path, request: FitRequest, corrections: Sequence[str]) -> list[str]:
    """The command line that fits the capture in ``folder`` again; corrections as text, see lifter/corrections.py."""
    command = _lifter(python, "refit", str(folder), "--no-preview")
    for correction in corrections:
        command += ["--correct", correction]
    return command + _fit_words(request)


def set_up_command(folder: Path, kind: str, wheels: Path | None) -> list[str]:
    """The command line that makes the capture environment ``folder``, in the Python that runs this."""
    command = [sys.executable, *RUN, "addon.set_up.environment_build", "--folder", str(folder), "--kind", kind]
    return command if wheels is None else [*command, "--wheels", str(wheels)]


def _lifter(python: Path, *words: str) -> list[str]:
    return [str(python), *RUN, "lifter", *words, "--progress", "json"]


def _fit_words(request: FitRequest) -> list[str]:
    words = ["--body", str(request.body or OPEN_BODY), "--build", request.build]
    words += ["--smoothing", f"{request.smoothing:.3f}", "--contacts", request.contacts]
    words += ["--foot-lock", f"{request.foot_lock:.3f}", "--floor", f"{request.floor:.3f}"]
    return [*words, "--height", f"{request.height:.3f}"] if request.height > 0 else words
