"""How each driven bone of a character turns: our joints' turns, shared among spine bones and twist bones.

A turn is a rotation of the world that takes a bone from the capture's rest pose to a frame's pose, so that bones of
any roll can be given it. Needs numpy only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array, matrix_from_quaternion, quaternion_from_matrix, rotation_between
from ...smpl_assets.skeleton import JOINT
from .bone_tree import BoneTree
from .retarget_rest import ENDS_AT, end_of, nearest_mapped

SPINE: Final = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
LOWER_LIMBS: Final = ("elbow", "knee")
UPPER_LIMBS: Final = ("shoulder", "hip")


@dataclass(frozen=True)
class CapturedTurns:
    """The capture over time: turns (T, 24, 3, 3) of its joints from rest and their places (T, 24, 3) m, world.

    rest: joints (24, 3) m at rest.
    """

    turns: Array
    joints: Array
    rest: Array

    def of(self, joint: str) -> Array:
        """Turns (T, 3, 3) of one joint."""
        return self.turns[:, JOINT[joint]]

    def aimed(self, turn: Array, start: Array, end: Array, rest_way: Array) -> Array:
        """``turn`` (T, 3, 3) swung on so that ``rest_way`` (3,) points from ``start`` to ``end`` (T, 3)."""
        return rotation_between(turn @ rest_way, end - start) @ turn


@dataclass(frozen=True)
class Driven:
    """A bone that is keyed: its number, the joint it moves with and its turns (T, 3, 3)."""

    bone: int
    joint: str
    turns: Array


def driven_bones(
    capture: CapturedTurns, tree: BoneTree, bones: Mapping[str, int], twist: Mapping[str, Sequence[int]]
) -> list[Driven]:
    """All bones of ``tree`` that move, parents first, for the map ``bones`` (by joint) and ``twist`` bones."""
    found = {bone: Driven(bone, joint, _joint_turns(capture, joint, bones)) for joint, bone in bones.items()}
    for item in _spine(capture, tree, bones):
        found[item.bone] = item
    for joint in bones:
        if joint.split("_")[-1] in (*UPPER_LIMBS, *LOWER_LIMBS):
            for item in _limb(capture, tree, bones, joint, twist.get(joint, ())):
                found[item.bone] = item
    return [found[bone] for bone in sorted(found)]


def _joint_turns(capture: CapturedTurns, joint: str, bones: Mapping[str, int]) -> Array:
    """Turns of the bone of ``joint``; over joints without bones it points where the capture's next joint is."""
    end, turns = end_of(joint, bones), capture.of(joint)
    if not end or ENDS_AT.get(joint) == end:
        return turns
    a, b = JOINT[joint], JOINT[end]
    return capture.aimed(turns, capture.joints[:, a], capture.joints[:, b], capture.rest[b] - capture.rest[a])


def _spine(capture: CapturedTurns, tree: BoneTree, bones: Mapping[str, int]) -> list[Driven]:
    """The trunk's bones, mapped or between mapped ones, each with the turns of the stretch of spine that it covers."""
    chain = _spine_chain(tree, bones)
    if len(chain) < 3:
        return []
    by_bone = {bone: joint for joint, bone in bones.items()}
    along = _spine_places(tree, chain, by_bone)
    neck = float(SPINE.index("neck"))
    driven = []
    for bone, start, end in zip(chain[1:-1], along[1:-1], along[2:], strict=True):
        if start < neck:  # chest bones do not turn with the neck
            end = min(end, neck)
        joint = by_bone.get(bone, SPINE[int(start)])
        driven.append(Driven(bone, joint, _stretch_turns(capture, start, max(end, start + 1e-6))))
    return driven


def _spine_chain(tree: BoneTree, bones: Mapping[str, int]) -> list[int]:
    """Bones from the hips up to the highest mapped one of the trunk, both included; those below others left out."""
    top = next((bones[joint] for joint in SPINE[:0:-1] if joint in bones), bones["pelvis"])
    first = next((bones[joint] for joint in SPINE[1:] if joint in bones), top)
    if bones["pelvis"] in tree.ancestors(first):
        return [bones["pelvis"], *tree.between(bones["pelvis"], top), top]
    return [bones["pelvis"], *([] if first == top else [first, *tree.between(first, top)]), top]


def _spine_places(tree: BoneTree, chain: Sequence[int], by_bone: Mapping[int, str]) -> Array:
    """Where each bone of ``chain`` begins, counted in the capture's spine joints: 0 at the pelvis, 5 at the head.

    Mapped bones begin at their joints, others in proportion between them.
    """
    steps = np.linalg.norm(np.diff(tree.heads[list(chain)], axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(np.maximum(steps, 1e-9))])
    known = [number for number, bone in enumerate(chain) if by_bone.get(bone) in SPINE]
    joints = [SPINE.index(by_bone[chain[number]]) for number in known]
    return np.interp(way, way[known], joints)


def _stretch_turns(capture: CapturedTurns, start: float, end: float) -> Array:
    """The mean turns (T, 3, 3) of the capture's spine from ``start`` to ``end``, pointing exactly along it."""
    lengths = np.linalg.norm(np.diff(capture.rest[[JOINT[name] for name in SPINE]], axis=0), axis=1)
    edges = np.arange(len(SPINE) - 1)
    share = np.clip(np.minimum(end, edges + 1) - np.maximum(start, edges), 0.0, None) * lengths
    parts = np.flatnonzero(share > 1e-5 * share.sum())
    if len(parts) == 1:  # pieces of one captured bone turn like it
        return capture.of(SPINE[parts[0]])
    quaternions = [quaternion_from_matrix(capture.of(SPINE[part])) for part in parts]
    total = np.zeros_like(quaternions[0])
    for part, quaternion in zip(parts, quaternions, strict=True):
        side = np.sign(np.sum(quaternion * quaternions[0], axis=-1, keepdims=True))
        total += share[part] * np.where(side < 0, -1.0, 1.0) * quaternion
    mean = matrix_from_quaternion(total / np.linalg.norm(total, axis=-1, keepdims=True))
    rest_way = _spine_point(capture.rest, end) - _spine_point(capture.rest, start)
    return capture.aimed(mean, _spine_point(capture.joints, start), _spine_point(capture.joints, end), rest_way)


def _spine_point(joints: Array, place: float) -> Array:
    """The point (..., 3) of the spine at ``place``, between the joints (..., 24, 3) around it."""
    lower = min(int(place), len(SPINE) - 2)
    share = place - lower
    return (1.0 - share) * joints[..., JOINT[SPINE[lower]], :] + share * joints[..., JOINT[SPINE[lower + 1]], :]


def _limb(
    capture: CapturedTurns, tree: BoneTree, bones: Mapping[str, int], joint: str, named: Sequence[int]
) -> list[Driven]:
    """The bones that share a limb's twist: those on the way to its end, and ``named`` ones that hang on it.

    An upper arm's or thigh's twist grows from nothing at the shoulder or hip, a forearm's or shin's up to that of the
    hand or foot.
    """
    end = end_of(joint, bones)
    if not end:
        return []
    upper = joint.split("_")[-1] in UPPER_LIMBS
    way = tree.between(bones[joint], bones[end])
    beside = [bone for bone in named if bone not in way]
    shares = {bone: (number + upper) / (len(way) + 1) for number, bone in enumerate([bones[joint], *way]) if way}
    shares |= {bone: number / (len(beside) + 1) for number, bone in enumerate(beside, start=1)}
    own = _joint_turns(capture, joint, bones)
    axis = capture.rest[JOINT[end]] - capture.rest[JOINT[joint]]
    twist = _twist(own, capture.of(nearest_mapped(joint, bones) if upper else end), axis)
    parts = {bone: 1.0 - share if upper else share for bone, share in shares.items()}
    return [Driven(bone, joint, own @ _about(axis, part * twist)) for bone, part in parts.items()]


def _twist(own: Array, other: Array, axis: Array) -> Array:
    """Angles (T,) about ``axis`` (3,) by which ``own`` (T, 3, 3) is twisted into ``other``: swing and twist."""
    relative = quaternion_from_matrix(np.swapaxes(own, -1, -2) @ other)
    along = relative[..., 1:] @ (axis / np.linalg.norm(axis))
    side = np.where(relative[..., 0] < 0, -1.0, 1.0)
    return 2.0 * np.arctan2(side * along, side * relative[..., 0])


def _about(axis: Array, angle: Array) -> Array:
    """Rotations (T, 3, 3) by ``angle`` (T,) about ``axis`` (3,)."""
    unit = axis / np.linalg.norm(axis)
    half = 0.5 * angle[:, None]
    return matrix_from_quaternion(np.concatenate([np.cos(half), np.sin(half) * unit], axis=-1))
