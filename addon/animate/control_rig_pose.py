"""Where controls stand for a pose of SMPL's bones: two-bone IK in closed form and back. Needs numpy only.

The same law of cosines runs in the rig's drivers (control_rig.py), so a pose goes onto the controls and comes back.
All arrays are in the armature's frame, metres; axes are columns; T frames first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array, matrix_from_axis_angle
from ..character.posed_skeleton import unit
from .control_rig_table import POLE_DISTANCE

STRAIGHT: Final = np.radians(1.0)
"""Limbs bent less than this are held straight by the IK, as their plane is not known; tweaks bend them the rest."""
BEYOND_REACH: Final = 5e-5
PLANE_UNKNOWN: Final = np.radians(2.0)
PLANE_KNOWN: Final = np.radians(10.0)


@dataclass(frozen=True)
class LimbPose:
    """target and pole (T, 3); axes of the aiming bone and of upper and lower mechanism (T, 3, 3); middle (T, 3)."""

    target: Array
    pole: Array
    aim: Array
    upper: Array
    lower: Array
    middle: Array


def limb_pose(begin: Array, middle: Array, end: Array, forward: Array) -> LimbPose:
    """Target, pole and mechanism that show a limb with joints ``begin``, ``middle`` and ``end`` (T, 3).

    forward (T, 3): which way the middle joint would bend if the limb were straight. Nearly straight limbs have their
    target a little beyond reach (0.05 mm), where rounding cannot bend them.
    """
    lengths = np.linalg.norm(middle - begin, axis=-1), np.linalg.norm(end - middle, axis=-1)
    along, bend = unit(end - begin), _bend(middle - begin, end - middle)
    reach = np.linalg.norm(end - begin, axis=-1)
    reach = np.where(bend < STRAIGHT, lengths[0] + lengths[1] + BEYOND_REACH, reach)
    target = begin + along * reach[:, None]
    pole = middle + POLE_DISTANCE * _pole_direction(middle - begin, along, bend, forward)
    return solved_limb(begin, target, pole, lengths)


def solved_limb(begin: Array, target: Array, pole: Array, lengths: tuple[Array, Array]) -> LimbPose:
    """What the rig's mechanism shows for a limb with ``lengths`` (T,) m of upper and lower bone."""
    along = unit(target - begin)
    ahead = unit(_across(pole - begin, along))
    aim = np.stack([np.cross(along, ahead), along, ahead], axis=-1)
    upper, lower = lengths
    reach = np.linalg.norm(target - begin, axis=-1)
    lift = np.arccos(np.clip((reach**2 + upper**2 - lower**2) / (2.0 * upper * reach), -1.0, 1.0))
    bend = np.pi - np.arccos(np.clip((upper**2 + lower**2 - reach**2) / (2.0 * upper * lower), -1.0, 1.0))
    upper_axes = aim @ _about_x(lift)
    middle = begin + upper_axes[..., 1] * upper[:, None]
    return LimbPose(target, pole, aim, upper_axes, upper_axes @ _about_x(-bend), middle)


def _pole_direction(upper: Array, along: Array, bend: Array, forward: Array) -> Array:
    """The bend plane's direction where it is known, ``forward`` where the limb is straight, between them between."""
    s = np.clip((bend - PLANE_UNKNOWN) / (PLANE_KNOWN - PLANE_UNKNOWN), 0.0, 1.0)
    known = (s * s * (3.0 - 2.0 * s))[:, None]
    ahead = unit(_across(forward, along))
    return unit(known * unit(_across(upper, along)) + (1.0 - known + 1e-6) * ahead)


def _bend(upper: Array, lower: Array) -> Array:
    """Angles (T,) in radians between the directions of two bones."""
    sine = np.linalg.norm(np.cross(upper, lower), axis=-1)
    return np.arctan2(sine, np.sum(upper * lower, axis=-1))


def _across(vectors: Array, along: Array) -> Array:
    return vectors - np.sum(vectors * along, axis=-1, keepdims=True) * along


def _about_x(angles: Array) -> Array:
    return matrix_from_axis_angle(angles[:, None] * np.array([1.0, 0.0, 0.0]))
