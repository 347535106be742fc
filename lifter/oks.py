"""Object keypoint similarity (OKS): how alike two sets of keypoints are, 1 the same, 0 nothing in common.

After COCO's keypoint evaluation; with one wide tolerance for all points, since it is used to tell people apart.
"""

import numpy as np
from numpy.typing import NDArray

from .keypoint_sets import BLAZEPOSE33, COCO17

TOLERANCE = 0.15  # of the person's size
VISIBLE = 0.3
BLAZEPOSE_OF_COCO = np.array([BLAZEPOSE33.index(name) for name in COCO17])


def person_size(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) px: root of the area of the box around the visible points of (N, K, 3) x, y, confidence; at least 1."""
    x0, y0, x1, y1 = np.moveaxis(person_box(points), -1, 0)
    # a person seen edge-on or cut off must not shrink to nothing: count at least a quarter of the longer side
    width, height = x1 - x0, y1 - y0
    longer = np.maximum(width, height)
    return np.maximum(np.sqrt(np.maximum(width, longer / 4) * np.maximum(height, longer / 4)), 1.0)


def person_box(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 4) x0, y0, x1, y1 px around the visible points of (N, K, 3); around all points where none is visible."""
    visible = points[..., 2] > VISIBLE
    visible |= ~visible.any(axis=-1, keepdims=True)
    low = np.where(visible[..., None], points[..., :2], np.inf).min(axis=-2)
    high = np.where(visible[..., None], points[..., :2], -np.inf).max(axis=-2)
    return np.concatenate([low, high], axis=-1)


def similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """OKS (N, M) of every person of (N, K, 3) with every one of (M, K, 3), over points visible in both.

    Fewer than three common points tell nothing: 0.
    """
    distance = np.linalg.norm(first[:, None, :, :2] - second[None, :, :, :2], axis=-1)
    size = np.maximum(person_size(first)[:, None], person_size(second)[None, :])
    alike = np.exp(-0.5 * (distance / (TOLERANCE * size[..., None])) ** 2)
    common = (first[:, None, :, 2] > VISIBLE) & (second[None, :, :, 2] > VISIBLE)
    count = common.sum(axis=-1)
    return np.where(count >= 3, (alike * common).sum(axis=-1) / np.maximum(count, 1), 0.0).astype(np.float32)
