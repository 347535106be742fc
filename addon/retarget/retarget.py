"""Retarget a capture onto a character of any skeleton: from the capture's joints to what its bones are keyed with.

Limbs point the same way in the world as in the capture, whatever pose the character rests in and however its bones are
rolled. The way travelled is scaled by leg length. Needs numpy only.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT, JOINT_NAMES
from .bone_map import BoneMap, check_map
from .bone_tree import BoneTree
from .retarget_feet import Sole, captured_feet, character_soles, leg_length, lock_feet
from .retarget_hands import place_hands
from .retarget_pose import RetargetPose, middle
from .retarget_rest import CaptureRest, RestAlignment, align_rest, body_frame, nearest_mapped
from .retarget_turns import CapturedTurns, driven_bones

Travel = Literal["root", "hips", "in_place"]
LEGS: Final = tuple(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "ankle"))
ARMS: Final = tuple(f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "elbow", "wrist"))
STANDING: Final = 0.9  # cosine between up at rest and up in the world
BESIDE: Final = 0.5  # of the hips' height: further away from its origin an armature stands somewhere else
OVER_THE_FLOOR: Final = np.array([1.0, 1.0, 0.0])


@dataclass(frozen=True)
class CapturedMotion:
    """A capture in the world: axes (T, 24, 3, 3) of its bones as columns and joints (T, 24, 3) m, with those at rest.

    object_axes (3, 3), object_origin (3,): its armature object's; the floor is at the origin. rate: frames a second.
    """

    axes: Array
    joints: Array
    rest_axes: Array
    rest_joints: Array
    object_axes: Array
    object_origin: Array
    rate: float

    @property
    def turns(self) -> CapturedTurns:
        """How its joints turn from rest, in the world."""
        return CapturedTurns(self.axes @ np.swapaxes(self.rest_axes, -1, -2), self.joints, self.rest_joints)


@dataclass(frozen=True)
class RetargetOptions:
    """feet: keep standing feet in place and on the floor. hands: wrists where they were relative to the body.

    travel: what carries the way over the floor: the "root" bone (the hips where there is none), the "hips", or
    nothing ("in_place").
    """

    feet: bool = True
    hands: bool = False
    travel: Travel = "hips"


@dataclass(frozen=True)
class Retargeted:
    """rotations (T, 3, 3) and locations (T, 3), in armature units, by bone, in the bones' own rest axes.

    pose: the same in the world. ratio: size of the character over the capture's. warnings: for the user.
    """

    rotations: dict[str, Array]
    locations: dict[str, Array]
    pose: RetargetPose
    ratio: float
    warnings: tuple[str, ...] = ()


@dataclass
class _Work:
    """What all steps need: the capture, the character, the bones by joint, their alignment at rest."""

    capture: CapturedMotion
    turns: CapturedTurns
    tree: BoneTree
    bones: dict[str, int]
    rest: RestAlignment
    warnings: list[str] = field(default_factory=list)

    def has(self, joints: tuple[str, ...]) -> bool:
        """Whether the character has bones for all ``joints``."""
        return all(joint in self.bones for joint in joints)

    @property
    def floor(self) -> float:
        """Height in metres of the capture's floor."""
        return float(self.capture.object_origin[2])

    @cached_property
    def soles(self) -> tuple[Sole, Sole]:
        """The character's soles at rest; it has whole legs."""
        return character_soles(self.tree, self.bones, self.rest, self.turns, self.floor)

    @cached_property
    def captured_frame(self) -> Array:
        """Left, up and back of the capture at rest as columns."""
        joints = {joint: self.capture.rest_joints[JOINT[joint]] for joint in JOINT_NAMES}
        return body_frame(joints, self.capture.object_axes)


def retarget(
    capture: CapturedMotion, tree: BoneTree, bone_map: BoneMap, options: RetargetOptions | None = None
) -> Retargeted:
    """Move the character ``tree`` as the ``capture`` moves. Raises InputError, naming bones, when the map is wrong."""
    options = options or RetargetOptions()
    check_map(bone_map, tree.names)
    bones = {joint: tree.index(name) for joint, name in bone_map.joints.items()}
    rest = align_rest(CaptureRest(capture.rest_joints, capture.object_axes), tree, bones)
    work = _Work(capture, capture.turns, tree, bones, rest)
    pose = _turned(work, bone_map)
    ratio, floor = _ratio(work), _floor(work)
    pose.travel = _travel(work, pose, ratio, floor)
    if options.feet:
        _lock(work, pose, ratio, floor)
    if options.hands:
        _place(work, pose)
    locations = _locations(work, pose, bone_map, options.travel)
    rotations = {tree.names[bone]: pose.local_turns(bone) for bone in pose.turns}
    return Retargeted(rotations, locations, pose, ratio, tuple(work.warnings))


def _turned(work: _Work, bone_map: BoneMap) -> RetargetPose:
    """The character in place, all its bones turned."""
    twist = {joint: [work.tree.index(name) for name in names] for joint, names in bone_map.twist.items()}
    driven = driven_bones(work.turns, work.tree, work.bones, twist)
    aligned = work.rest.turns
    turns = {
        item.bone: item.turns @ aligned.get(item.joint, aligned[nearest_mapped(item.joint, aligned) or "pelvis"])
        for item in driven
    }
    return RetargetPose(
        tree=work.tree,
        turns=turns,
        joints={item.bone: item.joint for item in driven},
        carrier=_carrier(work, bone_map),
        travel=np.zeros((len(work.capture.joints), 3)),
    )


def _carrier(work: _Work, bone_map: BoneMap) -> int:
    """The bone whose location moves the hips: themselves, or the next above that is free to move."""
    hips = work.bones["pelvis"]
    bone = work.tree.index(bone_map.carrier) if bone_map.carrier else hips
    if bone != hips and bone not in work.tree.ancestors(hips):
        message = f"The bone {bone_map.carrier} is not above the hips, {work.tree.names[hips]}."
        raise InputError("bad_carrier", message, "Choose a bone that carries the hips, or none.")
    while work.tree.connected[bone] and work.tree.parents[bone] >= 0:
        bone = int(work.tree.parents[bone])
    return bone


def _ratio(work: _Work) -> float:
    """Size of the character over the capture's, by the length of the legs, else by the height of the hips."""
    if work.has(LEGS):
        return leg_length(work.tree.heads, work.bones) / leg_length(work.capture.rest_joints, JOINT)
    heads, joints = work.tree.heads, work.capture.rest_joints
    trunk = [joint for joint in ("head", "neck", "spine3", "spine2", "spine1") if joint in work.bones]
    work.warnings.append("The bone map has no whole legs: the character's size is taken from its trunk.")
    if not trunk:
        return 1.0
    top = trunk[0]
    own = np.linalg.norm(heads[work.bones[top]] - heads[work.bones["pelvis"]])
    return float(own / np.linalg.norm(joints[JOINT[top]] - joints[0]))


def _soles_height(work: _Work) -> float:
    """Height in the world of the character's soles at rest; its origin's where it does not stand."""
    if not work.has(LEGS) or work.rest.up[2] < STANDING:
        return float(work.tree.object_origin[2])
    return float(min(sole.points[:, 2].min() for sole in work.soles))


def _floor(work: _Work) -> float:
    """Height of the floor that the character stands on.

    That is where its soles are at rest, or its object's origin, whichever is nearer the capture's floor: skeletons
    have their origins between the feet or at the hips.
    """
    heights = _soles_height(work), float(work.tree.object_origin[2])
    return min(heights, key=lambda height: abs(height - work.floor))


def _travel(work: _Work, pose: RetargetPose, ratio: float, floor: float) -> Array:
    """Way (T, 3) m of the hips from rest: the middle of both hip joints goes the capture's way, scaled."""
    capture = work.capture
    pair = [joint for joint in ("left_hip", "right_hip") if joint in work.bones]
    pair = pair if len(pair) == 2 else ["pelvis"]
    theirs = middle([capture.joints[:, JOINT[joint]] for joint in pair])
    own = middle([pose.head(work.bones[joint]) for joint in pair])
    at_rest = middle([work.tree.heads[work.bones[joint]] for joint in pair])
    wanted = _start(work, at_rest, floor) + ratio * (theirs - capture.object_origin)
    if work.has(LEGS):  # ankles as high above the floor as the character's own, not as the capture's scaled
        wanted = wanted + _ankle_difference(work, ratio) * np.array([0.0, 0.0, 1.0])
    return wanted - own


def _start(work: _Work, hips: Array, floor: float) -> Array:
    """The point (3,) of the floor that the capture's origin becomes: the armature's, or under hips far from that."""
    origin = work.tree.object_origin
    away = np.linalg.norm((hips - origin) * OVER_THE_FLOOR)
    near = away < BESIDE * max(hips[2] - floor, 0.0)
    return np.array([*(origin if near else hips)[:2], floor])


def _ankle_difference(work: _Work, ratio: float) -> float:
    """How much higher (m) above its sole the character's ankle is than the capture's, scaled."""
    own = []
    for side, sole in zip(("left", "right"), work.soles, strict=True):
        ankle = f"{side}_ankle"
        down = work.rest.turns[ankle] @ (sole.points[0] - work.tree.heads[work.bones[ankle]])
        theirs = work.capture.rest_joints[JOINT[ankle], 2] - work.floor
        own.append(-down[2] - ratio * theirs)
    return float(np.mean(own))


def _lock(work: _Work, pose: RetargetPose, ratio: float, floor: float) -> None:
    if not work.has(LEGS):
        work.warnings.append("The feet are not held: the bone map has no whole legs.")
        return
    feet = captured_feet(work.turns, work.captured_frame[:, 0], work.floor, work.capture.rate)
    lock_feet(pose, work.bones, work.soles, feet, floor, ratio)


def _place(work: _Work, pose: RetargetPose) -> None:
    if not work.has(ARMS):
        work.warnings.append("The hands are not placed: the bone map has no whole arms.")
        return
    place_hands(pose, work.bones, work.turns, work.captured_frame[:, 1])


def _locations(work: _Work, pose: RetargetPose, bone_map: BoneMap, travel: Travel) -> dict[str, Array]:
    """What the hips, or the bone that carries them, and the root bone are keyed with."""
    tree, way = work.tree, pose.travel
    if travel == "in_place":
        start = way[:1] * OVER_THE_FLOOR
        way = way * (1.0 - OVER_THE_FLOOR) + start
        pose.travel = way
    root = tree.index(bone_map.root) if bone_map.root else -1
    if travel == "root" and (root < 0 or root not in tree.ancestors(pose.carrier) or _held(tree, root)):
        work.warnings.append("The character has no free root bone above its hips: the hips carry the travel.")
        travel = "hips"
    if travel != "root":
        return {tree.names[pose.carrier]: pose.local_way(pose.carrier, way)}
    level = way * OVER_THE_FLOOR
    return {
        tree.names[root]: pose.local_way(root, level),
        tree.names[pose.carrier]: pose.local_way(pose.carrier, way - level),
    }


def _held(tree: BoneTree, bone: int) -> bool:
    return bool(tree.connected[bone] and tree.parents[bone] >= 0)
