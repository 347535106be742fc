"""Loops are found where motions repeat, and their ends meet."""

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.animate.loop import about_z, find_loop
from reel2rig.addon.animate.make_loop import make_loop
from reel2rig.addon.character.action_curves import curves_of
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion
from reel2rig.smpl_assets.body import Body, forward
from reel2rig.smpl_assets.rotation import axis_angle_from_matrix, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT

HIPS = (JOINT["pelvis"], JOINT["left_hip"], JOINT["right_hip"])


def joints_of(body: Body, motion: Motion) -> np.ndarray:
    return forward(body, motion.poses, motion.trans, motion.betas)[1].astype(np.float64)


def on_a_circle(motion: Motion, body: Body, degrees_a_frame: float) -> Motion:
    """The motion with its path and heading bent."""
    turns = about_z(np.radians(degrees_a_frame) * np.arange(len(motion.poses)))
    poses = motion.poses.reshape(-1, 24, 3).copy()
    poses[:, 0] = axis_angle_from_matrix(turns @ matrix_from_axis_angle(poses[:, 0].astype(np.float64)))
    pelvis = motion.trans + body.rest_joints(motion.betas)[0]
    steps = (turns[:-1] @ np.diff(pelvis, axis=0)[..., None])[..., 0]
    pelvis = pelvis[0] + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    trans = (pelvis - body.rest_joints(motion.betas)[0]).astype(np.float32)
    return replace(motion, poses=poses.reshape(-1, 72), trans=trans)


@pytest.mark.parametrize("degrees_a_frame", [0.0, 1.5])
@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_one_cycle_of_a_known_walk_is_found(
    body: Body, walk: Motion, period: int, noise: float, degrees_a_frame: float
) -> None:
    joints = joints_of(body, on_a_circle(walk, body, degrees_a_frame))
    joints += np.random.default_rng(5).normal(0, noise, joints.shape)
    loop = find_loop(joints, HIPS, 30.0, 15)
    assert loop.last - loop.first == pytest.approx(period, abs=1)
    assert loop.gap < 0.002 + 3 * noise


def test_standing_still_is_no_loop(body: Body, walk: Motion, period: int) -> None:
    still = np.repeat(joints_of(body, walk)[:1], 200, axis=0)
    joints = np.concatenate([still, joints_of(body, walk)])
    joints += np.random.default_rng(5).normal(0, 0.002, joints.shape)
    loop = find_loop(joints, HIPS, 30.0, 15)
    assert loop.first >= 199
    assert loop.last - loop.first == pytest.approx(period, abs=1)


def test_a_range_too_short_is_refused(body: Body, walk: Motion) -> None:
    with pytest.raises(InputError, match="too few"):
        find_loop(joints_of(body, walk)[:15], HIPS, 30.0, 15)


@pytest.fixture
def uneven(walk: Motion, body: Body) -> Motion:
    """The walk on a circle, growing wilder, so that no two frames are quite alike."""
    grown = walk.poses.reshape(-1, 24, 3) * np.linspace(0.9, 1.15, len(walk.poses))[:, None, None]
    grown[:, 0] = walk.poses.reshape(-1, 24, 3)[:, 0]
    return on_a_circle(replace(walk, poses=grown.reshape(-1, 72).astype(np.float32)), body, 1.0)


@pytest.mark.parametrize("travel", ["root", "hips"])
def test_the_loop_repeats_without_a_seam_and_walks_on(
    imported: Any, uneven: Motion, bone_ends: Any, scene: Any, travel: str
) -> None:
    rig = imported(uneven)
    bpy.ops.reel2rig.root_motion(travel=travel)
    report = make_loop(rig, bpy.context.scene, 0.5, True)
    assert report.gap_mm > 5
    count = round(report.last - report.first)
    rounds = np.array([bone_ends(rig, frame)[:, 0] for frame in range(1, 2 * count + 2)])
    step = rounds[count] - rounds[0]
    assert np.ptp(step[1:], axis=0).max() < 1e-4  # all bones go on together: no turn, no gap
    assert step[1, 2] == pytest.approx(0, abs=1e-4)
    assert np.linalg.norm(step[1]) == pytest.approx(count * 1.2 / 30, rel=0.05)
    np.testing.assert_allclose(rounds[count:] - rounds[: count + 1], np.tile(step, (count + 1, 1, 1)), atol=2e-4)
    jerks = np.linalg.norm(np.diff(rounds, 2, axis=0), axis=-1).max(axis=1)
    assert jerks[count - 1] < 1.1 * np.delete(jerks, count - 1).max()


def test_the_old_action_is_kept_and_the_new_one_says_that_it_cycles(walker: Any) -> None:
    old = walker.animation_data.action
    assert bpy.ops.reel2rig.make_loop(repeat=False) == {"FINISHED"}
    made = walker.animation_data.action
    assert made.name == f"{old.name} loop"
    assert old.use_fake_user
    assert made.use_cyclic
    assert made.frame_end - made.frame_start == pytest.approx(31, abs=1)
    assert not any(len(curve.modifiers) for curve in curves_of(walker).fcurves)


@pytest.mark.parametrize("travel", ["root", "hips", "in_place"])
def test_the_cycle_is_found_wherever_the_travel_is(walker: Any, period: int, travel: str) -> None:
    bpy.ops.reel2rig.root_motion(travel=travel)
    report = make_loop(walker, bpy.context.scene, 0.5, True)
    assert report.last - report.first == pytest.approx(period, abs=1)
    assert report.gap_mm < 2


def test_only_the_preview_range_is_searched(walker: Any, scene: Any) -> None:
    scene = bpy.context.scene
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 60, 100
    report = make_loop(walker, scene, 0.5, True)
    assert 60 <= report.first < report.last <= 100
    scene.frame_preview_start, scene.frame_preview_end = 1, 10
    with pytest.raises(RuntimeError, match="Choose a longer range"):
        bpy.ops.reel2rig.make_loop()
    scene.frame_preview_start, scene.frame_preview_end = 500, 600
    with pytest.raises(RuntimeError, match="not keyed in the marked range"):
        bpy.ops.reel2rig.make_loop()


def test_the_confidence_comes_along(walker: Any) -> None:
    curve = curves_of(walker).fcurves.new('["reel2rig_confidence"]')
    for frame in (1, 120):
        curve.keyframe_points.insert(frame, frame / 120).interpolation = "LINEAR"
    report = make_loop(walker, bpy.context.scene, 0.5, False)
    copied = curves_of(walker).fcurves.find('["reel2rig_confidence"]')
    assert copied.evaluate(1) == pytest.approx(report.first / 120, abs=1e-4)


def test_a_motion_that_never_repeats_is_said(imported: Any, motion: Motion, walker: Any) -> None:
    assert "try another range" not in make_loop(walker, bpy.context.scene, 0.5, True).sentence()
    rig = imported(motion)
    assert "try another range" in make_loop(rig, bpy.context.scene, 0.5, True).sentence()
