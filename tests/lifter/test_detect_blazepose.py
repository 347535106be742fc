"""Decoding BlazePose and aiming its crops, by hand-worked cases."""

import numpy as np
import pytest
from reel2rig.lifter.detect.blazepose import refine, roi_of_circle, roi_of_coco, sigmoid
from reel2rig.lifter.detect.movenet import letterboxed


def test_sigmoid_is_exact_and_does_not_overflow() -> None:
    values = np.array([-1000, -2, 0, 2, 1000], np.float32)
    np.testing.assert_allclose(sigmoid(values), [0, 0.1192029, 0.5, 0.8807971, 1], atol=1e-6)


def test_points_move_to_the_heat_around_them() -> None:
    heat = np.full((1, 64, 64, 3), -50, np.float32)
    heat[0, 20, 31, 0] = 50  # row 20, column 31: one right and two up of the first point's cell
    heat[0, 22, 30, 1] = heat[0, 22, 32, 1] = 50  # two equal cells: between them
    heat[0, 22, 31, 2] = -0.5  # lukewarm: not sure enough
    points = np.tile(np.array([30.4, 22.4], np.float32) / 64, (1, 3, 1))
    np.testing.assert_allclose(refine(points, heat)[0] * 64, [[31, 20], [31, 22], [30.4, 22.4]], atol=1e-3)


def test_points_beyond_the_crop_stay_and_heat_at_the_border_counts() -> None:
    heat = np.full((1, 64, 64, 2), -50, np.float32)
    heat[0, 0, 63] = 50
    points = np.array([[[1.2, 0.5], [62 / 64, 1.5 / 64]]], np.float32)
    np.testing.assert_allclose(refine(points, heat)[0], [[1.2, 0.5], [63 / 64, 0]], atol=1e-6)


def test_the_next_crop_surrounds_the_circle_with_the_head_up() -> None:
    centre = np.array([[100, 100]] * 3, np.float32)
    rim = np.array([[100, 60], [140, 100], [100, 140]], np.float32)  # head up, to the right, down
    rois = roi_of_circle(centre, rim)
    np.testing.assert_allclose(rois[:, :3], [[100, 100, 100]] * 3)
    np.testing.assert_allclose(np.abs(rois[:, 3]), [0, np.pi / 2, np.pi], atol=1e-6)
    assert rois[1, 3] > 0, "turned clockwise"


def test_the_first_crop_is_aimed_at_the_hips_and_holds_all_visible_points() -> None:
    points = np.zeros((1, 17, 3), np.float32)
    points[0, [5, 6], :2] = [[90, 50], [110, 50]]
    points[0, [11, 12], :2] = [[95, 100], [105, 100]]
    points[0, [15, 16], :2] = [[95, 200], [900, 900]]
    points[0, [5, 6, 11, 12, 15], 2] = 0.9  # the right ankle was not seen
    roi = roi_of_coco(points)[0]
    assert roi[:2] == pytest.approx([100, 100])
    assert roi[2] / 2 == pytest.approx(1.21 * np.hypot(5, 100), rel=1e-3)
    assert roi[3] == pytest.approx(0)


def test_letterboxing_keeps_the_shape_and_fills_with_black() -> None:
    picture, scale = letterboxed(np.full((1080, 1920, 3), 255, np.uint8), 256)
    assert picture.shape == (160, 256, 3)
    assert scale == pytest.approx(256 / 1920)
    assert picture[:144].min() == 255
    assert picture[144:].max() == 0
