"""Fewer keys that keep their promise."""

from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.animate.key_moments import contacts, ends_of, main_turn, turning_points
from reel2rig.addon.animate.key_reduction import fitted_cubics
from reel2rig.addon.character.action_curves import curve_path, curves_of, key_points
from reel2rig.lifter.motion_file import Motion
from reel2rig.smpl_assets.rotation import geodesic_degrees
from reel2rig.smpl_assets.skeleton import JOINT


def key_count(rig: Any) -> int:
    return sum(len(curve.keyframe_points) for curve in curves_of(rig).fcurves)


def test_a_cubic_needs_only_its_ends() -> None:
    frames = np.array([1.0, 2, 3.5, 4, 6, 7, 9])
    values = np.column_stack([np.power(frames - 3.0, 3), 2.0 - frames])
    found, leaving, arriving = fitted_cubics(values, frames, np.array([0, 6]))
    np.testing.assert_allclose(found, values, atol=1e-5)
    np.testing.assert_allclose(leaving[0, 1], 2.0 - (1 + 8 / 3), atol=1e-5)
    np.testing.assert_allclose(arriving[0, 1], 2.0 - (1 + 16 / 3), atol=1e-5)


@pytest.mark.parametrize("inner", [(), (1,), (18,), (1, 2, 3), (4, 9, 11), tuple(range(1, 19))])
def test_fitted_values_pass_through_every_key(inner: tuple[int, ...]) -> None:
    values = np.random.default_rng(3).normal(0, 1, (20, 4))
    keys = np.array([0, *inner, 19])
    np.testing.assert_allclose(fitted_cubics(values, np.arange(20.0), keys)[0][keys], values[keys], atol=1e-9)


@pytest.mark.parametrize("tolerance", [1.0, 5.0, 20.0])
def test_joints_stay_within_the_tolerance_as_blender_evaluates_them(
    walker: Any, bone_ends: Any, tolerance: float
) -> None:
    before = np.array([bone_ends(walker, frame) for frame in range(1, 121)])
    keys = key_count(walker)
    assert bpy.ops.reel2rig.reduce_keys(tolerance=tolerance) == {"FINISHED"}
    after = np.array([bone_ends(walker, frame) for frame in range(1, 121)])
    assert 1000 * np.linalg.norm(after - before, axis=-1).max() <= tolerance
    assert key_count(walker) < keys / 4


def test_a_wild_motion_on_a_scaled_rig_keeps_the_promise_in_the_world(
    imported: Any, motion: Motion, bone_ends: Any
) -> None:
    rig = imported(motion)
    rig.scale = (3.0, 3.0, 3.0)
    before = np.array([bone_ends(rig, frame) for frame in range(1, 41)])
    assert bpy.ops.reel2rig.reduce_keys(tolerance=8.0) == {"FINISHED"}
    after = np.array([bone_ends(rig, frame) for frame in range(1, 41)])
    assert 1000 * np.linalg.norm(after - before, axis=-1).max() <= 8.0


def test_what_it_reports_is_what_the_curves_hold(walker: Any) -> None:
    from reel2rig.addon.animate.reduce_keys import reduce_rig_keys

    before = key_count(walker)
    report = reduce_rig_keys(walker, 5.0, 30.0)
    assert (report.before, report.after) == (before, key_count(walker))
    assert 0.5 < report.error_mm <= 5.0
    assert f"{report.after:,}" in report.sentence()


def test_other_curves_of_the_action_are_left_alone(walker: Any) -> None:
    walker["reel2rig_confidence"] = 0.0
    curve = curves_of(walker).fcurves.new('["reel2rig_confidence"]')
    for frame in range(1, 121):
        curve.keyframe_points.insert(frame, 0.5)
    bpy.ops.reel2rig.reduce_keys()
    assert len(curves_of(walker).fcurves.find('["reel2rig_confidence"]').keyframe_points) == 120


def test_keys_stay_where_the_pelvis_is_highest(walker: Any, period: int) -> None:
    bpy.ops.reel2rig.reduce_keys(tolerance=30.0)
    curve = curves_of(walker).fcurves.find(curve_path("pelvis", "location"), index=1)
    keys = key_points(curve)[:, 0]
    lowest = 1 + period * np.array([0.25, 0.75, 1.25])  # highest at the beginning of each half period
    assert all(np.abs(keys - frame).min() <= 1.0 for frame in lowest + period / 4)


def test_turning_points_are_swings_and_not_jitter() -> None:
    time = np.arange(100.0)
    values = np.sin(2 * np.pi * time / 40) + 0.01 * np.cos(1.7 * time)
    assert np.flatnonzero(turning_points(values, 0.5)).tolist() == pytest.approx([10, 30, 50, 70, 90], abs=2)
    assert not turning_points(np.arange(50.0), 0.1).any()


def test_main_turn_is_the_angle_of_a_swing() -> None:
    angles = 0.4 * np.sin(np.linspace(0, 12, 200))
    quaternions = np.column_stack([np.cos(angles / 2), np.zeros(200), np.sin(angles / 2), np.zeros(200)])
    assert np.ptp(main_turn(quaternions)) == pytest.approx(np.ptp(angles), rel=0.02)


def test_contacts_begin_and_end_where_the_foot_stops_and_goes() -> None:
    seconds = np.arange(60.0) / 30
    foot = np.zeros((60, 3))
    foot[:, 0] = np.interp(np.arange(60), [0, 20, 40, 60], [0, 1, 1, 2])
    foot[:, 2] = np.interp(np.arange(60), [0, 10, 20, 40, 50, 60], [0, 0.2, 0, 0, 0.2, 0])
    assert np.flatnonzero(ends_of(contacts(foot, seconds))).tolist() == [21, 39]


def test_it_works_on_one_frame_and_needs_keys(imported: Any, walk: Motion) -> None:
    from dataclasses import replace

    rig = imported(replace(walk, poses=walk.poses[:1], trans=walk.trans[:1]))
    assert bpy.ops.reel2rig.reduce_keys() == {"FINISHED"}
    bag = curves_of(rig)
    for curve in list(bag.fcurves):
        bag.fcurves.remove(curve)
    with pytest.raises(RuntimeError, match="have no keys"):
        bpy.ops.reel2rig.reduce_keys()
    rig.animation_data.action = None
    assert not bpy.ops.reel2rig.reduce_keys.poll()


def test_it_refuses_bones_that_are_not_keyed_with_quaternions(walker: Any) -> None:
    walker.pose.bones["head"].rotation_mode = "XYZ"
    walker.pose.bones["head"].keyframe_insert("rotation_euler", frame=1)
    walker.pose.bones["head"].rotation_euler.x = 1.0
    walker.pose.bones["head"].keyframe_insert("rotation_euler", frame=20)
    for mode, said in (("XYZ", "does not turn by quaternions"), ("QUATERNION", "keyed with Euler angles")):
        walker.pose.bones["head"].rotation_mode = mode
        with pytest.raises(RuntimeError, match=rf"{said}.*Convert Rotation Modes"):
            bpy.ops.reel2rig.reduce_keys()
    constraint = walker.pose.bones["head"].constraints.new("COPY_ROTATION")
    with pytest.raises(RuntimeError, match="follow constraints"):
        bpy.ops.reel2rig.reduce_keys()
    constraint.mute = True


def test_undo_brings_every_key_back(walker: Any) -> None:
    name, before = walker.name, key_count(walker)
    bpy.ops.ed.undo_push(message="imported")
    bpy.ops.reel2rig.reduce_keys()
    bpy.ops.ed.undo_push(message="reduced")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo()
    assert key_count(bpy.data.objects[name]) == before


def test_standing_feet_hold_still(imported: Any, walk: Motion, body: Any, bone_ends: Any) -> None:
    from dataclasses import replace

    sways = np.tile(walk.trans[0], (len(walk.trans), 1))  # 15 mm, less than the tolerance
    sways[:, 0] += (0.015 * np.sin(np.arange(len(sways)) / 10)).astype(np.float32)
    poses = walk.poses.reshape(-1, 24, 3).copy()
    for name in ("left_hip", "left_knee", "left_ankle"):
        poses[:, JOINT[name]] = 0.0
    rig = imported(replace(walk, poses=poses.reshape(-1, 72), trans=sways))
    feet = ("left_ankle", "left_foot")
    before = np.array([bone_ends(rig, frame, feet) for frame in range(1, 121)])
    bpy.ops.reel2rig.reduce_keys(tolerance=20.0)
    after = np.array([bone_ends(rig, frame, feet) for frame in range(1, 121)])
    assert 1000 * np.linalg.norm(after - before, axis=-1).max() <= 20.0 / 4


def test_a_shaking_head_and_turning_hands_are_kept(imported: Any, walk: Motion, bone_axes: Any) -> None:
    from dataclasses import replace

    poses = walk.poses.reshape(-1, 24, 3).copy()
    poses[:, JOINT["head"], 1] = 0.6 * np.sin(np.arange(len(poses)) / 3)  # about its own axis
    poses[:, JOINT["left_wrist"], 0] = 0.6 * np.cos(np.arange(len(poses)) / 4)
    rig = imported(replace(walk, poses=poses.reshape(-1, 72)))
    twisting = ("head", "left_wrist", "left_hand")
    before = np.array([bone_axes(rig, frame, twisting) for frame in range(1, 121)])
    bpy.ops.reel2rig.reduce_keys(tolerance=5.0)
    after = np.array([bone_axes(rig, frame, twisting) for frame in range(1, 121)])
    assert geodesic_degrees(before, after).max() < 6.0
