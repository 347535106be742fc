"""Gravity from the floor: people walk about in a world that is a little askew."""

import numpy as np
import pytest
from reel2rig.lifter.ground import CONTACT_POINTS, SOLES
from reel2rig.lifter.level_floor import level_turn, on_level_floor, standing_soles
from reel2rig.lifter.records import Fit, Joints3D
from reel2rig.smpl_assets.rotation import Array, geodesic_degrees, matrix_from_axis_angle

UP = np.array([0.0, 0.0, 1.0])


def floor(count: int = 40, across: float = 1.5) -> Array:
    """Places (count, 3) on a level floor, known to a centimetre, 3 m along Y and ``across`` metres along X."""
    random = np.random.default_rng(2)
    return random.uniform(-0.5, 0.5, (count, 3)) * [across, 3.0, 0.0] + random.normal(0, 0.01, (count, 1)) * UP


def tilt(degrees: float, about: tuple[float, float, float] = (1.0, 0.0, 0.0)) -> Array:
    return matrix_from_axis_angle(np.radians(degrees) * np.array(about))


@pytest.mark.parametrize("degrees", [-5.0, 0.0, 2.0, 5.0])
def test_a_tilted_floor_is_made_level(degrees: float) -> None:
    turn = level_turn(floor() @ tilt(degrees).T)
    assert geodesic_degrees(turn, tilt(-degrees)) < 0.8


def test_a_stool_and_a_box_do_not_tilt_the_floor() -> None:
    raised = floor(50)
    raised[:8] += [0.0, 1.0, 0.4]
    raised[8:14] += [0.5, -1.0, 0.2]
    assert geodesic_degrees(level_turn(raised), np.eye(3)) < 0.5


def test_stairs_are_not_laid_flat() -> None:
    steps = floor(40)
    steps[:, 2] += 0.17 * np.floor(steps[:, 1] / 0.3)
    assert geodesic_degrees(level_turn(steps), np.eye(3)) < 1.0


def test_a_straight_walk_says_nothing_about_the_tilt_across() -> None:
    line = floor(across=0.0)
    both = tilt(3.0) @ tilt(3.0, (0.0, 1.0, 0.0))
    turn = level_turn(line @ both.T)
    assert (turn @ both @ [0.0, 1.0, 0.0])[2] == pytest.approx(0.0, abs=0.01), "level along the walk"
    assert abs((turn @ [1.0, 0.0, 0.0])[2]) < 0.01, "as it was across it"


def test_people_and_camera_turn_together() -> None:
    frames = 60
    ends = np.ones((frames, 13, 3))
    places = np.repeat(floor(12), 5, axis=0) @ tilt(4.0).T  # a fifth of a second each
    ends[:, CONTACT_POINTS] = places[:, None] + SOLES[:, None] * UP
    joints = np.ones((frames, 24, 3)) + places[:, None]
    found = Fit(
        axis_angle=np.zeros((frames, 24, 3)),
        trans=joints[:, 0] - 0.2,
        betas=np.zeros(10),
        joints=joints,
        ends=ends,
        joint_residual=np.zeros(frames),
        pixel_residual=np.zeros(frames),
    )
    given = Joints3D(
        joints=joints.astype(np.float32),
        ends=ends.astype(np.float32),
        frame="world",
        track_id=np.zeros(frames, np.int64),
        frames=np.arange(frames),
        times=np.arange(frames) / 25,
        confidence=np.ones((frames, 24), np.float32),
        camera_world_from_cam=np.eye(4),
    )
    (moved,), turned = on_level_floor([found], given, 25.0)
    assert turned.camera_world_from_cam is not None
    turn = turned.camera_world_from_cam[:3, :3]
    assert geodesic_degrees(turn, np.eye(3)) > 1.0
    np.testing.assert_allclose(matrix_from_axis_angle(moved.axis_angle[:, 0]), np.tile(turn, (frames, 1, 1)), atol=1e-9)
    seen = (turned.joints - turned.camera_world_from_cam[:3, 3]) @ turn
    np.testing.assert_allclose(seen, given.joints, atol=1e-5)
    np.testing.assert_allclose(moved.trans + 0.2, moved.joints[:, 0], atol=1e-9)


def test_contacts_become_places() -> None:
    ends = np.zeros((30, 13, 3))
    ends[:, CONTACT_POINTS, 2] = SOLES + 0.1
    contact = np.zeros((30, 4))
    contact[5:15, 1] = contact[20:, 1] = contact[:, 2] = 1
    np.testing.assert_allclose(standing_soles(ends, contact), [[0.0, 0.0, 0.1]] * 3, atol=1e-12)


def test_nobody_standing_is_no_reason_to_turn() -> None:
    assert len(standing_soles(np.zeros((10, 13, 3)), np.zeros((10, 4)))) == 0
