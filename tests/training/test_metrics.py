"""Errors of 3D points, worked by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from reel2rig.smpl_assets.rotation import matrix_from_quaternion
from reel2rig.training.metrics import (
    acceleration_error,
    auc,
    joint_distances,
    mpjpe,
    n_mpjpe,
    pa_mpjpe,
    pck,
    root_aligned,
    velocity_error,
)

TRUTH: NDArray[np.float64] = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
AWAY: NDArray[np.float64] = np.array([7.0, 8.0, 9.0])
MIRROR: NDArray[np.float64] = np.array([-1.0, 1.0, 1.0])


def test_mpjpe_is_the_mean_distance_with_both_pelvises_at_the_origin() -> None:
    off = TRUTH.copy()
    off[1, 0] += 0.3
    off[2, 2] += 0.5
    assert mpjpe(off, TRUTH) == pytest.approx(0.8 / 4)
    assert mpjpe(off + AWAY, TRUTH) == pytest.approx(0.8 / 4)


def test_mpjpe_gives_one_value_a_frame() -> None:
    assert mpjpe(np.stack([TRUTH, 2.0 * TRUTH]), np.stack([TRUTH, TRUTH])) == pytest.approx([0.0, 0.75])


def test_pa_mpjpe_forgives_place_turn_and_size_but_no_mirror() -> None:
    turn = matrix_from_quaternion(np.array([0.5, 0.5, -0.5, 0.5]))
    assert pa_mpjpe(3.0 * TRUTH @ turn.T + AWAY, TRUTH) == pytest.approx(0, abs=1e-12)
    assert pa_mpjpe(TRUTH * MIRROR, TRUTH) > 0.1


def test_pa_mpjpe_is_never_above_what_mpjpe_sees_about_the_mean() -> None:
    random = np.random.default_rng(0)
    predicted, truth = random.normal(size=(2, 20, 24, 3))
    centred = [points - points.mean(1, keepdims=True) for points in (predicted, truth)]
    best = ((pa_mpjpe(predicted, truth)) ** 2).mean()
    assert best <= (np.linalg.norm(centred[0] - centred[1], axis=-1) ** 2).mean()


def test_velocity_and_acceleration_see_changes_only() -> None:
    still = np.repeat(TRUTH[None], 4, axis=0)
    moving = still + np.array([0.0, 1, 2, 3])[:, None, None] * [0.1, 0.0, 0.0]
    jumping = still + np.array([0.0, 0, 1, 1])[:, None, None] * [0.0, 0.2, 0.0]
    assert velocity_error(still + 5.0, still) == pytest.approx([0, 0, 0])
    assert velocity_error(moving, still) == pytest.approx([0.1, 0.1, 0.1])
    assert acceleration_error(moving, still) == pytest.approx([0, 0])
    assert acceleration_error(jumping, still) == pytest.approx([0.2, 0.2])


def test_n_mpjpe_forgives_size_but_no_turn() -> None:
    assert n_mpjpe(0.25 * TRUTH + AWAY, TRUTH) == pytest.approx(0, abs=1e-12)
    quarter_about_z = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    # x and y trade places with a sign, so p . t = (0 + 0 + 1) and p . p = 3: the best scale is 1 / 3
    third = 1 / 3
    off = [0.0, np.hypot(third, 1), np.hypot(third, 1), 1 - third]
    assert n_mpjpe(TRUTH @ quarter_about_z.T, TRUTH) == pytest.approx(np.mean(off))
    assert pa_mpjpe(TRUTH @ quarter_about_z.T, TRUTH) == pytest.approx(0, abs=1e-12)


def test_distances_are_told_joint_by_joint() -> None:
    off = TRUTH.copy()
    off[3] += [0.0, 0.3, 0.4]
    assert joint_distances(off + AWAY, TRUTH) == pytest.approx([0, 0, 0, 0.5])


def test_pck_counts_the_joints_within_15_centimetres() -> None:
    assert pck(np.array([[0.0, 0.1499], [0.15, 2.0]])) == pytest.approx(50.0)


def test_auc_is_the_mean_of_pck_from_0_to_150_millimetres() -> None:
    thresholds = 31  # 0, 5, ... 150 mm; nothing is strictly below the first
    assert auc(np.zeros(7)) == pytest.approx(100 * 30 / thresholds)
    assert auc(np.full(7, 1.0)) == 0
    assert auc(np.array([0.0, 0.0775])) == pytest.approx(100 * (30 + 15) / 2 / thresholds)  # below 80 ... 150 mm


def test_velocity_error_of_a_root_that_slides_counts_too() -> None:
    moving = TRUTH + np.array([0.0, 1, 2])[:, None, None] * [0.0, 0.0, 0.03]
    still = np.repeat(TRUTH[None], 3, axis=0)
    assert velocity_error(moving, still) == pytest.approx([0.03, 0.03])
    assert velocity_error(root_aligned(moving), still) == pytest.approx([0, 0])
