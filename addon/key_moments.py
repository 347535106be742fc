"""Moments that must keep their keys: where feet touch down and lift off, and peaks of height and turn. Numpy only."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ..smpl_assets.rotation import Array
from .key_reduction import Channel, Marks
from .posed_skeleton import Pose, PoseChannels, Skeleton

LEGS: Final = (
    ("left_hip", "left_knee", "left_ankle", "left_foot"),
    ("right_hip", "right_knee", "right_ankle", "right_foot"),
)
PEAK_TURN: Final = np.radians(15.0)
PEAK_SHIFT: Final = 0.03
CONTACT_SPEED: Final = 0.25
CONTACT_HEIGHT: Final = 0.06
SHORTEST_CONTACT: Final = 0.1


def kept_moments(
    skeleton: Skeleton, channels: PoseChannels, pose: Pose, seconds: Array, keyed: Sequence[tuple[int, Channel]]
) -> Marks:
    """Which frames must keep a key: booleans (T, len(keyed)) for the channels ``keyed`` (bone, channel).

    seconds (T,): times of the frames. A contact's first and last frame count for the bones of its leg; a peak counts
    for the channel whose main turn (15 degrees) or height (30 mm) turns back there.
    """
    kept = np.zeros((len(seconds), len(keyed)), bool)
    for column, (bone, channel) in enumerate(keyed):
        if channel == "rotation_quaternion":
            kept[:, column] = turning_points(main_turn(channels.quaternions[:, bone]), PEAK_TURN)
        else:
            kept[:, column] = turning_points(pose.heads[:, bone, 2], PEAK_SHIFT)
    for leg in LEGS:
        if set(leg) <= set(skeleton.names):
            bones = [skeleton.index(name) for name in leg]
            changes = contact_changes(pose.heads[:, bones[-1]], seconds)
            columns = [column for column, (bone, _) in enumerate(keyed) if bone in bones]
            kept[:, columns] |= changes[:, None]
    return kept


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


def contact_changes(foot: Array, seconds: Array) -> Marks:
    """First and last frames of the foot's contacts with the floor: booleans (T,); foot (T, 3) m, seconds (T,)."""
    found = np.zeros(len(foot), bool)
    if len(foot) < 3:
        return found
    speed = np.linalg.norm(np.gradient(foot, seconds, axis=0), axis=-1)
    still = (speed < CONTACT_SPEED) & (foot[:, 2] < np.percentile(foot[:, 2], 5) + CONTACT_HEIGHT)
    edges = np.diff(still.astype(np.int8), prepend=0, append=0)
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    long_enough = seconds[lasts] - seconds[firsts] >= SHORTEST_CONTACT
    found[firsts[long_enough]] = found[lasts[long_enough]] = True
    return found
