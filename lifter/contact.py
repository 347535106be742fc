"""When heels and toes stand: low and slow, with hysteresis; higher up, where they carry and keep still."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_opening, label, maximum, median, minimum, percentile_filter

from ..smpl_assets.rotation import Array
from .ground import CLEARLY_LOWER, CONTACT_POINTS, OTHERS, SOLES, smoothed_feet

ContactMode = Literal["auto", "always", "never", "grounding"]
Mask = NDArray[np.bool_]

# Limits are pairs: to begin and to stay in contact.
HEIGHT = (0.08, 0.13)  # metres above where the feet stand
RISING = (0.25, 0.35)  # metres a second, up or down
# Level speed, metres a second: STEADY for standing feet that stand; but one camera lets them drift by up to
# 0.8, and where the slowest point is hardly ever slower, they are taken to. Swinging feet go at 1.2 or more.
STEADY = (0.25, 0.35)
DRIFTING = (0.8, 1.2)
TIMES_SLOWEST = (3.0, 4.0)
SOMEBODY_STANDS = 60  # percent of the moments around, at the least
AROUND = 5.0  # seconds
# The lower foot may stand this far above the floor: where that is, is not known better. Further up it is a jump, unless
# it keeps still for longer than anybody hangs in the air, and the other foot is no lower: then it stands on something.
FLOOR_ERROR = 0.03
STANDING = 0.25  # seconds; at the top of a jump the feet have risen and fallen by 8 cm in that time
STANDING_STILL = 0.06  # metres between the lowest and the highest moment
LEAVING = 0.02  # metres above the middle of where a point stood
CARRYING = 0.1  # seconds in which the foot is the lower one
SHORTEST = 0.1  # seconds; shorter contacts and gaps are not believed


def contacts(ends: Array, fps: float, mode: ContactMode = "auto") -> NDArray[np.float32]:
    """Contact (T, 4) of l_heel, l_toe, r_heel, r_toe, 0 or 1, from ends (T, 13, 3) m in the world, floor z = 0.

    mode, named as in DeepMotion's foot locking: "auto" finds contact from height and speed, on the floor and on
    whatever else feet stand on. "always": somebody who never leaves the floor (golf, exercises on the spot): heights
    say nothing, and two points stand at any time, even when they glide. "never": no contact (swimming, flying).
    "grounding": feet that glide over the floor: the lowest points touch it, at any speed. In none do feet stand that
    are up in the air, with hands or head clearly below them.
    """
    feet, rate = smoothed_feet(ends[:, CONTACT_POINTS], fps)
    feet[..., 2] -= SOLES
    height = feet[..., 2] - feet[..., 2].min(axis=1, keepdims=True)
    if mode == "never":
        found = np.zeros(rate.shape, bool)
    elif mode == "grounding":
        found = height < HEIGHT[0]
    elif mode == "always":
        two_slowest = rate <= np.sort(rate, axis=1)[:, 1:2]
        found = _believed(two_slowest | held(rate < DRIFTING[0], rate < DRIFTING[1]), fps)
    else:
        found = _found(feet, fps)
    return (found & ~_others_carry(ends, feet[..., 2], fps)).astype(np.float32)


def _found(feet: Array, fps: float) -> Mask:
    """Contact (T, 4) of ``feet`` (T, 4, 3) m by height and speed."""
    velocity = np.gradient(feet, axis=0) * fps if len(feet) > 1 else np.zeros_like(feet)
    level, rising = np.linalg.norm(velocity[..., :2], axis=-1), np.abs(velocity[..., 2])
    begin, stay = _standing_speed(level, fps)
    begins, stays = (level < begin) & (rising < RISING[0]), (level < stay) & (rising < RISING[1])
    lowest = feet[..., 2].min(axis=1, keepdims=True)
    height = feet[..., 2] - np.clip(lowest, 0.0, FLOOR_ERROR)
    low = held(begins & (height < HEIGHT[0]), stays & (height < HEIGHT[1]))
    found = low | _raised(feet[..., 2], held(begins, stays), fps)
    return _believed(found & ~_left(feet[..., 2], found), fps)


def _others_carry(ends: Array, height: Array, fps: float) -> Mask:
    """Where (T, 1) hands or head of ``ends`` (T, 13, 3) are clearly lower than all soles at ``height`` (T, 4) m."""
    lower = ends[:, OTHERS, 2].min(axis=1) < height.min(axis=1) - CLEARLY_LOWER
    return _believed(lower[:, None], fps)


def _left(height: Array, found: Mask) -> Mask:
    """Where points at ``height`` (T, 4) m have risen from where they stood: rolling heels, before the toe is off."""
    numbers, count = runs(found)
    return height > np.asarray(median(height, numbers, np.arange(count + 1)))[numbers] + LEAVING


def _standing_speed(rate: Array, fps: float) -> tuple[Array, Array]:
    """Speeds (T, 1) m/s below which a contact begins and goes on, from the slowest of the points (T, 4) around."""
    size = min(len(rate), round(AROUND * fps) | 1)
    slowest = percentile_filter(rate.min(axis=1), SOMEBODY_STANDS, size=size, mode="nearest")[:, None]
    begin, stay = (
        np.clip(times * slowest, steady, drifting)
        for times, steady, drifting in zip(TIMES_SLOWEST, STEADY, DRIFTING, strict=True)
    )
    return begin, stay


def runs(mask: Mask) -> tuple[NDArray[np.int64], int]:
    """Numbers (T, P), from 1, of the unbroken runs over time of each point of ``mask``, 0 elsewhere; and how many."""
    numbers = np.zeros(mask.shape, np.int64)
    label(mask, structure=[[0, 1, 0], [0, 1, 0], [0, 1, 0]], output=numbers)
    return numbers, int(numbers.max(initial=0))


def held(begins: Mask, stays: Mask) -> Mask:
    """Hysteresis: the runs of ``stays`` (T, P) over time that hold at least one frame of ``begins``."""
    numbers, count = runs(stays)
    return (_frames_of(numbers, count, begins) > 0)[numbers] & stays


def _raised(height: Array, slow: Mask, fps: float) -> Mask:
    """Where feet at ``height`` (T, 4) m stand on something: long enough, still, and for a moment the lower foot."""
    numbers, count = runs(slow)
    every = np.arange(count + 1)
    spread = np.asarray(maximum(height, numbers, every)) - np.asarray(minimum(height, numbers, every))
    carries = height < height.min(axis=1, keepdims=True) + HEIGHT[0]
    stands = (
        (_frames_of(numbers, count, slow) >= STANDING * fps)
        & (_frames_of(numbers, count, carries & slow) >= CARRYING * fps)
        & (spread < STANDING_STILL)
    )
    return stands[numbers] & slow


def _frames_of(numbers: NDArray[np.int64], count: int, mask: Mask) -> NDArray[np.int64]:
    """In how many frames of each run (count + 1,) the mask holds."""
    return np.bincount(numbers[mask], minlength=count + 1)


def _believed(mask: Mask, fps: float) -> Mask:
    """The mask without contacts and gaps too short to be believed; beyond the clip it goes on as it was."""
    moment = max(1, round(SHORTEST * fps))
    frames = np.ones((moment, 1), bool)
    padded = np.pad(mask, ((moment, moment), (0, 0)), mode="edge")
    return np.asarray(binary_opening(binary_closing(padded, frames), frames), bool)[moment:-moment]
