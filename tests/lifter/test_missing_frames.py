"""Frames in which nobody saw the person: turned through evenly, marked, and told."""

from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.fit import fit
from reel2rig.lifter.missing_frames import bridged, evenly_spaced, filled, held, told_gaps, without_strays
from reel2rig.lifter.records import Fit, Joints3D
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.rotation import axis_angle_from_matrix, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT

FPS = 10.0
ELBOW = JOINT["left_elbow"]


def bending(frames: list[int]) -> tuple[Fit, Joints3D]:
    """Somebody who walks along x at 1 m/s and bends an elbow by 1 radian a second, seen in ``frames`` only."""
    times = np.array(frames) / FPS
    turns = np.zeros((len(frames), 24, 3))
    turns[:, ELBOW, 1] = -times
    nowhere = np.zeros((len(frames), 24, 3))
    nowhere[..., 0] = times[:, None]
    found = Fit(
        axis_angle=turns, trans=nowhere[:, 0], betas=np.zeros(10), joints=nowhere, ends=nowhere[:, :13],
        joint_residual=np.full(len(frames), 0.01), pixel_residual=np.full(len(frames), 3.0),
    )  # fmt: skip
    return found, Joints3D(
        joints=nowhere.astype(np.float32), ends=nowhere[:, :13].astype(np.float32), frame="world",
        track_id=np.full(len(frames), 3), frames=np.array(frames) * 2, times=times,
        confidence=np.full((len(frames), 24), 0.8, np.float32),
    )  # fmt: skip


def elbow(found: Fit) -> np.ndarray:
    turn = axis_angle_from_matrix(matrix_from_axis_angle(found.axis_angle))
    return -turn[:, ELBOW, 1]


def test_what_was_seen_in_every_frame_is_left_alone() -> None:
    found, joints = bending([0, 1, 2, 3])
    assert filled(found, joints, open_body(), FPS) == (found, joints)


@pytest.mark.parametrize("frames", [[0, 1, 2, 5, 6], [0, 1, 25, 26]], ids=["short gap", "long gap"])
def test_absent_frames_are_turned_through_evenly_and_marked(frames: list[int]) -> None:
    found, joints = filled(*bending(frames), open_body(), FPS)
    every = np.arange(frames[-1] + 1)
    np.testing.assert_allclose(elbow(found), every / FPS, atol=1e-6)
    np.testing.assert_allclose(found.trans[:, 0], every / FPS, atol=1e-6)
    np.testing.assert_allclose(joints.times, every / FPS, atol=1e-6)
    assert joints.frames.tolist() == (2 * every).tolist()
    unseen = ~np.isin(every, frames)
    assert (joints.confidence[unseen] == 0).all()
    assert (joints.confidence[~unseen] > 0).all()
    assert (np.isnan(found.joint_residual) == unseen).all()
    assert set(joints.track_id.tolist()) == {3}


def test_the_joints_of_filled_frames_are_those_of_the_pose() -> None:
    found, joints = filled(*bending([0, 4]), open_body(), FPS)
    bones = np.linalg.norm(found.joints[:, ELBOW] - found.joints[:, JOINT["left_shoulder"]], axis=-1)
    np.testing.assert_allclose(bones, bones[0], atol=1e-9)
    np.testing.assert_allclose(joints.joints[1:4], found.joints[1:4], atol=1e-6)


def test_a_guess_in_a_frame_that_nobody_saw_is_replaced() -> None:
    found, joints = bending([0, 1, 2, 3, 4])
    joints.confidence[2] = 0
    found.axis_angle[2, ELBOW] = [0.0, 2.0, 0.0]
    np.testing.assert_allclose(elbow(filled(found, joints, open_body(), FPS)[0])[2], 0.2, atol=1e-6)


def test_frames_before_the_first_and_after_the_last_sight_are_left_out() -> None:
    found, joints = bending([0, 1, 2, 3, 4])
    joints.confidence[[0, 4]] = 0
    found, joints = filled(found, joints, open_body(), FPS)
    assert joints.frames.tolist() == [2, 4, 6]


def test_whoever_is_held_keeps_still_in_the_frames_of_before_and_after() -> None:
    found, joints = bending([2, 3, 4])
    times = np.array([0.0, 0.12, 0.2, 0.3, 0.4, 0.7])  # not quite even, and one frame is absent
    found, joints = held(found, joints, np.array([0, 2, 4, 6, 8, 14]), times, FPS)
    assert joints.frames.tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    np.testing.assert_allclose(joints.times, [0.0, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    np.testing.assert_allclose(elbow(found), [0.2, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4])
    np.testing.assert_allclose(found.trans[:, 0], elbow(found))
    seen = [False, False, True, True, True, False, False, False]
    assert (joints.confidence.max(axis=1) > 0).tolist() == seen
    assert np.isfinite(found.pixel_residual).tolist() == seen
    assert set(joints.track_id.tolist()) == {3}


def test_nobody_is_held_who_was_seen_in_all_frames() -> None:
    found, joints = bending([2, 3, 4])
    assert held(found, joints, joints.frames, joints.times, FPS) == (found, joints)


def test_a_long_time_held_is_told_as_such() -> None:
    _, joints = held(*bending([0, 1]), np.array([0, 40]), np.array([0.0, 2.0]), FPS)
    (told,) = told_gaps("Anna", joints.times, joints.confidence)
    assert "from 0.2 s for 1.9 s: they keep still" in told


def test_long_gaps_are_told_with_their_time() -> None:
    _, joints = filled(*bending([0, 1, 2, 5, 6, 30, 31]), open_body(), FPS)
    first, second = told_gaps("Anna", joints.times, joints.confidence)
    assert first.startswith("Anna is out of sight from 0.7 s for 2.3 s")
    assert second.startswith("Anna: 2 frames")
    assert told_gaps("Anna", joints.times[:3], joints.confidence[:3]) == []


def test_frames_left_out_at_the_ends_are_told() -> None:
    _, joints = bending([0, 1, 2, 3, 4, 5])
    seen = joints.select(np.arange(2, 5))
    (told,) = told_gaps("Anna", seen.times, seen.confidence, joints.times)
    assert told.startswith("Anna is seen from 0.2 s to 0.4 s only")
    assert told_gaps("Anna", joints.times, joints.confidence, joints.times) == []


def test_joints_that_are_not_known_are_bridged_without_trust() -> None:
    _, joints = bending([0, 1, 2, 3])
    joints.joints[1:3, ELBOW] = np.nan
    found = bridged(joints)
    np.testing.assert_allclose(found.joints[:, ELBOW, 0], joints.times, atol=1e-6)
    assert found.confidence[:, ELBOW].tolist() == pytest.approx([0.8, 0, 0, 0.8])
    assert (np.delete(found.confidence, ELBOW, axis=1) > 0).all()


def test_a_joint_that_is_not_known_comes_along_with_the_pelvis() -> None:
    _, joints = bending([0, 1, 2, 3])
    joints.joints[..., 0] = np.square([0.0, 1.0, 2.0, 3.0])[:, None]  # faster and faster
    joints.joints[:, ELBOW, 2] = [1.0, 1.1, 1.2, 1.3]  # and up
    expected = joints.joints.copy()
    joints.joints[1:3, ELBOW] = np.nan
    np.testing.assert_allclose(bridged(joints).joints, expected, atol=1e-6)


@pytest.mark.parametrize("frames", [[0], [20], [20, 21], [39]])
def test_whoever_is_somewhere_else_for_a_moment_is_not_known_there(frames: list[int]) -> None:
    _, joints = bending(list(range(40)))
    joints.joints[frames] += np.array([0.0, 0.0, 5.0], np.float32)
    found = without_strays(joints)
    assert np.flatnonzero(np.isnan(found.joints).all(axis=(1, 2))).tolist() == frames
    assert np.flatnonzero(np.isnan(found.ends).all(axis=(1, 2))).tolist() == frames
    if frames[0] > 0:  # nothing is known before the first
        np.testing.assert_allclose(bridged(found).joints[..., 2], 0.0, atol=1e-6)


def test_points_out_of_reach_are_not_known() -> None:
    _, joints = bending([0, 1, 2])
    joints.joints[1, ELBOW] += 1e30
    assert np.argwhere(np.isnan(without_strays(joints).joints).any(axis=-1)).tolist() == [[1, ELBOW]]


@pytest.mark.parametrize("count", [1, 2, 4, 40])
def test_people_who_run_turn_and_are_cut_keep_their_places(count: int) -> None:
    _, joints = bending(list(range(count)))
    joints.joints[..., 1] = (0.5 * np.abs(np.arange(count) - count // 3))[:, None]  # 5 m/s, there and back
    joints.joints[count // 2 :] += np.array([20.0, 0.0, 0.0], np.float32)  # another take
    np.testing.assert_array_equal(without_strays(joints).joints, joints.joints)


def test_rows_left_out_are_rows_of_unknown_joints() -> None:
    _, joints = bending([0, 1, 2, 5, 6])
    found = evenly_spaced(joints)
    assert found.frames.tolist() == [0, 2, 4, 6, 8, 10, 12]
    np.testing.assert_allclose(found.times, np.arange(7) / FPS)
    assert np.isnan(found.joints[3:5]).all()
    assert np.isnan(found.ends[3:5]).all()
    assert (found.confidence[3:5] == 0).all()
    np.testing.assert_array_equal(found.joints[[0, 1, 2, 5, 6]], joints.joints)
    np.testing.assert_allclose(bridged(found).joints[:, ELBOW, 0], found.times, atol=1e-6)


def test_gaps_longer_than_a_second_stay_gaps() -> None:
    _, joints = bending([0, 1, 2, 13, 14, 24])  # 1.1 s, then 1 s
    assert (evenly_spaced(joints).frames // 2).tolist() == [0, 1, 2, *range(13, 25)]


def test_rows_that_are_even_but_for_rounded_times_stay_as_they_are() -> None:
    _, joints = bending(list(range(100)))
    joints = replace(joints, times=np.round(np.arange(100) / 29.97, 3))
    for key, value in vars(evenly_spaced(joints)).items():
        np.testing.assert_array_equal(value, getattr(joints, key), err_msg=key)


def test_of_two_rows_within_a_frame_the_first_stays() -> None:
    _, joints = bending([0, 1, 2, 3, 4, 5])
    joints = replace(joints, times=np.array([0.0, 0.1, 0.12, 0.2, 0.3, 0.4]))
    assert (evenly_spaced(joints).frames // 2).tolist() == [0, 1, 3, 4, 5]


def test_joints_that_are_never_known_are_named() -> None:
    _, joints = bending([0, 1])
    joints.joints[:, [JOINT["spine2"], ELBOW]] = np.nan
    with pytest.raises(InputError, match="spine2, left_elbow"):
        bridged(joints)


def test_hands_that_are_never_known_go_on_where_the_forearms_point() -> None:
    _, joints = bending([0, 1, 2])
    joints.joints[:, JOINT["left_wrist"]] = joints.joints[:, ELBOW] + np.array([0.3, 0.0, 0.0], np.float32)
    joints.joints[:, [JOINT["left_hand"], JOINT["right_hand"]]] = np.nan
    joints.joints[1, ELBOW] = np.nan
    found = bridged(joints)
    hand = found.joints[:, JOINT["left_hand"]] - found.joints[:, JOINT["left_wrist"]]
    np.testing.assert_allclose(hand, np.tile([0.108, 0.0, 0.0], (3, 1)), atol=1e-3)
    assert (found.confidence[:, JOINT["left_hand"]] == 0).all()


def test_motion_on_two_sides_of_a_long_gap_does_not_mix() -> None:
    rest = open_body().rest_joints(np.zeros(10))
    upright = np.stack([rest[:, 0], -rest[:, 2], rest[:, 1]], axis=-1)
    _, joints = bending([0, 1, 2, 3, 30, 31, 32, 33])
    turned = upright @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    joints = replace(
        joints,
        joints=np.stack([upright] * 4 + [turned + np.array([5.0, 0, 0])] * 4).astype(np.float32),
        ends=np.full((8, 13, 3), np.nan, np.float32),
    )
    found = fit(joints, open_body(), fps=FPS)
    np.testing.assert_allclose(found.joints[:4], np.broadcast_to(found.joints[:1], (4, 24, 3)), atol=1e-3)
    np.testing.assert_allclose(found.joints[4:], np.broadcast_to(found.joints[4:5], (4, 24, 3)), atol=1e-3)
