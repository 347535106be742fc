"""A retargeted character points its limbs where the capture does, walks as far as its legs are long, and stands still
when the capture stands."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Euler, Vector
from reel2rig.addon.bone_map import BoneMap
from reel2rig.addon.bone_map_guess import guess_bone_map
from reel2rig.addon.character import import_motions
from reel2rig.addon.retarget import RetargetOptions
from reel2rig.addon.retarget_characters import RetargetReport, retarget_characters
from reel2rig.addon.retarget_keying import ORDERS, euler_angles
from reel2rig.addon.retarget_rest import end_of
from reel2rig.addon.retarget_rig import _keyed, _played, read_capture, read_tree
from reel2rig.benchmarks.example_characters import EXAMPLES, Character, build_example, one_spine
from reel2rig.benchmarks.example_motions import pack_motion
from reel2rig.lifter.errors import CaptureError, InputError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle, matrix_from_quaternion
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES

MOMENTS = (1, 14, 40)
LONG_SHINS = {"left_knee": 1.3, "right_knee": 1.3}
Capture = Callable[[Motion], Any]


@pytest.fixture
def captured(scene: Any, tmp_path: Path, body: Body) -> Capture:
    """A function that imports a motion; returns its armature."""

    def make(motion: Motion) -> Any:
        write_motion(tmp_path / "capture.npz", motion)
        return import_motions(scene, [tmp_path / "capture.npz"], body)[0].rig

    return make


def character(scene: Any, example: Character | str, skin: bool = False) -> Any:
    example = EXAMPLES[example] if isinstance(example, str) else example
    return build_example(example, "character", scene.collection, skin)


def moved(scene: Any, source: Any, rig: Any, **options: Any) -> tuple[BoneMap, RetargetReport]:
    bone_map = guess_bone_map(read_tree(rig))
    return bone_map, retarget_characters(scene, source, [(rig, bone_map)], RetargetOptions(**options))[0]


def heads(scene: Any, rig: Any, names: list[str], frame: int) -> np.ndarray:
    """World positions (N, 3) of bones' heads at ``frame``."""
    scene.frame_set(frame)
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([posed.matrix_world @ posed.pose.bones[name].head for name in names])


def turned(scene: Any, rig: Any, name: str, frame: int) -> np.ndarray:
    """How a bone is turned from rest in the world (3, 3) at ``frame``."""
    scene.frame_set(frame)
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    now, rest = posed.pose.bones[name].matrix.to_quaternion(), rig.data.bones[name].matrix_local.to_quaternion()
    return matrix_from_quaternion(np.array(now @ rest.inverted()))


def angle(first: np.ndarray, second: np.ndarray) -> float:
    """Degrees between two directions."""
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second)))


def direction_errors(scene: Any, source: Any, rig: Any, joints: dict[str, str]) -> dict[str, float]:
    """Largest angle in degrees between each bone and the capture's at a few moments."""
    found: dict[str, float] = {}
    for frame in MOMENTS:
        theirs: dict[str, np.ndarray] = dict(
            zip(JOINT_NAMES, heads(scene, source, list(JOINT_NAMES), frame), strict=True)
        )
        own = dict(zip(joints, heads(scene, rig, list(joints.values()), frame), strict=True))
        for joint in joints:
            end = end_of(joint, joints)
            if end:
                error = angle(own[end] - own[joint], theirs[end] - theirs[joint])
                found[joint] = max(found.get(joint, 0.0), error)
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_bone_points_where_the_captures_does(scene: Any, motion: Motion, captured: Capture, name: str) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, name, skin=True)
    bone_map, report = moved(scene, source, rig)
    errors = direction_errors(scene, source, rig, bone_map.joints)
    assert len(errors) >= 14
    assert max(errors.values()) < 0.5, errors
    assert report.ratio == pytest.approx(1.0, abs=1e-3)
    assert report.warnings == ()
    for frame in MOMENTS:
        shift = heads(scene, rig, [bone_map.joints["pelvis"]], frame) - heads(scene, source, ["pelvis"], frame)
        np.testing.assert_allclose(shift[0], EXAMPLES[name].place, atol=2e-3)


@pytest.mark.parametrize("name", ["mixamo", "unreal_4", "vrm"])
def test_with_bones_missing_the_others_still_point_the_right_way(
    scene: Any, motion: Motion, captured: Capture, name: str
) -> None:
    source = captured(replace(motion, betas=np.zeros(10, np.float32)))
    rig = character(scene, one_spine(EXAMPLES[name]))
    bone_map, _ = moved(scene, source, rig)
    assert not {"left_collar", "left_foot"} & set(bone_map.joints)
    errors = direction_errors(scene, source, rig, bone_map.joints)
    assert max(errors.values()) < 0.5, errors


def test_a_missing_elbow_leaves_the_hand_where_the_arm_points(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, "unity")
    full = guess_bone_map(read_tree(rig))
    joints = {joint: bone for joint, bone in full.joints.items() if joint != "left_elbow"}
    retarget_characters(scene, source, [(rig, replace(full, joints=joints))])
    errors = direction_errors(scene, source, rig, joints)
    assert max(errors.values()) < 0.5, errors


def test_rolls_and_rest_poses_of_a_character_do_not_matter(scene: Any, motion: Motion, captured: Capture) -> None:
    """A T-pose and an A-pose of one character, differently rolled, deform alike: bones turn alike in the world."""
    source = captured(motion)
    straight, rig = character(scene, "unreal_4"), character(scene, replace(EXAMPLES["unreal_4"], pose="T"))
    for each in (straight, rig):
        moved(scene, source, each)
    for bone in ("spine_02", "head", "thigh_l", "foot_r", "ball_l"):  # these rest alike in both
        np.testing.assert_allclose(turned(scene, straight, bone, 14), turned(scene, rig, bone, 14), atol=2e-3)


def test_feet_without_toes_keep_their_soles_flat_whatever_the_shins_do_at_rest(
    scene: Any, motion: Motion, captured: Capture
) -> None:
    source = captured(replace(motion, betas=np.zeros(10, np.float32)))
    rig = character(scene, one_spine(EXAMPLES["makehuman_game_engine"]))  # its knees are bent at rest
    moved(scene, source, rig, feet=False)
    np.testing.assert_allclose(turned(scene, rig, "foot_l", 14), turned(scene, source, "left_ankle", 14), atol=5e-3)


def test_hands_point_to_their_knuckles_and_not_to_the_thumb(scene: Any, motion: Motion, captured: Capture) -> None:
    """A hand with bones inside the palm and a thumb that stands off, straight on from its forearm at rest."""
    source = captured(_one_pose(motion, {"left_wrist": [0.0, 0.0, 0.5]}))
    rig = character(scene, replace(EXAMPLES["unreal_4"], pose="T", scale=1.0, loose=False))
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = rig.data.edit_bones
    wrist = bones["hand_l"].head.copy()
    for number, finger in enumerate(("index", "middle", "ring", "pinky")):
        bones[f"{finger}_01_l"].head = wrist + Vector((0.02, 0.008 * (1.5 - number), 0.0))
        bones[f"{finger}_02_l"].head = wrist + Vector((0.09, 0.02 * (1.5 - number), 0.0))
    bones["thumb_01_l"].head, bones["thumb_02_l"].head = (
        wrist + Vector((0.02, -0.03, 0.0)),
        wrist + Vector((0.05, -0.08, 0.0)),
    )
    bpy.ops.object.mode_set(mode="OBJECT")
    moved(scene, source, rig)
    np.testing.assert_allclose(turned(scene, rig, "hand_l", 1), turned(scene, source, "left_wrist", 1), atol=0.02)


def test_travel_and_hips_are_scaled_by_the_length_of_the_legs(scene: Any, captured: Capture) -> None:
    source, rig = captured(pack_motion("cmu_06_01")), character(scene, replace(EXAMPLES["mixamo"], size=1.5), skin=True)
    bone_map, report = moved(scene, source, rig)
    assert report.ratio == pytest.approx(1.5, abs=1e-3)
    for frame in (1, 60, 118):
        theirs, own = heads(scene, source, ["pelvis"], frame), heads(scene, rig, [bone_map.joints["pelvis"]], frame)
        np.testing.assert_allclose(own, 1.5 * theirs, atol=5e-3)


def soles(scene: Any, rig: Any, feet: list[tuple[str, str]], frames: range) -> np.ndarray:
    """Heels and balls (T, 4, 3): what lies on the floor at rest under ankle and toe joints."""
    places = []
    for frame in frames:
        row = []
        for ankle, toe in feet:
            for bone in (ankle, toe):
                at_rest = np.array(rig.matrix_world @ rig.data.bones[bone].head_local) * [1, 1, 0]
                world = np.array(rig.matrix_world @ rig.data.bones[bone].head_local)
                head = heads(scene, rig, [bone], frame)[0]
                place = np.array(rig.matrix_world.to_3x3().normalized())
                row.append(head + place @ turned(scene, rig, bone, frame) @ place.T @ (at_rest - world))
        places.append(row)
    return np.array(places)


@pytest.mark.parametrize(
    "change",
    [
        {"stretched": LONG_SHINS},
        {"stretched": {"left_hip": 0.7, "right_hip": 0.7}},
        {"stretched": {"pelvis": 1.8}},
        {"size": 1.5},
        {"size": 0.6, "stretched": {"left_hip": 0.8, "right_hip": 0.8}},
        {"stretched": {"left_ankle": 1.4, "right_ankle": 1.4}},
    ],
    ids=["long shins", "short thighs", "wide hips", "giant", "child", "long feet"],
)
def test_feet_slide_no_more_than_the_captures_and_stay_on_the_floor(
    scene: Any, captured: Capture, change: dict[str, Any]
) -> None:
    source = captured(pack_motion("cmu_06_01"))
    rig = character(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), **change), skin=True)
    moved(scene, source, rig)
    frames = range(1, 100)
    theirs = soles(scene, source, [("left_ankle", "left_foot"), ("right_ankle", "right_foot")], frames)
    own = soles(scene, rig, [("LeftFoot", "LeftToes"), ("RightFoot", "RightToes")], frames)
    step = np.linalg.norm(np.diff(theirs, axis=0), axis=-1)
    standing = (step < 0.008) & (theirs[1:, :, 2] < 0.05)  # metres a frame, metres
    assert standing.mean() > 0.3
    slide = np.linalg.norm(np.diff(own, axis=0)[..., :2], axis=-1)[standing].mean()
    assert slide <= np.linalg.norm(np.diff(theirs, axis=0)[..., :2], axis=-1)[standing].mean()
    assert own[..., 2].min() > min(theirs[..., 2].min(), 0.0) * 1.6 - 0.005
    np.testing.assert_allclose(own[1:, :, 2][standing].mean(), theirs[1:, :, 2][standing].mean(), atol=0.02)


def test_feet_that_glide_on_and_on_do_not_tear_at_a_giants_legs(scene: Any, captured: Capture, motion: Motion) -> None:
    still, count = _one_pose(motion, {}), 300
    trans = np.linspace(0.0, 2.25, count)[:, None] * np.array([1.0, 0.0, 0.0])  # metres, in ten seconds
    source = captured(replace(still, poses=np.tile(still.poses, (count, 1)), trans=trans.astype(np.float32), body=""))
    rig = character(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), size=1.5), skin=True)
    moved(scene, source, rig)
    for frame in (1, 150, 300):
        hip, foot = heads(scene, rig, ["LeftUpperLeg", "LeftFoot"], frame)
        assert angle(foot - hip, np.array([0.0, 0.0, -1.0])) < 20.0


def test_without_holding_the_feet_long_shins_slide(scene: Any, captured: Capture) -> None:
    """What the test above would see if nothing held the feet."""
    source = captured(pack_motion("cmu_06_01"))
    rig = character(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), stretched=LONG_SHINS), skin=True)
    moved(scene, source, rig, feet=False)
    frames = range(1, 60)
    theirs = soles(scene, source, [("left_ankle", "left_foot")], frames)
    own = soles(scene, rig, [("LeftFoot", "LeftToes")], frames)
    standing = (np.linalg.norm(np.diff(theirs, axis=0), axis=-1) < 0.008) & (theirs[1:, :, 2] < 0.05)
    slides = [np.linalg.norm(np.diff(points, axis=0)[..., :2], axis=-1)[standing].mean() for points in (own, theirs)]
    assert slides[0] > 1.1 * slides[1]


def test_knees_and_elbows_bend_as_the_captures_when_feet_are_held(scene: Any, captured: Capture) -> None:
    source = captured(pack_motion("cmu_06_01"))
    rig = character(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), stretched=LONG_SHINS), skin=True)
    moved(scene, source, rig)
    names = ["LeftUpperLeg", "LeftLowerLeg", "LeftFoot"]
    for frame in range(5, 115, 5):
        hip, knee, ankle = heads(scene, rig, names, frame)
        theirs = heads(scene, source, ["left_hip", "left_knee", "left_ankle"], frame)
        bend, their_bend = np.cross(knee - hip, ankle - knee), np.cross(theirs[1] - theirs[0], theirs[2] - theirs[1])
        if np.linalg.norm(their_bend) > 0.02:  # a knee that is clearly bent
            assert angle(bend, their_bend) < 25.0


def test_hands_that_meet_meet_again_on_short_arms(scene: Any, motion: Motion, captured: Capture) -> None:
    poses = np.zeros((3, 24, 3), np.float32)
    poses[:, 0] = [np.pi / 2, 0.0, 0.0]
    poses[:, JOINT["left_shoulder"]], poses[:, JOINT["right_shoulder"]] = [0.0, -0.9, 0.0], [0.0, 0.9, 0.0]
    poses[:, JOINT["left_elbow"]], poses[:, JOINT["right_elbow"]] = [0.0, -1.17, 0.0], [0.0, 1.17, 0.0]
    source = captured(
        replace(motion, poses=poses.reshape(3, 72), trans=motion.trans[:3], betas=np.zeros(10, np.float32))
    )
    example = replace(EXAMPLES["mixamo"], stretched={"left_elbow": 0.6, "right_elbow": 0.6})
    gaps = {}
    for hands in (False, True):
        rig = character(scene, example)
        bone_map, _ = moved(scene, source, rig, hands=hands)
        left, right = heads(scene, rig, [bone_map.joints[f"{side}_wrist"] for side in ("left", "right")], 2)
        gaps[hands] = np.linalg.norm(left - right)
    theirs = heads(scene, source, ["left_wrist", "right_wrist"], 2)
    arms = 1.0 - 0.4 * 0.244 / (0.244 + 0.250)  # forearm over both bones of the arm
    assert gaps[True] == pytest.approx(arms * np.linalg.norm(theirs[0] - theirs[1]), abs=0.005)
    assert abs(gaps[False] - gaps[True]) > 0.05


@pytest.mark.parametrize(
    ("name", "bones", "shares"),
    [
        ("unreal_4", ["lowerarm_l", "lowerarm_twist_01_l", "hand_l"], [0.0, 0.5, 1.0]),
        ("unreal_5", ["lowerarm_l", "lowerarm_twist_02_l", "lowerarm_twist_01_l"], [0.0, 1 / 3, 2 / 3]),
        ("daz_genesis_8", ["lForearmBend", "lForearmTwist", "lHand"], [0.0, 0.5, 1.0]),
        ("rigify DEF", ["DEF-forearm.L", "DEF-forearm.L.001", "DEF-hand.L"], [0.0, 0.5, 1.0]),
    ],
)
def test_twist_bones_share_the_twist_of_the_hand(
    scene: Any, motion: Motion, captured: Capture, name: str, bones: list[str], shares: list[float]
) -> None:
    twist = np.radians(80.0)
    source = captured(_one_pose(motion, {"left_wrist": [twist, 0.0, 0.0]}))
    rig = character(scene, replace(EXAMPLES[name], pose="T", turned=(0.0, 0.0, 0.0)))
    moved(scene, source, rig)
    for bone, share in zip(bones, shares, strict=True):
        expected = matrix_from_axis_angle(np.array([share * twist, 0.0, 0.0]))
        np.testing.assert_allclose(turned(scene, rig, bone, 1), expected, atol=5e-3)


@pytest.mark.parametrize(
    ("name", "bones", "shares"),
    [
        ("unreal_4", ["upperarm_twist_01_l", "upperarm_l"], [0.5, 1.0]),
        ("daz_genesis_8", ["lShldrBend", "lShldrTwist", "lForearmBend"], [0.5, 1.0, 1.0]),
    ],
)
def test_twist_of_the_upper_arm_grows_from_the_shoulder_on(
    scene: Any, motion: Motion, captured: Capture, name: str, bones: list[str], shares: list[float]
) -> None:
    twist = np.radians(60.0)
    source = captured(_one_pose(motion, {"left_shoulder": [twist, 0.0, 0.0]}))
    rig = character(scene, replace(EXAMPLES[name], pose="T", turned=(0.0, 0.0, 0.0)))
    moved(scene, source, rig)
    for bone, share in zip(bones, shares, strict=True):
        expected = matrix_from_axis_angle(np.array([share * twist, 0.0, 0.0]))
        np.testing.assert_allclose(turned(scene, rig, bone, 1), expected, atol=5e-3)


def _one_pose(motion: Motion, turns: dict[str, list[float]]) -> Motion:
    """The rest pose, standing upright in the world, with some joints turned."""
    poses = np.zeros((1, 24, 3), np.float32)
    poses[:, 0] = [np.pi / 2, 0.0, 0.0]
    for joint, turn in turns.items():
        poses[:, JOINT[joint]] = turn
    return replace(motion, poses=poses.reshape(1, 72), trans=motion.trans[:1], betas=np.zeros(10, np.float32))


@pytest.mark.parametrize("travel", ["hips", "root", "in_place"])
def test_travel_is_carried_by_the_hips_the_root_bone_or_nothing(scene: Any, captured: Capture, travel: str) -> None:
    source, rig = captured(pack_motion("cmu_06_01")), character(scene, "unreal_5", skin=True)
    moved(scene, source, rig, travel=travel)
    ways = [heads(scene, rig, ["root", "pelvis"], frame) for frame in (1, 100)]
    root, hips = ways[1] - ways[0]
    far = np.linalg.norm(heads(scene, source, ["pelvis"], 100) - heads(scene, source, ["pelvis"], 1))
    assert np.linalg.norm(root[:2]) == pytest.approx(far if travel == "root" else 0.0, abs=0.05)
    assert np.linalg.norm(hips[:2]) == pytest.approx(0.0 if travel == "in_place" else far, abs=0.05)
    assert abs(root[2]) < 1e-6


def test_without_a_root_bone_the_hips_carry_the_travel_and_it_is_said(
    scene: Any, motion: Motion, captured: Capture
) -> None:
    _, report = moved(scene, captured(motion), character(scene, "mixamo"), travel="root")
    assert "no free root bone" in report.warnings[0]


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_mean_the_same_rotation_and_never_jump(order: str) -> None:
    steps = np.linspace(0.0, 9.0, 400)
    vectors = np.stack([2.0 * np.sin(steps), 1.9 * np.sin(1.7 * steps + 1), 1.5 * np.cos(0.6 * steps)], axis=1)
    rotations = matrix_from_axis_angle(vectors)
    angles = euler_angles(rotations, order)
    again = np.array([Euler(row, order).to_matrix() for row in angles.tolist()])
    np.testing.assert_allclose(again, rotations, atol=1e-5)
    assert np.abs(np.diff(angles, axis=0)).max() < 2.0  # a flip would be pi, near the pole they are just fast


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "AXIS_ANGLE"])
def test_bones_keep_their_rotation_mode(scene: Any, motion: Motion, captured: Capture, mode: str) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, "unity")
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    bone_map, report = moved(scene, source, rig)
    assert max(direction_errors(scene, source, rig, bone_map.joints).values()) < 0.5
    assert {bone.rotation_mode for bone in rig.pose.bones} == {mode}
    curves = report.action.layers[0].strips[0].channelbag(rig.animation_data.action_slot).fcurves
    assert not [curve for curve in curves if "quaternion" in curve.data_path]


def test_bones_that_inherit_or_move_otherwise_come_out_the_same(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, "unreal_4")
    rig.data.bones["upperarm_l"].use_inherit_rotation = False
    rig.data.bones["head"].use_inherit_rotation = False
    rig.data.bones["pelvis"].use_local_location = False
    bone_map, _ = moved(scene, source, rig)
    assert max(direction_errors(scene, source, rig, bone_map.joints).values()) < 0.5
    for frame in MOMENTS:
        pair = heads(scene, rig, ["pelvis"], frame), heads(scene, source, ["pelvis"], frame)
        np.testing.assert_allclose(*pair, atol=2e-3)


def test_hips_connected_to_the_root_are_carried_by_it(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, "vrm")
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    root, hips = (rig.data.edit_bones[name] for name in ("Root", "J_Bip_C_Hips"))
    root.tail = hips.head
    hips.use_connect = True
    bpy.ops.object.mode_set(mode="OBJECT")
    moved(scene, source, rig)
    shift = heads(scene, rig, ["J_Bip_C_Hips"], 14) - heads(scene, source, ["pelvis"], 14)
    np.testing.assert_allclose(shift[0], EXAMPLES["vrm"].place, atol=2e-3)


def test_a_parented_turned_and_scaled_armature_moves_as_the_capture_in_the_world(
    scene: Any, motion: Motion, captured: Capture
) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, "unity")
    parent = bpy.data.objects.new("stage", None)
    scene.collection.objects.link(parent)
    parent.location, parent.rotation_euler, parent.scale = (3.0, 1.0, 0.0), (0.0, 0.0, 0.7), (2.0, 2.0, 2.0)
    rig.parent = parent
    bpy.context.view_layer.update()
    bone_map, report = moved(scene, source, rig)
    assert report.ratio == pytest.approx(2.0, abs=1e-3)
    assert max(direction_errors(scene, source, rig, bone_map.joints).values()) < 0.5


def test_fingers_keep_their_pose_and_other_bones_start_from_rest(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, "mixamo")
    finger, arm = rig.pose.bones["mixamorig:LeftHandindex1"], rig.pose.bones["mixamorig:LeftArm"]
    for bone in (finger, arm):
        bone.rotation_mode = "QUATERNION"
        bone.rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    arm.scale = (2.0, 2.0, 2.0)
    bone_map, _ = moved(scene, source, rig)
    assert max(direction_errors(scene, source, rig, bone_map.joints).values()) < 0.5
    assert tuple(finger.rotation_quaternion)[1] == pytest.approx(0.6)


def test_bones_of_any_name_are_keyed(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(replace(motion, betas=np.zeros(10, np.float32))), character(scene, "mixamo")
    for number, bone in enumerate(rig.data.bones):
        bone.name = f'뼈 "{number}" \\ [🎬]'
    bone_map, _ = moved(scene, source, rig)
    assert bone_map.label == "Structure"
    assert max(direction_errors(scene, source, rig, bone_map.joints).values()) < 0.5


@pytest.mark.parametrize("scale", [(-1.0, 1.0, 1.0), (1.0, 2.0, 1.0)])
def test_a_mirrored_or_unevenly_scaled_armature_is_refused(
    scene: Any, motion: Motion, captured: Capture, scale: tuple[float, float, float]
) -> None:
    source, rig = captured(motion), character(scene, "unity")
    rig.scale = scale
    bpy.context.view_layer.update()
    with pytest.raises(InputError, match="mirrored or scaled unevenly"):
        moved(scene, source, rig)


def test_constraints_that_hold_bones_are_named(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(motion), character(scene, "unity")
    constraint = rig.pose.bones["LeftUpperArm"].constraints.new("COPY_ROTATION")
    constraint.target = source
    _, report = moved(scene, source, rig)
    assert "hold LeftUpperArm" in report.warnings[0]
    assert not constraint.mute


def test_an_earlier_action_stays_in_the_file(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(motion), character(scene, "unity")
    _, first = moved(scene, source, rig)
    _, second = moved(scene, source, rig)
    assert first.action.use_fake_user
    assert first.action.name in second.warnings[0]
    assert rig.animation_data.action == second.action
    assert second.action["reel2rig_licence"] == "open"


def test_either_all_characters_are_moved_or_none(scene: Any, motion: Motion, captured: Capture) -> None:
    source = captured(motion)
    rigs = [character(scene, name) for name in ("mixamo", "daz_genesis_9", "smpl")]
    maps = [guess_bone_map(read_tree(rig)) for rig in rigs]
    broken = [*maps[:2], BoneMap({"pelvis": "no such bone"})]
    with pytest.raises(InputError, match="no such bone"):
        retarget_characters(scene, source, list(zip(rigs, broken, strict=True)))
    assert [rig.animation_data for rig in rigs] == [None] * 3
    reports = retarget_characters(scene, source, list(zip(rigs, maps, strict=True)))
    assert len({report.action.name for report in reports}) == 3
    assert all(report.frame_count == 40 for report in reports)


def test_a_capture_without_keys_says_so(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(motion), character(scene, "unity")
    source.animation_data_clear()
    with pytest.raises(CaptureError, match="no animation"):
        moved(scene, source, rig)


def test_f_curves_tell_what_the_played_scene_shows(scene: Any, motion: Motion, captured: Capture) -> None:
    source = captured(motion)
    frames = np.array([1.0, 7.0, 7.5, 40.0])
    for read, played in zip(_keyed(source, frames), _played(source, scene, frames), strict=True):
        np.testing.assert_allclose(read, played, atol=2e-5)


def test_a_capture_that_constraints_move_is_played(scene: Any, motion: Motion, captured: Capture) -> None:
    source = captured(motion)
    still, _ = read_capture(source, scene)
    limit = source.pose.bones["head"].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.owner_space = "LOCAL"
    held, _ = read_capture(source, scene)
    head, neck = JOINT["head"], JOINT["neck"]
    np.testing.assert_allclose(held.turns.turns[:, head], held.turns.turns[:, neck], atol=1e-5)
    np.testing.assert_allclose(held.axes[:, neck], still.axes[:, neck], atol=1e-5)


def test_reduced_keys_are_read_on_every_frame(scene: Any, motion: Motion, captured: Capture) -> None:
    source, rig = captured(motion), character(scene, "unity")
    bag = source.animation_data.action.layers[0].strips[0].channelbag(source.animation_data.action_slot)
    for curve in bag.fcurves:
        for number in range(len(curve.keyframe_points) - 2, 0, -2):
            curve.keyframe_points.remove(curve.keyframe_points[number])
    _, report = moved(scene, source, rig)
    assert report.frame_count == 40


@pytest.fixture
def rigify(scene: Any) -> Iterator[None]:
    """Blender's Rigify, switched off afterwards, with the classes that its generated script leaves behind."""
    bpy.ops.preferences.addon_enable(module="rigify")
    yield
    for base in (bpy.types.Operator, bpy.types.Panel):
        for cls in base.__subclasses__():
            if cls.__module__ == "builtins" and cls.is_registered:
                bpy.utils.unregister_class(cls)
    bpy.ops.preferences.addon_disable(module="rigify")


@pytest.mark.usefixtures("rigify")
def test_a_generated_rigify_rig_is_moved_by_its_controls(scene: Any, captured: Capture) -> None:
    source = captured(pack_motion("cmu_06_01"))
    bpy.ops.object.armature_basic_human_metarig_add()
    before = set(bpy.data.objects)
    bpy.ops.pose.rigify_generate()
    rig = next(item for item in set(bpy.data.objects) - before if item.type == "ARMATURE")
    bone_map, report = moved(scene, source, rig, feet=False)
    assert bone_map.label == "Rigify controls"
    assert [text for text in report.warnings if "hold" in text] == []
    deform = {
        "left_hip": "DEF-thigh.L",
        "left_knee": "DEF-shin.L",
        "left_ankle": "DEF-foot.L",
        "right_shoulder": "DEF-upper_arm.R",
        "right_elbow": "DEF-forearm.R",
        "right_wrist": "DEF-hand.R",
    }
    assert max(direction_errors(scene, source, rig, deform).values()) < 0.5
