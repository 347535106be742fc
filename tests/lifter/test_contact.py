"""Feet on the floor: low and slow is contact, high or fast is not."""

import numpy as np
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


def test_single_frames_of_doubt_do_not_break_a_contact() -> None:
    points = ends()
    points[30, HEEL, 2] = 0.06
    assert contacts(points, 30.0)[:, 0].all()


def test_one_frame_is_enough() -> None:
    assert contacts(ends(1), 30.0).tolist() == [[1.0, 0.0, 0.0, 0.0]]
