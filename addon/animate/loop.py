"""The best loop in a motion, and how its ends are made to meet in pose and in speed. Needs numpy only."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.rotation import (
    Array,
    axis_angle_from_quaternion,
    matrix_from_axis_angle,
    quaternion_from_axis_angle,
)
from ..character.posed_skeleton import Pose, PoseChannels, Skeleton, channels_of, pose_of, unit
from .root_motion import relocate_travel

VELOCITY_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 10.0
AS_GOOD: Final = 1.5
GOOD_SHARE: Final = 0.005
UP: Final = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Loop:
    """Frames first and last, as indices, that show the same pose; gap: mean distance of their joints in metres.

    unlike: their squared difference over the variance of the frames between; a few hundredths where motion repeats.
    """

    first: int
    last: int
    gap: float
    unlike: float


@dataclass(frozen=True)
class ClosedLoop:
    """Channels (L + 1, B) whose last pose is the first, but for the root's travel (3,) m a cycle."""

    channels: PoseChannels
    travel: Array


def find_loop(joints: Array, hips: tuple[int, int, int], fps: float, shortest: int) -> Loop:
    """The best loop of at least ``shortest`` frames in joints (T, J, 3) m, Z up; hips: pelvis, left and right hip.

    Poses are compared from above the pelvis, facing the same way, with what joints move in a tenth of a second. The
    difference is weighed against how much the pose changes within the loop, so that standing still is none. Of loops
    nearly as good as the best the shortest is taken: one cycle, not two. Raises InputError when T <= shortest.
    """
    if len(joints) <= shortest:
        message = f"The range has {len(joints)} frames, too few for a loop of {shortest}."
        raise InputError("too_short", message, "Choose a longer range or a shorter loop.")
    features = _features(joints, hips, fps)
    lags = np.arange(shortest, min(len(joints) - 1, max(shortest, round(LONGEST_SECONDS * fps))) + 1)
    scores = [_scores(features, lag) for lag in lags]
    best = np.array([score.min() for score in scores])
    good = best <= AS_GOOD * best.min() + GOOD_SHARE
    start = int(np.argmax(good))
    bad_after = np.flatnonzero(~good[start:])
    stop = start + int(bad_after[0]) if len(bad_after) else len(good)
    chosen = start + int(np.argmin(best[start:stop]))
    first, last = int(np.argmin(scores[chosen])), int(np.argmin(scores[chosen]) + lags[chosen])
    poses = _seen_alike(joints, hips)
    gap = float(np.linalg.norm(poses[first] - poses[last], axis=-1).mean())
    return Loop(first, last, gap, float(best[chosen]))


def close_loop(skeleton: Skeleton, channels: PoseChannels, loop: Loop, root: str, hips: str) -> ClosedLoop:
    """Cut ``loop`` out of ``channels`` (T, B) and let its ends meet.

    The travel goes to the bone ``root``. A turn within the loop is taken out evenly; what is left of the gap in pose
    and in speed is taken out by cubics that fade towards the loop's middle.
    """
    begin, end = max(loop.first - 1, 0), min(loop.last + 2, len(channels.locations))
    cut = PoseChannels(channels.locations[begin:end].copy(), unit(channels.quaternions[begin:end]))
    inside = slice(loop.first - begin, loop.last - begin + 1)
    _straighten(skeleton, cut, inside, (skeleton.index(root), skeleton.index(hips)))
    locations, travel = _closed_vectors(cut.locations, inside, skeleton.index(root))
    return ClosedLoop(PoseChannels(locations, _closed_turns(cut.quaternions, inside)), travel)


def heading(joints: Array, hips: tuple[int, int, int]) -> Array:
    """Angle (T,) about Z by which people with joints (T, J, 3) have turned from facing -Y."""
    across = joints[:, hips[1]] - joints[:, hips[2]]
    return np.unwrap(np.arctan2(across[:, 1], across[:, 0]))


def about_z(angles: Array) -> Array:
    """Rotations (T, 3, 3) about Z by angles (T,)."""
    return matrix_from_axis_angle(angles[:, None] * UP)


def _seen_alike(joints: Array, hips: tuple[int, int, int]) -> Array:
    """Joints (T, J, 3) from above the pelvis, facing -Y."""
    place = joints[:, hips[0], None] * [1.0, 1.0, 0.0]
    return (joints - place) @ about_z(heading(joints, hips))


def _features(joints: Array, hips: tuple[int, int, int], fps: float) -> Array:
    speeds = np.gradient(joints, 1.0 / fps, axis=0) @ about_z(heading(joints, hips))
    both = np.concatenate([_seen_alike(joints, hips), VELOCITY_SECONDS * speeds], axis=1)
    return both.reshape(len(joints), -1)


def _scores(features: Array, lag: int) -> Array:
    """Squared difference of frames ``lag`` apart over the variance of the frames between, (T - lag,)."""
    difference = features[lag:] - features[:-lag]
    sums = np.cumsum(np.concatenate([np.zeros_like(features[:1]), features]), axis=0)
    squares = np.cumsum(np.concatenate([[0.0], np.einsum("td,td->t", features, features)]))
    mean = (sums[lag:-1] - sums[: -lag - 1]) / lag
    variance = (squares[lag:-1] - squares[: -lag - 1]) / lag - np.einsum("td,td->t", mean, mean)
    return np.einsum("td,td->t", difference, difference) / np.maximum(variance, 1e-9)


def _straighten(skeleton: Skeleton, cut: PoseChannels, inside: slice, bones: tuple[int, int]) -> None:
    """Put the travel on the root and take the loop's own turn out of path and hips, in place."""
    pair = list(bones)
    part = skeleton.part((skeleton.names[pair[0]], skeleton.names[pair[1]]))
    both = PoseChannels(cut.locations[:, pair], cut.quaternions[:, pair])
    moved = relocate_travel(part, both, "root")
    pose = pose_of(part, PoseChannels(np.stack([moved.root, moved.hips], axis=1), both.quaternions))
    turn = _turn_between(pose.axes[inside.start, 1], pose.axes[inside.stop - 1, 1])
    share = (np.arange(len(pose.heads)) - inside.start) / (inside.stop - 1 - inside.start)
    back = about_z(-turn * share)
    heads, axes = pose.heads.copy(), pose.axes.copy()
    steps = (back[:-1] @ np.diff(heads[:, 0], axis=0)[..., None])[..., 0]
    heads[1:, 0] = heads[0, 0] + np.cumsum(steps, axis=0)
    heads[:, 1] = heads[:, 0] + (back @ (pose.heads[:, 1] - pose.heads[:, 0])[..., None])[..., 0]
    axes[:, 1] = back @ axes[:, 1]
    straight = channels_of(part, Pose(axes, heads))
    cut.locations[:, pair], cut.quaternions[:, pair] = straight.locations, straight.quaternions


def _turn_between(first: Array, last: Array) -> float:
    """Angle about Z of the rotation from axes ``first`` (3, 3) to ``last``."""
    change = last @ first.T
    return float(np.arctan2(change[1, 0] - change[0, 1], change[0, 0] + change[1, 1]))


def _fading(start: Array, start_speed: Array, end: Array, end_speed: Array, count: int) -> Array:
    """Offsets (count + 1, ...) with these values and speeds (per frame) at both ends, nought in the middle."""
    half = count / 2.0
    frames = np.arange(count + 1.0).reshape(-1, *(1,) * start.ndim)

    def fade(value: Array, speed: Array, distance: Array) -> Array:
        s = np.clip(distance / half, 0.0, 1.0)
        return value * (1.0 + 2.0 * s) * (1.0 - s) ** 2 + speed * half * s * (1.0 - s) ** 2

    return fade(start, start_speed, frames) + fade(end, -end_speed, count - frames)


def _closed_vectors(locations: Array, inside: slice, root: int) -> tuple[Array, Array]:
    first, last = inside.start, inside.stop - 1
    speeds = np.gradient(locations, axis=0)
    gap, faster = locations[last] - locations[first], speeds[last] - speeds[first]
    travel = gap[root].copy()
    gap[root] = 0.0
    return locations[inside] + _fading(gap / 2, faster / 2, -gap / 2, -faster / 2, last - first), travel


def _closed_turns(quaternions: Array, inside: slice) -> Array:
    first, last = inside.start, inside.stop - 1
    gap = _turn(quaternions[first], quaternions[last])
    faster = _turn_speed(quaternions, last) - _turn_speed(quaternions, first)
    offsets = _fading(gap / 2, faster / 2, -gap / 2, -faster / 2, last - first)
    closed = _product(quaternions[inside], quaternion_from_axis_angle(offsets))
    closed[-1] = np.where(np.sum(closed[-1] * closed[0], axis=-1, keepdims=True) < 0, -closed[0], closed[0])
    return closed


def _turn_speed(quaternions: Array, frame: int) -> Array:
    before, after = max(frame - 1, 0), min(frame + 1, len(quaternions) - 1)
    return _turn(quaternions[before], quaternions[after]) / (after - before)


def _turn(first: Array, last: Array) -> Array:
    """Axis-angle (B, 3) from quaternions ``first`` (B, 4) to ``last``, in the turned axes."""
    return axis_angle_from_quaternion(_product(first * [1.0, -1.0, -1.0, -1.0], last))


def _product(first: Array, second: Array) -> Array:
    w = first[..., :1] * second[..., :1] - np.sum(first[..., 1:] * second[..., 1:], axis=-1, keepdims=True)
    vector = (
        first[..., :1] * second[..., 1:] + second[..., :1] * first[..., 1:] + np.cross(first[..., 1:], second[..., 1:])
    )
    return np.concatenate([w, vector], axis=-1)
