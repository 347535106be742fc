"""Joints that cannot be a person's are refused with words that help; doubtful ones are fitted, and said to be."""

from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.fit import fit
from reel2rig.lifter.given_joints import check_joints, told_doubts
from reel2rig.lifter.records import Joints3D
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.skeleton import JOINT_NAMES, mirrored

FRAMES = 6
REST = open_body().joint_template.astype(np.float64)
UPRIGHT = np.stack([REST[:, 0], -REST[:, 2], REST[:, 1]], axis=-1)


def standing(points: np.ndarray = UPRIGHT) -> Joints3D:
    """Somebody who stands still, with the 24 joints ``points`` (24, 3) or (FRAMES, 24, 3)."""
    return Joints3D(
        joints=np.broadcast_to(points, (FRAMES, 24, 3)).astype(np.float32),
        ends=np.full((FRAMES, 13, 3), np.nan, np.float32),
        frame="world",
        track_id=np.zeros(FRAMES, np.int64),
        frames=np.arange(FRAMES),
        times=np.arange(FRAMES) / 30,
        confidence=np.ones((FRAMES, 24), np.float32),
    )


def doubts(joints: Joints3D) -> str:
    return " ".join(told_doubts(joints, fit(joints, open_body(), fps=30.0)))


@pytest.mark.parametrize("size", [0.4, 1.0, 1.3], ids=["small child", "adult", "giant"])
def test_people_of_all_sizes_are_taken_without_a_word(size: float) -> None:
    check_joints(standing(UPRIGHT * size))
    assert doubts(standing(UPRIGHT)) == ""


@pytest.mark.parametrize(
    ("joints", "code", "said"),
    [
        (standing(UPRIGHT * 1000), "bad_units", "divide millimetres by 1000"),
        (standing(UPRIGHT * 100), "bad_units", "divide millimetres by 1000, centimetres by 100"),
        (standing(UPRIGHT * 3.28), "bad_units", "in metres"),
        (standing(UPRIGHT * 0), "bad_units", "0 m long"),
        (standing(UPRIGHT + np.array([3e5, 4e5, 0.0])), "too_far", "500 km"),
        (standing(np.full((24, 3), np.nan)), "nobody", "NaN"),
        (replace(standing(), confidence=np.zeros((FRAMES, 24), np.float32)), "nobody", "confidence above 0"),
        (replace(standing(), times=np.arange(FRAMES) / 0.03), "bad_fps", "times in seconds"),  # milliseconds
        (replace(standing(), times=np.arange(FRAMES) * 1.0), "bad_fps", "1 frames a second"),
        (replace(standing(), times=np.arange(FRAMES) / 1e6), "bad_fps", "1e+06 frames a second"),
        (replace(standing(), times=np.repeat([0.0, 0.1, 0.2], 2)), "bad_times", "track_id"),  # two people, one number
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(joints: Joints3D, code: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        check_joints(joints)
    assert caught.value.code == code
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_joints_that_are_partly_unknown_are_taken() -> None:
    joints = standing()
    joints.joints[:, 20:] = np.nan
    joints.joints[2] = np.nan
    check_joints(joints)


@pytest.mark.parametrize("axes", [(0, 2, 1), (0, 1, 2)], ids=["y up", "z down"])
def test_a_head_beside_or_below_the_feet_is_told(axes: tuple[int, ...]) -> None:
    assert "head is not above the feet" in doubts(standing(UPRIGHT[:, axes] * [1, 1, -1]))


def test_joints_in_another_order_are_told() -> None:
    trunk, legs, arms = [0, 3, 6, 9, 12, 15], [1, 4, 7, 10, 2, 5, 8, 11], [13, 16, 18, 20, 22, 14, 17, 19, 21, 23]
    assert "order" in doubts(standing(UPRIGHT[legs + arms + trunk]))


def test_left_and_right_exchanged_are_told() -> None:
    sitting = UPRIGHT.copy()
    sitting[[4, 5]] += [0.0, -0.3, 0.1]  # knees go forward, never back
    sitting[[7, 8, 10, 11]] += [0.0, 0.0, 0.2]
    sitting[[18, 19]] += [0.0, 0.1, -0.1]
    sitting[[20, 21, 22, 23]] += [0.0, -0.3, 0.1]
    assert doubts(standing(sitting)) == ""
    assert "left and right" in doubts(standing(sitting[list(mirrored(JOINT_NAMES))]))
