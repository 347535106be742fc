"""From points to rotations: parts that points determine are found, the others are as people usually have them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given as any_given
from hypothesis import settings
from hypothesis import strategies as st
from reel2rig.lifter.fit.closed_form import initial_movement, initial_rotations, settled
from reel2rig.lifter.fit.hinges import HINGES, hinge_bends
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton, local_from_global, pose_skeleton
from reel2rig.lifter.fit.twist_prior import Turn
from reel2rig.lifter.records import Joints3D
from reel2rig.smpl_assets.rotation import Array, geodesic_degrees, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import END_NAMES, JOINT, JOINT_NAMES, PARENTS, mirrored

FPS = 30.0
PARTS = {
    "pelvis": ("pelvis",),
    "spine": ("spine1", "spine2", "spine3"),
    "head": ("head",),
    "arms": ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    "hands": ("left_wrist", "right_wrist"),
    "thighs": ("left_hip", "right_hip"),
    "shins": ("left_knee", "right_knee"),
    "feet": ("left_ankle", "right_ankle"),
}
MIRROR = np.diag([-1.0, 1.0, 1.0])
Given = Callable[..., Joints3D]


def rows(*parts: str) -> list[int]:
    return [JOINT[name] for part in parts for name in PARTS[part]]


def found_turns(rest: RestSkeleton, seen: Joints3D) -> Array:
    return initial_rotations(rest, seen.joints.astype(float), seen.ends.astype(float), FPS)


def error(rest: RestSkeleton, local: Array, pose: Pose) -> Array:
    """Degrees (T, 24) by which rotations in the world are off."""
    found, truth = (pose_skeleton(rest, turns, pose.pelvis).rotations for turns in (local, pose.local))
    return geodesic_degrees(found, truth)


def by_part(rest: RestSkeleton, motions: dict[str, Pose], seen: Callable[[Pose], Joints3D]) -> dict[str, float]:
    """Mean error of each part in degrees over all clips."""
    off = np.concatenate([error(rest, found_turns(rest, seen(pose)), pose) for pose in motions.values()])
    return {part: float(off[:, rows(part)].mean()) for part in PARTS}


def without_ends(seen: Joints3D) -> Joints3D:
    seen.ends[:] = np.nan
    return seen


def posed(**turns: tuple[float, ...]) -> Pose:
    """One frame in the T-pose but for some joints' axis-angles in degrees, several one after the other."""
    local = np.tile(np.eye(3), (1, 24, 1, 1))
    for name, angles in turns.items():
        for turn in np.reshape(angles, (-1, 3)):
            local[0, JOINT[name]] = local[0, JOINT[name]] @ matrix_from_axis_angle(np.radians(turn))
    return Pose(local, np.zeros((1, 3)))


def test_exact_points(rest: RestSkeleton, motions: dict[str, Pose], given: Given) -> None:
    off = by_part(rest, motions, lambda pose: given(rest, pose))
    limits = {
        "pelvis": 0.1,
        "spine": 2.5,
        "head": 0.2,
        "arms": 2.5,
        "hands": 0.2,
        "thighs": 2.5,
        "shins": 2.5,
        "feet": 0.3,
    }
    assert {part: off[part] for part in off if off[part] > limits[part]} == {}


def test_points_that_are_20_mm_off(rest: RestSkeleton, motions: dict[str, Pose], given: Given) -> None:
    off = by_part(rest, motions, lambda pose: given(rest, pose, 20.0))
    limits = {"pelvis": 5, "spine": 5, "head": 5, "arms": 7, "hands": 13, "thighs": 5, "shins": 5, "feet": 8}
    assert {part: off[part] for part in off if off[part] > limits[part]} == {}


def test_joints_without_ends(rest: RestSkeleton, motions: dict[str, Pose], given: Given) -> None:
    """Swing alone leaves arms 15, hands 24 and heads 29 degrees off."""
    off = by_part(rest, motions, lambda pose: without_ends(given(rest, pose)))
    limits = {"pelvis": 0.1, "spine": 2.5, "head": 10, "arms": 6, "hands": 15, "thighs": 2.5, "shins": 2.5, "feet": 4}
    assert {part: off[part] for part in off if off[part] > limits[part]} == {}


def test_exact_points_are_hit(rest: RestSkeleton, motion: Pose, given: Given) -> None:
    seen = given(rest, motion)
    found = pose_skeleton(rest, found_turns(rest, seen), motion.pelvis)
    assert np.linalg.norm(found.joints - seen.joints, axis=-1).mean() < 0.0005
    assert np.linalg.norm(found.ends - seen.ends, axis=-1).mean() < 0.0006


@pytest.mark.parametrize("noise", [0.0, 20.0, 40.0])
def test_elbows_and_knees_never_bend_back(rest: RestSkeleton, motion: Pose, given: Given, noise: float) -> None:
    assert hinge_bends(rest, found_turns(rest, given(rest, motion, noise))).min() > -6


POSES = {
    "T-pose": posed(),
    "elbow bent, palm up": posed(left_elbow=(0, -80, 41, -35, 0, 0), left_wrist=(-35, 0, 0)),
    "hands on hips": posed(
        left_shoulder=(0, 0, -50), left_elbow=(0, -90, 46), right_shoulder=(0, 0, 50), right_elbow=(0, 90, -46)
    ),
    "cross-legged": posed(
        left_hip=(-80, 35, 30), right_hip=(-80, -35, -30), left_knee=(110, 0, 15), right_knee=(110, 0, -15)
    ),
    "looking over the shoulder": posed(neck=(0, 35, 0), head=(0, 35, 0), spine1=(0, 5, 0)),
    "on tiptoe": posed(left_ankle=(40, 0, 0), right_ankle=(40, 0, 0)),
    "head over heels": posed(pelvis=(180, 0, 0), left_knee=(50, 0, 7)),
}


@pytest.mark.parametrize("name", POSES)
def test_poses_worked_by_hand(rest: RestSkeleton, given: Given, name: str) -> None:
    pose = POSES[name]
    off = error(rest, found_turns(rest, given(rest, pose)), pose)[0]
    assert off[rows("pelvis", "head", "hands", "feet")].max() < 2
    assert off[rows("arms", "thighs", "shins")].max() < 8


@pytest.mark.parametrize("name", HINGES)
@pytest.mark.parametrize("degrees", [40, 90, 130])
def test_a_bent_hinge_alone_is_found_again(rest: RestSkeleton, given: Given, name: str, degrees: float) -> None:
    pose = posed(**{name: tuple(degrees * np.array(HINGES[name]) / np.linalg.norm(HINGES[name]))})
    found = hinge_bends(rest, found_turns(rest, given(rest, pose)))
    np.testing.assert_allclose(found, hinge_bends(rest, pose.local), atol=1.5)


@settings(max_examples=15, deadline=None)
@any_given(st.lists(st.floats(-np.pi, np.pi), min_size=3, max_size=3), st.booleans())
def test_a_turned_world_turns_the_pelvis_only(
    walk_points: tuple[RestSkeleton, Array, Array], angles: list[float], with_ends: bool
) -> None:
    rest, joints, ends = walk_points
    ends = ends if with_ends else np.full_like(ends, np.nan)
    turn = matrix_from_axis_angle(np.array(angles))
    local = initial_rotations(rest, joints, ends, FPS)
    turned = initial_rotations(rest, joints @ turn.T, ends @ turn.T, FPS)
    np.testing.assert_allclose(turned[:, 0], turn @ local[:, 0], atol=1e-5)
    np.testing.assert_allclose(turned[:, 1:], local[:, 1:], atol=1e-5)


@pytest.mark.parametrize("ends_known", [True, False], ids=["ends", "no ends"])
def test_a_mirrored_person_takes_the_mirrored_pose(rest: RestSkeleton, motion: Pose, ends_known: bool) -> None:
    truth = pose_skeleton(rest, motion.local, motion.pelvis)
    ends = truth.ends if ends_known else np.full_like(truth.ends, np.nan)
    joints, other_ends = truth.joints[:, mirrored(JOINT_NAMES)] @ MIRROR, ends[:, mirrored(END_NAMES)] @ MIRROR
    local = initial_rotations(rest, truth.joints, ends, FPS)
    found = initial_rotations(rest, joints, other_ends, FPS)
    assert geodesic_degrees(found, MIRROR @ local[:, mirrored(JOINT_NAMES)] @ MIRROR).max() < 1


@pytest.mark.parametrize("frames", [1, 2])
def test_a_frame_or_two_are_enough(rest: RestSkeleton, walk: Pose, given: Given, frames: int) -> None:
    short = Pose(walk.local[:frames], walk.pelvis[:frames])
    off = error(rest, found_turns(rest, given(rest, short)), short)
    assert off[:, rows("pelvis", "head", "hands", "feet")].max() < 1


def test_lost_frames_are_bridged(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    seen = given(rest, walk)
    seen.joints[20:24] = np.nan
    seen.ends[20:24] = np.nan
    seen.joints[40:44, JOINT["left_wrist"]] = np.nan
    off = error(rest, found_turns(rest, seen), walk)
    assert off[:, rows(*PARTS)].max() < 35
    assert off[:, rows(*PARTS)].mean() < 3


def test_a_joint_that_is_never_seen_leaves_the_others_as_they_are(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    seen = given(rest, walk)
    whole = found_turns(rest, seen)
    seen.joints[:, [JOINT["left_hand"], JOINT["right_hand"]]] = np.nan
    found = found_turns(rest, seen)
    assert np.isfinite(found).all()
    others = [joint for joint in range(24) if JOINT_NAMES[joint].split("_")[-1] not in ("elbow", "wrist", "hand")]
    assert geodesic_degrees(found[:, others], whole[:, others]).mean() < 2


def test_ends_that_come_and_go_do_not_make_parts_jump(rest: RestSkeleton, motion: Pose, given: Given) -> None:
    seen = given(rest, motion)
    seen.ends[20:35] = np.nan
    found = found_turns(rest, seen)
    ends = rows("head", "hands", "feet")
    fastest = geodesic_degrees(motion.local[1:], motion.local[:-1])[:, ends].max()
    assert geodesic_degrees(found[1:], found[:-1])[:, ends].max() < fastest + 8


def test_half_of_a_parts_ends_help(rest: RestSkeleton, motion: Pose, given: Given) -> None:
    """One knuckle, the nose alone, a heel without its toe: better than nothing."""
    some = given(rest, motion)
    some.ends[:, [END_NAMES.index(n) for n in END_NAMES if "pinky" in n or "eye" in n or "ear" in n or "toe" in n]] = (
        np.nan
    )
    none = without_ends(given(rest, motion))
    ends = rows("head", "hands", "feet")
    off = [error(rest, found_turns(rest, seen), motion)[:, ends].mean() for seen in (some, none)]
    assert off[0] < off[1]


def test_limbs_and_trunk_need_no_ends(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    seen, limbs = given(rest, walk), rows("pelvis", "spine", "thighs", "shins")
    whole = found_turns(rest, seen)
    np.testing.assert_allclose(found_turns(rest, without_ends(seen))[:, limbs], whole[:, limbs], atol=1e-9)


def test_doubted_joints_say_little_about_twist(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    seen = given(rest, walk)
    joints, ends = seen.joints.astype(float), seen.ends.astype(float)
    joints[10:14, JOINT["left_wrist"]] += [0.0, 0.0, 0.3]
    sure, doubt = np.ones((len(joints), 24)), np.ones((len(joints), 24))
    doubt[10:14, JOINT["left_wrist"]] = 0.0
    off = [error(rest, initial_rotations(rest, joints, ends, FPS, trust), walk) for trust in (sure, doubt)]
    shoulder = JOINT["left_shoulder"]
    assert off[1][10:14, shoulder].mean() < off[0][10:14, shoulder].mean()


def test_rotations_are_unit_quaternions(rest: RestSkeleton, motion: Pose, given: Given) -> None:
    seen = given(rest, motion, 20.0)
    found = initial_movement(rest, seen.joints, seen.ends, FPS)
    np.testing.assert_allclose(np.linalg.norm(found.quaternions, axis=0), 1.0, atol=1e-9)


def test_local_and_world_rotations_are_two_views_of_one_pose(rest: RestSkeleton, walk: Pose) -> None:
    world = pose_skeleton(rest, walk.local, walk.pelvis).rotations
    np.testing.assert_allclose(local_from_global(world), walk.local, atol=1e-9)
    np.testing.assert_allclose(world[:, 1:], world[:, list(PARENTS[1:])] @ walk.local[:, 1:], atol=1e-9)


USUAL = Turn(np.zeros((1, 2, 2)), spread=0.2, wander=0.5)
ASIDE = np.array([np.cos(0.3), np.sin(0.3)])


def differences(precision: Array, unsure: float = 0.0) -> Array:
    """Angles (T,) in radians that come out when 0.3 was found in all frames."""
    found = np.repeat(ASIDE[:, None], len(precision), axis=1)
    return np.arctan2(*settled(found, precision, USUAL, FPS, unsure)[::-1])


def test_nothing_known_is_the_usual_turn() -> None:
    np.testing.assert_allclose(differences(np.zeros(5)), 0)


def test_sure_frames_keep_what_was_found() -> None:
    np.testing.assert_allclose(differences(np.full(5, 1e6)), 0.3, atol=1e-3)


def test_a_gap_is_bridged_and_long_ones_go_back_to_what_is_usual() -> None:
    precision = np.full(200, 1e6)
    precision[20:180] = 0.0
    angle = differences(precision)
    assert angle[22] > 0.2  # a tenth of a second on
    assert angle[100] < 0.05
    np.testing.assert_allclose(angle, angle[::-1], atol=1e-9)
