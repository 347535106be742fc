"""A motion at other times: exact where it has a frame, even turns between, nothing beyond what was seen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.character.resample import known_times, resample
from reel2rig.addon.character.rig import posed_heads
from reel2rig.addon.character.scene_setup import on_whole_frames, scene_frame, scene_seconds
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body, forward


def keys_of(rig: Any) -> np.ndarray:
    animation = rig.animation_data
    curve = animation.action.layers[0].strips[0].channelbag(animation.action_slot).fcurves[0]
    return np.array([point.co.x for point in curve.keyframe_points])


def swaying(count: int, body: Body) -> Motion:
    """Slow turns of all joints and a slow walk, 30 frames a second."""
    seconds = np.arange(count) / 30.0
    poses = 0.06 * np.sin(2.0 * seconds[:, None] + np.linspace(0.0, 6.0, 72))
    trans = np.stack([0.3 * seconds, 0.1 * np.sin(seconds), np.ones(count)], axis=1)
    shape = np.zeros(10, np.float32)
    return Motion(poses.astype(np.float32), trans.astype(np.float32), shape, 30.0, body=body.identity(), licence="open")


def test_times_that_a_motion_has_give_its_very_frames(motion: Motion) -> None:
    found = resample(motion, np.arange(40)[[0, 7, 7, 39]] / 30.0)
    np.testing.assert_array_equal(found.poses, motion.poses[[0, 7, 7, 39]])
    np.testing.assert_array_equal(found.trans, motion.trans[[0, 7, 7, 39]])


def test_a_quarter_of_the_time_is_a_quarter_of_the_turn_also_through_half_a_circle() -> None:
    poses = np.zeros((2, 72), np.float32)
    poses[:, 0], poses[:, 4] = [0.2, 1.0], [3.0, -3.0]  # the second joint turns on by 0.283 radians through pi
    motion = Motion(poses, np.array([[0, 0, 0], [4, 0, 0]], np.float32), np.zeros(10, np.float32), 1.0)
    found = resample(motion, np.array([0.25]))
    assert found.poses[0, 0] == pytest.approx(0.4)
    assert found.poses[0, 4] == pytest.approx(3.0 + 0.25 * (2 * np.pi - 6.0))
    assert found.trans[0, 0] == pytest.approx(1.0)


def test_confidence_and_unknown_ends_come_along(motion: Motion) -> None:
    ends = np.zeros((40, 13, 3), np.float32)
    ends[1] = np.nan
    confidence = np.tile(np.linspace(0, 1, 40, dtype=np.float32)[:, None], (1, 24))
    found = resample(replace(motion, ends=ends, confidence=confidence, frames=np.arange(40)), np.array([0.0, 1.5]) / 30)
    assert found.confidence is not None
    assert found.ends is not None
    np.testing.assert_allclose(found.confidence[:, 0], [0, 1.5 / 39], atol=1e-6)
    np.testing.assert_array_equal(found.ends[0], 0.0)  # the unknown neighbour does not reach it
    assert np.isnan(found.ends[1]).all()
    assert len(found.poses) == 2


def test_nothing_is_known_outside_and_in_gaps() -> None:
    times = np.array([0.0, 0.1, 0.2, 1.0, 1.1])
    asked = np.array([-0.01, 0.0, 0.15, 0.2, 0.5, 1.0, 1.05, 1.11])
    assert known_times(times, asked).tolist() == [False, True, True, True, False, True, True, False]
    slow = np.arange(4) / 2.0  # two frames a second are no gaps
    assert known_times(slow, np.array([0.2, 1.4])).all()


def test_a_30_fps_motion_keeps_its_time_in_a_24_fps_scene(
    scene: Any, motion_path: Path, tmp_path: Path, body: Body
) -> None:
    slow = swaying(60, body)
    write_motion(tmp_path / "slow.npz", slow)
    scene.render.fps, scene.render.fps_base = 24, 1.0
    rig = import_motions(scene, [tmp_path / "slow.npz"], body, frame_rate="scene")[0].rig
    assert scene.render.fps == 24
    np.testing.assert_array_equal(keys_of(rig), np.arange(1, 1 + len(keys_of(rig))))
    assert scene.frame_end == 1 + np.floor(59 / 30 * 24)
    _, joints = forward(body, slow.poses, slow.trans, slow.betas)
    for second in (0.0, 0.1, 0.5, 1.0, 1.9):
        frame = scene_frame(scene, second)
        scene.frame_set(int(frame), subframe=frame % 1)
        heads = posed_heads(rig, bpy.context.evaluated_depsgraph_get())[1:]
        assert np.linalg.norm(heads - joints[round(second * 30)], axis=-1).max() < 1e-3


def test_an_animated_scene_keeps_its_rate_and_an_empty_one_takes_the_motions(
    scene: Any, motion_path: Path, body: Body
) -> None:
    scene.render.fps = 24
    import_motions(scene, [motion_path], body)
    assert scene.render.fps == 30  # nothing was animated
    scene.render.fps = 25
    rig = import_motions(scene, [motion_path], body)[0].rig
    assert scene.render.fps == 25
    assert (keys_of(rig) == np.round(keys_of(rig))).all()
    import_motions(scene, [motion_path], body, frame_rate="clip")
    assert scene.render.fps == 30


def test_later_imports_only_widen_the_range_and_stay_at_the_frame(
    scene: Any, motion: Motion, motion_path: Path, tmp_path: Path, body: Body
) -> None:
    write_motion(tmp_path / "late.npz", replace(motion, times=2.0 + np.arange(40) / 30))
    import_motions(scene, [tmp_path / "late.npz"], body)
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (61, 100, 61)
    scene.frame_set(70)
    import_motions(scene, [motion_path], body)
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 100, 70)


def test_gaps_stay_gaps_and_a_pose_between_frames_gets_one(scene: Any, motion: Motion) -> None:
    scene.render.fps = 24
    times = np.arange(40) / 30 + np.where(np.arange(40) < 20, 0.0, 2.0)
    frames, found = on_whole_frames(replace(motion, times=times), scene)
    assert len(frames) == len(found.poses)
    gap = np.diff(frames).max()
    assert gap == pytest.approx(24 * (2 + 1 / 30), abs=2)
    one = replace(motion, poses=motion.poses[:1], trans=motion.trans[:1], times=np.array([0.11]))
    frames, found = on_whole_frames(one, scene)
    assert frames.tolist() == [4]
    np.testing.assert_array_equal(found.poses, one.poses)


def test_seconds_and_frames_are_inverse(scene: Any, motion: Motion) -> None:
    scene.render.fps, scene.render.fps_base = 30, 1.001
    for seconds in (0.0, 1.0, 12.3456):
        assert scene_seconds(scene, scene_frame(scene, seconds)) == pytest.approx(seconds)
    assert scene_frame(scene, 0.0) == 1


def test_times_that_no_scene_can_show_are_refused(scene: Any, motion: Motion) -> None:
    with pytest.raises(InputError, match="do not rise"):
        on_whole_frames(replace(motion, times=np.zeros(40)), scene)
    with pytest.raises(InputError, match="do not rise"):
        on_whole_frames(replace(motion, times=np.full(40, np.nan)), scene)
    with pytest.raises(InputError, match="beyond the last frame"):
        on_whole_frames(replace(motion, times=1e9 * np.arange(40)), scene)
