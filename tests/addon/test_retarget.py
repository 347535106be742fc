"""A retargeted character points its limbs where the capture does, however it rests and whatever bones it has."""

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Euler, Vector
from reel2rig.addon.retarget.bone_map_guess import guess_bone_map
from reel2rig.addon.retarget.retarget_characters import retarget_characters
from reel2rig.addon.retarget.retarget_keying import ORDERS, euler_angles
from reel2rig.addon.retarget.retarget_rig import read_tree
from reel2rig.benchmarks.example_characters import EXAMPLES, example_in, one_spine
from reel2rig.benchmarks.example_motions import one_pose
from reel2rig.benchmarks.retarget_error import direction_errors, heads_at, import_capture, retarget_to, turned_at
from reel2rig.lifter.motion_file import Motion
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle

MOMENTS = (1, 14, 40)


def average(motion: Motion) -> Motion:
    """The same in the body's average shape, which the examples have."""
    return replace(motion, betas=np.zeros(10, np.float32))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_bone_points_where_the_captures_does(scene: Any, motion: Motion, name: str) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, name, skin=True)
    bone_map, report = retarget_to(scene, source, rig)
    errors = direction_errors(scene, source, rig, bone_map.joints, MOMENTS)
    assert len(errors) >= 14
    assert max(errors.values()) < 0.5, errors
    assert report.ratio == pytest.approx(1.0, abs=1e-3)
    assert report.warnings == ()
    for frame in MOMENTS:
        shift = heads_at(scene, rig, [bone_map.joints["pelvis"]], frame) - heads_at(scene, source, ["pelvis"], frame)
        np.testing.assert_allclose(shift[0], EXAMPLES[name].place, atol=2e-3)


@pytest.mark.parametrize("name", ["mixamo", "unreal_4", "vrm"])
def test_with_bones_missing_the_others_still_point_the_right_way(scene: Any, motion: Motion, name: str) -> None:
    source = import_capture(scene, average(motion))
    rig = example_in(scene, one_spine(EXAMPLES[name]))
    bone_map, _ = retarget_to(scene, source, rig)
    assert not {"left_collar", "left_foot"} & set(bone_map.joints)
    errors = direction_errors(scene, source, rig, bone_map.joints, MOMENTS)
    assert max(errors.values()) < 0.5, errors


def test_a_missing_elbow_leaves_the_hand_where_the_arm_points(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "unity")
    full = guess_bone_map(read_tree(rig))
    joints = {joint: bone for joint, bone in full.joints.items() if joint != "left_elbow"}
    retarget_characters(scene, source, [(rig, replace(full, joints=joints))])
    errors = direction_errors(scene, source, rig, joints, MOMENTS)
    assert max(errors.values()) < 0.5, errors


def test_bones_turn_as_the_captures_about_their_own_axes_too(scene: Any, motion: Motion) -> None:
    """With one rest pose and no twist bones every bone, heads and hands too, turns exactly like its joint."""
    source, rig = import_capture(scene, average(motion)), example_in(scene, "vrm")
    bone_map, _ = retarget_to(scene, source, rig)
    for joint, bone in bone_map.joints.items():
        np.testing.assert_allclose(turned_at(scene, rig, bone, 14), turned_at(scene, source, joint, 14), atol=1e-4)


def test_one_captured_person_moves_as_another_of_different_build(scene: Any, motion: Motion) -> None:
    source, other = import_capture(scene, motion), import_capture(scene, average(motion))
    bone_map, report = retarget_to(scene, source, other)
    assert bone_map.root == "root"
    assert report.ratio != pytest.approx(1.0, abs=1e-3)
    limbs = {joint: joint for joint in ("left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee")}
    assert max(direction_errors(scene, source, other, limbs, MOMENTS).values()) < 0.5


def test_rolls_and_rest_poses_of_a_character_do_not_matter(scene: Any, motion: Motion) -> None:
    """A T-pose and an A-pose of one character, differently rolled, deform alike: bones turn alike in the world."""
    source = import_capture(scene, motion)
    straight, rig = example_in(scene, "unreal_4"), example_in(scene, replace(EXAMPLES["unreal_4"], pose="T"))
    for each in (straight, rig):
        retarget_to(scene, source, each)
    for bone in ("spine_02", "head", "thigh_l", "foot_r", "ball_l"):  # these rest alike in both
        np.testing.assert_allclose(turned_at(scene, straight, bone, 14), turned_at(scene, rig, bone, 14), atol=2e-3)


def test_feet_without_toes_keep_their_soles_flat_whatever_the_shins_do_at_rest(scene: Any, motion: Motion) -> None:
    source = import_capture(scene, average(motion))
    rig = example_in(scene, one_spine(EXAMPLES["makehuman_game_engine"]))  # its knees are bent at rest
    retarget_to(scene, source, rig, feet=False)
    np.testing.assert_allclose(
        turned_at(scene, rig, "foot_l", 14), turned_at(scene, source, "left_ankle", 14), atol=5e-3
    )


def test_hands_point_to_their_knuckles_and_not_to_the_thumb(scene: Any) -> None:
    """A hand with bones inside the palm and a thumb that stands off, straight on from its forearm at rest."""
    source = import_capture(scene, one_pose({"left_wrist": [0.0, 0.0, 0.5]}))
    rig = example_in(scene, replace(EXAMPLES["unreal_4"], pose="T", scale=1.0, loose=False))
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
    retarget_to(scene, source, rig)
    np.testing.assert_allclose(turned_at(scene, rig, "hand_l", 1), turned_at(scene, source, "left_wrist", 1), atol=0.02)


@pytest.mark.parametrize(
    ("name", "bones", "shares"),
    [
        ("unreal_4", ["lowerarm_l", "lowerarm_twist_01_l", "hand_l"], [0.0, 0.5, 1.0]),
        ("unreal_5", ["lowerarm_l", "lowerarm_twist_02_l", "lowerarm_twist_01_l"], [0.0, 1 / 3, 2 / 3]),
        ("daz_genesis_8", ["lForearmBend", "lForearmTwist", "lHand"], [0.0, 0.5, 1.0]),
        ("rigify DEF", ["DEF-forearm.L", "DEF-forearm.L.001", "DEF-hand.L"], [0.0, 0.5, 1.0]),
    ],
)
def test_twist_bones_share_the_twist_of_the_hand(scene: Any, name: str, bones: list[str], shares: list[float]) -> None:
    twist = np.radians(80.0)
    source = import_capture(scene, one_pose({"left_wrist": [twist, 0.0, 0.0]}))
    rig = example_in(scene, replace(EXAMPLES[name], pose="T", turned=(0.0, 0.0, 0.0)))
    retarget_to(scene, source, rig)
    for bone, share in zip(bones, shares, strict=True):
        expected = matrix_from_axis_angle(np.array([share * twist, 0.0, 0.0]))
        np.testing.assert_allclose(turned_at(scene, rig, bone, 1), expected, atol=5e-3)


@pytest.mark.parametrize(
    ("name", "bones", "shares"),
    [
        ("unreal_4", ["upperarm_twist_01_l", "upperarm_l"], [0.5, 1.0]),
        ("daz_genesis_8", ["lShldrBend", "lShldrTwist", "lForearmBend"], [0.5, 1.0, 1.0]),
    ],
)
def test_twist_of_the_upper_arm_grows_from_the_shoulder_on(
    scene: Any, name: str, bones: list[str], shares: list[float]
) -> None:
    twist = np.radians(60.0)
    source = import_capture(scene, one_pose({"left_shoulder": [twist, 0.0, 0.0]}))
    rig = example_in(scene, replace(EXAMPLES[name], pose="T", turned=(0.0, 0.0, 0.0)))
    retarget_to(scene, source, rig)
    for bone, share in zip(bones, shares, strict=True):
        expected = matrix_from_axis_angle(np.array([share * twist, 0.0, 0.0]))
        np.testing.assert_allclose(turned_at(scene, rig, bone, 1), expected, atol=5e-3)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_mean_the_same_rotation_and_never_jump(order: str) -> None:
    steps = np.linspace(0.0, 9.0, 400)
    vectors = np.stack([2.0 * np.sin(steps), 1.9 * np.sin(1.7 * steps + 1), 1.5 * np.cos(0.6 * steps)], axis=1)
    rotations = matrix_from_axis_angle(vectors)
    angles = euler_angles(rotations, order)
    again = np.array([Euler(row, order).to_matrix() for row in angles.tolist()])
    np.testing.assert_allclose(again, rotations, atol=1e-5)
    assert np.abs(np.diff(angles, axis=0)).max() < 2.0  # a flip would be pi, near the pole they are just fast


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_are_right_where_two_of_their_axes_are_one(order: str) -> None:
    middle = order[1]
    angles = [Euler([0.3 if axis != middle else np.pi / 2 + near for axis in "XYZ"], order) for near in (0, 1e-5, 1e-4)]
    rotations = np.array([angle.to_matrix() for angle in angles], np.float64)
    rotations += np.random.default_rng(1).normal(0.0, 2e-7, rotations.shape)  # Blender keeps no more
    again = np.array([Euler(row, order).to_matrix() for row in euler_angles(rotations, order).tolist()])
    np.testing.assert_allclose(again, rotations, atol=1e-3)


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "AXIS_ANGLE"])
def test_bones_keep_their_rotation_mode(scene: Any, motion: Motion, mode: str) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "unity")
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    bone_map, report = retarget_to(scene, source, rig)
    assert max(direction_errors(scene, source, rig, bone_map.joints, MOMENTS).values()) < 0.5
    assert {bone.rotation_mode for bone in rig.pose.bones} == {mode}
    curves = report.action.layers[0].strips[0].channelbag(rig.animation_data.action_slot).fcurves
    assert not [curve for curve in curves if "quaternion" in curve.data_path]
