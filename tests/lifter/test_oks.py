"""How alike two people's keypoints are."""

import numpy as np
import pytest
from numpy.typing import NDArray
from reel2rig.lifter.oks import person_box, person_size, similarity


def standing(x: float, y: float = 0.0, height: float = 200.0) -> NDArray[np.float32]:
    """Points (1, 4, 3) of somebody half as wide as high, with the top left corner at x, y."""
    corners = np.array([[0, 0], [0.5, 0], [0, 1], [0.5, 1]]) * height + [x, y]
    return np.concatenate([corners, np.ones((4, 1))], axis=1)[None].astype(np.float32)


def test_the_same_points_are_fully_alike_and_far_ones_not_at_all() -> None:
    alike = similarity(standing(0), np.concatenate([standing(0), standing(1000)]))
    assert alike == pytest.approx(np.array([[1, 0]]), abs=1e-6)


def test_likeness_falls_by_the_distance_against_the_size() -> None:
    size = person_size(standing(0))[0]
    assert size == pytest.approx(np.sqrt(200 * 100))
    # one tolerance (0.15 of the size) away: exp(-1/2), whatever the size
    assert similarity(standing(0), standing(0.15 * size))[0, 0] == pytest.approx(np.exp(-0.5), rel=1e-4)
    small = 0.15 * size / 10
    assert similarity(standing(0, height=20), standing(small, height=20))[0, 0] == pytest.approx(np.exp(-0.5), rel=1e-4)


def test_unseen_points_do_not_count() -> None:
    astray = standing(0)
    astray[0, 0] = [5000, 5000, 0.1]
    assert similarity(standing(0), astray)[0, 0] == pytest.approx(1)
    assert person_box(astray)[0] == pytest.approx([0, 0, 100, 200])
    astray[0, 1, 2] = 0
    assert similarity(standing(0), astray)[0, 0] == 0, "two common points tell nothing"
