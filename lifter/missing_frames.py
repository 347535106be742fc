"""Frames in which a person was not seen: every joint turns evenly between what was seen, and the frame says so."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ..smpl_assets.body import Body
from ..smpl_assets.rotation import (
    Array,
    axis_angle_from_matrix,
    axis_angle_from_quaternion,
    continuous_quaternions,
    matrix_from_axis_angle,
    quaternion_from_matrix,
)
from ..smpl_assets.skeleton import JOINT, JOINT_NAMES
from .errors import InputError
from .fit.skeleton import pose_skeleton, rest_skeleton
from .records import Fit, Joints3D
from .stretches import LONGEST_GAP, frame_rate

Rows = NDArray[np.int64]
HANDS = [tuple(JOINT[f"{side}_{part}"] for part in ("hand", "wrist", "elbow")) for side in ("left", "right")]
HAND_LENGTH = 0.36  # of the forearm's, from the wrist to the hand's joint
REACH = 3.0  # metres from the pelvis
MOMENT = 0.15  # seconds
SHORTEST_LEAP = 0.5  # metres
FASTEST = 10.0  # metres a second


def mended(joints: Joints3D) -> Joints3D:
    """One person's rows, times ascending, as a fit needs them: strays out, rows even in time, every joint somewhere.

    What was not seen has confidence 0. Raises InputError("bad_joints") when a joint is known in no frame.
    """
    return bridged(evenly_spaced(without_strays(joints)))


def without_strays(joints: Joints3D) -> Joints3D:
    """One person's rows, times ascending, with points that cannot be theirs not known (NaN).

    These are points out of everybody's reach, and all of a row whose pelvis is somewhere else for a moment.
    """
    points = np.concatenate([joints.joints, joints.ends], axis=1)
    known, fps = np.isfinite(points[:, 0]).all(axis=-1), frame_rate(joints.times)
    path = points[known, 0].astype(np.float64)
    usual = median_filter(path, size=(2 * max(2, round(MOMENT * fps)) + 1, 1), mode="mirror")
    astray = np.linalg.norm(path - usual, axis=-1) > max(SHORTEST_LEAP, FASTEST / fps)
    points[np.flatnonzero(known)[astray]] = np.nan
    points[np.linalg.norm(points - points[:, :1].astype(np.float64), axis=-1) > REACH] = np.nan
    return replace(joints, joints=points[:, :24], ends=points[:, 24:])


def evenly_spaced(joints: Joints3D) -> Joints3D:
    """One person's rows, times ascending, with rows of unknown joints (NaN, confidence 0) for frames left out.

    Of rows closer than a frame the first one stays. Gaps longer than LONGEST_GAP stay gaps: nothing is solved across.
    """
    fps = frame_rate(joints.times)
    slot, rows = np.unique(np.round((joints.times - joints.times[0]) * fps).astype(np.int64), return_index=True)
    before, after, share = _neighbours(slot)
    here = (share == 0) | (slot[after] - slot[before] <= LONGEST_GAP * fps)
    before, after, share = before[here], after[here], share[here]
    joints, new = joints.select(rows), share > 0
    found = joints.select(before)
    found.joints[new], found.ends[new], found.confidence[new] = np.nan, np.nan, 0.0
    return replace(
        found,
        frames=np.round(_mixed(joints.frames.astype(np.float64), before, after, share)).astype(np.int64),
        times=_mixed(joints.times, before, after, share),
    )


def bridged(joints: Joints3D) -> Joints3D:
    """One person's rows with joints that are not finite taken along a line in time, at confidence 0.

    The line is that of the way from the pelvis, so that a joint comes along with a walking body. Before a joint is
    first known and after it was last known it keeps its place. Hands that are known in no frame are straight. Raises
    InputError("bad_joints") when another joint is known in no frame.
    """
    points, confidence = joints.joints.copy(), joints.confidence.copy()
    unknown = ~np.isfinite(points).all(axis=-1)
    confidence[unknown] = 0.0
    for hand, wrist, elbow in HANDS:
        if unknown[:, hand].all():
            points[:, hand] = points[:, wrist] + HAND_LENGTH * (points[:, wrist] - points[:, elbow])
    unknown = ~np.isfinite(points).all(axis=-1)
    never = [name for name, is_never in zip(JOINT_NAMES, unknown.all(axis=0), strict=True) if is_never]
    if never:
        message = f"Not known in any frame: {', '.join(never)}."
        hint = "SMPL's joints must be known in some frame each, all but the hands; estimate the others from neighbours."
        raise InputError("bad_joints", message, hint)
    for joint in np.flatnonzero(unknown.any(axis=0)):  # a few of 24, the pelvis first
        gap, known = unknown[:, joint], ~unknown[:, joint]
        around = points[:, 0] if joint else np.zeros_like(points[:, 0])
        for axis in range(3):
            way = points[known, joint, axis] - around[known, axis]
            points[gap, joint, axis] = around[gap, axis] + np.interp(joints.times[gap], joints.times[known], way)
    return replace(joints, joints=points, confidence=confidence)


def filled(found: Fit, joints: Joints3D, body: Body, fps: float) -> tuple[Fit, Joints3D]:
    """One person on every frame from the first to the last in which anything of them was seen.

    joints: the rows of ``found``, times ascending. Frames that are absent or have confidence 0 throughout are
    interpolated in rotation space, the way over the floor along a line, however long the gap; they have confidence 0
    and their residuals are NaN. Returns both with the same new rows.
    """
    known = np.flatnonzero(joints.confidence.max(axis=1) > 0)
    if len(known) == 0:
        return found, joints
    slot = np.round((joints.times[known] - joints.times[known[0]]) * fps).astype(np.int64)
    known = known[np.concatenate([[True], np.diff(slot) > 0])]
    slot = np.unique(slot)
    if len(slot) == len(joints.times) and slot[-1] == len(slot) - 1:
        return found, joints
    before, after, share = _neighbours(slot)
    return _between(found, joints, body, known[before], known[after], share)


def held(found: Fit, joints: Joints3D, frames: Rows, times: Array, fps: float) -> tuple[Fit, Joints3D]:
    """One person on every one of ``frames`` (N,), at ``times`` (N,) s: before the first row and after the last they
    keep still, at confidence 0.

    joints: the rows of ``found``, on every frame between. Returns both with the same new rows.
    """
    slot = np.round((times - joints.times[0]) * fps).astype(np.int64)
    first, last, count = min(int(slot.min()), 0), int(slot.max()), len(joints.times)
    if first == 0 and last < count:
        return found, joints
    every = np.arange(first, max(last + 1, count))
    rows = np.clip(every, 0, count - 1)
    still, here = every != rows, joints.select(rows)
    order = np.argsort(slot)
    all_times, all_frames = (np.interp(every, slot[order], values[order]) for values in (times, frames))
    unknown = np.where(still, np.nan, 0.0)
    return (
        replace(
            found,
            axis_angle=found.axis_angle[rows],
            trans=found.trans[rows],
            joints=found.joints[rows],
            ends=found.ends[rows],
            joint_residual=found.joint_residual[rows] + unknown,
            pixel_residual=found.pixel_residual[rows] + unknown,
        ),
        replace(
            here,
            frames=np.where(still, np.round(all_frames), here.frames).astype(np.int64),
            times=np.where(still, all_times, here.times),
            confidence=here.confidence * ~still[:, None],
        ),
    )


def _neighbours(slot: Rows) -> tuple[Rows, Rows, Array]:
    """Of every frame from 0 to the last of ``slot`` (N,), ascending: the entry before or at it, and the one after it.

    Third is how far the frame is from the one to the other, 0..1.
    """
    every = np.arange(slot[-1] + 1)
    before = np.searchsorted(slot, every, side="right") - 1
    after = np.minimum(before + 1, len(slot) - 1)
    return before, after, (every - slot[before]) / np.maximum(slot[after] - slot[before], 1)


def _between(found: Fit, joints: Joints3D, body: Body, before: Rows, after: Rows, share: Array) -> tuple[Fit, Joints3D]:
    """Rows that lie at ``share`` (T,) of the way from row ``before`` (T,) to row ``after``; 0 is the row itself."""
    local, seen = matrix_from_axis_angle(found.axis_angle), share == 0
    turn = axis_angle_from_matrix(np.swapaxes(local[before], -1, -2) @ local[after])
    local = np.where(
        seen[:, None, None, None], local[before], local[before] @ matrix_from_axis_angle(turn * share[:, None, None])
    )
    trans = _mixed(found.trans, before, after, share)
    rest = rest_skeleton(body, found.betas)
    posed = pose_skeleton(rest, local, trans + rest.joints[0])
    unsure = joints.select(before)
    return (
        replace(
            found,
            axis_angle=axis_angle_from_quaternion(continuous_quaternions(quaternion_from_matrix(local))),
            trans=trans,
            joints=posed.joints,
            ends=posed.ends,
            joint_residual=np.where(seen, found.joint_residual[before], np.nan),
            pixel_residual=np.where(seen, found.pixel_residual[before], np.nan),
        ),
        replace(
            unsure,
            joints=np.where(seen[:, None, None], unsure.joints, posed.joints).astype(np.float32),
            ends=np.where(seen[:, None, None], unsure.ends, posed.ends).astype(np.float32),
            frames=np.round(_mixed(joints.frames.astype(np.float64), before, after, share)).astype(np.int64),
            times=_mixed(joints.times, before, after, share),
            confidence=unsure.confidence * seen[:, None],
        ),
    )


def _mixed(values: Array, before: Rows, after: Rows, share: Array) -> Array:
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return values[before] * (1 - share) + values[after] * share


def told_gaps(who: str, times: Array, confidence: Array, given: Array | None = None) -> list[str]:
    """What a user should know of the frames of ``who`` that nobody saw: times (T,) s, confidence (T, 24).

    given: the times of all frames that there were, also of those before the first sight and after the last.
    """
    unseen = confidence.max(axis=1) == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unseen, [False]]).astype(int))).reshape(-1, 2)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    told = [
        f"{who} is out of sight from {times[first]:.1f} s for {(last - first) * step:.1f} s: "
        + (
            "they keep still"
            if first == 0 or last == len(times)
            else "the motion in between is guessed from its two ends"
        )
        + " (confidence 0)."
        for first, last in edges
        if (last - first) * step > LONGEST_GAP
    ]
    short = sum(last - first for first, last in edges if (last - first) * step <= LONGEST_GAP)
    if short:
        told.append(f"{who}: {short} frames without a usable view are interpolated (confidence 0).")
    if given is not None and (given[0] < times[0] or given[-1] > times[-1]):
        told.append(f"{who} is seen from {times[0]:.1f} s to {times[-1]:.1f} s only: frames outside are left out.")
    return told
