"""Moments that must keep their keys: where feet touch down and lift off, and peaks of height and turn. Numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array
from ..character.posed_skeleton import Pose, PoseChannels, Skeleton
from .key_reduction import Channel, Indices, Marks, Moments


@dataclass(frozen=True)
class Leg:
    """Bones that get keys where the bone ``foot`` touches down and lifts off, and those that are steady between."""

    bones: tuple[str, ...]
    steady: tuple[str, ...]
    foot: str


LEGS: Final = (
    Leg(("left_hip", "left_knee", "left_ankle", "left_foot"), ("left_ankle", "left_foot"), "left_foot"),
    Leg(("right_hip", "right_knee", "right_ankle", "right_foot"), ("right_ankle", "right_foot"), "right_foot"),
    Leg(("left_ankle_ik", "left_knee_pole"), ("left_ankle_ik",), "left_ankle_ik"),
    Leg(("right_ankle_ik", "right_knee_pole"), ("right_ankle_ik",), "right_ankle_ik"),
)
PEAK_TURN: Final = np.radians(15.0)
PEAK_SHIFT: Final = 0.03
CONTACT_SPEED: Final = 0.25
CONTACT_HEIGHT: Final = 0.06
SHORTEST_CONTACT: Final = 0.1


def moments_of(
    skeleton: Skeleton, channels: PoseChannels, pose: Pose, seconds: Array, keyed: Sequence[tuple[int, Channel]]
) -> Moments:
    """Which frames must keep a key for the channels ``keyed`` (bone, channel), and where feet must hold still.

    seconds (T,): times of the frames. A contact's first and last frame count for the bones of its leg, whose foot is
    steady in between; a peak counts for the channel whose main turn (15 degrees) or height (30 mm) turns
    back there.
    """
    moments = Moments.none(len(seconds), len(keyed), len(skeleton.names))
    for column, (bone, channel) in enumerate(keyed):
        if channel == "rotation_quaternion":
            moments.kept[:, column] = turning_points(main_turn(channels.quaternions[:, bone]), PEAK_TURN)
        else:
            moments.kept[:, column] = turning_points(pose.heads[:, bone, 2], PEAK_SHIFT)
    for leg in LEGS:
        if set(leg.bones) <= set(skeleton.names):
            standing = contacts(pose.heads[:, skeleton.index(leg.foot)], seconds)
            columns = [column for column, (bone, _) in enumerate(keyed) if skeleton.names[bone] in leg.bones]
            moments.kept[:, columns] |= ends_of(standing)[:, None]
            moments.steady[:, [skeleton.index(name) for name in leg.steady]] = standing[:, None]
    return moments


def turning_points(values: Array, swing: float) -> Marks:
    """Where values (T,) turn back after having gone at least ``swing``, and go back as far: booleans (T,)."""
    steps = np.sign(np.diff(values))
    candidates = np.flatnonzero(steps[1:] != steps[:-1]) + 1
    found, direction, extreme = np.zeros(len(values), bool), 0.0, 0
    for index in (*candidates.tolist(), len(values) - 1):
        gone = values[index] - values[extreme]
        if direction == 0.0 and abs(gone) >= swing:
            direction, extreme = np.sign(gone), index
        elif gone * direction > 0.0:
            extreme = index
        elif direction != 0.0 and abs(gone) >= swing:
            found[extreme], direction, extreme = True, -direction, index
    return found


def main_turn(quaternions: Array) -> Array:
    """How far (T,) in radians quaternions (T, 4) have turned about the axis along which they vary most."""
    off = quaternions - quaternions.mean(axis=0)
    return 2.0 * off @ np.linalg.eigh(off.T @ off)[1][:, -1]


def contacts(foot: Array, seconds: Array) -> Marks:
    """When a foot (T, 3) m stands on the floor for a tenth of a second or more: booleans (T,); seconds (T,)."""
    if len(foot) < 3:
        return np.zeros(len(foot), bool)
    speed = np.linalg.norm(np.gradient(foot, seconds, axis=0), axis=-1)
    standing = (speed < CONTACT_SPEED) & (foot[:, 2] < np.percentile(foot[:, 2], 5) + CONTACT_HEIGHT)
    firsts, lasts = _runs(standing)
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        if seconds[last] - seconds[first] < SHORTEST_CONTACT:
            standing[first : last + 1] = False
    return standing


def ends_of(marks: Marks) -> Marks:
    """First and last frame of each run of ``marks`` (T,)."""
    ends = np.zeros(len(marks), bool)
    ends[np.concatenate(_runs(marks))] = True
    return ends


def _runs(marks: Marks) -> tuple[Indices, Indices]:
    edges = np.diff(marks.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
