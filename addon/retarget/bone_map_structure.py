"""Guess a bone map from the skeleton alone, for bones whose names say nothing. Needs numpy only.

Legs and arms are pairs of branches of one shape, recognised by the lengths of their bones, so that it does not matter
how they are posed at rest. The pair nearest the root is the legs; the hips
carry both pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array
from .bone_map import BoneMap
from .bone_map_names import root_above, twist_bones
from .bone_tree import BoneTree

ALIKE: Final = 0.15  # how far the lengths of two limbs of a pair may differ, of the longer
LONG: Final = 0.25  # of the longest branch: shorter pairs are breasts, eyes, ears
LEG_RATIO: Final = 1.0  # thigh over shin
ARM_RATIO: Final = 1.1  # upper arm over forearm
COVERED: Final = 0.55  # of a branch that both long bones of a limb make up at least
SHOULDERS_APART: Final = 0.5  # of an arm's length
SPINES: Final = {1: ("spine1",), 2: ("spine1", "spine3"), 3: ("spine1", "spine2", "spine3")}


@dataclass(frozen=True)
class _Pair:
    """Two branches of one shape that hang on ``above``; each is a way of bones down to its furthest end."""

    above: int
    ways: tuple[tuple[int, ...], tuple[int, ...]]
    length: float


def guess_by_structure(tree: BoneTree) -> BoneMap | None:
    """The map that the shape of the skeleton suggests, or None where no legs, spine and arms can be made out."""
    pairs = _pairs(tree)
    legs = min(pairs, key=lambda pair: (len(tree.ancestors(pair.above)), -pair.length), default=None)
    if legs is None:
        return None
    inside = {bone for way in legs.ways for bone in tree.below(way[:1])} | {legs.above}
    arms = max((pair for pair in pairs if pair.above not in inside), key=lambda pair: pair.length, default=None)
    if arms is None:
        return None
    above_arms = [arms.above, *tree.ancestors(arms.above)]
    hips = next((bone for bone in (legs.above, *tree.ancestors(legs.above)) if bone in above_arms), legs.above)
    joints = {"pelvis": hips}
    up, left = _directions(tree, legs, arms)
    ways = {"leg": _by_side(tree, legs, left), "arm": _by_side(tree, arms, left)}
    for number, side in enumerate(("left", "right")):
        limbs = _leg(tree, ways["leg"][number]) | _arm(tree, ways["arm"][number], ways["arm"][1 - number])
        joints.update({f"{side}_{part}": bone for part, bone in limbs.items()})
    joints.update(_trunk(tree, hips, arms.above, up))
    names = {joint: tree.names[bone] for joint, bone in joints.items()}
    if len(set(names.values())) < len(names) or "left_knee" not in names:
        return None
    return BoneMap(
        joints=names,
        root=root_above(tree, names["pelvis"]),
        twist=twist_bones(tree, names, {}),
        label="Structure",
    )


def _pairs(tree: BoneTree) -> list[_Pair]:
    """Pairs of long branches of like shape. They may hang on one bone, or on helpers of their own below it."""
    found = []
    for above in range(len(tree.names)):
        branches = [(child, _way(tree, child)) for child in tree.children(above)]
        for (_, first), (_, second) in combinations(branches, 2):
            lengths = _length(tree, (above, *first)), _length(tree, (above, *second))
            if len(first) == len(second) >= 3 and _alike(tree, (above, *first), (above, *second)):
                found.append(_Pair(above, (first, second), sum(lengths) / 2.0))
    longest = max((pair.length for pair in found), default=0.0)
    return [pair for pair in found if pair.length > LONG * longest]


def _way(tree: BoneTree, bone: int) -> tuple[int, ...]:
    """Bones from ``bone`` down to the end that is furthest along the bones."""
    ways = [_way(tree, child) for child in tree.children(bone)]
    return (bone, *max(ways, key=lambda way: _length(tree, (bone, *way)), default=()))


def _length(tree: BoneTree, way: Sequence[int]) -> float:
    return float(np.linalg.norm(np.diff(tree.heads[list(way)], axis=0), axis=1).sum())


def _alike(tree: BoneTree, first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two ways have bones of the same lengths and as many bones below."""
    steps = [np.linalg.norm(np.diff(tree.heads[list(way)], axis=0), axis=1) for way in (first, second)]
    longer = max(steps[0].sum(), steps[1].sum(), 1e-9)
    return (
        bool(np.abs(steps[0] - steps[1]).sum() < ALIKE * longer)
        and abs(len(tree.below(first[1:2])) - len(tree.below(second[1:2]))) <= 2
    )


def _directions(tree: BoneTree, legs: _Pair, arms: _Pair) -> tuple[Array, Array]:
    """Up and left (3,) of the skeleton at rest. Toes say what is front, without them the armature's axes."""
    ends = [_leg(tree, way).get("ankle", way[-1]) for way in legs.ways]
    feet = np.mean([tree.heads[end] for end in ends], axis=0)
    up = tree.heads[arms.above] - feet
    axes = np.concatenate([tree.object_axes.T, -tree.object_axes.T])
    up = axes[(axes @ up).argmax()]
    toes = [tree.heads[way[-1]] - tree.heads[end] for way, end in zip(legs.ways, ends, strict=True)]
    front = np.mean(toes, axis=0)
    front = front - (front @ up) * up
    if np.linalg.norm(front) < 1e-6 * np.linalg.norm(feet - tree.heads[arms.above]):
        upright = abs(up @ tree.object_axes[:, 2]) > 0.5
        front = -tree.object_axes[:, 1] if upright else tree.object_axes[:, 2]
    return up, np.cross(up, front)


def _by_side(tree: BoneTree, pair: _Pair, left: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ways of a pair, the left one first: they are told apart where they are furthest apart."""
    first, second = pair.ways
    apart = [(tree.heads[a] - tree.heads[b]) @ left for a, b in zip(first, second, strict=True)]
    return (first, second) if max(apart, key=abs) > 0 else (second, first)


def _leg(tree: BoneTree, way: tuple[int, ...]) -> dict[str, int]:
    hip, knee, ankle = _two_long_bones(tree, way, LEG_RATIO, np.zeros(len(way)))
    found = {"hip": way[hip], "knee": way[knee], "ankle": way[ankle]}
    after = _first_apart(tree, way, ankle)
    return found | ({"foot": way[after]} if after is not None else {})


def _first_apart(tree: BoneTree, way: tuple[int, ...], ankle: int) -> int | None:
    """The toe: the last bone of the foot but a bare end beyond it, None where the foot has no bone below."""
    below = range(ankle + 1, len(way))
    if not below:
        return None
    steps = [np.linalg.norm(tree.heads[way[bone]] - tree.heads[way[ankle]]) for bone in below]
    foot = max(steps)
    return next(bone for bone, step in zip(below, steps, strict=True) if step > 0.55 * foot)


def _arm(tree: BoneTree, way: tuple[int, ...], other: tuple[int, ...]) -> dict[str, int]:
    """The joints of an arm; its collar, unlike its shoulder, begins near the ``other`` arm's."""
    hand = _hand(tree, way)
    apart = np.linalg.norm(tree.heads[list(way)] - tree.heads[list(other)], axis=1)
    inner = np.maximum(SHOULDERS_APART - apart / max(_length(tree, way[: hand + 1]), 1e-9), 0.0)
    shoulder, elbow, wrist = _two_long_bones(tree, way[: hand + 1], ARM_RATIO, 2.0 * inner)
    found = {"shoulder": way[shoulder], "elbow": way[elbow], "wrist": way[wrist]}
    return found | ({"collar": way[0]} if shoulder > 0 else {})


def _hand(tree: BoneTree, way: tuple[int, ...]) -> int:
    """Where on an arm the fingers begin: the first bone with three or more below it that have bones of their own."""
    for number, bone in enumerate(way):
        if sum(len(tree.children(child)) > 0 for child in tree.children(bone)) >= 3:
            return number
    return len(way) - 1


def _two_long_bones(tree: BoneTree, way: tuple[int, ...], ratio: float, unlikely: Array) -> tuple[int, int, int]:
    """Where on a limb its long bones begin and end: the split that comes nearest ``ratio`` and covers most of it.

    unlikely (len(way),): what speaks against each bone's being the first of them.
    """
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(tree.heads[list(way)], axis=0), axis=1))])
    best, found = np.inf, (0, 1, len(way) - 1)
    for first, middle, last in combinations(range(len(way)), 3):
        upper, lower = along[middle] - along[first], along[last] - along[middle]
        covered = (upper + lower) / max(along[-1], 1e-9)
        if min(upper, lower) <= 0.0 or covered < COVERED:
            continue
        badness = abs(np.log(upper / lower / ratio)) + _bends(tree, way[first : middle + 1], way[middle : last + 1])
        badness += 1.0 - covered + unlikely[first]
        if badness < best:
            best, found = badness, (first, middle, last)
    return found


def _bends(tree: BoneTree, *parts: Sequence[int]) -> float:
    """How much longer parts of a limb are along their bones than straight: twist bones lie on a line."""
    ways = sum(_length(tree, part) for part in parts)
    straight = sum(np.linalg.norm(tree.heads[part[-1]] - tree.heads[part[0]]) for part in parts)
    return 10.0 * (ways - float(straight)) / max(ways, 1e-9)


def _trunk(tree: BoneTree, hips: int, chest: int, up: Array) -> dict[str, int]:
    """Spine bones between ``hips`` and ``chest``, which carries the arms, and neck and head above it."""
    spine = [*tree.between(hips, chest), chest]
    chosen = SPINES.get(len(spine), SPINES[3])
    places = np.round(np.linspace(0, len(spine) - 1, len(chosen))).astype(int)
    found = {joint: spine[place] for joint, place in zip(chosen, places, strict=True)}
    upwards = [child for child in tree.children(chest) if (tree.heads[child] - tree.heads[chest]) @ up > 0]
    middle = [child for child in upwards if not _has_twin(tree, child)]
    if not middle:
        return found
    way = _to_head(
        tree, max(middle, key=lambda child: float((tree.heads[_way(tree, child)[-1]] - tree.heads[chest]) @ up))
    )
    return found | ({"neck": way[0], "head": way[-1]} if len(way) > 1 else {"head": way[0]})


def _has_twin(tree: BoneTree, bone: int) -> bool:
    """Whether another branch beside ``bone`` has its shape."""
    above = int(tree.parents[bone])
    own = (above, *_way(tree, bone))
    others = [(above, *_way(tree, other)) for other in tree.children(above) if other != bone]
    return any(len(other) == len(own) >= 3 and _alike(tree, own, other) for other in others)


def _to_head(tree: BoneTree, neck: int) -> list[int]:
    """Bones from the neck to the head: the first that branches, or the last that is not only the head's end.

    A bone that begins where the one above it does (the carrier of a face) is no further bone of the neck.
    """
    way = [neck]
    while len(children := tree.children(way[-1])) == 1:
        way.append(children[0])
    while len(way) > 1 and _length(tree, way[-2:]) < 0.01 * _length(tree, way):
        way.pop()
    if len(way) < 3:
        return way
    steps = np.linalg.norm(np.diff(tree.heads[way], axis=0), axis=1)
    return way[:-1] if not tree.children(way[-1]) and steps[-1] > 1.6 * steps[:-1].max() else way
