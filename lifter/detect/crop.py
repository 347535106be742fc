"""Cut turned squares out of a picture: the nets see every person upright and at the same size."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def crop(rgb: NDArray[np.uint8], rois: FloatArray, size: int) -> FloatArray:
    """Bilinear samples (N, size, size, 3) in 0..1; black outside the picture.

    rgb: (H, W, 3). rois: (N, 4) centre x, centre y, side in px (pixel (0, 0) is the centre of the top left pixel) and
    clockwise angle in radians of the square's x axis.
    """
    out = np.empty((len(rois), size, size, 3), np.float32)
    for patch, roi in zip(out, rois, strict=True):
        _crop_one(rgb, roi, size, patch)
    return out


def _crop_one(rgb: NDArray[np.uint8], roi: FloatArray, size: int, out: FloatArray) -> None:
    height, width = rgb.shape[:2]
    x, y = _grid(roi, size)
    left, top = np.floor(x), np.floor(y)
    right_share, bottom_share = (x - left).reshape(-1, 1), (y - top).reshape(-1, 1)
    outside = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
    columns = [np.clip(left + step, 0, width - 1).astype(np.int32) for step in (0, 1)]
    rows = [np.clip(top + step, 0, height - 1).astype(np.int32) * width for step in (0, 1)]
    pixels = rgb.reshape(-1, 3)
    # samples a,b above and c,d below; uint8 rows are gathered first because that is many times faster than floats
    above, below = (
        _between(pixels, (row + columns[0]).ravel(), (row + columns[1]).ravel(), right_share) for row in rows
    )
    below -= above
    below *= bottom_share
    above += below
    np.multiply(above.reshape(size, size, 3), 1 / 255, out=out)
    if outside.any():
        out[outside] = 0


def _between(
    pixels: NDArray[np.uint8], left: NDArray[np.int32], right: NDArray[np.int32], share: FloatArray
) -> FloatArray:
    first = pixels.take(left, axis=0).astype(np.float32)
    second = pixels.take(right, axis=0).astype(np.float32)
    second -= first
    second *= share
    first += second
    return first


def _grid(roi: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
    """Picture x and y (size, size) of the crop's pixel centres."""
    steps = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    cos, sin = np.cos(roi[3]) * roi[2], np.sin(roi[3]) * roi[2]
    return roi[0] + cos * steps - sin * steps[:, None], roi[1] + sin * steps + cos * steps[:, None]


def from_crop(points: FloatArray, rois: FloatArray) -> FloatArray:
    """Points (N, K, 2) given as 0..1 of their crop, in picture px."""
    x, y = np.moveaxis(points - 0.5, -1, 0) * rois[:, 2, None]
    cos, sin = np.cos(rois[:, 3, None]), np.sin(rois[:, 3, None])
    return np.stack([rois[:, 0, None] + cos * x - sin * y, rois[:, 1, None] + sin * x + cos * y], axis=-1)
