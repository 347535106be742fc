"""What set-up fetches on this machine: the lock file that fits, how much it is, and whether CUDA is worth it.

Standard library only. The files in capture_packages are written by ``python build.py lock``.
"""

import ctypes
import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Final, Literal

from ...lifter.errors import CaptureError

Kind = Literal["cpu", "cuda"]
FOLDER: Final = Path(__file__).resolve().parent / "capture_packages"
SYSTEMS: Final = {"linux": "linux", "darwin": "macos", "win32": "windows"}
DRIVER_LIBRARIES: Final = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
LEAST_DRIVER: Final = 13000
"""CUDA 13.0 as drivers count; the lock holds CUDA 13's libraries."""
UNPACKED: Final = {"cpu": 4.0, "cuda": 1.9}
"""Megabytes on disk for one megabyte of wheels, with some room (measured on Linux: 3.7 and 1.7)."""


def lock_file(kind: Kind) -> Path:
    """The requirements with versions and hashes, for pip."""
    return FOLDER / f"{kind}.txt"


def digest(lock: Path) -> str:
    """SHA-256 of a lock's requirements; comments and line ends do not count."""
    return hashlib.sha256("\n".join(requirements(lock)).encode()).hexdigest()


def requirements(lock: Path) -> list[str]:
    """The lock's requirements, each with its hashes on lines of its own as pip reads them."""
    found: list[str] = []
    for line in lock.read_text("utf-8").splitlines():
        if line.startswith(" ") and found:
            found[-1] += "\n" + line
        elif line.strip() and not line.startswith("#"):
            found.append(line)
    return found


def this_platform() -> str:
    """This system as sizes.json names it, such as linux-x86_64 or windows-x86_64."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    return f"{SYSTEMS.get(sys.platform, sys.platform)}-{machine}"


def download_megabytes(kind: Kind) -> int:
    """How much has to be fetched on this system. Raises CaptureError("no_packages") when there is nothing for it."""
    sizes = json.loads((FOLDER / "sizes.json").read_text("utf-8"))
    size = sizes[kind].get(this_platform())
    if size is None:
        served = ", ".join(sizes[kind])
        raise CaptureError(
            "no_packages",
            f"There are no packages for {kind.upper()} on {this_platform()} (only for {served}).",
            "Capture on another machine and bring the motion files, or choose an environment of your own.",
        )
    return int(size)


def disk_megabytes(kind: Kind) -> int:
    """How much room set-up needs, the fetched packages included."""
    return round(download_megabytes(kind) * (1 + UNPACKED[kind]))


def choose_kind(device: str, wheels: Path | None = None) -> Kind:
    """As asked (``device`` auto, cpu or cuda); left open, what the folder of wheels holds or the driver allows."""
    if device in ("cpu", "cuda"):
        return "cuda" if device == "cuda" else "cpu"
    if wheels is not None:
        return "cuda" if any(wheels.glob("onnxruntime_gpu-*.whl")) else "cpu"
    served = this_platform() in json.loads((FOLDER / "sizes.json").read_text("utf-8"))["cuda"]
    return "cuda" if served and cuda_driver() >= LEAST_DRIVER else "cpu"


def cuda_driver() -> int:
    """The CUDA version that the NVIDIA driver offers, such as 13000 for 13.0; 0 without a driver."""
    name = DRIVER_LIBRARIES.get(sys.platform)
    if name is None:
        return 0
    version = ctypes.c_int()
    try:
        return version.value if ctypes.CDLL(name).cuDriverGetVersion(ctypes.byref(version)) == 0 else 0
    except (OSError, AttributeError):
        return 0


def kind_in_words(kind: Kind) -> str:
    """What was chosen and, on the CPU, whether a graphics card goes unused."""
    if kind == "cuda":
        return "for the NVIDIA card (CUDA)"
    driver = cuda_driver()
    if 0 < driver < LEAST_DRIVER:
        return f"for the processor (the NVIDIA driver offers CUDA {driver // 1000}, 13 is needed: update it for CUDA)"
    return "for the processor"
