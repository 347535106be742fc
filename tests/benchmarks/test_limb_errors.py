"""Limbs of different systems are compared without favour: not by place, size, or what is called a joint."""

import numpy as np
import pytest
from reel2rig.benchmarks.limb_errors import (
    BLAZEPOSE_LIMBS,
    LIMB_JOINTS,
    SMPL_LIMBS,
    compared,
    limb_errors,
    limbs_of,
    trunk_axes,
    with_constant_offsets,
    with_mixtures,
)
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT_NAMES
from reel2rig.training.metrics import similarity_aligned

STANDING = np.array(
    [[0.2, 0.5, 0], [-0.2, 0.5, 0], [0.4, 0.3, 0], [-0.4, 0.3, 0], [0.5, 0.1, 0], [-0.5, 0.1, 0],
     [0.1, 0, 0], [-0.1, 0, 0], [0.1, -0.4, 0.1], [-0.1, -0.4, 0], [0.1, -0.8, 0], [-0.1, -0.8, 0]]
)  # fmt: skip


def people(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Limbs (T, 12, 3) of somebody who turns and moves a little, and the turns (T, 3, 3)."""
    random = np.random.default_rng(0)
    turns = matrix_from_axis_angle(random.normal(0, 1, (count, 3)))
    moved = STANDING + random.normal(0, 0.05, (count, 12, 3)) * (np.arange(12) > 7)[:, None]
    return moved @ np.swapaxes(turns, -1, -2), turns


def test_the_same_names_are_compared_with_the_middle_of_the_hips_at_the_origin() -> None:
    assert [JOINT_NAMES[index] for index in SMPL_LIMBS] == [BLAZEPOSE33[index] for index in BLAZEPOSE_LIMBS]
    points = np.random.default_rng(1).normal(size=(4, 24, 3))
    limbs = limbs_of(points, SMPL_LIMBS)
    middle = (points[:, JOINT_NAMES.index("left_hip")] + points[:, JOINT_NAMES.index("right_hip")]) / 2
    np.testing.assert_allclose(limbs[:, 0], points[:, JOINT_NAMES.index("left_shoulder")] - middle)
    assert len(LIMB_JOINTS) == 12


def test_scale_is_forgiven_by_n_mpjpe_and_turns_by_pa_mpjpe_only() -> None:
    truth, _ = people(6)
    larger = limb_errors(1.5 * truth, truth)
    assert larger["mpjpe_mm"] == pytest.approx(500 * np.linalg.norm(truth, axis=-1).mean(), abs=0.01)
    assert larger["n_mpjpe_mm"] == pytest.approx(0, abs=0.01)
    turned = limb_errors(truth @ matrix_from_axis_angle(np.array([0.0, 0.3, 0.0])), truth)
    assert turned["n_mpjpe_mm"] > 20
    assert turned["pa_mpjpe_mm"] == pytest.approx(0, abs=0.01)


def test_trunk_axes_turn_with_the_person() -> None:
    truth, turns = people(5)
    np.testing.assert_allclose(trunk_axes(truth), turns, atol=1e-9)


def test_another_idea_of_where_a_joint_is_is_forgiven() -> None:
    truth, turns = people(50)
    offsets = np.zeros((12, 3))
    offsets[:2] = [0, 0.04, 0.05]  # shoulders on the surface
    elsewhere = truth + offsets @ np.swapaxes(turns, -1, -2)
    aligned = similarity_aligned(elsewhere, truth)
    before, after = (
        np.linalg.norm(points - truth, axis=-1).mean() for points in (aligned, with_constant_offsets(aligned, truth))
    )
    assert before > 0.01
    assert after < 0.1 * before


def test_what_changes_from_frame_to_frame_is_not_forgiven() -> None:
    truth, _ = people(200)
    wrong = truth.copy()
    wrong[:, 10] += np.random.default_rng(2).normal(0, 0.2, (200, 3))
    found = limb_errors(wrong, truth)
    assert found["pa_mpjpe_after_constant_offsets_mm"] > 0.8 * found["pa_mpjpe_mm"]


def test_all_clips_count_by_their_frames() -> None:
    truth, _ = people(30)
    clips = [
        {"truth": part, "lifted": part, "mediapipe_world": 1.1 * part + 0.01 * (np.arange(12) == 4)[:, None]}
        for part in (truth[:10], truth[10:])
    ]
    report = compared(clips)
    assert report["frames"] == 30
    assert report["systems"]["lifted"]["mpjpe_mm"] == 0
    assert report["percent_below_mediapipe_world"] == {
        "lifted": pytest.approx(dict.fromkeys(report["systems"]["lifted"], 100.0), abs=0.1)
    }


def test_mixtures_lie_between_the_lifter_and_mediapipe() -> None:
    limbs = {"lifted": np.zeros((2, 12, 3)), "mediapipe_world": np.ones((2, 12, 3))}
    found = with_mixtures(limbs)
    assert list(found)[:2] == list(limbs)
    np.testing.assert_allclose(found["lifted_with_20_percent_of_mediapipe"], 0.2)
