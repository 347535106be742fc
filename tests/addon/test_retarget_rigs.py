"""Retarget onto armatures as users have them: connected, turned, constrained, renamed, and onto many at once."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from reel2rig.addon.retarget.bone_map import BoneMap
from reel2rig.addon.retarget.bone_map_guess import guess_bone_map
from reel2rig.addon.retarget.retarget_characters import retarget_characters
from reel2rig.addon.retarget.retarget_rig import _keyed, _played, read_capture, read_tree
from reel2rig.benchmarks.example_characters import EXAMPLES, example_in
from reel2rig.benchmarks.example_motions import pack_motion
from reel2rig.benchmarks.retarget_error import direction_errors, heads_at, import_capture, retarget_to
from reel2rig.lifter.errors import CaptureError, InputError
from reel2rig.lifter.motion_file import Motion
from reel2rig.smpl_assets.skeleton import JOINT

MOMENTS = (1, 14, 40)


def average(motion: Motion) -> Motion:
    """The same in the body's average shape, which the examples have."""
    return replace(motion, betas=np.zeros(10, np.float32))


def test_bones_that_inherit_or_move_otherwise_come_out_the_same(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "unreal_4")
    rig.data.bones["upperarm_l"].use_inherit_rotation = False
    rig.data.bones["head"].use_inherit_rotation = False
    rig.data.bones["pelvis"].use_local_location = False
    bone_map, _ = retarget_to(scene, source, rig)
    assert max(direction_errors(scene, source, rig, bone_map.joints, MOMENTS).values()) < 0.5
    for frame in MOMENTS:
        pair = heads_at(scene, rig, ["pelvis"], frame), heads_at(scene, source, ["pelvis"], frame)
        np.testing.assert_allclose(*pair, atol=2e-3)


def test_hips_connected_to_the_root_are_carried_by_it(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "vrm")
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    root, hips = (rig.data.edit_bones[name] for name in ("Root", "J_Bip_C_Hips"))
    root.tail = hips.head
    hips.use_connect = True
    bpy.ops.object.mode_set(mode="OBJECT")
    retarget_to(scene, source, rig)
    shift = heads_at(scene, rig, ["J_Bip_C_Hips"], 14) - heads_at(scene, source, ["pelvis"], 14)
    np.testing.assert_allclose(shift[0], EXAMPLES["vrm"].place, atol=2e-3)


def test_a_parented_turned_and_scaled_armature_moves_as_the_capture_in_the_world(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "unity")
    parent = bpy.data.objects.new("stage", None)
    scene.collection.objects.link(parent)
    parent.location, parent.rotation_euler, parent.scale = (3.0, 1.0, 0.0), (0.0, 0.0, 0.7), (2.0, 2.0, 2.0)
    rig.parent = parent
    bpy.context.view_layer.update()
    bone_map, report = retarget_to(scene, source, rig)
    assert report.ratio == pytest.approx(2.0, abs=1e-3)
    assert max(direction_errors(scene, source, rig, bone_map.joints, MOMENTS).values()) < 0.5


def test_bones_that_stand_far_from_their_objects_origin_stay_there(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "smpl_x")
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.transform(Matrix.Translation((4.0, 0.0, 0.0)))
    bpy.ops.object.mode_set(mode="OBJECT")
    retarget_to(scene, source, rig)
    shift = heads_at(scene, rig, ["pelvis"], 14) - heads_at(scene, source, ["pelvis"], 14)
    np.testing.assert_allclose(shift[0], [4.0, 0.0, 0.0], atol=0.03)


def test_fingers_keep_their_pose_and_other_bones_start_from_rest(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "mixamo")
    finger, arm = rig.pose.bones["mixamorig:LeftHandindex1"], rig.pose.bones["mixamorig:LeftArm"]
    for bone in (finger, arm):
        bone.rotation_mode = "QUATERNION"
        bone.rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    arm.scale = (2.0, 2.0, 2.0)
    bone_map, _ = retarget_to(scene, source, rig)
    assert max(direction_errors(scene, source, rig, bone_map.joints, MOMENTS).values()) < 0.5
    assert tuple(finger.rotation_quaternion)[1] == pytest.approx(0.6)


def test_bones_of_any_name_are_keyed(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, average(motion)), example_in(scene, "mixamo")
    for number, bone in enumerate(rig.data.bones):
        bone.name = f'뼈 "{number}" \\ [🎬]'
    bone_map, _ = retarget_to(scene, source, rig)
    assert bone_map.label == "Structure"
    assert max(direction_errors(scene, source, rig, bone_map.joints, MOMENTS).values()) < 0.5


@pytest.mark.parametrize("scale", [(-1.0, 1.0, 1.0), (1.0, 2.0, 1.0)])
def test_a_mirrored_or_unevenly_scaled_armature_is_refused(
    scene: Any, motion: Motion, scale: tuple[float, float, float]
) -> None:
    source, rig = import_capture(scene, motion), example_in(scene, "unity")
    rig.scale = scale
    bpy.context.view_layer.update()
    with pytest.raises(InputError, match="mirrored or scaled unevenly"):
        retarget_to(scene, source, rig)


def test_constraints_that_hold_bones_are_named(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, motion), example_in(scene, "unity")
    constraint = rig.pose.bones["LeftUpperArm"].constraints.new("COPY_ROTATION")
    constraint.target = source
    _, report = retarget_to(scene, source, rig)
    assert "hold LeftUpperArm" in report.warnings[0]
    assert not constraint.mute


def test_an_earlier_action_stays_in_the_file(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, motion), example_in(scene, "unity")
    _, first = retarget_to(scene, source, rig)
    _, second = retarget_to(scene, source, rig)
    assert first.action.use_fake_user
    assert first.action.name in second.warnings[0]
    assert rig.animation_data.action == second.action
    assert second.action["reel2rig_licence"] == "open"


def test_either_all_characters_are_moved_or_none(scene: Any, motion: Motion) -> None:
    source = import_capture(scene, motion)
    rigs = [example_in(scene, name) for name in ("mixamo", "daz_genesis_9", "smpl")]
    maps = [guess_bone_map(read_tree(rig)) for rig in rigs]
    broken = [*maps[:2], BoneMap({"pelvis": "no such bone"})]
    with pytest.raises(InputError, match="no such bone"):
        retarget_characters(scene, source, list(zip(rigs, broken, strict=True)))
    assert [rig.animation_data for rig in rigs] == [None] * 3
    reports = retarget_characters(scene, source, list(zip(rigs, maps, strict=True)))
    assert len({report.action.name for report in reports}) == 3
    assert all(report.frame_count == 40 for report in reports)


def test_a_capture_without_keys_says_so(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, motion), example_in(scene, "unity")
    source.animation_data_clear()
    with pytest.raises(CaptureError, match="no animation"):
        retarget_to(scene, source, rig)


def test_f_curves_tell_what_the_played_scene_shows(scene: Any, motion: Motion) -> None:
    source = import_capture(scene, motion)
    frames = np.array([1.0, 7.0, 7.5, 40.0])
    for read, played in zip(_keyed(source, frames), _played(source, scene, frames), strict=True):
        np.testing.assert_allclose(read, played, atol=2e-5)


def test_a_capture_that_constraints_move_is_played(scene: Any, motion: Motion) -> None:
    source = import_capture(scene, motion)
    still, _ = read_capture(source, scene)
    limit = source.pose.bones["head"].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.owner_space = "LOCAL"
    held, _ = read_capture(source, scene)
    head, neck = JOINT["head"], JOINT["neck"]
    np.testing.assert_allclose(held.turns.turns[:, head], held.turns.turns[:, neck], atol=1e-5)
    np.testing.assert_allclose(held.axes[:, neck], still.axes[:, neck], atol=1e-5)


def test_reduced_keys_are_read_on_every_frame(scene: Any, motion: Motion) -> None:
    source, rig = import_capture(scene, motion), example_in(scene, "unity")
    bag = source.animation_data.action.layers[0].strips[0].channelbag(source.animation_data.action_slot)
    for curve in bag.fcurves:
        for number in range(len(curve.keyframe_points) - 2, 0, -2):
            curve.keyframe_points.remove(curve.keyframe_points[number])
    _, report = retarget_to(scene, source, rig)
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
def test_a_generated_rigify_rig_is_moved_by_its_controls(scene: Any) -> None:
    source = import_capture(scene, pack_motion("cmu_06_01"))
    bpy.ops.object.armature_basic_human_metarig_add()
    before = set(bpy.data.objects)
    bpy.ops.pose.rigify_generate()
    rig = next(item for item in set(bpy.data.objects) - before if item.type == "ARMATURE")
    bone_map, report = retarget_to(scene, source, rig, feet=False)
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
    assert max(direction_errors(scene, source, rig, deform, MOMENTS).values()) < 0.5
