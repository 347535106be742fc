"""The verb setup: find the Pythons, make the environments, say what is missing."""

import argparse
import shutil
import sys
from pathlib import Path

from .console import BuildError, run_quietly, say
from .environments import (
    SMPLX_NOTICE,
    Environment,
    blender52_environment,
    full_environment,
    is_complete,
    make_environment,
    read_stamp,
)
from .pythons import Search, Version, search_python
from .remedies import pip_remedy

WANTED: tuple[Version, ...] = ((3, 11), (3, 13))
WITHOUT_313 = """\
  Python 3.13 was not found, so Blender 5.2 is NOT set up here and its tests cannot run.
  Install Python 3.13 (with uv: uv python install 3.13) and run: python build.py setup"""
WITHOUT_311 = """\
  Python 3.11 was not found, so everything is set up on Python 3.13 with Blender 5.2; Blender 4.5 is NOT set up here.
  Install Python 3.11 (with uv: uv python install 3.11) and run: python build.py setup"""


def run(arguments: list[str]) -> int:
    """python build.py setup [--without-smplx] [--offline-wheels FOLDER] [--yes]."""
    parser = argparse.ArgumentParser("build.py setup", description="Make the virtual environments beside build.py.")
    parser.add_argument("--without-smplx", action="store_true", help="leave out smplx (non-commercial research only)")
    parser.add_argument(
        "--offline-wheels", type=Path, metavar="FOLDER", help="install from wheels in FOLDER, no network"
    )
    parser.add_argument("--yes", action="store_true", help="get a missing Python through uv without asking")
    options = parser.parse_args(arguments)
    if options.offline_wheels and not options.offline_wheels.is_dir():
        raise BuildError(f"There is no folder {options.offline_wheels}.", "Give the folder that holds the wheels.", 2)
    environments = plan(find_pythons(options.yes))
    if options.without_smplx:
        environments[0] = environments[0].without_smplx()
    for environment in environments:
        make_environment(environment, options.offline_wheels)
    if not options.without_smplx:
        say(SMPLX_NOTICE)
    say("Set up. Next: python build.py demo")
    return 0


def ensure(blender52: bool = False) -> Environment:
    """The main environment, set up now if it is not complete; with ``blender52`` the second one as well.

    An earlier choice to leave out smplx is kept. Raises BuildError when it cannot be set up.
    """
    main = main_environment()
    second = blender52_environment()
    if main is not None and is_complete(main) and (not blender52 or is_complete(second)):
        return main
    environments = plan(find_pythons(say_yes=False))
    environments[0] = _as_chosen(environments[0])
    for environment in environments if blender52 else environments[:1]:
        make_environment(environment)
    return environments[0]


def main_environment() -> Environment | None:
    """The complete main environment as it was chosen at set-up, or None."""
    for version in WANTED:
        environment = _as_chosen(full_environment(version))
        if is_complete(environment):
            return environment
    return None


def find_pythons(say_yes: bool) -> dict[Version, Search]:
    """Search for the wanted Pythons; offer to get the missing ones through uv. Raises BuildError without any."""
    found = {version: search_python(version) for version in WANTED}
    missing = [version for version in WANTED if found[version].python is None]
    if missing and _get_through_uv(missing, say_yes):
        found |= {version: search_python(version) for version in missing}
    if not any(search.python for search in found.values()):
        raise BuildError(_nothing_found(found), "Install Python 3.11 (python.org, your system's packages, or uv).")
    return found


def plan(found: dict[Version, Search]) -> list[Environment]:
    """The environments that the Pythons found allow; the main one first. Says loudly what falls away."""
    if found[3, 11].python is None:
        say(WITHOUT_311)
        return [full_environment((3, 13))]
    if found[3, 13].python is None:
        say(WITHOUT_313)
        return [full_environment()]
    return [full_environment(), blender52_environment()]


def _as_chosen(environment: Environment) -> Environment:
    return environment.without_smplx() if read_stamp(environment).get("without_smplx") else environment


def _get_through_uv(missing: list[Version], say_yes: bool) -> bool:
    names = [f"{major}.{minor}" for major, minor in missing]
    uv = shutil.which("uv")
    if uv is None:
        return False
    say(f"Python {' and '.join(names)} not found. uv can download it into its own folder.")
    if not say_yes and not _asked(f"  Run `uv python install {' '.join(names)}` now?"):
        return False
    run_quietly("Getting Python through uv", [uv, "python", "install", *names], remedy=pip_remedy)
    return True


def _asked(question: str) -> bool:
    if not sys.stdin.isatty():
        say("  Nobody to ask here; to agree beforehand: python build.py setup --yes")
        return False
    return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def _nothing_found(found: dict[Version, Search]) -> str:
    lines = [
        "Neither Python 3.11 nor 3.13 was found: not on the PATH, in pyenv, by the py launcher, nor in uv's store."
    ]
    for (major, minor), search in found.items():
        for path in search.incomplete:
            lines.append(f"{path} is {major}.{minor} but cannot make virtual environments (apt install python3-venv).")
    return "\n".join(lines)
