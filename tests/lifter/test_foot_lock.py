"""Foot lock on figures made by hand: standing, jumping, on a stool, turning on a toe."""

import numpy as np
import pytest
from reel2rig.lifter.contact import contacts
from reel2rig.lifter.fit.skeleton import RestSkeleton, pose_skeleton, rest_skeleton
from reel2rig.lifter.foot_lock import faded, lock_feet, standing_places
from reel2rig.lifter.ground import CONTACT_POINTS, SOLES
from reel2rig.smpl_assets.body import forward, open_body
from reel2rig.smpl_assets.rotation import Array, axis_angle_from_matrix, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS, mirrored

FPS = 30.0
FRAMES = 90
Z_UP_FROM_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
FLIP = np.diag([-1.0, 1.0, 1.0])
TIME = np.arange(FRAMES) / FPS


@pytest.fixture(scope="module")
def rest() -> RestSkeleton:
    """A skeleton that is the same left and right."""
    found = rest_skeleton(open_body(), np.array(dict(open_body().presets)["neutral"], float))
    counterparts = list(mirrored(JOINT_NAMES))
    found.joints[:] = (found.joints + found.joints[counterparts] @ FLIP) / 2
    return found


def standing(rest: RestSkeleton, frames: int = FRAMES) -> tuple[Array, Array]:
    """Local rotations and pelvis path of somebody who stands on the floor with slightly bent knees, facing -Y."""
    turns = np.zeros((frames, 24, 3))
    for side in ("left", "right"):
        for joint, bend in (("hip", -0.2), ("knee", 0.4), ("ankle", -0.2)):
            turns[:, JOINT[f"{side}_{joint}"], 0] = bend
    local = matrix_from_axis_angle(turns)
    local[:, 0] = Z_UP_FROM_Y_UP
    feet = pose_skeleton(rest, local, np.zeros((frames, 3))).ends[:, CONTACT_POINTS, 2]
    return local, np.tile([0.0, 0.0, -(feet - SOLES).min()], (frames, 1))


def feet_of(rest: RestSkeleton, motion: tuple[Array, Array]) -> Array:
    return pose_skeleton(rest, *motion).ends[:, CONTACT_POINTS]


def wobble(size: float) -> Array:
    """A path (FRAMES, 3) m around nothing, as one camera makes of a person who stands."""
    return size * np.stack([np.sin(5 * TIME), np.cos(7 * TIME), 0.2 * np.sin(3 * TIME)], axis=1)


ALL = np.ones((FRAMES, 4), np.float32)


def test_feet_that_stand_stay_in_one_place(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    locked = feet_of(rest, lock_feet(rest, local, pelvis + wobble(0.04), ALL, FPS))
    assert np.ptp(locked, axis=0).max() < 0.001, "8 cm before"
    np.testing.assert_allclose(locked[..., 2] - SOLES, 0.0, atol=0.01)


@pytest.mark.parametrize("person", ["male", "female", "tall", "short"])
def test_soles_are_on_the_floor_whoever_it_is(person: str) -> None:
    body, betas = open_body(), np.array(dict(open_body().presets)[person], float)
    rest = rest_skeleton(body, betas)
    local, pelvis = lock_feet(rest, *standing(rest), ALL, FPS)
    poses = axis_angle_from_matrix(local[:1]).reshape(1, 72)
    vertices, _ = forward(body, poses, pelvis[:1] - rest.joints[0], betas)
    assert vertices[..., 2].min() == pytest.approx(0.0, abs=0.003)


def test_the_root_moves_first(rest: RestSkeleton) -> None:
    """What both feet agree on is the root's: the pose itself hardly changes."""
    local, pelvis = standing(rest)
    sway = wobble(0.04) * [1, 1, 0]
    bent, path = lock_feet(rest, local, pelvis + sway, ALL, FPS)
    assert np.std(path - pelvis, axis=0).max() < 0.3 * np.std(sway, axis=0).max()
    assert np.abs(bent - local).max() < 0.05


@pytest.mark.parametrize("contact", [ALL, 0 * ALL])
def test_strength_zero_and_no_contact_change_nothing_at_all(rest: RestSkeleton, contact: np.ndarray) -> None:
    local, pelvis = standing(rest)
    strength = 0.0 if contact.any() else 1.0
    same, path = lock_feet(rest, local, pelvis, contact, FPS, strength)
    assert same is local
    assert path is pelvis


def test_half_the_strength_goes_about_half_the_way(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    whole = np.ptp(feet_of(rest, (local, pelvis + wobble(0.04)))[..., :2], axis=0).max()
    half = feet_of(rest, lock_feet(rest, local, pelvis + wobble(0.04), ALL, FPS, 0.5))
    assert 0.2 * whole < np.ptp(half[..., :2], axis=0).max() < 0.8 * whole


def test_a_jump_keeps_its_height(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    height = np.maximum(0.4 - 0.5 * 9.81 * (TIME - 1.5) ** 2, 0.0)
    noisy = pelvis + wobble(0.02)
    noisy[:, 2] += height
    contact = contacts(pose_skeleton(rest, local, noisy).ends, FPS)
    assert not contact[height > 0.1].any()
    _, path = lock_feet(rest, local, noisy, contact, FPS)
    jumped = path[:, 2].max() - np.median(path[height == 0, 2])
    assert jumped == pytest.approx(0.4, rel=0.03)


def test_a_touch_of_the_floor_does_not_lift_a_whole_run(rest: RestSkeleton) -> None:
    """A toe touches down for a tenth of a second, and sinks by a centimetre a frame meanwhile."""
    local, pelvis = standing(rest)
    run = pelvis[:31].copy()
    run[:, 2] += np.interp(np.arange(31), [20, 24], [0.03, -0.01])
    contact = np.zeros((31, 4), np.float32)
    contact[21:24, 1] = 1
    _, path = lock_feet(rest, local[:31], run, contact, FPS)
    assert np.abs(path - run)[:, 2].max() < 0.03


def test_a_stool_is_not_pulled_to_the_floor(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    locked = feet_of(rest, lock_feet(rest, local, pelvis + wobble(0.02) + np.array([0.0, 0.0, 0.4]), ALL, FPS))
    np.testing.assert_allclose(locked[..., 2] - SOLES, 0.4, atol=0.02)


def test_a_step_below_the_floor_stays_there(rest: RestSkeleton) -> None:
    """Of stairs, the floor may be another step."""
    local, pelvis = standing(rest)
    locked = feet_of(rest, lock_feet(rest, local, pelvis + wobble(0.02) - np.array([0.0, 0.0, 0.17]), ALL, FPS))
    np.testing.assert_allclose(locked[..., 2] - SOLES, -0.17, atol=0.02)


def test_a_foot_turns_about_its_toe(rest: RestSkeleton) -> None:
    """The body turns by 60 degrees about the left toe, which wanders while it should not."""
    local, pelvis = standing(rest)
    toe = feet_of(rest, (local, pelvis))[0, 1]
    angle = np.radians(60) * np.clip(TIME / 2, 0, 1)
    turn = matrix_from_axis_angle(angle[:, None] * np.array([0.0, 0.0, 1.0]))
    local[:, 0] = turn @ local[:, 0]
    turned = (turn @ (pelvis - toe)[..., None])[..., 0] + toe + wobble(0.03)
    contact = np.tile(np.array([0, 1, 0, 0], np.float32), (FRAMES, 1))
    feet = feet_of(rest, lock_feet(rest, local, turned, contact, FPS))
    assert np.ptp(feet[:, 1], axis=0).max() < 0.002
    assert np.linalg.norm(feet[-1, 0] - feet[0, 0]) > 0.15, "the heel goes round"


def test_nothing_pops_where_a_contact_begins_and_ends(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    contact = ALL.copy()
    contact[30:60] = 0
    path = pelvis + wobble(0.03) + np.outer(np.clip(TIME - 1, 0, 1), [0.0, -0.3, 0.0])
    locked = feet_of(rest, lock_feet(rest, local, path, contact, FPS))
    bends = np.linalg.norm(np.diff(locked, 2, axis=0), axis=-1)
    assert bends.max() < 0.015, "metres a frame a frame; to leave at 0.3 m/s is 0.01 by itself"


def test_feet_do_not_sink_in(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    contact = ALL.copy()
    contact[:, 2:] = 0
    local[:, JOINT["right_ankle"]] = matrix_from_axis_angle(np.array([0.5, 0.0, 0.0]))
    assert (feet_of(rest, (local, pelvis))[:, 3, 2]).min() < -0.03, "the toes point down into the floor"
    feet = feet_of(rest, lock_feet(rest, local, pelvis, contact, FPS))
    assert (feet[..., 2] - SOLES).min() > -0.003


def test_out_of_reach_the_root_comes_and_bones_keep_their_lengths(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    far = pelvis + np.array([0.0, 0.0, 1.0]) * np.clip(TIME - 1, 0, 0.1)[:, None]
    posed = pose_skeleton(rest, *lock_feet(rest, local, far, ALL, FPS))
    lengths = np.linalg.norm(posed.joints[:, 1:] - posed.joints[:, PARENTS[1:]], axis=-1)
    assert np.ptp(lengths, axis=0).max() < 1e-9
    assert np.ptp(posed.ends[:, CONTACT_POINTS], axis=0).max() < 0.003


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_clips(rest: RestSkeleton, frames: int) -> None:
    local, pelvis = standing(rest, frames)
    locked, path = lock_feet(rest, local, pelvis, ALL[:frames], FPS)
    np.testing.assert_allclose(locked, local, atol=0.15)
    np.testing.assert_allclose(path, pelvis, atol=0.02)


def test_the_world_may_be_turned_and_shifted(rest: RestSkeleton) -> None:
    local, pelvis = standing(rest)
    path = pelvis + wobble(0.04)
    turn, shift = matrix_from_axis_angle(np.array([0.0, 0.0, 2.0])), np.array([3.0, -1.0, 0.0])
    turned = local.copy()
    turned[:, 0] = turn @ local[:, 0]
    here, there = lock_feet(rest, local, path, ALL, FPS), lock_feet(rest, turned, path @ turn.T + shift, ALL, FPS)
    np.testing.assert_allclose(there[1], here[1] @ turn.T + shift, atol=1e-9)
    np.testing.assert_allclose(there[0][:, 1:], here[0][:, 1:], atol=1e-5)


def test_contacts_that_follow_closely_go_over_into_each_other() -> None:
    standing_mask = np.zeros((60, 4), bool)
    standing_mask[10:20, 0] = standing_mask[22:40, 0] = True
    offsets = np.zeros((60, 4, 3))
    offsets[:21], offsets[21:] = 0.1, 0.2
    moves, claims = faded(offsets, standing_mask, FPS)
    assert (np.diff(moves[19:23, 0, 0]) > 0).all()
    assert (claims[10:40, 0] == 1).all()
    assert moves[0, 0, 0] == 0
    assert 0 < moves[8, 0, 0] < 0.1
    assert not moves[:, 1:].any()


def test_each_contact_has_one_place_and_what_is_nearly_on_the_floor_is_on_it() -> None:
    feet = np.zeros((60, 4, 3))
    feet[..., 0] = np.arange(60)[:, None] / 1000
    feet[..., 2] = SOLES + np.array([0.02, -0.02, 0.2, 0.02])
    places = standing_places(feet, np.ones((60, 4), bool), SOLES, floor=1.0)
    np.testing.assert_allclose(places[..., 0], 0.0295, atol=1e-9)
    np.testing.assert_allclose(places[0, :, 2] - SOLES, [0.0, 0.0, 0.2, 0.0], atol=1e-9)
    np.testing.assert_allclose(standing_places(feet, np.ones((60, 4), bool), SOLES, floor=0.0)[..., 2], feet[..., 2])
