"""The root path, steadied by feet that stand: what one camera lets drift in depth, standing feet hold.

A standing foot does not move, so whatever it seems to do in contact the whole body did wrongly. One banded linear
system an axis finds the shift over time that stills such feet, bends smoothly, and fades back to where the person was
seen within a few seconds: a clip that loops or turns around gathers no drift. Up and down, the floor stays where it is
from contact to contact, but for steps as high as a stair.
"""

import numpy as np
from scipy.linalg import solveh_banded

from ..smpl_assets.rotation import Array
from .banded import BENDS, STEPS, add_squares, diagonal
from .contact import runs

LEVEL = np.array([1.0, 1.0, 0.0])
FADING = 3.0  # seconds over which a shift fades back to what was seen
BENDING = 0.2  # seconds; shifts bend over no less
HOLDING = 1 / 30  # seconds over which a place that is wanted wholly makes up for what was seen
TENSION = 0.1  # of a standing foot's say: how much a shift wants to stay as it is while nothing holds it
SETTLING = 0.8  # seconds over which heights bend: slower than a jump
DRIFT_OF_A_STEP = (0.08, 0.12)  # metres from one contact to the next that may be drift, and that no longer are
ODD_SPEED = 0.5  # m/s at which a point that disagrees with the others counts for half


def steadying_shift(feet: Array, contact: Array, fps: float) -> Array:
    """Level shift (T, 3) m of the whole body that stills ``feet`` (T, 4, 3) m while in ``contact`` (T, 4), 0..1."""
    if len(feet) < 3:
        return np.zeros((len(feet), 3))
    steps = np.diff(feet, axis=0) * LEVEL
    both = np.minimum(contact[1:], contact[:-1])
    still, shift = both, np.zeros((len(feet), 3))
    for _ in range(3):  # points that a mean cannot still are swinging already: iteratively reweighted
        weight = np.minimum(still.sum(axis=1), 1.0)
        mean = (steps * still[..., None]).sum(axis=1) / np.maximum(still.sum(axis=1), 1e-9)[:, None]
        shift = smooth_shift(fps, step_weights=weight, steps=-mean)
        left = np.linalg.norm(steps + np.diff(shift, axis=0)[:, None], axis=-1) * fps
        still = both / (1.0 + (left / ODD_SPEED) ** 2)
    return shift


def settling_shift(heights: Array, contact: Array, fps: float) -> Array:
    """Shift (T, 3) m up or down that keeps the floor from rising or falling little by little.

    heights (T, 4) m of the soles under heels and toes, contact (T, 4). One camera that is not quite level, or a stature
    a little wrong, lets who walks about sink or float by centimetres. Who rises by a stair from one contact to the next
    has climbed it.
    """
    numbers, count = runs(contact > 0)
    shift, standing = np.zeros((len(heights), 3)), numbers.any(axis=1)
    if len(heights) < 3 or not count:
        return shift
    frames = np.maximum(np.bincount(numbers.ravel(), minlength=count + 1), 1)
    mean = np.bincount(numbers.ravel(), heights.ravel(), count + 1) / frames
    floor = np.where(numbers > 0, mean[numbers], np.inf).min(axis=1)[standing]
    steps = np.diff(floor, prepend=floor[0])
    climbed = np.clip((np.abs(steps) - DRIFT_OF_A_STEP[0]) / np.ptp(DRIFT_OF_A_STEP), 0.0, 1.0)
    drift = floor - np.cumsum(climbed * steps)
    shift[standing, 2] = np.median(drift) - drift
    return smooth_shift(fps, place_weights=standing.astype(float), places=shift, bending=SETTLING)


def smooth_shift(
    fps: float,
    *,
    step_weights: Array | None = None,
    steps: Array | None = None,
    place_weights: Array | None = None,
    places: Array | None = None,
    bending: float = BENDING,
) -> Array:
    """The smooth shift (T, 3) m nearest to wanted ``steps`` (T-1, 3) and ``places`` (T, 3) with weights 0..1.

    Minimises step_weights |diff(s) - steps|^2 + place_weights |s - places|^2 / (HOLDING fps)^2 + |s|^2 / (FADING fps)^2
    + TENSION (1 - step_weights) |diff(s)|^2 + (bending fps)^2 |second difference of s|^2, a spline in tension; T >= 3.
    """
    count = len(places) if places is not None else len(steps) + 1 if steps is not None else 0
    free = 1.0 if step_weights is None else 1.0 - step_weights
    bands, right = diagonal(np.full(count, 1.0 / (FADING * fps) ** 2)), np.zeros((count, 3))
    add_squares(bands, (bending * fps) ** 2, BENDS)
    add_squares(bands, TENSION * free, STEPS)
    if steps is not None and step_weights is not None:
        add_squares(bands, step_weights, STEPS)
        right[1:] += step_weights[:, None] * steps
        right[:-1] -= step_weights[:, None] * steps
    if places is not None and place_weights is not None:
        held = place_weights / (HOLDING * fps) ** 2
        bands[2] += held
        right += held[:, None] * places
    return solveh_banded(bands, right)
