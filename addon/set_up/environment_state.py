"""Is the private environment absent, whole or broken? Standard library only; nothing is started in the quick look."""

import csv
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from .package_lock import Kind, digest, lock_file

STAMP: Final = "reel2rig-environment.json"
START_SECONDS: Final = 60


@dataclass(frozen=True)
class Stamp:
    """What set-up notes inside an environment once it is whole.

    ``folder`` where it was put, ``base`` the Python it stands on, ``packages`` its site-packages relative to folder.
    """

    folder: str
    python: str
    base: str
    packages: str
    kind: Kind
    lock: str
    provider: str


@dataclass(frozen=True)
class State:
    """``own``: somebody's own environment is used instead. ``reason``: what is broken, as a sentence."""

    kind: Literal["absent", "whole", "broken", "own"]
    reason: str = ""
    stamp: Stamp | None = None

    @property
    def ready(self) -> bool:
        """Whether a capture may be tried."""
        return self.kind in ("whole", "own")


def python_in(environment: Path) -> Path:
    """Where a virtual environment keeps its Python."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def write_stamp(environment: Path, stamp: Stamp) -> None:
    """Note what ``environment`` is; the last thing before it is put in place."""
    (environment / STAMP).write_text(json.dumps(asdict(stamp), indent=2) + "\n", "utf-8")


def inspect(environment: Path, thorough: bool = False) -> State:
    """Look at the private environment. ``thorough`` checks every installed file and starts its Python once."""
    if not environment.is_dir():
        return State("absent")
    stamp = _read_stamp(environment)
    if stamp is None:
        return State("broken", "It was not made, or not finished, by this version of Reel2Rig.")
    reason = _misfit(environment, stamp) or (_damage(environment, stamp) if thorough else "")
    return State("broken" if reason else "whole", reason, stamp)


def _read_stamp(environment: Path) -> Stamp | None:
    try:
        return Stamp(**json.loads((environment / STAMP).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _misfit(environment: Path, stamp: Stamp) -> str:
    if Path(stamp.folder).resolve() != environment.resolve():
        return f"It was moved here from {stamp.folder}."
    if not Path(stamp.base).exists() or not python_in(environment).exists():
        return f"The Python {stamp.python} it stands on is gone ({stamp.base}); Blender was perhaps upgraded."
    if stamp.lock != digest(lock_file(stamp.kind)):
        return "This version of Reel2Rig needs other packages."
    return ""


def _damage(environment: Path, stamp: Stamp) -> str:
    missing = _missing_files(environment / stamp.packages)
    if missing:
        return f"{len(missing)} of its files are missing ({missing[0]})."
    command = [str(python_in(environment)), "-I", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return f"Its Python does not start ({error})."
    version = done.stdout.strip()
    if version.rpartition(".")[0] != stamp.python.rpartition(".")[0]:
        return f"It was made for Python {stamp.python}, but stands on {version} now; Blender was perhaps upgraded."
    return ""


def _missing_files(packages: Path) -> list[str]:
    """Files that pip noted when it installed and that are not there; caches do not count."""
    records = sorted(packages.glob("*.dist-info/RECORD"))
    if not records:
        return ["all packages"]
    missing = []
    for record in records:
        with record.open(encoding="utf-8", newline="") as lines:
            names = [row[0] for row in csv.reader(lines) if row]
        missing += [name for name in names if not name.endswith(".pyc") and not (packages / name).exists()]
    return missing
