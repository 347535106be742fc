"""Two-bone inverse kinematics of arms and legs on a retargeted pose: the end goes where it should, the bend stays in
its plane. Needs numpy only."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array, matrix_from_axis_angle, rotation_between
from .retarget_pose import RetargetPose

REACH: Final = 0.998  # of both bones together, unless the limb is straighter already
STRAIGHT: Final = 0.03  # sine of a bend so small that the hinge of the rest pose says where the limb bends


@dataclass(frozen=True)
class Limb:
    """Our joints of one arm or leg."""

    upper: str
    lower: str
    end: str

    @property
    def joints(self) -> tuple[str, str, str]:
        """Joints from the top down."""
        return self.upper, self.lower, self.end


def reachable(pose: RetargetPose, limb: Limb, bones: dict[str, int]) -> Array:
    """How far (T,) in metres the limb's end may be from its beginning."""
    heads = pose.tree.heads
    upper, lower, end = (bones[joint] for joint in limb.joints)
    longest = np.linalg.norm(heads[lower] - heads[upper]) + np.linalg.norm(heads[end] - heads[lower])
    return np.maximum(np.linalg.norm(pose.head(end) - pose.head(upper), axis=-1), REACH * longest)


def reach(pose: RetargetPose, limb: Limb, bones: dict[str, int], goal: Array, hinge: Array) -> None:
    """Turn the limb's two bones so that its end is at ``goal`` (T, 3) m, or as near as it reaches.

    hinge (T, 3): the axis in the world about which the lower bone flexes, for where the limb is straight. What hangs
    on the end keeps its turn.
    """
    upper, lower, end = (pose.head(bones[joint]) for joint in limb.joints)
    first, second = lower - upper, end - lower
    wanted = goal - upper
    distance = np.minimum(np.linalg.norm(wanted, axis=-1), reachable(pose, limb, bones))
    across = np.cross(first, second) / (np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1))[:, None]
    axis = across + STRAIGHT * hinge
    axis /= np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-12)
    bend = matrix_from_axis_angle(_flexion(first, second, axis, distance)[:, None] * axis)
    swing = rotation_between(first + (bend @ second[..., None])[..., 0], wanted)
    pose.turn_joint(limb.upper, swing)
    pose.turn_joint(limb.lower, swing @ bend)


def _flexion(first: Array, second: Array, axis: Array, distance: Array) -> Array:
    """Angles (T,) to turn ``second`` about ``axis`` by so that both bones span ``distance`` (T,).

    |first + turned second|^2 = distance^2 is a*cos + b*sin = c in the angle; the solution nearest to none is taken.
    """
    along = np.sum(axis * second, axis=-1, keepdims=True) * axis
    a = np.sum(first * (second - along), axis=-1)
    b = np.sum(first * np.cross(axis, second), axis=-1)
    c = (distance**2 - np.sum(first**2, axis=-1) - np.sum(second**2, axis=-1)) / 2.0 - np.sum(first * along, axis=-1)
    size = np.maximum(np.hypot(a, b), 1e-12)
    angle = np.arctan2(b, a) + np.arccos(np.clip(c / size, -1.0, 1.0))
    return np.arctan2(np.sin(angle), np.cos(angle))
