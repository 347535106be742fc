"""Rotations as numpy arrays, vectorised over all leading axes.

Axis-angle (..., 3) radians; matrices (..., 3, 3) acting on column vectors; quaternions (..., 4) as w, x, y, z.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def matrix_from_axis_angle(axis_angle: Array) -> Array:
    """Rotation matrices (..., 3, 3) of axis-angle vectors (..., 3)."""
    return matrix_from_quaternion(quaternion_from_axis_angle(axis_angle))


def cross_matrix(vector: Array) -> Array:
    """Matrices (..., 3, 3) with ``cross_matrix(a) @ b == cross(a, b)``."""
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return np.stack(rows, axis=-1).reshape(*vector.shape, 3)


def quaternion_from_matrix(matrix: Array) -> Array:
    """Unit quaternions (..., 4) of rotation matrices, by way of the largest component (Shepperd, 1978)."""
    m = matrix.reshape(-1, 9)
    w = 1.0 + m[:, 0] + m[:, 4] + m[:, 8]
    found = np.stack([w, m[:, 7] - m[:, 5], m[:, 2] - m[:, 6], m[:, 3] - m[:, 1]], axis=-1)
    far = np.flatnonzero(w < 1.0)  # turned by more than 120 degrees: a few of most people's joints
    found[far] = _quaternion_of_far_turn(m[far])
    return (found / np.sqrt(np.einsum("na,na->n", found, found))[:, None]).reshape(*matrix.shape[:-2], 4)


def _quaternion_of_far_turn(m: Array) -> Array:
    """Quaternions (N, 4), not of unit length, of matrices (N, 9) with more than one small component."""
    w = np.stack([1 + m[:, 0] + m[:, 4] + m[:, 8], m[:, 7] - m[:, 5], m[:, 2] - m[:, 6], m[:, 3] - m[:, 1]], axis=-1)
    x = np.stack([w[:, 1], 1 + m[:, 0] - m[:, 4] - m[:, 8], m[:, 1] + m[:, 3], m[:, 2] + m[:, 6]], axis=-1)
    y = np.stack([w[:, 2], x[:, 2], 1 - m[:, 0] + m[:, 4] - m[:, 8], m[:, 5] + m[:, 7]], axis=-1)
    z = np.stack([w[:, 3], x[:, 3], y[:, 3], 1 - m[:, 0] - m[:, 4] + m[:, 8]], axis=-1)
    candidates = np.stack([w, x, y, z], axis=1)
    best = np.argmax(candidates[:, range(4), range(4)], axis=1)
    return candidates[np.arange(len(m)), best]


def axis_angle_from_quaternion(quaternion: Array) -> Array:
    """Axis-angle (..., 3) with angle in [0, pi] of unit quaternions (..., 4)."""
    w, vector = quaternion[..., 0], quaternion[..., 1:]
    sine = np.sqrt(np.einsum("...a,...a->...", vector, vector))
    angle = 2.0 * np.arctan2(sine, np.abs(w))
    still = sine < 1e-9
    scale = np.where(still, 2.0, angle / np.where(still, 1.0, sine))
    return vector * np.copysign(scale, w)[..., None]


def axis_angle_from_matrix(matrix: Array) -> Array:
    """Axis-angle (..., 3) of rotation matrices (..., 3, 3)."""
    return axis_angle_from_quaternion(quaternion_from_matrix(matrix))


def quaternion_from_axis_angle(axis_angle: Array) -> Array:
    """Unit quaternions (..., 4) of axis-angle vectors (..., 3)."""
    half = 0.5 * np.sqrt(np.einsum("...a,...a->...", axis_angle, axis_angle))
    quaternion = np.empty((*axis_angle.shape[:-1], 4), half.dtype)
    quaternion[..., 0] = np.cos(half)
    still = half < 1e-9
    quaternion[..., 1:] = (
        axis_angle * (0.5 * np.where(still, 1.0, np.sin(half) / np.where(still, 1.0, half)))[..., None]
    )
    return quaternion


def matrix_from_quaternion(quaternion: Array) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    w, x, y, z = np.moveaxis(quaternion, -1, 0)
    rows = np.empty((*quaternion.shape[:-1], 3, 3), np.result_type(quaternion, np.float32))
    rows[..., 0, 0] = 1.0 - 2.0 * (y * y + z * z)
    rows[..., 1, 1] = 1.0 - 2.0 * (x * x + z * z)
    rows[..., 2, 2] = 1.0 - 2.0 * (x * x + y * y)
    for row, column, product, other in ((0, 1, x * y, w * z), (1, 2, y * z, w * x), (2, 0, z * x, w * y)):
        rows[..., row, column] = 2.0 * (product - other)
        rows[..., column, row] = 2.0 * (product + other)
    return rows


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
