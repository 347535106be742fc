"""Rotations as numpy arrays, vectorised over all leading axes.

Axis-angle (..., 3) radians; matrices (..., 3, 3) acting on column vectors; quaternions (..., 4) as w, x, y, z.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def matrix_from_axis_angle(axis_angle: Array) -> Array:
    """Rotation matrices (..., 3, 3) of axis-angle vectors (..., 3), by Rodrigues' formula."""
    angle = np.linalg.norm(axis_angle, axis=-1, keepdims=True)[..., None]
    safe = np.where(angle < 1e-8, 1.0, angle)
    cross = cross_matrix(axis_angle)
    first = np.where(angle < 1e-8, 1.0, np.sin(angle) / safe)
    second = np.where(angle < 1e-8, 0.5, (1.0 - np.cos(angle)) / safe**2)
    return np.eye(3, dtype=axis_angle.dtype) + first * cross + second * (cross @ cross)


def cross_matrix(vector: Array) -> Array:
    """Matrices (..., 3, 3) with ``cross_matrix(a) @ b == cross(a, b)``."""
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return np.stack(rows, axis=-1).reshape(*vector.shape, 3)


def quaternion_from_matrix(matrix: Array) -> Array:
    """Unit quaternions (..., 4) of rotation matrices, choosing the largest component (Shepperd, 1978)."""
    m = matrix
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    squares = np.stack([trace, m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], axis=-1)
    w = np.stack([1 + trace, m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]], -1)
    x = np.stack(
        [w[..., 1], 1 - trace + 2 * m[..., 0, 0], m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0]], -1
    )
    y = np.stack([w[..., 2], x[..., 2], 1 - trace + 2 * m[..., 1, 1], m[..., 1, 2] + m[..., 2, 1]], -1)
    z = np.stack([w[..., 3], x[..., 3], y[..., 3], 1 - trace + 2 * m[..., 2, 2]], -1)
    candidates = np.stack([w, x, y, z], axis=-2)
    best = np.argmax(squares, axis=-1)[..., None, None]
    picked = np.take_along_axis(candidates, best, axis=-2)[..., 0, :]
    return picked / np.linalg.norm(picked, axis=-1, keepdims=True)


def axis_angle_from_quaternion(quaternion: Array) -> Array:
    """Axis-angle (..., 3) with angle in [0, pi] of unit quaternions (..., 4)."""
    q: Array = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., :1])
    return q[..., 1:] * np.where(sine < 1e-9, 2.0, angle / np.where(sine < 1e-9, 1.0, sine))


def axis_angle_from_matrix(matrix: Array) -> Array:
    """Axis-angle (..., 3) of rotation matrices (..., 3, 3)."""
    return axis_angle_from_quaternion(quaternion_from_matrix(matrix))


def quaternion_from_axis_angle(axis_angle: Array) -> Array:
    """Unit quaternions (..., 4) of axis-angle vectors (..., 3)."""
    angle = np.linalg.norm(axis_angle, axis=-1, keepdims=True)
    return np.concatenate([np.cos(angle / 2), axis_angle * (0.5 * np.sinc(angle / (2 * np.pi)))], axis=-1)


def matrix_from_quaternion(quaternion: Array) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    w, vector = quaternion[..., :1, None], quaternion[..., 1:]
    cross = cross_matrix(vector)
    return np.eye(3, dtype=quaternion.dtype) + 2.0 * (w * cross + cross @ cross)


def continuous_quaternions(quaternion: Array) -> Array:
    """The same rotations with neighbours in time (axis 0) in one hemisphere, so that interpolation is short."""
    dots = np.sum(quaternion[1:] * quaternion[:-1], axis=-1, keepdims=True)
    signs = np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)
    return np.concatenate([quaternion[:1], quaternion[1:] * signs.astype(quaternion.dtype)], axis=0)


def rotation_between(source: Array, target: Array) -> Array:
    """Shortest rotations (..., 3, 3) that turn directions ``source`` (..., 3) into ``target`` (..., 3)."""
    a = source / np.maximum(np.linalg.norm(source, axis=-1, keepdims=True), 1e-12)
    b = target / np.maximum(np.linalg.norm(target, axis=-1, keepdims=True), 1e-12)
    half = np.sum(a * b, axis=-1, keepdims=True) + 1.0
    opposite = half < 1e-6
    other = np.where(np.abs(a[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    quaternion = np.where(
        opposite,
        np.concatenate([np.zeros_like(half), np.cross(a, other)], -1),
        np.concatenate([half, np.cross(a, b)], -1),
    )
    return matrix_from_quaternion(quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True))


def geodesic_degrees(first: Array, second: Array) -> Array:
    """Angle (...) in degrees between rotation matrices (..., 3, 3)."""
    relative = np.swapaxes(first, -1, -2) @ second
    return np.degrees(np.linalg.norm(axis_angle_from_matrix(relative), axis=-1))
