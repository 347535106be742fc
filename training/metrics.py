"""Errors of 3D points against the truth. All take (..., P, 3), in one unit throughout.

Joint 0, the pelvis, is the root. Conventions as in the field: MPJPE and PA-MPJPE as in Human3.6M's protocols 1 and 2,
N-MPJPE after Rhodin et al. (2018), PCK and AUC after MPI-INF-3DHP (Mehta et al., 2017), MPJVE after Pavllo et al.
(2019).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
AUC_THRESHOLDS = np.arange(0.0, 0.1501, 0.005)  # metres: 0, 5, ... 150 mm


def root_aligned(points: Array) -> Array:
    """The points with the pelvis (joint 0) at the origin."""
    return points - points[..., :1, :]


def joint_distances(predicted: Array, truth: Array) -> Array:
    """Distance (..., P) of each joint from where it is, both pelvises at the origin; unit of the input."""
    return np.linalg.norm(root_aligned(predicted) - root_aligned(truth), axis=-1)


def mpjpe(predicted: Array, truth: Array) -> Array:
    """Mean per joint position error (...) after putting both pelvises (joint 0) at the origin; unit of the input."""
    return joint_distances(predicted, truth).mean(axis=-1)


def n_mpjpe(predicted: Array, truth: Array) -> Array:
    """MPJPE (...) after the best scale per frame about the pelvis; no rotation."""
    p, t = root_aligned(predicted), root_aligned(truth)
    return np.linalg.norm(best_scale(p, t)[..., None, None] * p - t, axis=-1).mean(axis=-1)


def best_scale(predicted: Array, truth: Array) -> Array:
    """Factors (...) by which predicted points come closest to the truth in the least-squares sense."""
    return (predicted * truth).sum((-1, -2)) / np.maximum((predicted**2).sum((-1, -2)), 1e-12)


def pa_mpjpe(predicted: Array, truth: Array) -> Array:
    """MPJPE (...) after the best similarity transform per frame."""
    return np.linalg.norm(similarity_aligned(predicted, truth) - truth, axis=-1).mean(axis=-1)


def similarity_aligned(predicted: Array, truth: Array) -> Array:
    """Predicted points after the best turn, scale and shift per frame (Procrustes; Gower, 1975)."""
    middle = truth.mean(axis=-2, keepdims=True)
    p, t = predicted - predicted.mean(axis=-2, keepdims=True), truth - middle
    u, s, vt = np.linalg.svd(np.swapaxes(p, -1, -2) @ t)
    sign = np.sign(np.linalg.det(u @ vt))
    flip = np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=-1)
    rotation = (u * flip[..., None, :]) @ vt
    scale = (s * flip).sum(-1) / np.maximum((p**2).sum((-1, -2)), 1e-12)
    return scale[..., None, None] * p @ rotation + middle


def pck(distances: Array, threshold: float = 0.15) -> float:
    """Percentage of correct keypoints: how many distances are below ``threshold`` (150 mm for metres)."""
    return 100.0 * float((distances < threshold).mean())


def auc(distances: Array, thresholds: Array = AUC_THRESHOLDS) -> float:
    """Area under the curve of PCK, percent: its mean over ``thresholds``, 0 to 150 mm for metres."""
    counted = np.searchsorted(np.sort(distances, axis=None), thresholds, side="left")
    return 100.0 * float(counted.mean() / distances.size)


def velocity_error(predicted: Array, truth: Array) -> Array:
    """MPJVE: mean error (..., T - 1) of frame-to-frame steps of (..., T, P, 3); unit of the input a frame."""
    return np.linalg.norm(np.diff(predicted, axis=-3) - np.diff(truth, axis=-3), axis=-1).mean(axis=-1)


def acceleration_error(predicted: Array, truth: Array) -> Array:
    """Mean error (..., T - 2) of second differences of (..., T, P, 3); unit of the input a frame squared."""
    return np.linalg.norm(np.diff(predicted, 2, axis=-3) - np.diff(truth, 2, axis=-3), axis=-1).mean(axis=-1)
