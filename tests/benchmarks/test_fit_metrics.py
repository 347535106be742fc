"""The columns of the fit's benchmark, on motion worked out by hand."""

import numpy as np
import pytest
from reel2rig.benchmarks.fit_metrics import (
    PARTS,
    Tally,
    bone_length_change,
    columns,
    foot_slide,
    in_contact,
    jitter,
    jump_kept,
    rotation_columns,
    speed_kept,
    tally,
    wrong_way_degrees,
)
from reel2rig.lifter.fit.skeleton import Posed
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES

FPS = 30.0


def unturned(frames: int) -> np.ndarray:
    return np.tile(np.eye(3), (frames, 24, 1, 1))


def turned(joint: str, axis: list[float], degrees: float) -> np.ndarray:
    """Global rotations (3, 24, 3, 3) in which one joint alone is turned; its children do not follow."""
    rotations = unturned(3)
    rotations[:, JOINT[joint]] = matrix_from_axis_angle(np.radians(degrees) * np.array(axis))
    return rotations


def feet(heights: list[float], x: list[float] | None = None) -> np.ndarray:
    """Four foot points (T, 4, 3) that rise and go along x together."""
    points = np.zeros((len(heights), 4, 3))
    points[..., 2] = np.array(heights)[:, None]
    points[..., 0] = 0.0 if x is None else np.array(x)[:, None]
    return points


def test_every_joint_belongs_to_one_part() -> None:
    assert sorted(name for names in PARTS.values() for name in names) == sorted(JOINT_NAMES)


def test_tallies_of_clips_add_up_by_their_frames() -> None:
    both = tally(np.array([1.0, 1.0, 1.0])) + tally(np.array([5.0]))
    assert both.mean() == 2.0
    assert Tally(0.0, 0).mean() is None


def test_a_turned_joint_is_found_in_its_part_only() -> None:
    found = rotation_columns(turned("left_elbow", [0, 1, 0], 40.0), unturned(3))
    assert found["arms_degrees"].mean() == pytest.approx(10.0), "one of four joints"
    assert sum(part.total for part in found.values()) == pytest.approx(3 * 40.0)


def test_twist_counts_as_much_as_swing() -> None:
    """Positions would not show it: the left upper arm lies along x."""
    found = rotation_columns(turned("left_shoulder", [1, 0, 0], 20.0), unturned(3))
    assert found["arms_degrees"].mean() == pytest.approx(5.0)


def test_jitter_is_the_third_derivative() -> None:
    seconds = np.arange(6) / FPS
    points = np.zeros((6, 1, 3))
    points[:, 0, 1] = seconds**3
    np.testing.assert_allclose(jitter(points, FPS), 6.0)


def test_contact_is_low_and_slow() -> None:
    heights = [0.04, 0.04, 0.04, 0.06, 0.06]
    x = [0.0, 0.004, 0.010, 0.010, 0.010]
    assert in_contact(feet(heights, x))[:, 0].tolist() == [True, False, False, False]


def test_slide_is_horizontal_and_counted_in_true_contact_only() -> None:
    truth = feet([0.0, 0.0, 0.0, 0.2])
    found = feet([0.0, 0.05, 0.0, 0.2], [0.0, 0.003, 0.002, 9.0])
    np.testing.assert_allclose(foot_slide(found, in_contact(truth)).reshape(2, 4)[:, 0], [0.003, 0.001])


@pytest.mark.parametrize(
    ("joint", "bends_about"),
    [("left_knee", [1, 0, 0]), ("right_knee", [1, 0, 0]), ("left_elbow", [0, -1, 0]), ("right_elbow", [0, 1, 0])],
)
def test_a_hinge_bent_as_people_do_is_no_violation_and_the_other_way_is_one(joint: str, bends_about: list) -> None:
    column = ["left_elbow", "right_elbow", "left_knee", "right_knee"].index(joint)
    for degrees in (100.0, 170.0, -25.0):
        found = wrong_way_degrees(turned(joint, bends_about, degrees))[:, column]
        np.testing.assert_allclose(found, -degrees)


def test_twist_of_a_forearm_is_no_wrong_bend() -> None:
    np.testing.assert_allclose(wrong_way_degrees(turned("left_elbow", [1, 0, 0], 80.0)), 0.0, atol=1e-9)


def test_a_bone_that_grows_is_found() -> None:
    joints = np.zeros((4, 24, 3))
    joints[:, JOINT["head"], 1] = 0.1
    assert bone_length_change(joints) == 0.0
    joints[2, JOINT["head"], 1] = 0.13
    assert bone_length_change(joints) == pytest.approx(0.03)


def punch(frames: int = 31) -> np.ndarray:
    """A point (T, 1, 3) that goes one way in a bell of speed, 3 m/s at its top."""
    speed = 3.0 * np.exp(-(((np.arange(frames) - frames // 2) / 3) ** 2))
    path = np.zeros((frames, 1, 3))
    path[:, 0, 0] = np.cumsum(speed) / FPS
    return path


def test_a_blunted_punch_keeps_less_of_its_speed() -> None:
    truth = punch()
    assert speed_kept(truth, truth, FPS) == pytest.approx([1.0])
    assert speed_kept(0.7 * truth, truth, FPS) == pytest.approx([0.7])
    sideways = truth + np.array([0.0, 1.0, 0.0]) * np.arange(len(truth))[:, None, None]
    assert speed_kept(sideways, truth, FPS) == pytest.approx([1.0]), "speed across the true one is not speed kept"


def test_slow_movement_has_no_peaks() -> None:
    assert speed_kept(0.4 * punch(), 0.4 * punch(), FPS).size == 0


def test_a_jump_pulled_down_is_told_in_percent_of_its_height() -> None:
    truth = feet([0.01, 0.01, 0.01, 0.2, 0.4, 0.2, 0.01, 0.01])
    half = feet([0.01, 0.01, 0.01, 0.1, 0.2, 0.1, 0.01, 0.01])
    assert jump_kept(truth, truth) == 1.0
    assert jump_kept(half, truth) == pytest.approx((0.4 / 3 - 0.01) / (0.8 / 3 - 0.01))
    assert jump_kept(truth + np.array([0.0, 0.0, 0.3]), truth) == pytest.approx(1.0), (
        "height is above where the feet stand"
    )


def test_the_truth_has_no_error() -> None:
    random = np.random.default_rng(0)
    rotations = matrix_from_axis_angle(random.normal(0, 0.1, (5, 24, 3)))
    posed = Posed(rotations, random.normal(size=(5, 24, 3)), random.normal(size=(5, 13, 3)))
    found = {name: column.mean() for name, column in columns(posed, posed, FPS).items()}
    errors = [name for name in found if name.endswith(("_degrees", "mpjpe_mm", "absolute_mm")) or "error" in name]
    assert len(errors) == len(PARTS) + 3
    assert [found[name] for name in errors] == pytest.approx([0.0] * len(errors), abs=1e-5)
