"""Feet on the floor: low and slow is contact, high or fast is not."""

import numpy as np
import pytest
from reel2rig.lifter.contact import contacts
from reel2rig.lifter.ground import CONTACT_POINTS, SOLES
from reel2rig.smpl_assets.skeleton import END

HEEL = END["left_heel"]
LEFT, RIGHT = list(CONTACT_POINTS[:2]), list(CONTACT_POINTS[2:])


def ends(frames: int = 60) -> np.ndarray:
    """All points high in the air, but for the left heel, which stands on the floor."""
    points = np.ones((frames, 13, 3))
    points[:, HEEL] = [0.0, 0.0, 0.01]
    return points


def standing(frames: int = 60) -> np.ndarray:
    """Ends of somebody who stands on both feet."""
    points = np.ones((frames, 13, 3))
    points[:, LEFT], points[:, RIGHT] = [0.0, 0.0, 0.0], [0.3, 0.0, 0.0]
    points[:, CONTACT_POINTS, 2] = SOLES
    return points


def test_a_heel_at_rest_on_the_floor_is_in_contact_and_nothing_else_is() -> None:
    found = contacts(ends(), 30.0)
    assert found[:, 0].all()
    assert not found[:, 1:].any()


def test_a_lifted_foot_loses_contact_while_the_other_stands() -> None:
    points = standing()
    points[20:40, LEFT, 2] += 0.3
    found = contacts(points, 30.0)
    assert found[:17, :2].all()
    assert not found[22:38, :2].any()
    assert found[43:, :2].all()
    assert found[:, 2:].all()


def test_feet_in_the_air_of_a_handstand_stand_on_nothing() -> None:
    points = standing(90)
    points[..., 2] += 1.0
    points[30:60, END["left_index_knuckle"], 2] = 0.0
    found = contacts(points, 30.0)
    assert not found[30:60].any()
    assert found[:25].all(), "while the hands are up, feet may stand on a table"


def test_a_sliding_foot_is_no_contact() -> None:
    points = ends()
    points[:, HEEL, 0] = np.arange(60) / 30.0  # 1 m/s
    assert not contacts(points, 30.0).any()


def walk(fps: float = 30.0, seconds: float = 6.0, drift: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Ends of a walk of 1.2 m/s with a stride a second, and who stands (T, 2): each foot for 60 % of its stride.

    As one camera sees it: standing feet ``drift`` (m/s), 4 cm above the floor, their heels higher than their toes.
    """
    phase = np.arange(0, seconds, 1 / fps)[:, None] + np.array([0.0, 0.5])
    part = np.clip((phase % 1.0 - 0.6) / 0.4, 0.0, 1.0)  # of the swing
    standing = part == 0
    swing = (1.2 - 0.6 * drift) * (3 * part**2 - 2 * part**3)
    forward = 1.2 * np.floor(phase) + drift * np.minimum(phase % 1.0, 0.6) + swing
    height = 0.04 + 0.1 * np.sin(np.pi * part)
    points = np.ones((len(phase), 13, 3))
    for foot, side in enumerate(("left", "right")):
        for name, offset in (("heel", 0.05), ("big_toe", 0.0)):
            place = END[f"{side}_{name}"]
            points[:, place] = np.stack([forward[:, foot], np.zeros(len(phase)), height[:, foot] + offset], axis=1)
    return points, standing


@pytest.mark.parametrize("drift", [0.0, 0.3, 0.7])
def test_walking_feet_stand_and_swing_in_turn(drift: float) -> None:
    points, standing = walk(drift=drift)
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


def test_nobody_in_a_jump_is_in_contact() -> None:
    time = np.arange(60) / 30 - 1.0
    height = np.maximum(0.3 - 0.5 * 9.81 * time**2, 0.0)
    points = standing()
    points[..., 2] += height[:, None]
    found = contacts(points, 30.0)
    assert not found[height > 0.05].any()
    assert found[np.abs(time) > 0.35].all()


def test_standing_on_a_stool_is_contact_too() -> None:
    points = standing()
    points[..., 2] += 0.4
    assert contacts(points, 30.0).all()


def test_on_stairs_each_step_is_stood_on() -> None:
    """Half a second a step of 0.3 m forward and 0.17 m up, the feet in turn; each foot stands while the other goes."""
    points, feet = standing(150), [LEFT, RIGHT]
    time = np.arange(150) / 30
    points[..., 2] += 0.34 * np.where(np.isin(np.arange(13), CONTACT_POINTS), 0.0, time[:, None])  # head and hands
    expected = np.ones((150, 2), bool)
    for foot, rows in enumerate(feet):
        part = np.clip(((time + 0.5 * foot) % 1.0 - 0.5) / 0.5, 0.0, 1.0)
        done = np.floor(time + 0.5 * foot) + 3 * part**2 - 2 * part**3
        arc = 0.1 * np.sin(np.pi * part)
        points[:, rows] += np.stack([0.0 * time, 0.6 * done, 0.34 * done + arc], axis=1)[:, None]
        expected[:, foot] = part == 0
    found = contacts(points, 30.0)
    assert (found[:, ::2] == expected).mean() > 0.85
    assert (found[20:, ::2].sum(axis=0) > 40).all(), "well above the floor"


def test_a_foot_that_pivots_on_its_toe_lets_the_heel_go() -> None:
    points = standing()
    angle = np.linspace(0, 2 * np.pi, 60)
    toe = END["left_big_toe"]
    points[:, HEEL, :2] = points[:, toe, :2] + 0.21 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = contacts(points, 30.0)
    assert found[:, 1].all()
    assert not found[:, 0].any()


def test_modes() -> None:
    points = standing()
    points[:, LEFT, 1] += np.arange(60)[:, None] / 30 * 1.5
    assert not contacts(points, 30.0, "never").any()
    assert contacts(points, 30.0, "auto")[:, 2:].all()
    assert not contacts(points, 30.0, "auto")[:, :2].any(), "it glides"
    assert contacts(points, 30.0, "grounding").all(), "it glides on the floor"
    assert (contacts(points + np.array([0.0, 0.0, 0.2]), 30.0, "always").sum(axis=1) >= 2).all()


def test_single_frames_of_doubt_do_not_break_a_contact() -> None:
    points = ends()
    points[30, HEEL, 2] = 0.06
    assert contacts(points, 30.0)[:, 0].all()


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_clips_have_contacts(frames: int) -> None:
    assert contacts(standing(frames), 30.0).all()


def test_one_frame_is_enough() -> None:
    assert contacts(ends(1), 30.0).tolist() == [[1.0, 0.0, 0.0, 0.0]]
