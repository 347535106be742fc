"""Hands of a retargeted character where the capture's were relative to the body: hands that met meet again.

Wrists keep their places as seen from between the shoulders, scaled by the length of the arms. Needs numpy only.
"""

import numpy as np

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import JOINT
from .retarget_limb import Limb, reach
from .retarget_pose import RetargetPose, middle
from .retarget_turns import CapturedTurns


def place_hands(pose: RetargetPose, bones: dict[str, int], capture: CapturedTurns, up: Array) -> None:
    """Bend the arms of ``pose`` so that wrists are where the capture's are; ``up`` (3,): of the capture's rest."""
    arms = [  # a left forearm flexes forwards about what is down at rest, a right one about what is up
        Limb(*(f"{side}_{part}" for part in ("shoulder", "elbow", "wrist")), hinge=sign * up)
        for side, sign in (("left", -1.0), ("right", 1.0))
    ]
    size = _arm_length(pose.tree.heads, bones, arms) / _arm_length(capture.rest, JOINT, arms)
    theirs = middle([capture.joints[:, JOINT[arm.upper]] for arm in arms])
    own = middle([pose.head(bones[arm.upper]) for arm in arms])
    goals = [own + size * (capture.joints[:, JOINT[arm.end]] - theirs) for arm in arms]
    for arm, goal in zip(arms, goals, strict=True):
        reach(pose, arm, bones, goal, capture.of(arm.lower) @ arm.hinge)


def _arm_length(heads: Array, bones: dict[str, int], arms: list[Limb]) -> float:
    pairs = [pair for arm in arms for pair in ((arm.upper, arm.lower), (arm.lower, arm.end))]
    return float(sum(np.linalg.norm(heads[bones[lower]] - heads[bones[upper]]) for upper, lower in pairs))
