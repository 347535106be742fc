"""Banded sums of squares against the same sums written out."""

import numpy as np
from reel2rig.lifter.banded import BENDS, STEPS, add_squares, diagonal
from scipy.linalg import solveh_banded

COUNT = 7
RANDOM = np.random.default_rng(0)
PULLS, STEP_WEIGHTS, VALUES = RANDOM.uniform(0.5, 2, COUNT), RANDOM.uniform(0, 2, COUNT - 1), RANDOM.normal(size=COUNT)


def test_the_smoothest_values_near_the_given_ones() -> None:
    """The minimum of PULLS |x - VALUES|^2 + STEP_WEIGHTS |steps of x|^2 + 3 |bends of x|^2."""
    steps, bends = np.diff(np.eye(COUNT), axis=0), np.diff(np.eye(COUNT), 2, axis=0)
    matrix = np.diag(PULLS) + steps.T @ np.diag(STEP_WEIGHTS) @ steps + 3 * bends.T @ bends
    bands = diagonal(PULLS)
    add_squares(bands, STEP_WEIGHTS, STEPS)
    add_squares(bands, 3.0, BENDS)
    np.testing.assert_allclose(solveh_banded(bands, PULLS * VALUES), np.linalg.solve(matrix, PULLS * VALUES))
