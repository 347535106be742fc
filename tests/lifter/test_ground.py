"""The floor, worked by hand: feet that stand, jump, and are hidden."""

from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.fit.skeleton import rest_skeleton
from reel2rig.lifter.ground import CONTACT_POINTS, SOLES, floor_height, lowest_height, on_the_floor, support
from reel2rig.lifter.records import Fit, Joints3D
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.rotation import Array
from reel2rig.smpl_assets.skeleton import END, JOINT

COUNT = 90
SEEN = np.ones((COUNT, 24), np.float32)
FEET = list(CONTACT_POINTS)


def ends_at(height: Array | float) -> Array:
    """Ends (COUNT, 13, 3) of somebody whose soles are at ``height``: feet there, face 1.6 m above."""
    ends = np.zeros((COUNT, 13, 3))
    ends[..., 2] = 1.6
    ends[:, FEET, 2] = SOLES
    ends[..., 2] += np.broadcast_to(height, COUNT)[:, None]
    return ends


def joints_at(height: Array | float) -> Array:
    """Joints (COUNT, 24, 3) of the same: all at the height of the hips."""
    joints = np.zeros((COUNT, 24, 3))
    joints[..., 2] = 0.9 + np.broadcast_to(height, COUNT)[:, None]
    return joints


def person(height: Array | float) -> tuple[Fit, Joints3D]:
    ends, joints = ends_at(height), joints_at(height)
    found = Fit(
        axis_angle=np.zeros((COUNT, 24, 3)),
        trans=joints[:, 0] - 0.1,
        betas=np.zeros(10),
        joints=joints,
        ends=ends,
        joint_residual=np.zeros(COUNT),
        pixel_residual=np.full(COUNT, np.nan),
    )
    camera = np.eye(4)
    camera[:3, :3] = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
    camera[:3, 3] = [0.0, -5.0, 1.2]
    given = Joints3D(
        joints=joints.astype(np.float32),
        ends=ends.astype(np.float32),
        frame="world",
        track_id=np.full(COUNT, 3),
        frames=np.arange(COUNT),
        times=np.arange(COUNT) / 30,
        confidence=SEEN,
        camera_world_from_cam=camera,
    )
    return found, given


def jump() -> Array:
    """Height of the feet in metres: half a second in the air, 0.3 m high."""
    height = np.zeros(COUNT)
    t = np.arange(15) / 14
    height[40:55] = 0.3 * 4 * t * (1 - t)
    return height


def test_soles_are_those_of_the_open_body() -> None:
    np.testing.assert_allclose(rest_skeleton(open_body(), np.zeros(10)).soles(), SOLES, atol=0.0002)


def test_the_floor_is_where_feet_stand() -> None:
    assert floor_height(joints_at(0.4), ends_at(0.4), SEEN) == pytest.approx(0.4)


def test_the_floor_is_not_where_feet_fly() -> None:
    assert floor_height(joints_at(jump()), ends_at(jump()), SEEN) == pytest.approx(0.0, abs=0.01)


def test_the_floor_does_not_follow_a_few_frames_that_sink() -> None:
    height = np.zeros(COUNT)
    height[:5] = -0.5
    assert floor_height(joints_at(height), ends_at(height), SEEN) == pytest.approx(0.0, abs=0.01)


def test_the_standing_foot_counts() -> None:
    ends = ends_at(0.0)
    ends[:, [END["left_heel"], END["left_big_toe"]], 2] += 0.5
    assert floor_height(joints_at(0.0), ends, SEEN) == pytest.approx(0.0)


def test_hidden_feet_have_no_say() -> None:
    height, confidence = np.zeros(COUNT), SEEN.copy()
    height[:60] = -1.0
    confidence[:60, [JOINT["left_ankle"], JOINT["right_ankle"]]] = 0.0
    assert floor_height(joints_at(height), ends_at(height), confidence) == pytest.approx(0.0)


def test_nobodys_feet_seen_is_still_a_floor() -> None:
    assert floor_height(joints_at(0.2), ends_at(0.2), np.zeros((COUNT, 24))) == pytest.approx(0.2)


def test_in_a_handstand_hands_are_on_the_floor() -> None:
    ends = ends_at(1.8)
    ends[:, END["left_index_knuckle"], 2] = 0.02
    assert lowest_height(joints_at(0.0), ends) == pytest.approx(0.0)
    assert floor_height(joints_at(0.0), ends, SEEN) == pytest.approx(0.0)


def test_who_sits_with_raised_legs_is_on_the_floor_and_not_in_it() -> None:
    joints = joints_at(0.0)
    joints[:, JOINT["pelvis"], 2] = 0.1
    assert floor_height(joints, ends_at(0.3), SEEN) == pytest.approx(0.0)


def test_hands_beside_the_feet_say_nothing_else_than_feet() -> None:
    ends = ends_at(0.0)
    ends[:, END["left_index_knuckle"], 2] = 0.02
    assert lowest_height(joints_at(0.0), ends) == pytest.approx(0.0)


def test_between_feet_and_hands_nothing_jumps() -> None:
    """The hands go down by a centimetre a frame, to half a metre below the feet."""
    ends = ends_at(0.5)
    ends[:, END["left_index_knuckle"], 2] = np.maximum(0.9 - 0.01 * np.arange(COUNT), 0.02)
    lowest = lowest_height(joints_at(0.5), ends)
    assert lowest[[0, -1]] == pytest.approx([0.5, 0.0])
    assert np.abs(np.diff(lowest)).max() < 0.025


@pytest.mark.parametrize("height", [0.0, 0.25, -0.6])
def test_people_come_to_stand_on_the_floor(height: float) -> None:
    found, given = person(height)
    (moved,), _ = on_the_floor([found], given)
    assert np.abs(moved.ends[:, FEET, 2] - SOLES).max() < 0.01


def test_joints_ends_and_path_move_together() -> None:
    found, given = person(0.25 + 0.02 * np.sin(np.arange(COUNT) / 9))
    (moved,), _ = on_the_floor([found], given)
    shift = moved.trans - found.trans
    np.testing.assert_allclose(moved.joints - found.joints, np.broadcast_to(shift[:, None], found.joints.shape))
    np.testing.assert_allclose(moved.ends - found.ends, np.broadcast_to(shift[:, None], found.ends.shape))
    np.testing.assert_array_equal(moved.axis_angle, found.axis_angle)


def test_the_camera_moves_with_the_given_joints() -> None:
    found, given = person(0.25)
    _, moved = on_the_floor([found], given)
    assert given.camera_world_from_cam is not None
    assert moved.camera_world_from_cam is not None
    shift = moved.camera_world_from_cam[:3, 3] - given.camera_world_from_cam[:3, 3]
    np.testing.assert_allclose(shift, [0.0, 0.0, -0.25], atol=0.01)
    np.testing.assert_allclose(moved.joints - given.joints, np.broadcast_to(shift, given.joints.shape), atol=1e-6)
    np.testing.assert_allclose(moved.ends - given.ends, np.broadcast_to(shift, given.ends.shape), atol=1e-6)
    np.testing.assert_array_equal(moved.camera_world_from_cam[:3, :3], given.camera_world_from_cam[:3, :3])


def test_a_jump_keeps_its_height() -> None:
    found, given = person(0.25 + jump())
    (moved,), _ = on_the_floor([found], given)
    soles = (moved.ends[:, FEET, 2] - SOLES).min(axis=1)
    assert soles.max() == pytest.approx(0.3, abs=0.03)


def test_without_a_camera_everybody_moves_alike() -> None:
    found, given = person(0.25)
    (moved,), _ = on_the_floor([found], replace(given, camera_world_from_cam=None))
    np.testing.assert_allclose(moved.trans - found.trans, np.tile([0.0, 0.0, -0.25], (COUNT, 1)), atol=0.01)


def test_feet_that_stand_carry() -> None:
    carries = support(ends_at(0.0), SEEN, 30.0)
    assert carries[:, FEET].min() > 0.95
    assert np.delete(carries, FEET, axis=1).max() == 0, "only heels and toes can stand"


def test_a_foot_in_the_air_does_not_carry() -> None:
    carries = support(ends_at(jump()), SEEN, 30.0)
    assert carries[47, FEET].max() < 0.1, "at the top of the jump"
    assert carries[20, FEET].min() > 0.9, "well before it"


def test_a_lifted_foot_leaves_the_weight_to_the_other() -> None:
    ends = ends_at(0.0)
    left = [END["left_heel"], END["left_big_toe"]]
    ends[:, left, 2] += 0.2
    carries = support(ends, SEEN, 30.0)
    assert carries[:, left].max() < 0.01
    assert carries[:, [END["right_heel"], END["right_big_toe"]]].min() > 0.9


def test_a_foot_that_swings_past_does_not_carry() -> None:
    ends = ends_at(0.0)
    left = [END["left_heel"], END["left_big_toe"]]
    ends[:, left, 1] += 2.0 * np.arange(COUNT)[:, None] / 30
    assert support(ends, SEEN, 30.0)[:, left].max() < 0.01


def test_hidden_feet_do_not_carry() -> None:
    assert support(ends_at(0.0), np.zeros((COUNT, 24)), 30.0).max() == 0


def test_a_foot_that_has_sunk_into_the_floor_is_carried_even_when_it_moves() -> None:
    ends = ends_at(0.0)
    left = [END["left_heel"], END["left_big_toe"]]
    ends[:, left, 1] += 2.0 * np.arange(COUNT)[:, None] / 30
    ends[:, left, 2] -= 0.05
    assert support(ends, SEEN, 30.0)[:, left].min() > 0.9
