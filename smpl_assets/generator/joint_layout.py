"""Where SMPL's 24 joints lie in a MakeHuman body, and which bones of its rig become which joint."""

from typing import Final

import numpy as np

from ..skeleton import JOINT
from .makehuman import Floats

SIDES: Final = (("left", "l", 1.0), ("right", "r", -1.0))
LIMB_BONES: Final = {
    "clavicle": "collar",
    "shoulder01": "collar",
    "upperarm": "shoulder",
    "lowerarm": "elbow",
    "wrist": "wrist",
    "metacarpal": "wrist",
    "finger": "hand",
    "upperleg": "hip",
    "lowerleg": "knee",
    "foot": "ankle",
    "toe": "foot",
}
TORSO: Final = "torso"


def smpl_joints(cubes: dict[str, Floats]) -> dict[str, Floats]:
    """SMPL-like joint centres (N, 3) m by name, from the centres of MakeHuman's joint cubes (N, 3) m.

    Also ``*_index1`` and ``*_pinky1``, the knuckles that say how the palm is turned.
    """
    joints = {}
    hips = (cubes["l-upper-leg"] + cubes["r-upper-leg"]) / 2
    for side, letter, _ in SIDES:
        cube = {name[2:]: centre for name, centre in cubes.items() if name.startswith(f"{letter}-")}
        thigh, knee, hand = cube["upper-leg"], cube["knee"], cube["hand"]
        # MakeHuman's hips lie 20 cm apart at 1.66 m stature, SMPL's about 14
        joints[f"{side}_hip"] = hips + 0.68 * (thigh - hips) + 0.05 * (knee - thigh)
        joints |= {f"{side}_knee": knee, f"{side}_ankle": cube["ankle"], f"{side}_foot": cube["foot-1"]}
        joints |= {f"{side}_shoulder": cube["shoulder"], f"{side}_elbow": cube["elbow"], f"{side}_wrist": hand}
        knuckles = (cube["finger-2-1"] + cube["finger-3-1"] + cube["finger-4-1"]) / 3
        joints[f"{side}_hand"] = _between(hand, knuckles, 0.85)
        joints |= {f"{side}_index1": cube["finger-2-1"], f"{side}_pinky1": cube["finger-5-1"]}
    return joints | _torso_joints(cubes, joints)


def _torso_joints(cubes: dict[str, Floats], legs: dict[str, Floats]) -> dict[str, Floats]:
    """The spine laid out like SMPL's (offsets rounded), so that joints of SMPL's convention give upright torsos."""
    scale = (cubes["head"][:, 1] - cubes["l-ankle"][:, 1]) / 1.445
    pelvis = _between(cubes["pelvis"], cubes["spine-4"], 0.69).copy()
    pelvis[:, 2] = (legs["left_hip"][:, 2] + legs["right_hip"][:, 2]) / 2 + 0.018 * scale

    def behind_pelvis(point: Floats, depth: float) -> Floats:
        return np.stack([point[:, 0], point[:, 1], pelvis[:, 2] + depth * scale], axis=1)

    joints = {
        "pelvis": pelvis,
        "spine1": behind_pelvis(_between(cubes["spine-3"], cubes["spine-2"], 0.4), -0.034),
        "spine2": behind_pelvis(_between(cubes["spine-2"], cubes["spine-1"], 0.625), -0.012),
        "spine3": behind_pelvis(cubes["spine-1"], -0.009),
        "neck": behind_pelvis(_between(cubes["neck"], cubes["head"], 0.2), -0.038),
        "head": behind_pelvis(cubes["head"], 0.008),
    }
    for side, _, sign in SIDES:
        joints[f"{side}_collar"] = joints["spine3"] + scale[:, None] * np.array([sign * 0.062, 0.097, -0.017])
    return joints


def _between(first: Floats, second: Floats, share: float) -> Floats:
    return first + (second - first) * share


def joint_of_bone(bone: str) -> str:
    """The joint that takes over a bone's weights; "torso" for the spine, which is split anew by height."""
    if bone == "root" or bone.startswith(("spine", "breast")):
        return TORSO
    if bone.startswith("pelvis"):
        return "pelvis"
    if bone.startswith("neck"):
        return "neck"
    side = "left" if bone.lower().endswith(".l") else "right"
    for start, joint in LIMB_BONES.items():
        if bone.startswith(start):
            return f"{side}_{joint}"
    return "head"


def skinning_weights(
    bones: dict[str, list[tuple[int, float]]], row: np.ndarray, eyes: np.ndarray, heights: Floats, joint_heights: Floats
) -> Floats:
    """Skinning weights (V, 24) from the rig's artist-made ones, at most four joints a vertex.

    row: our number of each MakeHuman vertex, -1 where it is left out; eyes: rows of the eyeballs; heights (V,) and
    joint_heights (24,) m of the average body.
    """
    weights, torso = np.zeros((len(heights), len(JOINT))), np.zeros(len(heights))
    for bone, pairs in bones.items():
        vertex = row[[index for index, _ in pairs]]
        value = np.array([weight for _, weight in pairs])[vertex >= 0]
        vertex = vertex[vertex >= 0]
        joint = joint_of_bone(bone)
        np.add.at(torso if joint == TORSO else weights[:, JOINT[joint]], vertex, value)
    weights[eyes], torso[eyes] = 0, 0
    weights[eyes, JOINT["head"]] = 1
    weights += torso[:, None] * _spine_shares(heights, joint_heights)
    weights /= weights.sum(axis=1, keepdims=True)
    weights[weights < 0.004] = 0
    np.put_along_axis(weights, np.argsort(-weights, axis=1)[:, 4:], 0, axis=1)
    return weights / weights.sum(axis=1, keepdims=True)


def _spine_shares(heights: Floats, joint_heights: Floats) -> Floats:
    """How pelvis and spine joints share the torso (V, 24): smooth ramps over height."""

    def ramp(joint: str, below: float, length: float) -> Floats:
        x = np.clip((heights - (joint_heights[JOINT[joint]] - below)) / length, 0, 1)
        return x * x * (3 - 2 * x)

    first = ramp("spine1", 0.07, 0.14)
    second = np.minimum(ramp("spine2", 0.055, 0.11), first)
    third = np.minimum(ramp("spine3", 0.05, 0.10), second)
    shares = np.zeros((len(heights), len(JOINT)))
    names = ("pelvis", "spine1", "spine2", "spine3")
    shares[:, [JOINT[name] for name in names]] = np.stack([1 - first, first - second, second - third, third], axis=1)
    return shares
