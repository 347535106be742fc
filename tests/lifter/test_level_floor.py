"""The floor from where people stood: its height on stairs and stools, and worlds that are a little askew."""

import numpy as np
import pytest
from reel2rig.lifter.ground import CONTACT_POINTS, SOLES
from reel2rig.lifter.level_floor import level_turn, on_level_floor, standing_height, standing_soles
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


FPS, EVERYTHING_STANDS = 30.0, np.ones((90, 4))


def ends_at(height: Array | float) -> Array:
    """Ends (90, 13, 3) of three seconds with all soles at ``height`` (90,) or always."""
    ends = np.zeros((90, 13, 3))
    ends[:, CONTACT_POINTS, 2] = np.broadcast_to(height, 90)[:, None] + SOLES
    return ends


def in_turn(*heights: float) -> tuple[Array, Array]:
    """Ends and contact of somebody who stands at one height after the other, a foot in the air in between."""
    parts = np.array_split(np.arange(90), len(heights))
    ends = ends_at(np.concatenate([np.full(len(part), height) for part, height in zip(parts, heights, strict=True)]))
    contact = EVERYTHING_STANDS.copy()
    contact[[part[-1] for part in parts]] = 0
    return ends, contact


def test_feet_in_contact_say_where_the_floor_is() -> None:
    assert standing_height(ends_at(0.07), EVERYTHING_STANDS, FPS) == pytest.approx(0.07)


def test_a_stool_is_not_the_floor_of_somebody_who_steps_down_from_it() -> None:
    assert standing_height(*in_turn(0.4, 0.02), FPS) == pytest.approx(0.02)


@pytest.mark.parametrize("rise", [0.17, -0.17])
def test_the_floor_of_stairs_is_the_lowest_step(rise: float) -> None:
    steps = 0.5 + rise * np.arange(9)
    assert standing_height(*in_turn(*steps), FPS) == pytest.approx(steps.min())


def test_a_short_while_on_a_lower_level_can_be_taken_for_a_mistake() -> None:
    ends, contact = in_turn(-0.2, 0.02, 0.02, 0.02)
    assert standing_height(ends, contact, FPS) == pytest.approx(-0.2)
    assert standing_height(ends, contact, FPS, of_most=0.5) == pytest.approx(0.02)


def test_a_foot_in_the_air_says_nothing_of_the_floor() -> None:
    ends, contact = ends_at(0.02), EVERYTHING_STANDS.copy()
    ends[:, CONTACT_POINTS[:2], 2] -= 0.5
    contact[:, :2] = 0
    assert standing_height(ends, contact, FPS) == pytest.approx(0.02)


def test_a_moment_far_below_is_a_mistake_and_no_floor() -> None:
    ends, contact = in_turn(0.02, -0.3, 0.02)
    contact[30:60] = 0
    contact[34:36, 0] = 1
    assert standing_height(ends, contact, FPS) == pytest.approx(0.02)


@pytest.mark.parametrize("frames", [0, 1])
def test_where_hardly_anybody_stands_the_floor_is_not_known(frames: int) -> None:
    contact = np.zeros((90, 4))
    contact[40 : 40 + frames] = 1
    assert np.isnan(standing_height(ends_at(0.0), contact, FPS))


def test_contacts_become_places() -> None:
    ends = np.zeros((30, 13, 3))
    ends[:, CONTACT_POINTS, 2] = SOLES + 0.1
    contact = np.zeros((30, 4))
    contact[5:15, 1] = contact[20:, 1] = contact[:, 2] = 1
    np.testing.assert_allclose(standing_soles(ends, contact), [[0.0, 0.0, 0.1]] * 3, atol=1e-12)


def test_nobody_standing_is_no_reason_to_turn() -> None:
    assert len(standing_soles(np.zeros((10, 13, 3)), np.zeros((10, 4)))) == 0
