"""Confidence on the timeline tells an animator where to look, and goes with its character."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.character.confidence import (
    MOST_MARKERS,
    doubtful_stretches,
    low_confidence_stretches,
    person_confidence,
)
from reel2rig.addon.character.keying import keyed_curve
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body


def imported(scene: Any, motion: Motion, confidence: np.ndarray, path: Path, body: Body) -> Any:
    """The rig of ``motion`` with ``confidence`` (40,), the same for all joints, from 0 to 1."""
    joints = np.repeat(confidence[:, None], 24, axis=1).astype(np.float32)
    write_motion(path, replace(motion, confidence=joints))
    return import_motions(scene, [path], body)[0].rig


def test_a_lost_arm_shows_and_noise_of_one_joint_does_not() -> None:
    sure = np.full((3, 24), 0.9)
    sure[1, [16, 18, 20, 22]] = 0.0  # an arm
    sure[2, 5] = 0.5
    all_fine, arm_lost, one_joint = person_confidence(sure)
    assert all_fine == pytest.approx(0.9)
    assert arm_lost == pytest.approx(0.45)
    assert one_joint == pytest.approx(0.85)


def test_what_is_not_a_number_is_not_sure() -> None:
    assert person_confidence(np.full((1, 24), np.nan)).tolist() == [0.0]
    assert person_confidence(np.full((1, 24), 7.0)).tolist() == [1.0]


def test_stretches_join_flicker_and_leave_blinks_out() -> None:
    times = np.arange(90) / 30.0
    sure = np.ones(90)
    sure[10:20], sure[22:30] = 0.1, 0.2  # two frames of better luck between
    sure[60] = 0.0  # a blink
    assert low_confidence_stretches(times, sure) == [(10 / 30, 29 / 30)]
    assert low_confidence_stretches(times, np.ones(90)) == []
    assert low_confidence_stretches(times, np.zeros(90)) == [(0.0, 89 / 30)]
    assert low_confidence_stretches(times[:1], np.zeros(1)) == []


def test_the_curve_and_a_marker_stand_on_the_timeline(
    scene: Any, motion: Motion, motion_path: Path, body: Body
) -> None:
    sure = np.ones(40)
    sure[12:30] = 0.25
    rig = imported(scene, motion, sure, motion_path, body)
    curve = keyed_curve(rig, '["reel2rig_confidence"]')
    assert curve is not None
    np.testing.assert_allclose([point.co.y for point in curve.keyframe_points], sure)
    assert [(marker.name, marker.frame) for marker in scene.timeline_markers] == [("? 0.6 s walk_person_01", 13)]
    scene.frame_set(20)
    bpy.context.view_layer.update()
    assert rig["reel2rig_confidence"] == pytest.approx(0.25)
    [(start, end)] = doubtful_stretches(rig, scene)
    assert (start, end) == (pytest.approx(12 / 30), pytest.approx(29 / 30))
    assert doubtful_stretches(rig, scene, threshold=0.1) == []


def test_at_most_a_handful_of_markers_the_worst_ones(scene: Any, motion: Motion, tmp_path: Path, body: Body) -> None:
    count = 40 * 20
    sure = np.ones(count)
    for number in range(20):
        sure[40 * number : 40 * number + 10] = 0.02 * number
    many = replace(motion, poses=np.tile(motion.poses, (20, 1)), trans=np.tile(motion.trans, (20, 1)))
    imported(scene, many, sure, tmp_path / "long.npz", body)
    frames = [marker.frame for marker in scene.timeline_markers]
    assert frames == [1 + 40 * number for number in range(MOST_MARKERS)]


def test_a_motion_without_confidence_has_neither_curve_nor_marker(scene: Any, motion_path: Path, body: Body) -> None:
    rig = import_motions(scene, [motion_path], body)[0].rig
    assert keyed_curve(rig, '["reel2rig_confidence"]') is None
    assert "reel2rig_confidence" not in rig
    assert doubtful_stretches(rig, scene) == []
    assert not scene.timeline_markers
