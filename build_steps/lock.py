"""The verb lock: write the packages that the extension's set-up fetches, every one with version and SHA-256 hashes."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .console import BuildError, run_quietly, say
from .pins import ROOT, requirements

FOLDER = ROOT / "addon" / "set_up" / "capture_packages"
KINDS = {"cpu": "onnxruntime", "cuda": "onnxruntime-gpu[cuda,cudnn]"}
PYTHONS = ("3.11", "3.13")
"""Blender 4.5's and 5.2's. Later ones up to 3.14 are in the lock too, but nobody measured them."""
MACOS = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
"""The oldest macOS that PyAV and ONNX Runtime are built for; uv's own guess is older."""
HEADER = """\
# What a capture needs on {kind}, for 64-bit Linux, Windows and macOS and Python 3.11 to 3.14.
# Written by `python build.py lock` from the pins in pyproject.toml; do not edit.
"""


@dataclass(frozen=True)
class Platform:
    """A system that set-up serves: its name in sizes.json, its marker, its names for uv and for pip, and its kinds."""

    name: str
    marker: str
    uv: str
    pip: tuple[str, ...]
    kinds: tuple[str, ...]


PLATFORMS = (
    Platform(
        "linux-x86_64",
        "sys_platform == 'linux' and platform_machine == 'x86_64'",
        "x86_64-manylinux_2_28",
        tuple(f"{tag}_x86_64" for tag in ("manylinux_2_28", "manylinux_2_27", "manylinux2014", "manylinux1")),
        ("cpu", "cuda"),
    ),
    Platform(
        "linux-aarch64",
        "sys_platform == 'linux' and platform_machine == 'aarch64'",
        "aarch64-manylinux_2_28",
        tuple(f"{tag}_aarch64" for tag in ("manylinux_2_28", "manylinux_2_27", "manylinux2014")),
        ("cpu",),
    ),
    Platform(
        "macos-arm64",
        "sys_platform == 'darwin' and platform_machine == 'arm64'",
        "aarch64-apple-darwin",
        tuple(f"macosx_{major}_0_{machine}" for major in (14, 13, 12, 11) for machine in ("arm64", "universal2")),
        ("cpu",),
    ),
    Platform(
        "windows-x86_64",
        "sys_platform == 'win32' and platform_machine == 'AMD64'",
        "x86_64-pc-windows-msvc",
        ("win_amd64",),
        ("cpu", "cuda"),
    ),
)


def run(arguments: list[str]) -> int:
    """python build.py lock: resolve the pins through uv, then fetch every wheel once to prove and measure it."""
    parser = argparse.ArgumentParser("build.py lock", description=run.__doc__)
    parser.add_argument("--keep-sizes", action="store_true", help="fetch nothing; leave sizes.json as it is")
    options = parser.parse_args(arguments)
    uv = shutil.which("uv")
    if uv is None:
        raise BuildError("The lock is made by uv, which is not on the PATH.", "Install it: pip install uv")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        locks = {kind: resolve(kind, uv, Path(folder)) for kind in KINDS}
        for kind, text in locks.items():
            (FOLDER / f"{kind}.txt").write_text(HEADER.format(kind=kind.upper()) + text, "utf-8")
        if not options.keep_sizes:
            sizes = {kind: _sizes(kind, uv, Path(folder)) for kind in KINDS}
            (FOLDER / "sizes.json").write_text(json.dumps(sizes, indent=2) + "\n", "utf-8")
    say(f"Written: {FOLDER}")
    return 0


def wanted(kind: str) -> list[str]:
    """The capture's pins with ONNX Runtime for ``kind`` (cpu or cuda) on every system."""
    pins = [line.split(";")[0].strip() for line in requirements(("capture",))]
    runtimes = {line.split("==")[0]: line.split("==")[1] for line in pins if line.startswith("onnxruntime")}
    others = [line for line in pins if not line.startswith("onnxruntime")]
    return [*others, f"{KINDS[kind]}=={runtimes[KINDS[kind].split('[')[0]]}"]


def resolve(kind: str, uv: str, folder: Path) -> str:
    """The lock's lines: one requirement a package, its marker where it is not for all systems, its hashes."""
    markers = [place.marker for place in PLATFORMS if kind in place.kinds]
    project = folder / kind
    project.mkdir()
    (project / "pyproject.toml").write_text(
        f"""
[project]
name = "capture-{kind}"
version = "0"
requires-python = ">=3.11,<3.15"
dependencies = {json.dumps(wanted(kind))}
[tool.uv]
fork-strategy = "fewest"
environments = {json.dumps(markers)}
""",
        "utf-8",
    )
    run_quietly(f"Resolving the packages for {kind}", [uv, "lock", "--no-build"], cwd=project)
    command = [uv, "export", "--quiet", "--frozen", "--no-emit-project", "--no-header", "--no-annotate"]
    return without_common_marker(run_quietly("Writing them out", command, cwd=project))


def without_common_marker(text: str) -> str:
    """The exported lines without the marker that only says "on one of our systems", which most lines bear."""
    markers = [line.partition(" ; ")[2] for line in text.splitlines() if "==" in line.split(" ; ")[0]]
    common = max(set(markers), key=markers.count)
    return text.replace(f" ; {common}", " \\" if common.endswith("\\") else "") if common else text


def _sizes(kind: str, uv: str, folder: Path) -> dict[str, int]:
    """Megabytes to fetch on each platform: the larger of Blender's Pythons."""
    served = [place for place in PLATFORMS if kind in place.kinds]
    return {place.name: max(measure(kind, place, python, uv, folder) for python in PYTHONS) for place in served}


def measure(kind: str, place: Platform, python: str, uv: str, folder: Path) -> int:
    """Fetch what pip would on ``place`` and return the megabytes; proves that every wheel exists and fits its hash."""
    title = f"{kind}, {place.name}, Python {python}"
    lines, wheels = folder / f"{title}.txt", folder / title
    chosen = ["--python-platform", place.uv, "--python-version", python, "--output-file", lines]
    compiler = [uv, "pip", "compile", "--no-deps", "--generate-hashes", "--no-header", *chosen]
    run_quietly(f"Choosing for {title}", [*compiler, FOLDER / f"{kind}.txt"], env={**os.environ, **MACOS})
    tags = [word for tag in place.pip for word in ("--platform", tag)]
    target = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *tags]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--cache-dir", folder / "cache"]
    run_quietly(f"Fetching {title}", [*pip, "--require-hashes", *target, "-r", lines, "-d", wheels])
    megabytes = round(sum(wheel.stat().st_size for wheel in wheels.iterdir()) / 1e6)
    shutil.rmtree(wheels)
    return megabytes
