"""Every text that the extension shows has a Korean translation, and the table holds nothing else.

What is shown is found in the code, so that nothing is forgotten: names and tooltips of everything registered, what the
panels draw, and each text literal of the add-on that looks like a sentence or a title. Sentences of the lifter count
where a capture may say them.
"""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import bpy
import pytest
from reel2rig.addon import registration, translation
from reel2rig.addon.character.body_choice import LICENCE_TEXT
from reel2rig.addon.character.capture_report import PROVIDERS
from reel2rig.addon.retarget.bone_map import conventions
from reel2rig.addon.retarget.retarget_panel import LABELS
from reel2rig.addon.set_up.package_lock import kind_in_words
from reel2rig.addon.workers.progress_text import STAGES

pytestmark = pytest.mark.usefixtures("addon")
ADDON: Final = Path(translation.__file__).parent
LIFTER: Final = ADDON.parent / "lifter"
BLENDERS_OWN: Final = {"name", "filter_glob", "filepath", "directory", "files", "check_existing", "rna_type"}
DRAWN: Final = {"label", "operator", "prop", "menu", "operator_menu_enum"}
SAID: Final = {"draw_lines", "translated", "filled", "poll_message_set", "report", "fail"}
ONLY_COMMAND_LINE: Final = {
    *("__main__.py", "camera.py", "capture_files.py", "fit_people.py", "given_joints.py"),
    *("mediapipe_backend.py", "missing_frames.py"),
}
PROPER_NAMES: Final = {
    *("Godot", "Python", "Reel2Rig", "Unity", "Unreal Engine"),
    *(convention.label for convention in conventions()),
}
NOT_SHOWN: Final = {
    "Base Color",  # Blender's
    *("Left Arm", "Right Arm", "Left Leg", "Right Leg"),  # names of bone collections
    *("Putting pip into it", "Installing the packages", "Trying the environment out"),
    *("Asking the new Python", "No space left on device", "Permission denied"),  # in logs
    "Frame Time",  # in BVH files
    "From a video to SMPL motion.",
}
SENTENCE: Final = re.compile(r"[A-Z][^|\\\n{}]* [^|\\\n{}]*[.]")
TITLE: Final = re.compile(r"(?!Reel2Rig )[A-Z][^|\\\n{}]* [^|\\\n{}]*[^|\\\n{}: ]")
HEAD: Final = re.compile(r"([A-Z][^:\n{}]*): ")
TEMPLATE: Final = re.compile(r"([A-Z][^:\n{}]*): \{.*")


def shown_by_classes() -> Iterator[str]:
    """Names and tooltips of every class, property and choice."""
    for cls in registration.CLASSES:
        rna: Any = cls.bl_rna  # pyright: ignore[reportAttributeAccessIssue] - set by registering
        if issubclass(cls, bpy.types.Operator):
            module, name = cls.bl_idname.split(".")
            rna = getattr(getattr(bpy.ops, module), name).get_rna_type()
            yield rna.description
        yield getattr(cls, "bl_label", "")
        for prop in rna.properties:
            if prop.identifier in BLENDERS_OWN or prop.identifier not in _own_annotations(cls) or prop.is_hidden:
                continue
            if prop.name != prop.identifier:  # it was given a name, so it is drawn
                yield from (prop.name, prop.description)
            if prop.type == "ENUM":
                for item in prop.enum_items_static:
                    yield from (item.name, item.description)


def _own_annotations(cls: type) -> set[str]:
    return {
        name for base in cls.__mro__ if "reel2rig" in base.__module__ for name in getattr(base, "__annotations__", {})
    }


def shown_by_code(file: Path) -> Iterator[str]:
    """What the calls in ``file`` draw or say, and all its literals that look like it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in DRAWN | SAID:
            given = [word.value for word in node.keywords if word.arg == "text"]
            given += node.args if _name(node.func) in SAID else []
            yield from (text for one in given for text in _literals(one))
        if isinstance(node, ast.JoinedStr) and (start := _literals(node.values[0])):
            yield from HEAD.findall(start[0])[:1]
    for text in texts_of(tree):
        yield from TEMPLATE.findall(text)
        if TITLE.fullmatch(text):
            yield text


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Text literals that are neither docstrings nor parts of f-strings."""
    others = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    others |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in others:
            yield node.value


def sentences_of(file: Path) -> Iterator[str]:
    """Whole sentences without variable parts: messages, hints and warnings."""
    return (text for text in texts_of(ast.parse(file.read_text(encoding="utf-8"))) if SENTENCE.fullmatch(text))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literals(value: ast.expr) -> list[str]:
    if isinstance(value, ast.IfExp):
        return _literals(value.body) + _literals(value.orelse)
    return [value.value] if isinstance(value, ast.Constant) and isinstance(value.value, str) else []


def shown() -> set[str]:
    texts = {*shown_by_classes(), *LICENCE_TEXT.values(), *PROVIDERS.values(), *STAGES.values(), *LABELS.values()}
    texts |= {kind_in_words("cpu"), kind_in_words("cuda")}
    for file in ADDON.rglob("*.py"):
        texts |= set() if file.name in ONLY_COMMAND_LINE else set(shown_by_code(file))
    for file in LIFTER.rglob("*.py"):
        texts |= set() if file.name in ONLY_COMMAND_LINE else set(sentences_of(file))
    words = {text for text in texts if any(letter.isalpha() for letter in text) and not text.isupper()}
    return words - PROPER_NAMES - NOT_SHOWN


def korean() -> dict[str, str]:
    return translation.read_tables()["ko_KR"]


def names_in(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


def test_everything_shown_is_translated() -> None:
    assert sorted(shown() - korean().keys()) == []


def test_nothing_else_is() -> None:
    assert sorted(korean().keys() - shown()) == []


def test_translations_are_korean() -> None:
    assert [english for english, other in korean().items() if not any("가" <= letter <= "힣" for letter in other)] == []


def test_translations_fill_the_same_names_and_end_alike() -> None:
    for english, other in korean().items():
        assert names_in(english) == names_in(other), english
        assert english.endswith(".") == other.endswith("."), english


def test_the_table_is_sorted() -> None:
    assert list(korean()) == sorted(korean())


def test_operators_and_properties_of_our_own_context_find_them() -> None:
    table = translation.in_contexts({"Feet": "발"})
    assert table == {("*", "Feet"): "발", ("Operator", "Feet"): "발", ("Reel2Rig", "Feet"): "발"}
    contexts = {prop.translation_context for cls in registration.CLASSES for prop in _properties(cls)}
    assert contexts <= set(translation.CONTEXTS)


def _properties(cls: Any) -> list[Any]:
    return [prop for prop in cls.bl_rna.properties if prop.identifier in _own_annotations(cls)]
