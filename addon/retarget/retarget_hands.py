"""Hands of a retargeted character where the capture's were relative to the body: hands that met meet again.

Wrists keep their places as seen from between the shoulders, scaled by the length of the arms. Needs numpy only.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT
from .retarget_limb import Limb, reach
from .retarget_pose import RetargetPose, middle
from .retarget_turns import CapturedTurns

ARMS: Final = tuple(Limb(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") for side in ("left", "right"))
HINGE_SIGNS: Final = (-1.0, 1.0)  # a left forearm flexes forwards about what is down at rest, a right one about up


def place_hands(pose: RetargetPose, bones: dict[str, int], capture: CapturedTurns, up: Array) -> None:
    """Bend the arms of ``pose`` so that wrists are where the capture's are; ``up`` (3,): of the capture's rest."""
    size = _arm_length(pose.tree.heads, bones) / _arm_length(capture.rest, JOINT)
    theirs = middle([capture.joints[:, JOINT[arm.upper]] for arm in ARMS])
    own = middle([pose.head(bones[arm.upper]) for arm in ARMS])
    goals = [own + size * (capture.joints[:, JOINT[arm.end]] - theirs) for arm in ARMS]
    for arm, goal, sign in zip(ARMS, goals, HINGE_SIGNS, strict=True):
        reach(pose, arm, bones, goal, capture.of(arm.lower) @ (sign * up))


def _arm_length(heads: Array, bones: Mapping[str, int]) -> float:
    pairs = [pair for arm in ARMS for pair in ((arm.upper, arm.lower), (arm.lower, arm.end))]
    return float(sum(np.linalg.norm(heads[bones[lower]] - heads[bones[upper]]) for upper, lower in pairs))
