"""What a person asked for, checked before the work begins."""

import math
from importlib.util import find_spec
from typing import Literal

from ..smpl_assets.errors import SmplxMissingError
from .errors import InputError

DEFAULT_HEIGHT = 1.70


def checked_height(height: float | None) -> float:
    """The person's height in metres, DEFAULT_HEIGHT when not given. Raises InputError("bad_height")."""
    if height is None:
        return DEFAULT_HEIGHT
    if not 0.4 <= height <= 2.6:
        hint = "Give the person's height in metres, for example 1.70."
        raise InputError("bad_height", f"A height of {height:g} m is not possible.", hint)
    return height


def checked_person(person: str) -> int | Literal["largest", "all"]:
    """largest, all, or a track number from 1. Raises InputError("bad_person")."""
    if person == "largest" or person == "all":
        return person
    if person.isdecimal() and int(person) > 0:
        return int(person)
    hint = "Give largest, all, or a track number from 1."
    raise InputError("bad_person", f"--person {person} is not understood.", hint)


def check_range(start: float | None, end: float | None) -> None:
    """start and end in seconds; None is the clip's own. Raises InputError("bad_range")."""
    for name, value in (("start", start), ("end", end)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise InputError("bad_range", f"--{name} {value:g} is not a time.", "Give seconds from the clip's begin.")
    if end is not None and end <= (start or 0.0):
        message = f"The start ({start or 0.0:g} s) is not before the end ({end:g} s)."
        raise InputError("bad_range", message, "Give an --end after --start, in seconds.")


def check_refinement(refinement: str) -> None:
    """Find out before the long work whether smplx is there. Raises InputError("no_smplx")."""
    if refinement == "smplx" and not (_is_installed("torch") and _is_installed("smplx")):
        raise InputError("no_smplx", SmplxMissingError.message, SmplxMissingError.hint)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:
        return False
