"""When heels and toes stand on the floor: low and slow, with hysteresis."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_opening, gaussian_filter1d

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END

POINTS = ("left_heel", "left_big_toe", "right_heel", "right_big_toe")
# (to begin, to stay): metres above the floor and metres a second
HEIGHT = (0.05, 0.08)
SPEED = (0.25, 0.45)


def contacts(ends: Array, fps: float) -> NDArray[np.float32]:
    """Contact (T, 4) of l_heel, l_toe, r_heel, r_toe, 0 or 1, from ends (T, 13, 3) m in the world, floor z = 0."""
    feet = ends[:, [END[name] for name in POINTS]]
    smooth = gaussian_filter1d(feet, max(0.04 * fps, 0.3), axis=0, mode="nearest")
    speed = np.linalg.norm(np.gradient(smooth, axis=0), axis=-1) * fps if len(feet) > 1 else np.zeros(feet.shape[:2])
    sure = (smooth[..., 2] < HEIGHT[0]) & (speed < SPEED[0])
    maybe = (smooth[..., 2] < HEIGHT[1]) & (speed < SPEED[1])
    held = np.stack([_grown(sure[:, foot], maybe[:, foot]) for foot in range(len(POINTS))], axis=1)
    moment = max(1, round(0.1 * fps))
    padded = np.pad(held, ((moment, moment), (0, 0)), mode="edge")  # beyond the clip it goes on as it was
    frames = np.ones((moment, 1), bool)
    return binary_opening(binary_closing(padded, frames), frames)[moment:-moment].astype(np.float32)


def _grown(sure: NDArray[np.bool_], maybe: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The runs of ``maybe`` that hold at least one ``sure`` frame."""
    maybe = maybe | sure
    edges = np.flatnonzero(np.diff(np.concatenate([[False], maybe, [False]]).astype(int)))
    result = np.zeros(len(sure), bool)
    for first, last in edges.reshape(-1, 2):
        result[first:last] = sure[first:last].any()
    return result
