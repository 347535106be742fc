import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reel2rig.lifter.fit.hinges import hinge_bends
from reel2rig.lifter.fit.limits import HINGE_RANGE, bounds, excess
from reel2rig.lifter.fit.skeleton import Pose, rest_skeleton
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.rotation import axis_angle_from_matrix, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES, mirrored
from reel2rig.training.readers.cmu_pack import PACK

TURNS = arrays(float, (1, 24, 3), elements=st.floats(-6, 6))


def test_the_rest_pose_is_inside() -> None:
    low, high = bounds()
    assert low.shape == high.shape == (24, 3)
    assert (low < 0).all()
    assert (high > 0).all()


def test_left_and_right_are_mirror_images() -> None:
    low, high = bounds()
    sign = np.array([1.0, -1.0, -1.0])  # a turn seen in a mirror across x
    one, other = low[list(mirrored(JOINT_NAMES))] * sign, high[list(mirrored(JOINT_NAMES))] * sign
    np.testing.assert_allclose(np.minimum(one, other), low)
    np.testing.assert_allclose(np.maximum(one, other), high)


def test_a_knee_bends_back_and_not_forth() -> None:
    turns = np.zeros((3, 24, 3))
    turns[:, JOINT["left_knee"], 0] = np.radians([120.0, -40.0, 179.0])
    over = np.degrees(excess(turns))[:, JOINT["left_knee"], 0]
    assert over[0] == 0
    assert over[1] < -30
    assert over[2] > 15


@pytest.mark.parametrize(("side", "sign"), [("left", -1), ("right", 1)])
def test_an_elbow_bends_forward_and_not_back(side: str, sign: int) -> None:
    turns = np.zeros((2, 24, 3))
    turns[:, JOINT[f"{side}_elbow"], 1] = sign * np.radians([120.0, -60.0])
    over = np.degrees(np.abs(excess(turns)))[:, JOINT[f"{side}_elbow"], 1]
    assert over[0] == 0
    assert over[1] > 30


@settings(max_examples=50, deadline=None)
@given(TURNS)
def test_taking_the_excess_off_leads_to_the_bound(turns: np.ndarray) -> None:
    low, high = bounds()
    inside = turns - excess(turns)
    assert (inside >= low - 1e-12).all()
    assert (inside <= high + 1e-12).all()
    np.testing.assert_allclose(excess(inside), 0, atol=1e-12)


def test_people_held_out_are_hardly_ever_beyond_a_bound() -> None:
    with np.load(PACK / "val_00.npz") as pack:
        poses = pack["pose"] * float(pack["pose_scale"])
    beyond = (excess(axis_angle_from_matrix(matrix_from_axis_angle(poses))) != 0).any(axis=-1)
    assert beyond.mean() < 0.0002


def test_people_held_out_bend_their_hinges_within_their_range() -> None:
    with np.load(PACK / "val_00.npz") as pack:
        local = matrix_from_axis_angle(pack["pose"] * float(pack["pose_scale"]))
    bends = hinge_bends(rest_skeleton(open_body(), np.zeros(10)), local)
    for columns, joint in ((slice(0, 2), "elbow"), (slice(2, 4), "knee")):
        low, high = HINGE_RANGE[joint]
        assert ((bends[:, columns] < low) | (bends[:, columns] > high)).mean() < 0.003
        assert bends[:, columns].min() > -10


def test_real_motion_is_left_alone(motion: Pose) -> None:
    over = np.degrees(np.abs(excess(axis_angle_from_matrix(motion.local))))
    assert over.max() < 10
    assert (over > 0).mean() < 0.01
