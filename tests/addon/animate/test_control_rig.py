"""The control rig shows the captured motion, can be posed, and gives it back."""

from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Vector
from reel2rig.addon.animate.control_rig import added_bones
from reel2rig.addon.animate.control_rig_pose import limb_pose, solved_limb
from reel2rig.addon.animate.control_rig_table import LIMBS, SWITCH
from reel2rig.addon.character.action_curves import curves_of
from reel2rig.addon.character.rig import edit_mode
from reel2rig.lifter.motion_file import Motion
from reel2rig.smpl_assets.rotation import geodesic_degrees
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS

FRAMES = range(1, 41)


@pytest.fixture
def wild(imported: Any, motion: Motion) -> Any:
    """Forty frames of random poses as a character."""
    return imported(motion)


def assert_same(rig: Any, frames: Any, ends: Any, axes: Any, bone_ends: Any, bone_axes: Any) -> None:
    assert geodesic_degrees(axes, np.array([bone_axes(rig, frame) for frame in frames])).max() < 0.1
    apart = ends - np.array([bone_ends(rig, frame) for frame in frames])
    assert 1000 * np.linalg.norm(apart, axis=-1).max() < 0.5


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_capture_goes_onto_the_controls_and_back(wild: Any, bone_ends: Any, bone_axes: Any, scale: float) -> None:
    wild.scale = (scale,) * 3
    ends, axes = (np.array([read(wild, frame) for frame in FRAMES]) for read in (bone_ends, bone_axes))
    axes = axes / scale
    for step in (bpy.ops.reel2rig.add_control_rig, bpy.ops.reel2rig.bake_control_rig):
        assert step() == {"FINISHED"}
        again = np.array([bone_axes(wild, frame) for frame in FRAMES]) / scale
        assert geodesic_degrees(axes, again).max() < 0.1
        apart = ends - np.array([bone_ends(wild, frame) for frame in FRAMES])
        assert 1000 * np.linalg.norm(apart, axis=-1).max() < 0.5 * scale


@pytest.mark.parametrize("influence", [0.0, 0.4])
def test_fk_and_what_lies_between_show_the_capture_too(
    walker: Any, bone_ends: Any, bone_axes: Any, influence: float
) -> None:
    frames = range(1, 121, 7)
    ends, axes = (np.array([read(walker, frame) for frame in frames]) for read in (bone_ends, bone_axes))
    bpy.ops.reel2rig.add_control_rig()
    for limb in LIMBS:
        walker.pose.bones[limb.target][SWITCH] = influence
    walker.update_tag()
    assert_same(walker, frames, ends, axes, bone_ends, bone_axes)


def test_straight_limbs_stay_straight(imported: Any, walk: Motion, bone_ends: Any, bone_axes: Any) -> None:
    from dataclasses import replace

    poses = walk.poses.reshape(-1, 24, 3).copy()
    for name in ("left_knee", "right_knee", "left_elbow", "right_elbow"):
        poses[:, JOINT[name]] = np.linspace(-0.03, 0.06, len(poses))[:, None] * [1.0, 0.0, 0.0]
    rig = imported(replace(walk, poses=poses.reshape(-1, 72)))
    frames = range(1, 121, 3)
    ends, axes = (np.array([read(rig, frame) for frame in frames]) for read in (bone_ends, bone_axes))
    bpy.ops.reel2rig.add_control_rig()
    assert_same(rig, frames, ends, axes, bone_ends, bone_axes)


def test_two_bone_ik_meets_the_target_and_the_pole() -> None:
    rng = np.random.default_rng(2)
    begin, pole = rng.normal(0, 1, (2, 200, 3))
    target = begin + rng.uniform(0.2, 0.7, (200, 1)) * rng.normal(0, 1, (200, 3)) / 2
    target = np.where(
        np.linalg.norm(target - begin, axis=-1, keepdims=True) < 0.72, target, begin + np.array([0.5, 0, 0])
    )
    found = solved_limb(begin, target, pole, (np.full(200, 0.4), np.full(200, 0.35)))
    near = np.linalg.norm(target - begin, axis=-1) > 0.05
    reached = found.middle + 0.35 * found.lower[..., 1]
    np.testing.assert_allclose(reached[near], target[near], atol=1e-9)
    normal = np.cross(target - begin, pole - begin)
    np.testing.assert_allclose(np.sum(normal * (found.middle - begin), axis=-1)[near], 0.0, atol=1e-9)
    assert (np.sum((found.middle - begin) * found.aim[..., 2], axis=-1)[near] > 0).all()


def test_a_straight_limbs_pole_is_ahead_of_it() -> None:
    begin, middle, end = (np.array([[0.0, 0.0, z]]) for z in (0.9, 0.5, 0.1))
    found = limb_pose(begin, middle, end, np.array([[0.0, -1.0, 0.2]]))
    np.testing.assert_allclose(found.pole, middle + np.array([0.0, -0.4, 0.0]), atol=1e-9)
    np.testing.assert_allclose(found.lower[0, :, 1], [0.0, 0.0, -1.0], atol=1e-9)


def test_moving_a_foot_control_moves_the_foot_and_bends_the_knee(walker: Any, bone_ends: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    walker.animation_data.action = None
    before = bone_ends(walker, 1)
    control = walker.pose.bones["left_ankle_ik"]
    lifted = control.matrix.copy()
    lifted.translation.z += 0.15
    control.matrix = lifted
    after = bone_ends(walker, 1)
    left, right = 1 + JOINT["left_ankle"], 1 + JOINT["right_ankle"]
    np.testing.assert_allclose(after[left, 0] - before[left, 0], [0, 0, 0.15], atol=1e-4)
    np.testing.assert_allclose(after[right], before[right], atol=1e-6)
    np.testing.assert_allclose(after[1], before[1], atol=1e-6)


def test_what_an_animator_poses_is_baked(walker: Any, bone_ends: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    bone_ends(walker, 60)
    head = walker.pose.bones["head_ctrl"]
    head.rotation_quaternion = (0.7, 0.7, 0.0, 0.1)
    head.keyframe_insert("rotation_quaternion", frame=60)
    walker.pose.bones["left_wrist_ik"][SWITCH] = 0.0
    walker.pose.bones["left_wrist_ik"].keyframe_insert(f'["{SWITCH}"]', frame=60)
    wanted = bone_ends(walker, 60)
    bpy.ops.reel2rig.bake_control_rig()
    np.testing.assert_allclose(bone_ends(walker, 60), wanted, atol=1e-4)


def test_deform_bones_keep_names_and_parents_and_controls_stand_beside(walker: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    bones = walker.data.bones
    for name, parent in zip(JOINT_NAMES, PARENTS, strict=True):
        assert bones[name].parent.name == ("root" if parent < 0 else JOINT_NAMES[parent])
    assert {bone.name for bone in bones if bone.use_deform} == set(JOINT_NAMES)
    sorted_bones = {item.name: {bone.name for bone in item.bones} for item in walker.data.collections}
    assert sorted_bones["Deform"] == set(JOINT_NAMES)
    assert {"root", "left_wrist_ik", "left_knee_pole", "head_ctrl"} <= sorted_bones["Controls"]
    assert "left_hip_fk" in sorted_bones["FK Controls"]
    assert sum(map(len, sorted_bones.values())) == len(bones)
    assert all(walker.pose.bones[name].custom_shape for name in sorted_bones["Controls"] | sorted_bones["Tweaks"])


def test_drivers_need_no_python(walker: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    drivers = [curve.driver for curve in walker.animation_data.drivers]
    assert len(drivers) == 4 * 5
    assert all(driver.is_valid and driver.is_simple_expression for driver in drivers)


def test_baking_leaves_nothing_behind(walker: Any) -> None:
    bones, objects = set(walker.data.bones.keys()), set(bpy.data.objects.keys())
    curves = {(curve.data_path, curve.array_index) for curve in curves_of(walker).fcurves}
    bpy.ops.reel2rig.add_control_rig()
    bpy.ops.reel2rig.bake_control_rig()
    assert set(walker.data.bones.keys()) == bones
    assert set(bpy.data.objects.keys()) == objects
    assert not walker.animation_data.drivers
    assert not [item for bone in walker.pose.bones for item in bone.constraints]
    assert not walker.data.collections
    assert curves <= {(curve.data_path, curve.array_index) for curve in curves_of(walker).fcurves}
    assert [action.name for action in bpy.data.actions] == ["walk_person_01", "walk_person_01 posed"]


def test_reduced_keys_and_other_curves_come_along(walker: Any, bone_ends: Any) -> None:
    curve = curves_of(walker).fcurves.new('["reel2rig_confidence"]')
    for frame in (1, 120):
        curve.keyframe_points.insert(frame, frame / 120)
    bpy.ops.reel2rig.reduce_keys(tolerance=10.0)
    before = np.array([bone_ends(walker, frame) for frame in range(1, 121, 9)])
    for step in (bpy.ops.reel2rig.add_control_rig, bpy.ops.reel2rig.bake_control_rig):
        step()
        after = np.array([bone_ends(walker, frame) for frame in range(1, 121, 9)])
        assert np.linalg.norm(after - before, axis=-1).max() < 5e-4
        assert curves_of(walker).fcurves.find('["reel2rig_confidence"]').evaluate(120) == pytest.approx(1.0)


def test_other_operators_wait_until_the_controls_are_baked(walker: Any) -> None:
    assert not bpy.ops.reel2rig.bake_control_rig.poll()
    bpy.ops.reel2rig.add_control_rig()
    for name in ("add_control_rig", "root_motion", "make_loop", "add_pose_correctives"):
        assert not getattr(bpy.ops.reel2rig, name).poll()
    bpy.ops.reel2rig.bake_control_rig()
    assert bpy.ops.reel2rig.add_control_rig.poll()


def test_the_fbx_holds_smpls_bones_alone(walker: Any, tmp_path: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    assert bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "a.fbx"), target="unity") == {"FINISHED"}


def test_undo_takes_the_controls_away(walker: Any) -> None:
    name = walker.name
    bpy.ops.ed.undo_push(message="imported")
    bpy.ops.reel2rig.add_control_rig()
    bpy.ops.ed.undo_push(message="controls")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo()
    rig = bpy.data.objects[name]
    assert len(rig.data.bones) == 25
    assert rig.animation_data.action.name == "walk_person_01"


def test_a_hidden_rig_is_refused_and_left_alone(walker: Any) -> None:
    walker.hide_set(True)
    with pytest.raises(RuntimeError, match="is hidden"):
        bpy.ops.reel2rig.add_control_rig()
    assert len(walker.data.bones) == 25
    walker.hide_set(False)
    bpy.ops.reel2rig.add_control_rig()
    walker.hide_set(True)
    with pytest.raises(RuntimeError, match="is hidden"):
        bpy.ops.reel2rig.bake_control_rig()


def test_blender_can_mirror_a_pose_of_the_controls(walker: Any, bone_ends: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    names = [name for name in added_bones() if "left" in name]
    assert {bpy.utils.flip_name(name) for name in names} == {name.replace("left", "right") for name in names}
    walker.animation_data.action = None
    for bone in walker.pose.bones:
        bone.matrix_basis.identity()
    bpy.context.view_layer.update()
    flip = {"left": np.array([0.1, 0.05, 0.1]), "right": np.array([-0.1, 0.05, 0.1])}
    for side, way in flip.items():
        posed = walker.pose.bones[f"{side}_wrist_ik"].matrix.copy()
        posed.translation += Vector(way)
        walker.pose.bones[f"{side}_wrist_ik"].matrix = posed
    left, right = (walker.pose.bones[f"{side}_wrist_ik"].location for side in flip)
    np.testing.assert_allclose(right, np.array(left) * [-1, 1, 1], atol=0.01)  # as Paste Flipped has it


def test_a_control_rig_with_lost_bones_and_collections_can_still_be_baked(walker: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    with edit_mode(walker):
        for name in ("left_knee_pole", "right_wrist_ik", "left_knee_mech"):
            walker.data.edit_bones.remove(walker.data.edit_bones[name])
    walker.data.collections.remove(walker.data.collections["Tweaks"])
    for operator in (bpy.ops.reel2rig.reduce_keys, bpy.ops.reel2rig.match_controls):
        with pytest.raises(RuntimeError, match=r"has lost .*right_wrist_ik"):
            operator()
    assert bpy.ops.reel2rig.bake_control_rig() == {"FINISHED"}
    assert len(walker.data.bones) == 25
    assert not walker.animation_data.drivers


@pytest.mark.parametrize("follows_ik", [1.0, 0.0])
def test_matched_controls_switch_without_moving_the_limbs(walker: Any, bone_ends: Any, follows_ik: float) -> None:
    assert not bpy.ops.reel2rig.match_controls.poll()
    bpy.ops.reel2rig.add_control_rig()
    for limb in LIMBS:
        walker.pose.bones[limb.target][SWITCH] = follows_ik
    walker.update_tag()
    bone_ends(walker, 60)
    posed = {"left_wrist_ik": "location", "right_ankle_ik": "location", "left_elbow_fk": "rotation_quaternion"}
    for name, channel in posed.items():
        values = getattr(walker.pose.bones[name], channel)
        values[1] += 0.1
        walker.pose.bones[name].keyframe_insert(channel, frame=60)
    before = bone_ends(walker, 60)
    assert bpy.ops.reel2rig.match_controls() == {"FINISHED"}
    for switched in (follows_ik, 1.0 - follows_ik):
        for limb in LIMBS:
            walker.pose.bones[limb.target][SWITCH] = switched
        walker.update_tag()
        np.testing.assert_allclose(bone_ends(walker, 60), before, atol=2e-4)


def test_a_loop_stays_a_loop(walker: Any, bone_ends: Any) -> None:
    bpy.ops.reel2rig.make_loop(repeat=True)
    before = np.array([bone_ends(walker, frame) for frame in range(1, 100, 7)])
    for step in (bpy.ops.reel2rig.add_control_rig, bpy.ops.reel2rig.bake_control_rig):
        step()
        after = np.array([bone_ends(walker, frame) for frame in range(1, 100, 7)])
        np.testing.assert_allclose(after, before, atol=5e-4)
        assert walker.animation_data.action.use_cyclic


def test_keys_of_a_users_own_bone_outlive_the_controls(walker: Any) -> None:
    with edit_mode(walker):
        sword = walker.data.edit_bones.new("sword")
        sword.head, sword.tail, sword.parent = (0, 0, 1), (0, 0, 1.5), walker.data.edit_bones["right_hand"]
    sword = walker.pose.bones["sword"]
    bpy.ops.reel2rig.add_control_rig()
    for frame, angle in ((1, 0.0), (51, 1.0)):
        sword.location, sword.rotation_mode, sword.rotation_euler[0] = (0, frame / 100, 0), "XYZ", angle
        sword.keyframe_insert("location", frame=frame)
        sword.keyframe_insert("rotation_euler", frame=frame)
    bpy.ops.reel2rig.bake_control_rig()
    for frame, angle in ((1, 0.0), (51, 1.0)):
        bpy.context.scene.frame_set(frame)
        assert sword.location[1] == pytest.approx(frame / 100)
        assert sword.rotation_euler[0] == pytest.approx(angle)


def test_mirrored_editing_does_not_disturb_the_controls(wild: Any, bone_ends: Any) -> None:
    wild.data.use_mirror_x = True
    before = bone_ends(wild, 12)
    bpy.ops.reel2rig.add_control_rig()
    np.testing.assert_allclose(bone_ends(wild, 12), before, atol=5e-4)
    assert wild.data.use_mirror_x


def test_bones_shared_with_another_object_get_no_controls(walker: Any) -> None:
    twin = walker.copy()
    bpy.context.scene.collection.objects.link(twin)
    with pytest.raises(RuntimeError, match="shares its bones with walk_person_01"):
        bpy.ops.reel2rig.add_control_rig()
    assert len(walker.data.bones) == 25
    twin.data = twin.data.copy()
    assert bpy.ops.reel2rig.add_control_rig() == {"FINISHED"}


def test_the_rest_position_is_not_taken_for_the_pose(walker: Any, bone_ends: Any) -> None:
    before = bone_ends(walker, 60)
    bpy.ops.reel2rig.add_control_rig()
    walker.data.pose_position = "REST"
    with pytest.raises(RuntimeError, match="is shown in its rest position"):
        bpy.ops.reel2rig.match_controls()
    assert bpy.ops.reel2rig.bake_control_rig() == {"FINISHED"}
    assert walker.data.pose_position == "REST"
    walker.data.pose_position = "POSE"
    np.testing.assert_allclose(bone_ends(walker, 60), before, atol=5e-4)


def test_a_users_bone_called_as_a_control_is_not_lost(walker: Any) -> None:
    with edit_mode(walker):
        bone = walker.data.edit_bones.new("head_ctrl")
        bone.tail = (0, 0, 1)
    with pytest.raises(RuntimeError, match="has a bone head_ctrl already"):
        bpy.ops.reel2rig.add_control_rig()
    assert len(walker.data.bones) == 26


@pytest.mark.parametrize("scale", [(-1, 1, 1), (1, 1, 1.5)])
def test_a_mirrored_or_stretched_rig_is_refused(walker: Any, scale: tuple[float, ...]) -> None:
    walker.scale = scale
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="is mirrored or stretched"):
        bpy.ops.reel2rig.add_control_rig()
    assert len(walker.data.bones) == 25
