"""Sums of squares of neighbouring values and their differences, as banded matrices for scipy's solveh_banded."""

import numpy as np

from ..smpl_assets.rotation import Array

STEPS = (-1.0, 1.0)  # first differences
BENDS = (1.0, -2.0, 1.0)  # second differences


def diagonal(weights: Array) -> Array:
    """Bands (3, T), the upper form with the diagonal last, of the sum of weights (T,) times values squared."""
    bands = np.zeros((3, len(weights)))
    bands[2] = weights
    return bands


def add_squares(bands: Array, weights: Array | float, differences: tuple[float, ...]) -> None:
    """Add weights, one or (T - n + 1,), times the squares of STEPS or BENDS of T values, n neighbours in each."""
    count = bands.shape[1] - len(differences) + 1
    for first, left in enumerate(differences):
        for second, right in enumerate(differences[first:], start=first):
            bands[2 - (second - first), second : second + count] += weights * left * right
