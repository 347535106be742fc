"""Make keypoints independent of the camera: rays, then a virtual camera aimed at the person.

The camera is turned, frame by frame, so that the person's smoothed centre lies on its axis; what remains is divided
by the person's smoothed size. What the lifter sees then depends neither on focal length nor on where in the picture
the person stands, only on real perspective. After MeTRAbs (Sarandi et al., 2021) and PersPose.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import Array, rotation_between

# Shoulders and hips steady the centre; the limbs only help.
CORE_POINTS = (11, 12, 23, 24)
LIMB_SHARE = 0.2
# Missing points (interpolated by the caller) hold the view only where nothing else is seen.
MISSING_WEIGHT = 1e-4
CENTRE_SMOOTHING = 0.1  # seconds, standard deviation
SIZE_SMOOTHING = 0.5
# Slopes. Nobody is smaller in training; who is farther away shows no perspective either, and is taken to be there.
SMALLEST_SIZE = 0.04
FEATURES = 33 * 3 + 1


@dataclass(frozen=True)
class VirtualView:
    """features (T, 100): 33 x, y in units of size, 33 confidences, log size. camera_from_virtual (T, 3, 3)."""

    features: NDArray[np.float32]
    camera_from_virtual: Array


def rays_from_pixels(pixels: Array, camera_K: Array) -> Array:
    """Ray slopes (..., 2), x/z and y/z in the OpenCV camera frame, of pixels (..., 2)."""
    return (pixels - camera_K[:2, 2]) / np.array([camera_K[0, 0], camera_K[1, 1]])


def virtual_view(rays: Array, confidence: Array, fps: float) -> VirtualView:
    """Aim at one person.

    rays: (T, 33, 2) slopes, missing ones interpolated. confidence: (T, 33) 0..1, 0 = missing. fps: of the rows.
    """
    share = np.full(33, LIMB_SHARE)
    share[list(CORE_POINTS)] = 1.0
    weights = confidence + MISSING_WEIGHT
    centre = _smoothed_mean(rays, weights * share, CENTRE_SMOOTHING * fps)
    axis = np.concatenate([centre, np.ones((len(centre), 1))], axis=-1)
    camera_from_virtual = rotation_between(np.broadcast_to([0.0, 0.0, 1.0], axis.shape), axis)
    turned = np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], axis=-1) @ camera_from_virtual
    flat = turned[..., :2] / np.maximum(turned[..., 2:], 0.1)
    size = np.sqrt(_smoothed_mean(np.sum(flat**2, axis=-1, keepdims=True), weights, SIZE_SMOOTHING * fps))
    size = np.maximum(size, 1e-4)
    seen = flat / size[:, None] * (confidence > 0)[..., None]
    features = np.concatenate(
        [seen.reshape(len(rays), -1), confidence, np.log(np.maximum(size, SMALLEST_SIZE))], axis=-1
    )
    return VirtualView(features.astype(np.float32), camera_from_virtual)


def _smoothed_mean(values: Array, weights: Array, sigma: float) -> Array:
    """Weighted mean over points (axis 1) and a Gaussian neighbourhood in time; (T, C) of values (T, P, C)."""
    from scipy.ndimage import gaussian_filter1d  # here, so that training runs without scipy

    total = gaussian_filter1d(weights.sum(axis=1), sigma, axis=0, mode="constant")
    mean = gaussian_filter1d((values * weights[..., None]).sum(axis=1), sigma, axis=0, mode="constant")
    return mean / np.maximum(total, 1e-12)[:, None]
