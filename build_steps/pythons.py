"""Find Python interpreters of a wanted version; every find is proved by running it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Version = tuple[int, int]

WINDOWS = os.name == "nt"
PROOF = (
    "import sys, importlib.util as u;"
    "print(*sys.version_info[:2], sys.maxsize > 2**32 and all(map(u.find_spec, ('venv', 'ensurepip'))));"
    "print(getattr(sys, '_base_executable', '') or sys.executable)"
)


@dataclass(frozen=True)
class Proof:
    """What an interpreter said of itself. ``complete``: 64 bit, and able to make virtual environments."""

    path: Path
    version: Version
    complete: bool


@dataclass
class Search:
    """The outcome of a search: the interpreter, and the ones of the right version that cannot make environments."""

    python: Path | None = None
    incomplete: list[Path] = field(default_factory=list)


def search_python(version: Version) -> Search:
    """Look for a working Python of ``version`` everywhere it may hide; the first that proves itself wins."""
    search = Search()
    for candidate in dict.fromkeys(_candidates(version)):
        proof = prove(candidate)
        if proof is None or proof.version != version:
            continue
        if proof.complete:
            search.python = proof.path
            return search
        search.incomplete.append(candidate)
    return search


def prove(executable: Path) -> Proof | None:
    """Run ``executable`` and read its version; None when it only answers with an error (as pyenv's shims may)."""
    return _ask([str(executable)])


def _ask(command: list[str]) -> Proof | None:
    try:
        answer = subprocess.run(
            [*command, "-c", PROOF], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL
        )
        facts, path = answer.stdout.strip().splitlines()[-2:]
        major, minor, complete = facts.split()
        proof = Proof(Path(path), (int(major), int(minor)), complete == "True")
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return proof if answer.returncode == 0 and proof.path.exists() else None


def _candidates(version: Version) -> Iterator[Path]:
    yield Path(sys.executable)
    yield from _on_path(version)
    yield from _in_pyenv(version)
    yield from _from_launcher(version)
    yield from _in_uv_store(version)


def _on_path(version: Version) -> Iterator[Path]:
    suffix = ".exe" if WINDOWS else ""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for name in (f"python{version[0]}.{version[1]}{suffix}", f"python3{suffix}", f"python{suffix}"):
        for folder in folders:
            if (folder / name).is_file():
                yield folder / name


def _in_pyenv(version: Version) -> Iterator[Path]:
    roots = [Path.home() / ".pyenv", Path.home() / ".pyenv" / "pyenv-win"]
    roots += [Path(os.environ[key]) for key in ("PYENV_ROOT", "PYENV") if os.environ.get(key)]
    for root in roots:
        for folder in _newest_first((root / "versions").glob(f"{version[0]}.{version[1]}.*")):
            yield folder / ("python.exe" if WINDOWS else "bin/python")


def _from_launcher(version: Version) -> Iterator[Path]:
    launcher = shutil.which("py")
    proof = _ask([launcher, f"-{version[0]}.{version[1]}"]) if launcher else None
    if proof:
        yield proof.path


def _in_uv_store(version: Version) -> Iterator[Path]:
    for store in _uv_stores():
        for folder in _newest_first(store.glob(f"cpython-{version[0]}.{version[1]}.*")):
            yield folder / ("python.exe" if WINDOWS else f"bin/python{version[0]}.{version[1]}")


def _uv_stores() -> Iterator[Path]:
    if os.environ.get("UV_PYTHON_INSTALL_DIR"):
        yield Path(os.environ["UV_PYTHON_INSTALL_DIR"])
    data = Path(os.environ.get("APPDATA" if WINDOWS else "XDG_DATA_HOME") or Path.home() / ".local" / "share")
    yield data / "uv" / "python"


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    def release(folder: Path) -> tuple[int, ...]:
        digits = folder.name.removeprefix("cpython-").split("-")[0].split(".")
        return tuple(int(part) for part in digits if part.isdigit())

    return sorted(folders, key=release, reverse=True)
