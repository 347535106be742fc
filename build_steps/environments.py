"""Make the two virtual environments, so that a second run is quick and an interrupted one continues."""

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from .console import BuildError, run_quietly, say
from .pins import ROOT, requirements
from .pythons import WINDOWS, Version, prove, search_python
from .remedies import pip_remedy

STAMP = "reel2rig-setup.json"
SMPLX_NOTICE = """\
  smplx is installed for `--refine smplx` and for licensed SMPL files. Its licence and that of SMPL model files allow
  non-commercial research only. The default capture never imports it, and its results may be sold.
  To leave it out: python build.py setup --without-smplx"""
# Every file that pip says it wrote is there, and the heavy modules load.
PROOF = """
import importlib, importlib.metadata as metadata, os, sys
for package in metadata.distributions():
    files = package.files
    missing = [str(file) for file in files or () if not str(file).endswith(".pyc") and not file.locate().exists()]
    if files is None or missing:
        sys.exit(f"{package.metadata['Name']} is incomplete: {missing[:3] or 'no list of files'}")
for name in sys.argv[1:]:
    importlib.import_module(name)
sys.stdout.flush()
os._exit(0)  # Blender as a module may wait for ever at exit
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment as it should be: its folder, Python, groups of pyproject.toml and proof of life."""

    folder: Path
    version: Version
    groups: tuple[str, ...]
    modules: tuple[str, ...]
    gigabytes: float

    @property
    def python(self) -> Path:
        """The interpreter inside."""
        return self.folder / ("Scripts/python.exe" if WINDOWS else "bin/python")

    @property
    def fingerprint(self) -> str:
        """Changes with the pins, the Python version and the place of the project."""
        parts = [str(ROOT), str(self.version), *requirements(self.groups)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def without_smplx(self) -> "Environment":
        """The same without smplx."""
        groups = tuple(group for group in self.groups if group != "smplx")
        modules = tuple(module for module in self.modules if module != "smplx")
        return Environment(self.folder, self.version, groups, modules, self.gigabytes)


def full_environment(version: Version = (3, 11)) -> Environment:
    """.venv: everything, with the Blender that fits the Python version."""
    groups = ("capture", "train", "mediapipe", "smplx", "blender", "build", "test", "browser", "dev")
    modules = ("numpy", "torch", "bpy", "onnxruntime", "mediapipe", "smplx", "av", "scipy", "reel2rig")
    return Environment(ROOT / ".venv", version, groups, modules, gigabytes=6)


def blender52_environment() -> Environment:
    """.venv-blender52: Blender 5.2 as a module, for the add-on's tests."""
    return Environment(ROOT / ".venv-blender52", (3, 13), ("blender", "build", "test"), ("numpy", "bpy", "reel2rig"), 2)


def is_complete(environment: Environment) -> bool:
    """Whether the stamp fits what is wanted and the interpreter inside still runs."""
    return read_stamp(environment).get("complete") == environment.fingerprint and _runs(environment)


def read_stamp(environment: Environment) -> dict:
    """The stamp's facts, empty where there is none."""
    try:
        facts = json.loads((environment.folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def make_environment(environment: Environment, wheels: Path | None = None) -> None:
    """Bring the environment to the wanted state; the stamp is written last. Does nothing when all is there.

    Raises BuildError: no Python of the version, no disk space, no network, a failing package.
    """
    if is_complete(environment):
        return
    say(f"Setting up {environment.folder.name} (Python {_text(environment.version)})")
    if not _runs(environment):
        require_space(environment)
        _make_venv(environment)
    _write_stamp(environment, complete=False)
    _install(environment, wheels)
    try:
        _prove(environment)
    except BuildError:
        say("  It does not work: building it once more from nothing.")
        _make_venv(environment)
        _install(environment, wheels)
        _prove(environment)
    _link_for_pyright(environment)
    _write_stamp(environment, complete=True)


def require_space(environment: Environment) -> None:
    """Raise BuildError when the disk has too little room for the environment."""
    free = shutil.disk_usage(environment.folder.parent).free / 1e9
    if free < environment.gigabytes:
        raise BuildError(
            f"Not enough disk space: {environment.folder.name} needs about {environment.gigabytes:g} GB, "
            f"{free:.1f} GB are free on the disk of {environment.folder.parent}.",
            "Free some space, or move the project to a larger disk, and run the same command again.",
        )


def _runs(environment: Environment) -> bool:
    """Whether the environment's interpreter answers with the wanted version and has pip."""
    proof = prove(environment.python) if environment.python.exists() else None
    has_pip = any(environment.folder.glob("[Ll]ib/**/site-packages/pip/__main__.py"))
    return proof is not None and proof.version == environment.version and has_pip


def _make_venv(environment: Environment) -> None:
    base = search_python(environment.version).python
    if base is None:
        raise BuildError(f"Python {_text(environment.version)} was not found.", "Run: python build.py setup")
    if environment.folder.exists():
        shutil.rmtree(environment.folder)
    run_quietly(f"Making the environment with {base}", [base, "-m", "venv", environment.folder], remedy=pip_remedy)
    _write_stamp(environment, complete=False)


def _install(environment: Environment, wheels: Path | None) -> None:
    pip = [environment.python, "-m", "pip", "--disable-pip-version-check"]
    source = ["--no-index", "--find-links", wheels.resolve()] if wheels else []
    lines = requirements(environment.groups)
    numpy = [line for line in lines if line.startswith("numpy==")]

    def install(title: str, *arguments: str | Path) -> None:
        run_quietly(title, [*pip, "install", "--quiet", *source, *arguments], cwd=ROOT, remedy=pip_remedy)

    if "train" in environment.groups:  # alone and first, so that no other package chooses its version
        install("Installing PyTorch", *[line for line in lines if line.startswith("torch==")], *numpy)
    install("Installing Blender and the other pinned packages", *lines)
    install("Installing Reel2Rig itself", "--no-deps", "--no-build-isolation", "-e", ROOT)
    if "train" in environment.groups and "smplx" not in environment.groups:
        run_quietly("Leaving out smplx", [*pip, "uninstall", "--quiet", "--yes", "smplx"], remedy=pip_remedy)


def _prove(environment: Environment) -> None:
    command = [environment.python, "-c", PROOF, *environment.modules]
    # From another folder, with a clean path: what counts is what is installed.
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run_quietly("Trying it out", command, cwd=environment.folder, remedy=pip_remedy, env=clean)


def _link_for_pyright(environment: Environment) -> None:
    """Let typing/reel2rig point to the project: pyright reads no import hooks, so it cannot see the installation."""
    link = environment.folder / "typing" / "reel2rig"
    link.parent.mkdir(exist_ok=True)
    if link.exists() and link.resolve() == ROOT:
        return
    link.unlink(missing_ok=True)
    if sys.platform == "win32":
        import _winapi

        _winapi.CreateJunction(str(ROOT), str(link))  # symbolic links need rights that users lack
    else:
        link.symlink_to(ROOT, target_is_directory=True)


def _write_stamp(environment: Environment, complete: bool) -> None:
    facts = {
        "without_smplx": "smplx" not in environment.groups,
        "complete": environment.fingerprint if complete else None,
    }
    part = environment.folder / (STAMP + ".part")
    part.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    part.replace(environment.folder / STAMP)


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
