"""Guess a bone map from the names of a character's bones. Needs numpy only.

Names are compared without case, separators and leading zeros, and sides by meaning: LeftUpLeg, upleg_l and UpLeg.L are
one name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .bone_map import BoneMap, Convention, conventions
from .bone_tree import BoneTree

SIDES: Final = {"l": "left", "left": "left", "r": "right", "right": "right"}
NEEDED: Final = ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee")
FITS: Final = 0.6  # of a convention's joints must be found
COMMON: Final = 0.8  # of all bones share a prefix that is the character's name
TWIST_WORDS: Final = ("twist", "roll")
TWISTING: Final = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "hip", "knee")
)

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
SPELLED_SIDE = re.compile(r"(left|right)(?=.)")


@dataclass(frozen=True)
class _Fit:
    """A convention tried on a character: how well it fits (larger is better) and what it found."""

    goodness: tuple[float, int, int]
    bone_map: BoneMap


def guess_by_names(tree: BoneTree) -> BoneMap | None:
    """The map of the convention that fits the bones' names best, or None when none does."""
    fits = [fit for convention in conventions() for fit in _fits(convention, tree)]
    return max(fits, key=lambda fit: fit.goodness).bone_map if fits else None


def map_by_convention(convention: Convention, tree: BoneTree) -> BoneMap | None:
    """The map that ``convention`` gives, or None when its names do not fit."""
    fits = _fits(convention, tree)
    return max(fits, key=lambda fit: fit.goodness).bone_map if fits else None


def spoken_name(name: str) -> tuple[str, str]:
    """Side ("left", "right" or "") and the rest of a bone's name, without case, separators and leading zeros."""
    words = [word.lower() for word in WORD.findall(re.split(r"[:|]", name)[-1])]
    for index, word in enumerate(words):
        if word in SIDES:
            return SIDES[word], _joined(words[:index] + words[index + 1 :])
        if spelled := SPELLED_SIDE.match(word):
            return spelled[1], _joined([*words[:index], word[spelled.end() :], *words[index + 1 :]])
    return "", _joined(words)


def _joined(words: Sequence[str]) -> str:
    return "".join(word.lstrip("0") or "0" if word.isdigit() else word for word in words)


def _fits(convention: Convention, tree: BoneTree) -> list[_Fit]:
    """What ``convention`` finds under each prefix that it, or the character, may have."""
    prefixes = dict.fromkeys(("", *convention.prefixes, _own_prefix(tree.names)))
    found = [_fit(convention, tree, _without_prefix(tree.names, prefix)) for prefix in prefixes]
    return [fit for fit in found if fit is not None]


def _fit(convention: Convention, tree: BoneTree, stems: Mapping[str, str]) -> _Fit | None:
    """What ``convention`` finds among ``stems``: bones and their names without a prefix."""
    by_stem: dict[str, str] = {}
    by_spoken: dict[tuple[str, str], str] = {}
    for bone, stem in stems.items():
        by_stem.setdefault(stem, bone)
        by_spoken.setdefault(spoken_name(stem), bone)

    def find(spellings: Sequence[str]) -> str | None:
        exact = (by_stem.get(name) for name in spellings)
        alike = (by_spoken.get(spoken_name(name)) for name in spellings)
        return next((bone for bone in (*exact, *alike) if bone), None)

    joints: dict[str, str] = {}
    for joint, spellings in convention.joints.items():
        bone = find(spellings)
        if bone is not None and bone not in joints.values():
            joints[joint] = bone
    share = len(joints) / len(convention.joints)
    if share < FITS or any(joint not in joints for joint in NEEDED):
        return None
    properties = {find([bone]) or "": values for bone, values in convention.properties.items()}
    properties.pop("", None)
    twist = {joint: tuple(filter(None, (find([name]) for name in names))) for joint, names in convention.twist.items()}
    bone_map = BoneMap(
        joints=joints,
        root=root_above(tree, joints["pelvis"], find(convention.root)),
        carrier=find(convention.carrier) or "",
        twist=twist_bones(tree, joints, twist),
        properties=properties,
        label=convention.label,
    )
    written = {name for names in (*convention.joints.values(), convention.root) for name in names}
    exact = sum(stems[bone] in written for bone in (*joints.values(), bone_map.root) if bone in stems)
    return _Fit((share, convention.rank, exact + sum(map(len, bone_map.twist.values()))), bone_map)


def root_above(tree: BoneTree, hips: str, named: str | None = None) -> str:
    """The bone that carries the way over the floor: the one ``named`` if it is above the hips, else the topmost."""
    above = tree.above(hips)
    if named in above:
        return str(named)
    return above[-1] if above else ""


def twist_bones(
    tree: BoneTree, joints: Mapping[str, str], named: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Twist bones of each limb: those ``named``, else unmapped children of the limb's bone that call themselves so."""
    taken = set(joints.values())
    found: dict[str, tuple[str, ...]] = {}
    for joint in (joint for joint in TWISTING if joint in joints):
        names = tuple(name for name in named.get(joint, ()) if name not in taken)
        if not names:
            children = (tree.names[child] for child in tree.children(tree.index(joints[joint])))
            names = tuple(name for name in children if name not in taken and _says_twist(name))
        if names:
            found[joint] = names
            taken.update(names)
    return found


def _says_twist(name: str) -> bool:
    return any(word in name.lower() for word in TWIST_WORDS)


def _own_prefix(names: Sequence[str]) -> str:
    """The first word of nearly all names, such as the character's name, with its separator; "" without one."""
    firsts = [found[0] for name in names if (found := re.match(r"[^\W_]+[ _.:|-]", name))]
    usual = max(set(firsts), key=firsts.count, default="")
    return usual if usual and firsts.count(usual) >= COMMON * len(names) else ""


def _without_prefix(names: Sequence[str], prefix: str) -> dict[str, str]:
    """Bones that have ``prefix``, possibly with a number after it, and their names without it."""
    pattern = re.compile(re.escape(prefix) + r"\d*[ _.:|-]*" if prefix else "", re.IGNORECASE)
    return {name: name[found.end() :] for name in names if (found := pattern.match(name)) and found.end() < len(name)}
