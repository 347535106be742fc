"""Give lifted joints the bone lengths of a real body.

A lifter that is unsure of a depth answers with the mean, so its bones come out short, most of all those that point
at the camera. A skeleton of true size fitted to them would stand with bent knees. Here each bone is lengthened by one
factor for the whole clip, from its median length towards that of the person's body. Its direction stays.
"""

from dataclasses import replace

import numpy as np

from ..smpl_assets.body import Body
from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import JOINT_NAMES, PARENTS, mirrored
from .fit.shape import measured_lengths, solve_betas
from .records import Lifted

FACTORS = (0.75, 1.35)  # beyond these the estimate is too poor to be repaired
# How much of the missing length is given back along the bone. With all of it people stand a little too straight and
# too far away on rendered truth (benchmarks/rendered_truth.py), with none of it their knees are bent.
SHARE = 0.5
LIFTED_SPREAD = 0.03  # metres; a lifted bone tells less about proportions than people's mean build does
# The joint that each end point belongs to: head, ankles, feet, wrists.
END_JOINTS = (15, 15, 15, 15, 15, 7, 8, 10, 11, 20, 21, 20, 21)


def with_bone_lengths(lifted: Lifted, body: Body, stature: float) -> Lifted:
    """The same people with the mean bone lengths of ``body`` at their proportions and ``stature`` (metres)."""
    joints, ends = lifted.joints.joints.astype(np.float64), lifted.joints.ends.astype(np.float64)
    for track in np.unique(lifted.joints.track_id):
        rows = lifted.joints.track_id == track
        confidence = lifted.joints.confidence[rows]
        betas = solve_betas(body, measured_lengths(joints[rows], confidence), stature, LIFTED_SPREAD)
        grown = lengthened(joints[rows], body.rest_joints(betas), confidence)
        ends[rows] += (grown - joints[rows])[:, list(END_JOINTS)]
        joints[rows] = grown
    resized = replace(lifted.joints, joints=joints.astype(np.float32), ends=ends.astype(np.float32))
    return replace(lifted, joints=resized)


def lengthened(joints: Array, rest: Array, confidence: Array, share: float = SHARE) -> Array:
    """Joints (T, 24, 3) whose median bone lengths come nearer to those of ``rest`` (24, 3); the pelvis stays.

    share: 0 leaves them as they are, 1 gives them the lengths of ``rest``.
    """
    bones = joints[:, 1:] - joints[:, list(PARENTS[1:])]
    length = np.linalg.norm(bones, axis=-1)
    sure = confidence[:, 1:] > np.median(confidence[:, 1:], axis=0) - 1e-6
    median = np.nanmedian(np.where(sure, length, np.nan), axis=0)
    median = (median + median[_OTHER_SIDE]) / 2
    wanted = np.linalg.norm(rest[1:] - rest[list(PARENTS[1:])], axis=-1)
    bones = bones * np.clip(wanted / np.maximum(median, 1e-6), *FACTORS)[:, None] ** share
    grown = joints.copy()
    for joint in range(1, 24):
        grown[:, joint] = grown[:, PARENTS[joint]] + bones[:, joint - 1]
    return grown


_OTHER_SIDE = np.array(mirrored(JOINT_NAMES))[1:] - 1
