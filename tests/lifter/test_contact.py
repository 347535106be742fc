"""Feet on the floor: low and slow is contact, high or fast is not."""

import numpy as np
import pytest
from reel2rig.lifter.contact import contacts
from reel2rig.smpl_assets.skeleton import END

HEEL = END["left_heel"]


def ends(frames: int = 60) -> np.ndarray:
    """All points high in the air, but for the left heel, which stands on the floor."""
    points = np.ones((frames, 13, 3))
    points[:, HEEL] = [0.0, 0.0, 0.01]
    return points


def test_a_heel_at_rest_on_the_floor_is_in_contact_and_nothing_else_is() -> None:
    found = contacts(ends(), 30.0)
    assert found[:, 0].all()
    assert not found[:, 1:].any()


def test_a_lifted_heel_loses_contact() -> None:
    points = ends()
    points[20:40, HEEL, 2] = 0.3
    found = contacts(points, 30.0)[:, 0]
    assert found[:17].all()
    assert not found[22:38].any()
    assert found[43:].all()


def test_a_sliding_foot_is_no_contact() -> None:
    points = ends()
    points[:, HEEL, 0] = np.arange(60) / 30.0  # 1 m/s
    assert not contacts(points, 30.0).any()


def walk(fps: float = 30.0, seconds: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Ends of a walk of 1.2 m/s with a stride a second, and who stands (T, 2): each foot for 60 % of its stride.

    As one camera sees it: standing feet drift by 0.3 m/s, 4 cm above the floor, their heels higher than their toes.
    """
    phase = np.arange(0, seconds, 1 / fps)[:, None] + np.array([0.0, 0.5])
    part = np.clip((phase % 1.0 - 0.6) / 0.4, 0.0, 1.0)  # of the swing
    standing = part == 0
    forward = 1.2 * np.floor(phase) + 0.3 * np.minimum(phase % 1.0, 0.6) + (1.2 - 0.18) * (3 * part**2 - 2 * part**3)
    height = 0.04 + 0.1 * np.sin(np.pi * part)
    points = np.ones((len(phase), 13, 3))
    for foot, side in enumerate(("left", "right")):
        for name, offset in (("heel", 0.05), ("big_toe", 0.0)):
            place = END[f"{side}_{name}"]
            points[:, place] = np.stack([forward[:, foot], np.zeros(len(phase)), height[:, foot] + offset], axis=1)
    return points, standing


def test_walking_feet_stand_and_swing_in_turn() -> None:
    points, standing = walk()
    found = contacts(points, 30.0)
    feet = np.stack([found[:, :2].any(axis=1), found[:, 2:].any(axis=1)], axis=1)
    assert (feet == standing).mean() > 0.9
    assert feet.mean() == pytest.approx(0.6, abs=0.1)


def test_a_foot_held_beside_the_standing_one_is_not_in_contact() -> None:
    points = ends()
    points[:, END["right_heel"]] = [0.3, 0.0, 0.2]
    points[:, HEEL, 2] = 0.06  # where the floor is, is known to a few centimetres
    found = contacts(points, 30.0)
    assert found[:, 0].all()
    assert not found[:, 2].any()


def test_nobody_hanging_in_the_air_is_in_contact() -> None:
    points = ends()
    points[:, HEEL, 2] = 0.25
    assert not contacts(points, 30.0).any()


def test_single_frames_of_doubt_do_not_break_a_contact() -> None:
    points = ends()
    points[30, HEEL, 2] = 0.06
    assert contacts(points, 30.0)[:, 0].all()


def test_one_frame_is_enough() -> None:
    assert contacts(ends(1), 30.0).tolist() == [[1.0, 0.0, 0.0, 0.0]]
