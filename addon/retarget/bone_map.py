"""Bone maps: which bone of a character does what each of our joints does. Needs numpy only.

A map file is JSON: ``joints`` names a bone for each of our 24 joints, or several spellings of it. The conventions in
bone_maps/ and a user's own maps have one format, so that a saved map may serve as a convention.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from ...lifter.atomic_file import written_whole
from ...lifter.errors import InputError
from ...smpl_assets.skeleton import JOINT_NAMES

FORMAT: Final = "reel2rig-bone-map/1"
FOLDER: Final = Path(__file__).resolve().parent / "bone_maps"
HIPS: Final = JOINT_NAMES[0]

Names = tuple[str, ...]


@dataclass(frozen=True)
class BoneMap:
    """One character's bones.

    joints: the bone of each of our joints; joints the character lacks are left out. root: the bone that carries the
    way over the floor, "" without one. carrier: the bone above the hips that is moved in their place, as in control
    rigs, "" without one. twist: for the joint at a limb's upper end, bones that share the limb's twist, from there on
    down. properties: custom properties of bones to set first (a control rig's switches to FK).
    """

    joints: dict[str, str]
    root: str = ""
    carrier: str = ""
    twist: dict[str, Names] = field(default_factory=dict)
    properties: dict[str, dict[str, float]] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class Convention:
    """How a kind of character names its bones: spellings of each, the best first.

    prefixes: what may stand before all names. rank: goes first among conventions that fit equally well, if higher.
    """

    name: str
    label: str
    joints: dict[str, Names]
    root: Names = ()
    carrier: Names = ()
    twist: dict[str, Names] = field(default_factory=dict)
    prefixes: Names = ()
    properties: dict[str, dict[str, float]] = field(default_factory=dict)
    rank: int = 0


@cache
def conventions() -> tuple[Convention, ...]:
    """All conventions that come with the add-on."""
    return tuple(read_convention(path) for path in sorted(FOLDER.glob("*.json")))


def convention_named(name: str) -> Convention:
    """The convention ``name``. Raises InputError that lists the names there are."""
    for convention in conventions():
        if convention.name == name:
            return convention
    known = ", ".join(convention.name for convention in conventions())
    raise InputError("no_convention", f"There is no bone map named {name}.", f"Choose one of: {known}.")


def read_convention(path: Path) -> Convention:
    """Read a map file with all its spellings. Raises InputError when it is not one."""
    return _convention(_read_json(path), Path(path).name)


def read_map(path: Path) -> BoneMap:
    """Read a character's map: the first spelling of each bone. Raises InputError when the file is not one."""
    convention = read_convention(path)
    return BoneMap(
        joints={joint: names[0] for joint, names in convention.joints.items() if names},
        root=convention.root[0] if convention.root else "",
        carrier=convention.carrier[0] if convention.carrier else "",
        twist=convention.twist,
        properties=convention.properties,
        label=convention.label,
    )


def write_map(path: Path, bone_map: BoneMap) -> None:
    """Write ``bone_map`` as JSON, whole or not at all."""
    content = {
        "format": FORMAT,
        "name": Path(path).stem,
        "label": bone_map.label or Path(path).stem,
        "joints": bone_map.joints,
        "root": bone_map.root,
        "carrier": bone_map.carrier,
        "twist": {joint: list(names) for joint, names in bone_map.twist.items()},
        "properties": bone_map.properties,
    }
    with written_whole(Path(path)) as part:
        part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def check_map(bone_map: BoneMap, bones: Collection[str]) -> None:
    """Raise InputError, naming bones, when ``bone_map`` cannot move a character with these ``bones``."""
    if not bone_map.joints.get(HIPS):
        message = "The bone map has no bone for the hips (pelvis)."
        raise InputError("no_hips", message, "Choose the bone that legs and spine hang on.")
    twist = [name for names in bone_map.twist.values() for name in names]
    known = set(bones)
    used = [*bone_map.joints.values(), *twist, *filter(None, (bone_map.root, bone_map.carrier)), *bone_map.properties]
    unknown = [name for name in dict.fromkeys(used) if name not in known]
    if unknown:
        message = f"The character has no bone named {', '.join(unknown)}."
        raise InputError("unknown_bone", message, "Guess the bone map again, or choose other bones.")
    users: dict[str, list[str]] = {}
    for joint, name in bone_map.joints.items():
        users.setdefault(name, []).append(joint)
    for name in twist:
        users.setdefault(name, []).append("twist")
    shared = [f"{name} ({', '.join(joints)})" for name, joints in users.items() if len(joints) > 1]
    if shared:
        message = f"The bone map uses a bone more than once: {'; '.join(shared)}."
        raise InputError("bone_twice", message, "Give each joint a bone of its own, or none.")


def missing_joints(bone_map: BoneMap) -> list[str]:
    """Our joints without a bone, hands left out: hardly a character has bones for SMPL's."""
    return [name for name in JOINT_NAMES if name not in bone_map.joints and not name.endswith("_hand")]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError("no_such_file", f"Could not read {path}.", "Check the path.") from error
    except ValueError as error:
        message = f"{Path(path).name} is not a bone map."
        raise InputError("bad_bone_map", message, "Choose a .json file that Save Bone Map wrote.") from error


def _convention(content: Any, file: str) -> Convention:
    hint = "Choose a .json file that Save Bone Map wrote, or mend it."
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise InputError("bad_bone_map", f"{file} is not a bone map.", hint)
    try:
        joints = {joint: _names(names) for joint, names in content["joints"].items()}
        twist = {joint: _names(names) for joint, names in content.get("twist", {}).items()}
        convention = Convention(
            name=str(content.get("name", Path(file).stem)),
            label=str(content.get("label", "")),
            joints={joint: names for joint, names in joints.items() if names},
            root=_names(content.get("root")),
            carrier=_names(content.get("carrier")),
            twist=twist,
            prefixes=_names(content.get("prefixes")),
            properties=_properties(content.get("properties", {})),
            rank=int(content.get("rank", 0)),
        )
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise InputError("bad_bone_map", f"{file}: the bone map is damaged ({error}).", hint) from error
    strange = [joint for joint in (*joints, *twist) if joint not in JOINT_NAMES]
    if strange:
        message = f"{file} names joints that do not exist: {', '.join(strange)}."
        raise InputError("bad_bone_map", message, f"Joints are: {', '.join(JOINT_NAMES)}.")
    return convention


def _names(value: Any) -> Names:
    """Spellings: a text, a list of texts, or nothing."""
    names = [] if value is None else [value] if isinstance(value, str) else list(value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError("names must be texts")
    return tuple(name for name in names if name)


def _properties(value: Any) -> dict[str, dict[str, float]]:
    return {bone: {key: float(number) for key, number in items.items()} for bone, items in value.items()}
