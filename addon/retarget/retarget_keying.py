"""Keys for a retargeted character, written in one go into a new action; bones keep their rotation modes. Needs bpy."""

from typing import Any, Final

import numpy as np

from ...smpl_assets.rotation import (
    Array,
    axis_angle_from_quaternion,
    continuous_quaternions,
    quaternion_from_matrix,
)
from ..character.action_curves import new_action, write_channel
from .retarget import Retargeted

# Axis numbers of each order, the first turned about first; odd ones have their angles the other way round.
ORDERS: Final = {
    "XYZ": (0, 1, 2),
    "XZY": (0, 2, 1),
    "YXZ": (1, 0, 2),
    "YZX": (1, 2, 0),
    "ZXY": (2, 0, 1),
    "ZYX": (2, 1, 0),
}
ODD: Final = ("XZY", "YXZ", "ZYX")


def key_character(rig: Any, name: str, frames: Array, result: Retargeted) -> Any:
    """Give ``rig`` a new action ``name`` with keys on ``frames`` (T,), linear between them; returns the action."""
    _to_rest(rig, result)
    bag = new_action(rig, name)
    for bone, locations in result.locations.items():
        write_channel(bag, bone, "location", frames, locations)
    for bone, rotations in result.rotations.items():
        channel, values = rotation_channel(rotations, rig.pose.bones[bone].rotation_mode)
        write_channel(bag, bone, channel, frames, values)
    return rig.animation_data.action


def _to_rest(rig: Any, result: Retargeted) -> None:
    """Bring the bones that others hang on to rest, where an earlier action may have left them elsewhere."""
    moving = [rig.pose.bones[name] for name in (*result.rotations, *result.locations)]
    chain = {item.name: item for bone in moving for item in (bone, *bone.parent_recursive)}
    for bone in chain.values():
        bone.location, bone.scale = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        bone.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
        bone.rotation_axis_angle = (0.0, 0.0, 1.0, 0.0)
        bone.rotation_euler = (0.0, 0.0, 0.0)


def rotation_channel(rotations: Array, mode: str) -> tuple[Any, Array]:
    """Name of the pose bone's channel for a rotation ``mode``, and its values (T, 3 or 4) for rotations (T, 3, 3)."""
    if mode in ORDERS:
        return "rotation_euler", euler_angles(rotations, mode)
    quaternions = continuous_quaternions(quaternion_from_matrix(rotations))
    if mode == "QUATERNION":
        return "rotation_quaternion", quaternions
    return "rotation_axis_angle", _axis_angles(quaternions)


def euler_angles(rotations: Array, order: str) -> Array:
    """Euler angles (T, 3) in radians of rotations (T, 3, 3), about X, Y, Z, applied in ``order``, without jumps."""
    i, j, k = ORDERS[order]
    third = np.arctan2(rotations[:, j, i], rotations[:, i, i])
    second = np.arctan2(-rotations[:, k, i], np.hypot(rotations[:, i, i], rotations[:, j, i]))
    # out of what is left without the third turn: right also where the first and third turn about one axis
    cosine, sine = np.cos(third), np.sin(third)
    first = np.arctan2(
        sine * rotations[:, i, k] - cosine * rotations[:, j, k],
        cosine * rotations[:, j, j] - sine * rotations[:, i, j],
    )
    one = np.stack([first, second, third], axis=1) * (-1.0 if order in ODD else 1.0)
    angles = _nearest_of_two(one)
    placed = np.empty_like(angles)
    placed[:, [i, j, k]] = angles
    return placed


def _nearest_of_two(angles: Array) -> Array:
    """Of both triples of Euler angles (T, 3) that mean one rotation the one nearer the frame before, unwrapped.

    The other triple of (a, b, c) is (a + pi, pi - b, c + pi). From which triple one comes does not change which step
    is the shorter, so the choices add up.
    """
    other = np.pi + angles * np.array([1.0, -1.0, 1.0])
    stay = np.abs(_wrapped(angles[1:] - angles[:-1])).sum(axis=1)
    change = np.abs(_wrapped(other[1:] - angles[:-1])).sum(axis=1)
    changed = np.concatenate([[False], np.cumsum(change < stay - 1e-9) % 2 == 1])
    return np.unwrap(np.where(changed[:, None], other, angles), axis=0)


def _wrapped(angle: Array) -> Array:
    return (angle + np.pi) % (2.0 * np.pi) - np.pi


def _axis_angles(quaternions: Array) -> Array:
    """Angle and axis (T, 4) as Blender keeps them; the axis goes over into its neighbours' without flips."""
    vectors = axis_angle_from_quaternion(quaternions)
    angles = np.linalg.norm(vectors, axis=1, keepdims=True)
    axes = np.where(angles > 1e-9, vectors / np.maximum(angles, 1e-12), [0.0, 1.0, 0.0])
    flips = np.sum(axes[1:] * axes[:-1], axis=1) < 0
    signs = np.where(np.concatenate([[0], np.cumsum(flips)]) % 2 == 1, -1.0, 1.0)[:, None]
    return np.asarray(np.concatenate([np.unwrap(signs * angles, axis=0), signs * axes], axis=1), np.float64)
