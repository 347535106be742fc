"""The turns that bring a character's rest pose into the capture's: A-pose to T-pose, limbs bent in rest straightened.

Limbs are laid along the capture's; the trunk keeps its own shape unless it is clearly posed; feet keep their soles
flat. Each bone goes with the one above it first, so that elbows and knees keep their hinges. Needs numpy only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array, rotation_between
from ...smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS
from .bone_tree import BoneTree

# The joint at which each bone ends, for bones whose direction means something.
ENDS_AT: Final = {
    "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
    "left_collar": "left_shoulder", "left_shoulder": "left_elbow", "left_elbow": "left_wrist",
    "left_wrist": "left_hand", "left_hip": "left_knee", "left_knee": "left_ankle", "left_ankle": "left_foot",
    "right_collar": "right_shoulder", "right_shoulder": "right_elbow", "right_elbow": "right_wrist",
    "right_wrist": "right_hand", "right_hip": "right_knee", "right_knee": "right_ankle",
    "right_ankle": "right_foot",
}  # fmt: skip
SPINE: Final = ("spine1", "spine2", "spine3")
ANKLES: Final = ("left_ankle", "right_ankle")

UPRIGHT: Final = np.cos(np.radians(40.0))  # an axis of the armature this near the way from feet to head is up
STRAIGHT_AHEAD: Final = np.cos(np.radians(15.0))  # likewise for what the hips say is left
POSED_TRUNK: Final = np.radians(10.0)  # from hips to neck; less is anatomy
POSED_BONE: Final = np.radians(30.0)  # one bone of the spine; less is anatomy
# Bones that lean by as much from one anatomy to the next, and carry what should not lean with them
POSED_LIMITS: Final[dict[str, float]] = dict.fromkeys(("neck", "left_collar", "right_collar"), np.radians(40.0))
POSED_FOOT: Final = np.radians(35.0)  # pitch; less is the height of the ankle
KNUCKLES: Final = 0.28  # of the forearm: further away from the wrist than bones inside the palm begin


@dataclass(frozen=True)
class CaptureRest:
    """The capture's rest pose: joints (24, 3) m and object_axes (3, 3) of its armature, world."""

    joints: Array
    object_axes: Array


@dataclass(frozen=True)
class RestAlignment:
    """turns: for each mapped joint the turn (3, 3) from its bone's rest into the capture's rest pose.

    up (3,) and frame (3, 3): the character's own up, and its left, up, back as columns, at rest in the world.
    """

    turns: dict[str, Array]
    up: Array
    frame: Array


def align_rest(capture: CaptureRest, tree: BoneTree, bones: Mapping[str, int]) -> RestAlignment:
    """How the rest pose of ``tree``, with ``bones`` by joint, becomes the capture's."""
    heads = {joint: tree.heads[bone] for joint, bone in bones.items()}
    reference = {joint: capture.joints[JOINT[joint]] for joint in heads}
    frame = body_frame(heads, tree.object_axes)
    whole = body_frame(reference, capture.object_axes) @ frame.T
    posed = _trunk_is_posed(heads, reference, whole)
    turns: dict[str, Array] = {}
    for joint in JOINT_NAMES:  # parents come first
        if joint not in bones:
            continue
        above = turns.get(nearest_mapped(joint, turns), whole)
        turns[joint] = _turn(joint, above, whole, posed, heads, reference, _hand_way(tree, bones, joint))
    return RestAlignment(turns, frame[:, 1], frame)


def nearest_mapped(joint: str, mapped: Mapping[str, object]) -> str:
    """The nearest joint above ``joint`` that is ``mapped``, or ""."""
    parent = PARENTS[JOINT[joint]]
    while parent >= 0 and JOINT_NAMES[parent] not in mapped:
        parent = PARENTS[parent]
    return JOINT_NAMES[parent] if parent >= 0 else ""


def end_of(joint: str, mapped: Mapping[str, object]) -> str:
    """The next mapped joint at which ``joint``'s bone ends, over missing ones; "" at the end of a limb."""
    end = ENDS_AT.get(joint, "")
    while end and end not in mapped:
        end = ENDS_AT.get(end, "")
    return end


def body_frame(heads: Mapping[str, Array], axes: Array) -> Array:
    """Left, up and back of a body at rest as columns, from its joints; snapped to ``axes`` (3, 3) where near them."""
    up = _near_axis(_unit(_upper_end(heads) - _lower_end(heads)), axes, UPRIGHT)
    across = sum(
        (heads[f"left_{part}"] - heads[f"right_{part}"] for part in ("hip", "shoulder") if f"left_{part}" in heads
         and f"right_{part}" in heads),
        np.zeros(3),
    )  # fmt: skip
    if np.linalg.norm(across) < 1e-9:
        across = axes[:, 0]
    left = _near_axis(_unit(across - (across @ up) * up), axes, STRAIGHT_AHEAD)
    left = _unit(left - (left @ up) * up)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _upper_end(heads: Mapping[str, Array]) -> Array:
    """The highest mapped joint of the trunk; with the hips alone, one above them."""
    for name in ("head", "neck", "spine3", "spine2", "spine1"):
        if name in heads:
            return heads[name]
    return heads["pelvis"] + np.array([0.0, 0.0, 1.0])


def _lower_end(heads: Mapping[str, Array]) -> Array:
    """The middle of ankles, knees or hips, whatever there is; the pelvis otherwise."""
    for part in ("ankle", "knee", "hip"):
        found = [heads[name] for name in (f"left_{part}", f"right_{part}") if name in heads]
        if len(found) == 2:
            return np.mean(found, axis=0)
    return heads["pelvis"]


def _near_axis(direction: Array, axes: Array, near: float) -> Array:
    candidates = np.concatenate([axes.T, -axes.T])
    likeness = candidates @ direction
    return candidates[likeness.argmax()] if likeness.max() > near else direction


def _turn(
    joint: str,
    above: Array,
    whole: Array,
    posed: bool,
    heads: Mapping[str, Array],
    reference: Mapping[str, Array],
    hand: Array | None,
) -> Array:
    """The turn of one joint's bone; ``above``: that of the bone above, ``whole``: that of the body.

    hand (3,): where a hand that has no joint of ours points.
    """
    end = end_of(joint, heads)
    if joint == "pelvis" or (joint in ANKLES and not end):
        return whole
    if not end:
        forearm = f"{joint.split('_')[0]}_elbow"
        if hand is None or forearm not in reference:
            return above
        # the capture's hand lies straight on from its forearm at rest
        return rotation_between(above @ hand, reference[joint] - reference[forearm]) @ above
    own, wanted = heads[end] - heads[joint], reference[end] - reference[joint]
    if joint in ANKLES:
        return _foot_turn(whole, own, wanted, reference)
    now = above @ own
    limit = POSED_LIMITS.get(joint, np.inf if joint in SPINE and not posed else 0.0)
    return rotation_between(now, wanted) @ above if _angle(now, wanted) > limit else above


def _foot_turn(whole: Array, own: Array, wanted: Array, reference: Mapping[str, Array]) -> Array:
    """Feet point where the capture's do; their pitch is that of their own soles, unless they hang at rest."""
    now = whole @ own
    up = _unit(_upper_end(reference) - _lower_end(reference))
    flat_now, flat_wanted = now - (now @ up) * up, wanted - (wanted @ up) * up
    pitch = abs(_angle(now, up) - _angle(wanted, up))
    if pitch > POSED_FOOT or min(np.linalg.norm(flat_now), np.linalg.norm(flat_wanted)) < 1e-9:
        return rotation_between(now, wanted) @ whole
    return rotation_between(flat_now, flat_wanted) @ whole


def _trunk_is_posed(heads: Mapping[str, Array], reference: Mapping[str, Array], whole: Array) -> bool:
    """Whether the trunk at rest leans or bends by more than anatomies differ."""
    top = next((name for name in ("neck", "spine3", "head") if name in heads), "pelvis")
    line = _angle(whole @ (heads[top] - heads["pelvis"]), reference[top] - reference["pelvis"])
    ends = [(name, end_of(name, heads)) for name in SPINE if name in heads]
    bends = [_angle(whole @ (heads[end] - heads[name]), reference[end] - reference[name]) for name, end in ends if end]
    return line > POSED_TRUNK or max(bends, default=0.0) > POSED_BONE


def _hand_way(tree: BoneTree, bones: Mapping[str, int], joint: str) -> Array | None:
    """Where a hand points (3,): to its knuckles, whatever bones lead there; the thumb, which stands off, left out."""
    side, _, part = joint.partition("_")
    if part != "wrist" or f"{side}_elbow" not in bones:
        return None
    wrist = tree.heads[bones[joint]]
    near = KNUCKLES * float(np.linalg.norm(wrist - tree.heads[bones[f"{side}_elbow"]]))
    ways = [_knuckle(tree, child, wrist, near) - wrist for child in tree.children(bones[joint])]
    directions = [_unit(way) for way in ways if np.linalg.norm(way) > 0.5 * near]
    if len(directions) > 2:
        others = [_unit(np.sum(directions, axis=0) - direction) for direction in directions]
        off = [_angle(direction, other) for direction, other in zip(directions, others, strict=True)]
        del directions[int(np.argmax(off))]
    return np.mean(directions, axis=0) if directions else None


def _knuckle(tree: BoneTree, bone: int, wrist: Array, near: float) -> Array:
    """The first head (3,) of a finger that is further than ``near`` m from the wrist, or its last one."""
    while np.linalg.norm(tree.heads[bone] - wrist) < near and tree.children(bone):
        bone = tree.children(bone)[0]
    return tree.heads[bone]


def _angle(first: Array, second: Array) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second))


def _unit(vector: Array) -> Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
