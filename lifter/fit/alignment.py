"""Turning directions and rigid parts onto their targets.

Arrays have frames last (frames_last.py); quaternions are w, x, y, z.
"""

import numpy as np

from ...smpl_assets.rotation import Array
from .frames_last import cross, inverse, quaternion_of, quaternion_product, rotation_vector, unit

NEWTON_STEPS = 30  # far more than are needed unless two answers are equally good
OPPOSITE = 1e-9


def rotated(quaternion: Array, vectors: Array) -> Array:
    """Vectors (3, ...) turned by unit quaternions (4, ...)."""
    twice = 2.0 * cross(quaternion[1:], vectors)
    return vectors + quaternion[0] * twice + cross(quaternion[1:], twice)


def swing(source: Array, target: Array) -> Array:
    """The shortest turns (4, ...) of directions ``source`` to ``target`` (3, ...); none where either has no length."""
    a, b = unit(source), unit(target)
    cosine = (a * b).sum(axis=0)
    half = np.concatenate([(1.0 + cosine)[None], np.broadcast_to(cross(a, b), (3, *cosine.shape))])
    opposite = cosine < OPPOSITE - 1.0
    if opposite.any():  # any axis across the direction will do
        a = np.broadcast_to(a, half[1:].shape)[:, opposite]
        other = np.where(np.abs(a[0]) < 0.9, np.array([[1.0], [0.0], [0.0]]), np.array([[0.0], [1.0], [0.0]]))
        half[:, opposite] = np.concatenate([np.zeros_like(a[:1]), cross(a, other)])
    return unit(half)


def aligned(rotations: Array, rest_bone: Array, target: Array, share: Array | float = 1.0) -> Array:
    """``rotations`` (4, ...) swung the short way so that ``rest_bone`` (3, ...) points along ``target`` (3, ...).

    share: how much of the way to go, 0..1; a short bone between unsure points is followed part of the way.
    """
    turn = swing(rotated(rotations, _like(rest_bone, rotations)), target)
    if np.any(np.asarray(share) < 1.0):
        turn = quaternion_of(share * rotation_vector(turn))
    return quaternion_product(turn, rotations)


def turn_about(axis: Array, angle: Array) -> Array:
    """Turns (4, ...) by ``angle`` (...) radians about unit axes (3, ...)."""
    sine = np.sin(angle / 2)
    return np.concatenate([np.cos(angle / 2)[None], axis * sine])


def twist_about(axis: Array, rotation: Array) -> Array:
    """How far (...) radians ``rotation`` (4, ...) turns about unit ``axis`` (3, ...), in (-pi, pi]."""
    along = (axis * rotation[1:]).sum(axis=0)
    return 2.0 * np.arctan2(along * np.sign(rotation[0] + 1e-30), np.abs(rotation[0]))


def between(first: Array, second: Array, share: float) -> Array:
    """Rotations (4, ...) a ``share`` of the way from ``first`` to ``second``."""
    return quaternion_product(first, quaternion_of(share * rotation_vector(quaternion_product(inverse(first), second))))


def correlation(rest: Array, target: Array, weights: Array) -> Array:
    """How targets (3, P, T) lie along rest points (P, 3): (3, 3, T), both about their means; weights (P, T).

    Points without weight may have any finite place.
    """
    total = np.maximum(weights.sum(axis=0), 1e-12)
    weighted = target * weights
    mean = weighted.sum(axis=1) / total
    rest_mean = rest.T @ weights
    return rest.T @ weighted - mean[:, None] * rest_mean[None]


def best_rotation(correlations: Array) -> Array:
    """Quaternions (4, ...) that turn rest points best onto their targets, given their ``correlation`` (3, 3, ...).

    The eigenvector of the largest eigenvalue of Horn's (1987) 4 x 4 matrix, found as Theobald (2005) does by Newton's
    method on the characteristic polynomial. Always a rotation, never a reflection.
    """
    (xx, yx, zx), (xy, yy, zy), (xz, yz, zz) = correlations / np.maximum(
        np.sqrt((correlations**2).sum(axis=(0, 1))), 1e-30
    )
    diagonal = [xx + yy + zz, xx - yy - zz, yy - xx - zz, zz - xx - yy]
    upper = [yz - zy, zx - xz, xy - yx, xy + yx, zx + xz, yz + zy]  # 01, 02, 03, 12, 13, 23
    square = xx**2 + xy**2 + xz**2 + yx**2 + yy**2 + yz**2 + zx**2 + zy**2 + zz**2
    determinant = xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx)
    constant = _determinant(diagonal, upper)
    value = np.full_like(xx, np.sqrt(3.0))
    for _ in range(NEWTON_STEPS):
        rest = value * value - 2.0 * square
        slope = 4.0 * value * (value * value - square) - 8.0 * determinant
        step = (value * (value * rest - 8.0 * determinant) + constant) / np.where(slope > 1e-12, slope, np.inf)
        value = value - step
        if np.abs(step).max() < 1e-14:
            break
    return _null_vector([entry - value for entry in diagonal], upper)


def _minors(diagonal: list[Array], upper: list[Array]) -> tuple[list[Array], list[Array]]:
    """The 2 x 2 determinants of the upper and of the lower two rows of symmetric 4 x 4 matrices, columns 01 ... 23."""
    (a, f, k, p), (b, c, d, g, h, n) = diagonal, upper
    top = [a * f - b * b, a * g - b * c, a * h - b * d, b * g - c * f, b * h - d * f, c * h - d * g]
    low = [c * h - g * d, c * n - k * d, c * p - n * d, g * n - k * h, g * p - n * h, k * p - n * n]
    return top, low


def _determinant(diagonal: list[Array], upper: list[Array]) -> Array:
    s, c = _minors(diagonal, upper)
    return s[0] * c[5] - s[1] * c[4] + s[2] * c[3] + s[3] * c[2] - s[4] * c[1] + s[5] * c[0]


def _null_vector(diagonal: list[Array], upper: list[Array]) -> Array:
    """Unit vectors (4, ...) that symmetric singular matrices take to 0: the longest column of the adjugate."""
    (a, f, k, p), (b, c, d, g, h, n) = diagonal, upper
    s, m = _minors(diagonal, upper)
    aa, ff = f * m[5] - g * m[4] + h * m[3], a * m[5] - c * m[2] + d * m[1]
    ab, ac, ad = -b * m[5] + c * m[4] - d * m[3], h * s[5] - n * s[4] + p * s[3], -g * s[5] + k * s[4] - n * s[3]
    fc, fd = -d * s[5] + n * s[2] - p * s[1], c * s[5] - k * s[2] + n * s[1]
    kk, kp, pp = d * s[4] - h * s[2] + p * s[0], -c * s[4] + g * s[2] - n * s[0], c * s[3] - g * s[1] + k * s[0]
    columns = np.stack([[aa, ab, ac, ad], [ab, ff, fc, fd], [ac, fc, kk, kp], [ad, fd, kp, pp]])
    size = np.abs(np.stack([aa, ff, kk, pp]))
    best = size.argmax(axis=0)
    found = np.take_along_axis(columns, best[None, None], axis=0)[0]
    found = np.where(size.max(axis=0) > 0, found, np.array([1.0, 0.0, 0.0, 0.0]).reshape(4, *[1] * best.ndim))
    return unit(found)


def _like(vector: Array, rotations: Array) -> Array:
    return vector.reshape(*vector.shape, *[1] * (rotations.ndim - vector.ndim))
