"""Names of files for characters: every system takes them, and nobody's letters are lost. Standard library only."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
LONGEST_BYTES: Final = 120  # room for folders on Windows, where a path has 260 characters


def safe_file_name(name: str) -> str:
    """``name`` as Windows, macOS and Linux take it, without ending: Korean, emoji and spaces stay."""
    name = FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    name = name.encode("utf-8", "ignore")[:LONGEST_BYTES].decode("utf-8", "ignore").rstrip(" .").lstrip(" ")
    return f"_{name}" if not name or DEVICES.match(name) else name


def safe_file_names(names: Iterable[str]) -> list[str]:
    """A safe name for each, all different also where case does not count."""
    taken: set[str] = set()
    result = []
    for name in map(safe_file_name, names):
        number, unique = 2, name
        while unique.casefold() in taken:
            unique, number = f"{name}_{number}", number + 1
        taken.add(unique.casefold())
        result.append(unique)
    return result
