"""When heels and toes stand on the floor: low and slow, with hysteresis."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_opening

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END
from .ground import smoothed_feet

POINTS = tuple(END[name] for name in ("left_heel", "left_big_toe", "right_heel", "right_big_toe"))
# (to begin, to stay): metres above where the feet stand, and metres a second. One camera leaves standing feet a drift
# of half a metre a second; swinging ones go at more than a walk's 1.2.
HEIGHT = (0.06, 0.10)
SPEED = (0.6, 1.0)
# The lower foot may stand this far above the floor: where people are is not known better. Beyond it, it is a jump.
FLOOR_ERROR = 0.08
SHORTEST = 0.1  # seconds; shorter contacts and gaps are not believed


def contacts(ends: Array, fps: float) -> NDArray[np.float32]:
    """Contact (T, 4) of l_heel, l_toe, r_heel, r_toe, 0 or 1, from ends (T, 13, 3) m in the world, floor z = 0."""
    feet, speed = smoothed_feet(ends[:, POINTS], fps)
    standing = np.clip(feet[..., 2].min(axis=1, keepdims=True), 0.0, FLOOR_ERROR)
    height = feet[..., 2] - standing
    sure = (height < HEIGHT[0]) & (speed < SPEED[0])
    maybe = (height < HEIGHT[1]) & (speed < SPEED[1])
    held = np.stack([_grown(sure[:, foot], maybe[:, foot]) for foot in range(len(POINTS))], axis=1)
    moment = max(1, round(SHORTEST * fps))
    padded = np.pad(held, ((moment, moment), (0, 0)), mode="edge")  # beyond the clip it goes on as it was
    frames = np.ones((moment, 1), bool)
    return binary_opening(binary_closing(padded, frames), frames)[moment:-moment].astype(np.float32)


def _grown(sure: NDArray[np.bool_], maybe: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The runs of ``maybe`` that hold at least one ``sure`` frame."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], maybe, [False]]).astype(int)))
    result = np.zeros(len(sure), bool)
    for first, last in edges.reshape(-1, 2):
        result[first:last] = sure[first:last].any()
    return result
