"""Make the private environment that captures run in, whole or not at all. Standard library only, no bpy.

Run as a process of its own, by any Python: ``python -I start_module.py addon.environment_build --folder FOLDER``.
It prints the lines of the commands it runs, and JSON lines as the worker does: {"stage", "done", "total", "fps"}, then
{"result": {...}} or {"error": {...}}. FOLDER.part is what is being made, FOLDER.wheels what was fetched so far.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...lifter.errors import CaptureError
from . import environment_commands as commands
from .base_python import BasePython, find_base_python
from .environment_state import Stamp, python_in, write_stamp
from .one_at_a_time import only_one
from .package_lock import Kind, digest, disk_megabytes, download_megabytes, lock_file, requirements
from .set_up_errors import explained, from_os

START_SCRIPT: Final = Path(__file__).resolve().parents[1] / "workers" / "start_module.py"
CHECK_CLIP: Final = Path(__file__).resolve().parent / "check_clip.mp4"
RENAME_SECONDS: Final = 15.0
FACTS: Final = (
    "import json, sys, sysconfig; print(json.dumps({"
    "'python': '%d.%d.%d' % sys.version_info[:3], 'base': sys._base_executable, "
    "'packages': sysconfig.get_path('purelib')}))"
)


@dataclass(frozen=True)
class SetUp:
    """What to make: where, for which processor, and from which folder of wheels (None: over the network)."""

    folder: Path
    kind: Kind
    wheels: Path | None = None

    @property
    def part(self) -> Path:
        """The environment while it is being made."""
        return self.folder.with_name(self.folder.name + ".part")

    @property
    def old(self) -> Path:
        """The environment that was there before, while the new one takes its place."""
        return self.folder.with_name(self.folder.name + ".old")

    @property
    def lock(self) -> Path:
        """Held by the process that is at work here."""
        return self.folder.with_name(self.folder.name + ".lock")

    @property
    def fetched(self) -> Path:
        """Wheels fetched so far; kept when set-up is cancelled, removed when it is done."""
        return self.folder.with_name(self.folder.name + ".wheels")


def build(asked: SetUp) -> dict[str, Any]:
    """Make the environment and put it in place of what is there. Returns what it is.

    Raises CaptureError: environment_busy, no_python, no_packages, no_network, disk_full, hash_mismatch, not_in_folder,
    no_wheel, not_writable, does_not_work, set_up_failed. Then ``asked.folder`` is as it was.
    """
    try:
        asked.folder.parent.mkdir(parents=True, exist_ok=True)
        with only_one(asked.lock):
            return _build(asked)
    except OSError as error:
        raise from_os(error) from error


def discard(folder: Path) -> None:
    """Remove what a stopped set-up left unfinished, and put back what it had put aside; fetched wheels stay.

    Does nothing while another process sets up there.
    """
    asked = SetUp(folder, "cpu")
    with suppress(OSError, CaptureError), only_one(asked.lock):
        shutil.rmtree(asked.part, ignore_errors=True)
        if asked.old.exists() and not folder.exists():
            asked.old.rename(folder)
        shutil.rmtree(asked.old, ignore_errors=True)


def _build(asked: SetUp) -> dict[str, Any]:
    started = time.monotonic()
    _require_room(asked)
    _remove(asked.part)
    try:
        base = find_base_python()
        commands.say(f"Python: {base.path}")
        _make_venv(asked.part, base)
        wheels = asked.wheels or _fetch(asked, base)
        _install(asked, wheels)
        provider, warnings = _try_out(asked)
        facts = _facts(asked.part)
        packages = Path(facts["packages"]).resolve().relative_to(asked.part.resolve()).as_posix()
        stamp = Stamp(
            folder=str(asked.folder),
            python=facts["python"],
            base=facts["base"],
            packages=packages,
            kind=asked.kind,
            lock=digest(lock_file(asked.kind)),
            provider=provider,
        )
        write_stamp(asked.part, stamp)
        _put_in_place(asked)
    except BaseException:
        shutil.rmtree(asked.part, ignore_errors=True)
        raise
    shutil.rmtree(asked.fetched, ignore_errors=True)
    seconds = round(time.monotonic() - started, 1)
    return {"folder": str(asked.folder), "provider": provider, "seconds": seconds, "warnings": warnings}


def _require_room(asked: SetUp) -> None:
    needed, free = disk_megabytes(asked.kind), shutil.disk_usage(asked.folder.parent).free / 1e6
    if free < needed:
        message = f"There is too little room: {needed} MB are needed, {free:.0f} MB are free at {asked.folder.parent}."
        raise CaptureError("disk_full", message, "Free some space and press the button again.")


def _make_venv(environment: Path, base: BasePython) -> None:
    commands.stage("make environment")
    commands.run("Making the environment", [base.path, "-I", "-m", "venv", "--without-pip", environment])
    if not python_in(environment).exists():
        _copy_python(base.path, environment)
    commands.run("Putting pip into it", [*_python(environment), "-m", "ensurepip", "--default-pip"])


def _copy_python(base: Path, environment: Path) -> None:
    """Where a Windows Python comes without venv's launcher (Blender's may): the interpreter itself in its place."""
    scripts = python_in(environment).parent
    scripts.mkdir(exist_ok=True)
    for file in [base, *base.parent.glob("python3*.dll"), *base.parent.glob("vcruntime*.dll")]:
        shutil.copy2(file, scripts / ("python.exe" if file == base else file.name))


def _fetch(asked: SetUp, base: BasePython) -> Path:
    """Fetch package after package, so that a later try goes on with the next; returns the folder of wheels."""
    asked.fetched.mkdir(exist_ok=True)
    total, before = download_megabytes(asked.kind), 0.0
    words = ["download", "--no-deps", "--no-cache-dir", *commands.progress_words(base.pip), "-d", asked.fetched]
    for requirement in requirements(lock_file(asked.kind)):
        before = sum(wheel.stat().st_size for wheel in asked.fetched.glob("*.whl")) / 1e6
        commands.stage("fetch MB", before, total)
        name = requirement.split()[0]
        with _requirements_file([requirement]) as lines:
            command = [*_python(asked.part), "-m", "pip", *words, *_locked(lines)]
            commands.run(f"Fetching {name}", command, following=(before, total))
    return asked.fetched


def _install(asked: SetUp, wheels: Path) -> None:
    commands.stage("install")
    command = [*_python(asked.part), "-m", "pip", "install", "--no-deps", "--no-index", "--no-cache-dir"]
    with _requirements_file(requirements(lock_file(asked.kind))) as lines:
        words = [*command, "--progress-bar", "off", "--find-links", wheels, *_locked(lines)]
        commands.run("Installing the packages", words, wheels=asked.wheels)


def _try_out(asked: SetUp) -> tuple[str, list[str]]:
    """Capture twelve small frames with the new environment; the provider that was used, and complaints about it."""
    commands.stage("try out")
    device = "cuda" if asked.kind == "cuda" else "cpu"
    with tempfile.TemporaryDirectory(dir=asked.part, ignore_cleanup_errors=True) as out:
        words = ["lifter", "capture", CHECK_CLIP, "--out", Path(out) / "check", "--preset", "fast", "--device", device]
        command = [*_python(asked.part), "-u", START_SCRIPT, *words, "--progress", "json"]
        lines = commands.run("Trying the environment out", [*command, "--height", "1.75"], failing=_does_not_work)
    answer = json.loads(next(line for line in reversed(lines) if line.startswith('{"result"')))["result"]
    return str(answer["provider"]), [str(warning) for warning in answer["warnings"]]


def _does_not_work(step: str, output: str) -> CaptureError:
    lines = [line for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    if last.startswith('{"error"'):
        last = str(json.loads(last)["error"]["message"])
    hint = "Press the button again with the device Processor. If that fails too, send in the report."
    return CaptureError("does_not_work", f"{step} failed: {last}", hint)


def _facts(environment: Path) -> dict[str, str]:
    return json.loads(commands.run("Asking the new Python", [*_python(environment), "-c", FACTS])[-1])


def _put_in_place(asked: SetUp) -> None:
    """Rename the finished environment to its name; what was there before is put aside first and removed after."""
    commands.stage("put in place")
    _remove(asked.old)
    if asked.folder.exists():
        _rename(asked.folder, asked.old)
    try:
        _rename(asked.part, asked.folder)
    except CaptureError:
        if asked.old.exists():
            asked.old.rename(asked.folder)
        raise
    shutil.rmtree(asked.old, ignore_errors=True)


def _rename(source: Path, target: Path) -> None:
    """Rename, patiently: on Windows a virus scanner may hold a new file open for some seconds."""
    deadline = time.monotonic() + RENAME_SECONDS
    while True:
        try:
            source.rename(target)
            return
        except PermissionError as error:
            if time.monotonic() > deadline:
                raise explained("", f"Permission denied: {source}") from error
            commands.say(f"Waiting for another program to let go of {source}")
            time.sleep(0.5)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _python(environment: Path) -> list[str | Path]:
    return [python_in(environment), "-I", "-X", "utf8"]


def _locked(lines: str) -> list[str]:
    return ["--only-binary", ":all:", "--require-hashes", "-r", lines]


@contextmanager
def _requirements_file(lines: list[str]) -> Iterator[str]:
    """A temporary file with ``lines`` as pip reads them."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("\n".join(lines) + "\n", "utf-8")
        yield str(file)


def main(arguments: list[str] | None = None) -> int:
    """The process: exit status 0 when the environment is in place, else 1 and an error line."""
    parser = argparse.ArgumentParser("environment_build", description=SetUp.__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the environment is put")
    parser.add_argument("--kind", choices=("cpu", "cuda"), required=True, help="which packages")
    parser.add_argument("--wheels", type=Path, help="folder of wheels; without it they are fetched")
    options = parser.parse_args(arguments)
    try:
        result = build(SetUp(options.folder, options.kind, options.wheels))
    except CaptureError as error:
        commands.tell({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
        return 1
    commands.tell({"result": result})
    return 0


if __name__ == "__main__":
    sys.exit(main())
