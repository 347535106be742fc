"""Two-bone inverse kinematics of the legs: the ankle goes where it should, the knee stays in its bend plane."""

from dataclasses import dataclass

import numpy as np

from ..smpl_assets.rotation import Array, matrix_from_axis_angle, rotation_between
from ..smpl_assets.skeleton import JOINT
from .fit.skeleton import Posed, RestSkeleton

# Of thigh and shin together, unless the knee is straighter already: near there millimetres turn it by degrees.
REACH = 0.985
STRAIGHT = 0.05  # sine of a bend so small that the hinge of the rest pose, not the bend, says where the knee points


@dataclass(frozen=True)
class Leg:
    """The joints of one leg by number."""

    hip: int
    knee: int
    ankle: int


LEGS = tuple(Leg(*(JOINT[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))) for side in ("left", "right"))


def furthest(rest: RestSkeleton, posed: Posed, leg: Leg) -> Array:
    """How far (T,) in metres the ankle may be from the hip: REACH, or as far as it is."""
    thigh, shin = rest.joints[leg.knee] - rest.joints[leg.hip], rest.joints[leg.ankle] - rest.joints[leg.knee]
    now = np.linalg.norm(posed.joints[:, leg.ankle] - posed.joints[:, leg.hip], axis=-1)
    return np.maximum(now, REACH * (np.linalg.norm(thigh) + np.linalg.norm(shin)))


def reached(rest: RestSkeleton, posed: Posed, leg: Leg, ankle: Array, foot_turn: Array) -> tuple[Array, Array, Array]:
    """Local rotations (T, 3, 3) of hip, knee and ankle that bring the ankle to ``ankle`` (T, 3) m, world.

    foot_turn: (T, 3, 3), what to turn the foot by in the world; the identity keeps its world rotation whatever the leg
    does. Goals out of reach are reached for: bones keep their lengths. The knee opens and closes about its hinge, in
    closed form, and the whole leg swings by the shortest turn, so that the knee points where it did.
    """
    thigh = posed.joints[:, leg.knee] - posed.joints[:, leg.hip]
    shin = posed.joints[:, leg.ankle] - posed.joints[:, leg.knee]
    wanted = ankle - posed.joints[:, leg.hip]
    distance = np.minimum(np.linalg.norm(wanted, axis=-1), furthest(rest, posed, leg))
    bend = matrix_from_axis_angle(_bend(thigh, shin, _hinge(posed, leg, thigh, shin), distance))
    swing = rotation_between(thigh + (bend @ shin[..., None])[..., 0], wanted)
    parent = posed.rotations[:, JOINT["pelvis"]]
    hip = swing @ posed.rotations[:, leg.hip]
    knee = swing @ bend @ posed.rotations[:, leg.knee]
    foot = foot_turn @ posed.rotations[:, leg.ankle]
    return _within(parent, hip), _within(hip, knee), _within(knee, foot)


def _within(parent: Array, child: Array) -> Array:
    return np.swapaxes(parent, -1, -2) @ child


def _hinge(posed: Posed, leg: Leg, thigh: Array, shin: Array) -> Array:
    """The knee's axis (T, 3) of flexion, world: across the bend, and the shin's own where the leg is straight."""
    across = np.cross(thigh, shin) / (np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shin, axis=-1))[:, None]
    own = posed.rotations[:, leg.knee, :, 0]  # the body frame's left: about it shins go backwards
    axis = across + STRAIGHT * own
    return axis / np.linalg.norm(axis, axis=-1, keepdims=True)


def _bend(thigh: Array, shin: Array, hinge: Array, distance: Array) -> Array:
    """Turns (T, 3) of the shin about ``hinge``, as axis-angle, after which hip and ankle are ``distance`` (T,) apart.

    |thigh + turned shin| = distance is along + cos * still + sin * turning = wanted in the angle.
    """
    aside = np.sum(hinge * shin, axis=-1, keepdims=True) * hinge
    along = np.sum(thigh * aside, axis=-1)
    still = np.sum(thigh * (shin - aside), axis=-1)
    turning = np.sum(thigh * np.cross(hinge, shin), axis=-1)
    wanted = (distance**2 - np.sum(thigh**2, axis=-1) - np.sum(shin**2, axis=-1)) / 2.0 - along
    size = np.maximum(np.hypot(still, turning), 1e-12)
    straight = np.arctan2(turning, still)  # the angle at which the leg is straightest; flexion is beyond it
    angle = straight + np.arccos(np.clip(wanted / size, -1.0, 1.0))
    return np.arctan2(np.sin(angle), np.cos(angle))[:, None] * hinge
