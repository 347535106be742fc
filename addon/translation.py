"""The extension in other languages: tables of Blender's own kind, read from addon/translations/LANGUAGE.json."""

import json
from pathlib import Path
from typing import Final

import bpy

FOLDER: Final = Path(__file__).resolve().parent / "translations"
OWN: Final = "Reel2Rig"
"""The translation_context of properties whose names mean something else in Blender's own interface ("Feet", "Build"),
which would win otherwise."""
CONTEXTS: Final = ("*", "Operator", OWN)
"""Blender looks names of operators up in a context of their own."""


def register() -> None:
    """Make the tables known to Blender."""
    bpy.app.translations.register(__name__, {language: in_contexts(words) for language, words in read_tables().items()})


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(__name__)


def read_tables() -> dict[str, dict[str, str]]:
    """The translations of each language, by Blender's name for it: {"ko_KR": {English: Korean}}."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json"))}


def in_contexts(words: dict[str, str]) -> dict[tuple[str, str], str]:
    """A table of the kind that Blender takes: {(context, English): Korean}."""
    return {(context, english): other for english, other in words.items() for context in CONTEXTS}
