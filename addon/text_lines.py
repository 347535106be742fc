"""Text in the user's language, and in a sidebar, which does not break lines by itself."""

import textwrap
from typing import Any, Final
from unicodedata import east_asian_width

import bpy

from ..lifter.errors import CaptureError
from .translation import OWN

WIDTH: Final = 38
"""Characters of a line in a sidebar of usual width; wide ones, as Korean has, count twice."""
PADDING: Final = "\0"


def draw_lines(column: Any, text: str, icon: str = "NONE") -> None:
    """``text``, translated where there is a translation, as labels below each other, the first one with ``icon``."""
    for number, line in enumerate(wrapped(translated(text))):
        column.label(text=line, icon=icon if number == 0 else "NONE" if icon == "NONE" else "BLANK1", translate=False)


def translated(text: str) -> str:
    """``text`` in the user's language, as far as the table has it: as a whole, or before and after its first colon."""
    whole = _ours(text)
    head, colon, rest = text.partition(": ")
    return whole if whole != text or not colon else _ours(head) + colon + _ours(rest)


def filled(template: str, **values: object) -> str:
    """``template`` in the user's language, with ``values`` in the places of its {names}."""
    return _ours(template).format(**values)


def explained(error: CaptureError) -> str:
    """What went wrong and what to do about it, in the user's language."""
    return f"{translated(error.message)} {translated(error.hint)}".strip()


def _ours(text: str) -> str:
    """What our own table has for ``text``: Blender's has other meanings of some words."""
    return bpy.app.translations.pgettext_iface(text, OWN)


def wrapped(text: str) -> list[str]:
    """``text`` in lines that fit."""
    padded = "".join(letter + PADDING if east_asian_width(letter) in "WF" else letter for letter in text)
    return [line.replace(PADDING, "") for line in textwrap.wrap(padded, WIDTH)]
