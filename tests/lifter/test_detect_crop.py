"""Cutting turned squares out of pictures. The picture is a slope, so a sample's value tells where it was taken."""

import numpy as np
import pytest
from numpy.typing import NDArray
from reel2rig.lifter.detect.crop import crop, from_crop

WIDTH, HEIGHT = 240, 160


@pytest.fixture
def slope() -> NDArray[np.uint8]:
    """Red is x, green is y, blue is full."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x, y, np.full_like(x, 255)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("angle", [0.0, 0.3, -2.0, np.pi / 2])
@pytest.mark.parametrize("side", [20.0, 32.0, 70.0, 100.0])
def test_samples_come_from_where_from_crop_says(slope: NDArray[np.uint8], side: float, angle: float) -> None:
    rois = np.array([[110.3, 80.6, side, angle]], np.float32)
    size = 32
    patch = crop(slope, rois, size)[0] * 255
    v, u = np.mgrid[:size, :size]
    places = (np.stack([u, v], axis=-1).reshape(1, -1, 2) + 0.5).astype(np.float32) / size
    np.testing.assert_allclose(patch[..., :2].reshape(-1, 2), from_crop(places, rois)[0], atol=0.02)


def test_a_positive_angle_turns_clockwise(slope: NDArray[np.uint8]) -> None:
    quarter = np.array([[100, 80, 40, np.pi / 2]], np.float32)
    patch = crop(slope, quarter, 32)[0] * 255
    # going right in the crop goes down in the picture
    assert patch[16, 31, 1] - patch[16, 0, 1] == pytest.approx(40 * 31 / 32, abs=0.1)
    assert patch[16, 31, 0] == pytest.approx(patch[16, 0, 0], abs=0.1)


def test_outside_the_picture_is_black(slope: NDArray[np.uint8]) -> None:
    rois = np.array([[0, 80, 64, 0], [-500, -500, 64, 0.5], [120, 80, 960, 0]], np.float32)
    half, none, whole = crop(slope, rois, 64)[..., 2]
    assert half[:, :31].max() == 0
    assert half[:, 33:].min() == pytest.approx(1)
    assert none.max() == 0
    # the picture takes 240/960 by 160/960 of the third crop
    assert (whole > 0.5).mean() == pytest.approx(1 / 4 * 1 / 6, rel=0.1)


def test_fine_patterns_are_averaged_when_shrunk() -> None:
    checks = np.indices((512, 512)).sum(axis=0) % 2 * 255
    picture = np.repeat(checks[..., None], 3, axis=-1).astype(np.uint8)
    patch = crop(picture, np.array([[255.5, 255.5, 256, 0]], np.float32), 64)
    np.testing.assert_allclose(patch, 0.5, atol=0.01)
