"""Poses of different systems compared on the 12 joints that all of them have: shoulders, elbows, wrists, hips, knees,
ankles.

The middle of the hips is the root. Systems differ in what they call a joint (MediaPipe's hips and shoulders lie nearer
to the surface than SMPL's), and in scale. So beside MPJPE there is N-MPJPE (best scale per frame), PA-MPJPE (best
similarity transform per frame), and PA-MPJPE after each system's joints were moved by constant offsets in the axes of
the trunk, one per joint and the best that the truth of these very frames allows.
"""

from typing import Any

import numpy as np

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import JOINT
from ..training.metrics import best_scale, similarity_aligned

LIMB_JOINTS = tuple(
    f"{side}_{part}"
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)  # fmt: skip
SMPL_LIMBS = [JOINT[name] for name in LIMB_JOINTS]
BLAZEPOSE_LIMBS = [BLAZEPOSE33.index(name) for name in LIMB_JOINTS]
SHOULDERS, HIPS = [0, 1], [6, 7]
TARGET = "mediapipe_world"  # what the others are compared with
SHARES = (10, 20, 30)  # percent
ROUNDS = 5  # of moving joints and aligning again

Limbs = dict[str, Array]  # "truth" and each system: (T, 12, 3) metres, camera axes, root at the origin


def limbs_of(points: Array, indices: list[int]) -> Array:
    """The 12 joints (T, 12, 3) of points (T, P, 3), the middle of the hips at the origin."""
    limbs = points[:, indices]
    return limbs - limbs[:, HIPS].mean(axis=1, keepdims=True)


def with_mixtures(limbs: Limbs) -> Limbs:
    """With the lifter's limbs mixed with MediaPipe's: whether the latter know anything that the lifter does not."""
    mixed = {
        f"lifted_with_{share}_percent_of_mediapipe": limbs["lifted"] + share / 100 * (limbs[TARGET] - limbs["lifted"])
        for share in SHARES
    }
    return {**limbs, **mixed}


def compared(clips: list[Limbs]) -> dict[str, Any]:
    """Errors of each system over the frames of all clips, millimetres, and percent below MediaPipe's."""
    joined = {name: np.concatenate([clip[name] for clip in clips]) for name in clips[0]}
    truth = joined.pop("truth")
    systems = {name: limb_errors(points, truth) for name, points in joined.items()}
    return {
        "joints": LIMB_JOINTS,
        "root": "middle of the hips",
        "frames": len(truth),
        "systems": systems,
        "percent_below_mediapipe_world": {
            name: {key: round(100 * (1 - value / systems[TARGET][key]), 1) for key, value in row.items()}
            for name, row in systems.items()
            if name != TARGET
        },
    }


def limb_errors(predicted: Array, truth: Array) -> dict[str, float]:
    """Millimetres; predicted and truth (T, 12, 3) in metres."""
    aligned = similarity_aligned(predicted, truth)
    scaled = best_scale(predicted, truth)[:, None, None] * predicted
    found = {
        "mpjpe_mm": predicted,
        "n_mpjpe_mm": scaled,
        "pa_mpjpe_mm": aligned,
        "pa_mpjpe_after_constant_offsets_mm": with_constant_offsets(aligned, truth),
    }
    return {
        name: round(1000 * float(np.linalg.norm(points - truth, axis=-1).mean()), 2) for name, points in found.items()
    }


def with_constant_offsets(predicted: Array, truth: Array) -> Array:
    """Predicted limbs (T, 12, 3) after each joint was moved by its mean error in trunk axes, and aligned again."""
    axes = trunk_axes(truth)
    for _ in range(ROUNDS):
        offsets = ((truth - predicted) @ axes).mean(axis=0)
        predicted = similarity_aligned(predicted + offsets @ np.swapaxes(axes, -1, -2), truth)
    return predicted


def trunk_axes(limbs: Array) -> Array:
    """Rotations (T, 3, 3) whose columns are the trunk's left, up and front."""
    up = limbs[:, SHOULDERS].mean(axis=1) - limbs[:, HIPS].mean(axis=1)
    up = up / np.linalg.norm(up, axis=-1, keepdims=True)
    left = limbs[:, HIPS[0]] - limbs[:, HIPS[1]]
    front = np.cross(left, up)
    front = front / np.linalg.norm(front, axis=-1, keepdims=True)
    return np.stack([np.cross(up, front), up, front], axis=-1)
