"""Rotations in the layout of the solver: components first, frames last.

Arrays (4, ..., T), (3, ..., T), (3, 3, ..., T) keep every component's frames side by side in memory, so that small
vectors and matrices are multiplied for hundreds of frames in one go. Quaternions w, x, y, z.
"""

from collections.abc import Iterator

import numpy as np

from ...smpl_assets.rotation import Array

PIECE = 1024  # frames worked on at once: small enough for the processor's cache, and hours need no more memory


def cross(first: Array, second: Array) -> Array:
    """Cross products (3, ...) of vectors (3, ...)."""
    result = np.empty(np.broadcast_shapes(first.shape, second.shape), np.result_type(first, second))
    for axis, (one, other) in enumerate(((1, 2), (2, 0), (0, 1))):
        np.multiply(first[one], second[other], out=result[axis, ...])
        result[axis, ...] -= first[other] * second[one]
    return result


def quaternion_product(first: Array, second: Array) -> Array:
    """Quaternions (4, ...) of turning by ``second``, then by ``first``."""
    w, v, u, x = first[0], first[1:], second[0], second[1:]
    return np.concatenate([(w * u - (v * x).sum(axis=0))[None], w * x + u * v + cross(v, x)])


def inverse(quaternion: Array) -> Array:
    """The opposite turns (4, ...) of unit quaternions."""
    return np.concatenate([quaternion[:1], -quaternion[1:]])


def unit(vectors: Array) -> Array:
    """Vectors (C, ...) of length 1."""
    return vectors / np.maximum(np.sqrt((vectors * vectors).sum(axis=0)), 1e-12)


def quaternion_of(turns: Array) -> Array:
    """Unit quaternions (4, ...) of rotation vectors (3, ...) in radians."""
    half = np.sqrt((turns * turns).sum(axis=0, keepdims=True)) / 2
    return np.concatenate([np.cos(half), turns * (0.5 * np.sinc(half / np.pi))])


def rotation_vector(quaternion: Array) -> Array:
    """Rotation vectors (3, ...), at most half a turn long, of unit quaternions (4, ...)."""
    sine = np.sqrt((quaternion[1:] * quaternion[1:]).sum(axis=0))
    angle = 2 * np.arctan2(sine, np.abs(quaternion[0]))
    scale = np.where(sine < 1e-7, 2.0, angle / np.maximum(sine, 1e-7)).astype(quaternion.dtype)
    return quaternion[1:] * np.copysign(scale, quaternion[0])


def matrix_of(quaternion: Array) -> Array:
    """Rotation matrices (3, 3, ...) of unit quaternions (4, ...)."""
    w, x, y, z = quaternion
    xx, yy, zz, xy, xz, yz = x * x, y * y, z * z, x * y, x * z, y * z
    wx, wy, wz = w * x, w * y, w * z
    rows = [1 - 2 * (yy + zz), 2 * (xy - wz), 2 * (xz + wy), 2 * (xy + wz), 1 - 2 * (xx + zz), 2 * (yz - wx)]
    rows += [2 * (xz - wy), 2 * (yz + wx), 1 - 2 * (xx + yy)]
    return np.stack(rows).reshape(3, 3, *x.shape)


def pieces(count: int, size: int | None = None) -> Iterator[slice]:
    """``count`` frames, at most ``size`` at a time, by default PIECE."""
    size = size or PIECE
    return (slice(first, min(first + size, count)) for first in range(0, count, size))
