"""Errors of 3D points against the truth. All take (..., P, 3) and return one value per frame (...)."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def mpjpe(predicted: Array, truth: Array) -> Array:
    """Mean per joint position error after putting both pelvises (joint 0) at the origin; unit of the input."""
    difference = (predicted - predicted[..., :1, :]) - (truth - truth[..., :1, :])
    return np.linalg.norm(difference, axis=-1).mean(axis=-1)


def pa_mpjpe(predicted: Array, truth: Array) -> Array:
    """MPJPE after the best similarity transform per frame (Procrustes; Gower, 1975)."""
    p = predicted - predicted.mean(axis=-2, keepdims=True)
    t = truth - truth.mean(axis=-2, keepdims=True)
    u, s, vt = np.linalg.svd(np.swapaxes(p, -1, -2) @ t)
    sign = np.sign(np.linalg.det(u @ vt))
    flip = np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=-1)
    rotation = (u * flip[..., None, :]) @ vt
    scale = (s * flip).sum(-1) / np.maximum((p**2).sum((-1, -2)), 1e-12)
    return np.linalg.norm(scale[..., None, None] * p @ rotation - t, axis=-1).mean(axis=-1)


def velocity_error(predicted: Array, truth: Array) -> Array:
    """Mean error (..., T - 1) of frame-to-frame differences of (..., T, P, 3); unit of the input a frame."""
    return np.linalg.norm(np.diff(predicted, axis=-3) - np.diff(truth, axis=-3), axis=-1).mean(axis=-1)


def acceleration_error(predicted: Array, truth: Array) -> Array:
    """Mean error (..., T - 2) of second differences of (..., T, P, 3); unit of the input a frame squared."""
    return np.linalg.norm(np.diff(predicted, 2, axis=-3) - np.diff(truth, 2, axis=-3), axis=-1).mean(axis=-1)
