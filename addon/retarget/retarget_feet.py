"""Feet of a retargeted character: on the floor as the capture's are, and not sliding more than they do.

Proportions make a foot slide that stood in the capture. While a heel or ball stands, its foot moves only as the
capture's does, by two-bone inverse kinematics of the leg; the correction comes and goes over BLEND before and after.
The hips come nearer where a leg would not reach. Needs numpy only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT
from .bone_tree import BoneTree
from .retarget_limb import Limb, reach, reachable
from .retarget_pose import RetargetPose
from .retarget_rest import RestAlignment
from .retarget_turns import CapturedTurns

BLEND: Final = 0.2  # seconds
LARGEST_OFFSET: Final = 0.3  # of the leg: a foot that glides for long is let go rather than the leg torn off
HEEL_BEHIND: Final = 0.3  # of the way from ankle to ball, level: how far heels lie behind ankles
LOWEST_TOES: Final = 0.005  # metres that toe joints are above the sole at least, at the capture's size
HIGHEST_ANKLE: Final = 0.3  # of the leg; a skin that goes further down than that is not the sole
# Contact begins and goes on below these: metres above the floor, metres a second
HEIGHT: Final = (0.05, 0.08)
SPEED: Final = (0.25, 0.4)
SIDES: Final = ("left", "right")
UP: Final = np.array([0.0, 0.0, 1.0])

LEGS: Final = tuple(Limb(f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in SIDES)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sole:
    """Heel and ball of one foot at rest (2, 3) m in the world, and the joints they move with."""

    points: Array
    joints: tuple[str, str]


@dataclass(frozen=True)
class CapturedFeet:
    """The capture's heels and balls (T, 4, 3) m: left heel, left ball, right heel, right ball; which stand (T, 4).

    floor: its height in metres. hinges (T, 2, 3): the knees' axes in the world. rate: frames a second.
    """

    tracks: Array
    standing: Mask
    floor: float
    hinges: Array
    rate: float


def captured_feet(capture: CapturedTurns, left: Array, floor: float, rate: float) -> CapturedFeet:
    """The feet of a capture whose ``left`` (3,) at rest is given, above a ``floor`` at that height in metres."""
    tracks = _tracks(capture, floor)
    hinges = np.stack([capture.of(leg.lower) @ left for leg in LEGS], axis=1)  # about it shins go backwards
    return CapturedFeet(tracks, found_contacts(tracks, floor, rate), floor, hinges, rate)


def _sole(rest: Array, side: str, floor: float) -> Sole:
    """The sole of one of the capture's feet at rest."""
    ankle, ball = rest[JOINT[f"{side}_ankle"]], rest[JOINT[f"{side}_foot"]]
    heel, tip = _sole_points(ball - ankle, ankle[2] - floor)
    return Sole(np.stack([ankle + heel, ankle + tip]), (f"{side}_ankle", f"{side}_foot"))


def _sole_points(toes: Array, height: float) -> tuple[Array, Array]:
    """Heel and ball (3,) as seen from an ankle ``height`` m above the sole; ``toes`` (3,): the toe joint from there."""
    level = toes - toes[2] * UP
    return -height * UP - HEEL_BEHIND * level, level - height * UP


def character_soles(
    tree: BoneTree, bones: Mapping[str, int], rest: RestAlignment, capture: CapturedTurns, floor: float
) -> tuple[Sole, Sole]:
    """Soles of a character: under its skin, or as far under its ankles as the capture's are, in proportion."""
    ratio = leg_length(tree.heads, bones) / leg_length(capture.rest, JOINT)
    found = []
    for side in SIDES:
        ankle, foot = f"{side}_ankle", f"{side}_foot"
        back = rest.turns[ankle].T  # from the capture's rest pose into the character's
        toes = ratio * (capture.rest[JOINT[foot]] - capture.rest[JOINT[ankle]])
        if foot in bones:
            toes = rest.turns[ankle] @ (tree.heads[bones[foot]] - tree.heads[bones[ankle]])
        height = max(ratio * (capture.rest[JOINT[ankle], 2] - floor), LOWEST_TOES * ratio - toes[2])
        skin = _above_skin(tree, bones[ankle], rest.up)
        if skin is not None and 0.0 < skin < HIGHEST_ANKLE * leg_length(tree.heads, bones):
            height = skin
        points = [tree.heads[bones[ankle]] + back @ point for point in _sole_points(toes, height)]
        found.append(Sole(np.stack(points), (ankle, foot if foot in bones else ankle)))
    return found[0], found[1]


def _above_skin(tree: BoneTree, bone: int, up: Array) -> float | None:
    """How far a bone's head at rest is above the lowest point of the skin, None without a skin."""
    along = tree.object_axes.T @ up
    axis = int(np.abs(along).argmax())
    if tree.bounds is None or abs(along[axis]) < 0.99:
        return None
    lowest = tree.bounds[0, axis] if along[axis] > 0 else -tree.bounds[1, axis]
    return float(tree.heads[bone] @ up - lowest)


def leg_length(heads: Array, bones: Mapping[str, int]) -> float:
    """Mean length in metres of thigh and shin together."""
    lengths = [
        np.linalg.norm(heads[bones[f"{side}_{lower}"]] - heads[bones[f"{side}_{upper}"]])
        for side in SIDES
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(sum(lengths) / 2.0)


def _tracks(capture: CapturedTurns, floor: float) -> Array:
    """Heels and balls (T, 4, 3) m of the capture."""
    tracks = []
    for sole in (_sole(capture.rest, side, floor) for side in SIDES):
        for point, joint in zip(sole.points, sole.joints, strict=True):
            arm = point - capture.rest[JOINT[joint]]
            tracks.append(capture.joints[:, JOINT[joint]] + capture.of(joint) @ arm)
    return np.stack(tracks, axis=1)


def found_contacts(tracks: Array, floor: float, rate: float) -> Mask:
    """Where (T, 4) heels and balls stand: low and slow, with hysteresis. ``rate``: frames a second."""
    if len(tracks) < 2:
        return tracks[..., 2] - floor < HEIGHT[0]
    speed = np.linalg.norm(np.gradient(tracks, axis=0), axis=-1) * rate
    height = tracks[..., 2] - floor
    begins, stays = ((height < high) & (speed < fast) for high, fast in zip(HEIGHT, SPEED, strict=True))
    return np.stack([_held(begin, stay) for begin, stay in zip(begins.T, stays.T, strict=True)], axis=1)


def _held(begins: Mask, stays: Mask) -> Mask:
    """The runs of ``stays`` (T,) that hold a frame of ``begins`` (T,)."""
    runs = _run_numbers(stays)
    return stays & (np.bincount(runs[begins & stays], minlength=runs.max() + 1) > 0)[runs]


def _run_numbers(mask: Mask) -> NDArray[np.int64]:
    """Numbers (T,), from 1, of the unbroken runs of ``mask``; 0 between them."""
    starts = mask & ~np.concatenate([[False], mask[:-1]])
    return np.where(mask, np.cumsum(starts), 0)


def lock_feet(
    pose: RetargetPose,
    bones: dict[str, int],
    soles: tuple[Sole, Sole],
    captured: CapturedFeet,
    floor: float,
    ratio: float,
) -> None:
    """Keep the feet of ``pose`` on the floor and, while they stand, in place.

    soles: the character's; floor: height in metres of the one it stands on; ratio: its size over the capture's.
    """
    goals = []
    for number, sole in enumerate(soles):
        pair = slice(2 * number, 2 * number + 2)
        points = zip(sole.joints, sole.points, strict=True)
        now = np.stack([pose.point(bones[joint], point) for joint, point in points], axis=1)
        heights = floor + ratio * (captured.tracks[:, pair, 2] - captured.floor)
        # as much as small characters are smaller; long feet, whose ends sweep further as they turn, less for that
        longer = _foot_length(now) / _foot_length(captured.tracks[:, pair])
        offset = _offsets(now, heights, captured, pair, min(ratio, 1.0 / ratio, 1.0 / longer))
        offset[:, :2] = _limited(offset[:, :2], LARGEST_OFFSET * leg_length(pose.tree.heads, bones))
        lowest = np.minimum(heights, floor) - now[..., 2] - offset[:, None, 2]
        offset[:, 2] += np.maximum(lowest.max(axis=1), 0.0)
        goals.append(pose.head(bones[sole.joints[0]]) + offset)
    pose.travel = pose.travel + _nearer(pose, bones, goals, captured.rate)
    for number, (leg, goal) in enumerate(zip(LEGS, goals, strict=True)):
        reach(pose, leg, bones, goal, captured.hinges[:, number])


def _offsets(now: Array, heights: Array, captured: CapturedFeet, pair: slice, share: float) -> Array:
    """How far (T, 3) m to move a foot whose heel and ball are ``now`` (T, 2, 3), with soles at ``heights`` (T, 2) m.

    While it stands it slides by ``share`` of what the ``captured`` pair of points does.
    """
    standing, theirs = captured.standing[:, pair], captured.tracks[:, pair, :2]
    stance = standing.any(axis=1)
    weights = standing / np.maximum(standing.sum(axis=1, keepdims=True), 1)
    both = standing[1:] & standing[:-1]
    shared = np.where(both.any(axis=1, keepdims=True), both, standing[1:])
    shared = shared / np.maximum(shared.sum(axis=1, keepdims=True), 1)
    slips = share * np.diff(theirs, axis=0) - np.diff(now[..., :2], axis=0)
    steps = np.concatenate([np.zeros((1, 2)), np.sum(slips * shared[..., None], axis=1)])
    way = np.cumsum(np.where(stance[:, None], steps, 0.0), axis=0)
    runs = _run_numbers(stance)
    frames = np.maximum(np.bincount(runs), 1)
    means = np.stack([np.bincount(runs, way[:, axis]) / frames for axis in range(2)], axis=1)
    lift = np.sum((heights - now[..., 2]) * weights, axis=1)
    offsets = np.column_stack([way - means[runs], lift])
    return _faded(np.where(stance[:, None], offsets, 0.0), stance, captured.rate)


def _foot_length(points: Array) -> float:
    """Usual distance in metres of heel and ball (T, 2, 3)."""
    return float(np.median(np.linalg.norm(points[:, 1] - points[:, 0], axis=-1)))


def _limited(offsets: Array, limit: float) -> Array:
    """Offsets (T, 2) as they are up to half of ``limit`` m, and growing slower and slower towards it beyond."""
    size = np.maximum(np.linalg.norm(offsets, axis=1, keepdims=True), 1e-12)
    free = limit / 2.0
    return offsets * np.where(size > free, (free + free * np.tanh((size - free) / free)) / size, 1.0)


def _faded(offsets: Array, stance: Mask, rate: float) -> Array:
    """Offsets (T, 3) that hold during ``stance`` (T,) and come and go smoothly over BLEND around it."""
    frames = np.arange(len(stance))
    before = np.maximum.accumulate(np.where(stance, frames, -len(stance)))
    after = np.minimum.accumulate(np.where(stance, frames, 2 * len(stance))[::-1])[::-1]
    total, claims = np.zeros_like(offsets), np.zeros(len(stance))
    for nearest in (before, after):
        part = np.clip(1.0 - np.abs(frames - nearest) / (BLEND * rate + 1.0), 0.0, 1.0)
        weight = part**2 * (3.0 - 2.0 * part)
        total += weight[:, None] * offsets[np.clip(nearest, 0, len(stance) - 1)]
        claims += weight
    return total / np.maximum(claims, 1.0)[:, None]


def _nearer(pose: RetargetPose, bones: dict[str, int], goals: list[Array], rate: float) -> Array:
    """Way (T, 3) m of the hips after which both legs reach their ``goals``, coming and going smoothly."""
    shift = np.zeros_like(goals[0])
    for _ in range(2):
        for leg, goal in zip(LEGS, goals, strict=True):
            away = goal - pose.head(bones[leg.upper]) - shift
            distance = np.linalg.norm(away, axis=-1)
            lacking = np.maximum(distance - reachable(pose, leg, bones), 0.0)
            shift += (_eased(lacking, rate) / np.maximum(distance, 1e-9))[:, None] * away
    return shift


def _eased(values: Array, rate: float) -> Array:
    """Values (T,) >= 0 that come and go smoothly and are nowhere less than they were."""
    half = max(1, round(BLEND * rate / 2.0))
    if not values.any():
        return values
    padded = np.pad(values, 2 * half, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1).max(axis=-1)
    window = np.hanning(2 * half + 3)[1:-1]
    return np.convolve(highest, window / window.sum(), mode="valid")
