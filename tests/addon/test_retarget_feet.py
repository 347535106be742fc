"""A retargeted character goes as far as its legs are long, its feet stand where the capture's stand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from reel2rig.benchmarks.example_characters import EXAMPLES, example_in
from reel2rig.benchmarks.example_motions import one_pose, pack_motion
from reel2rig.benchmarks.retarget_error import (
    CAPTURED_FEET,
    degrees_between,
    heads_at,
    import_capture,
    mean_slide,
    retarget_to,
    sole_tracks,
    standing_points,
)
from reel2rig.lifter.motion_file import Motion

LONG_SHINS = {"left_knee": 1.3, "right_knee": 1.3}
FEET = (("LeftFoot", "LeftToes"), ("RightFoot", "RightToes"))


def test_travel_and_hips_are_scaled_by_the_length_of_the_legs(scene: Any) -> None:
    source, rig = (
        import_capture(scene, pack_motion("cmu_06_01")),
        example_in(scene, replace(EXAMPLES["mixamo"], size=1.5), skin=True),
    )
    bone_map, report = retarget_to(scene, source, rig)
    assert report.ratio == pytest.approx(1.5, abs=1e-3)
    for frame in (1, 60, 118):
        theirs, own = (
            heads_at(scene, source, ["pelvis"], frame),
            heads_at(scene, rig, [bone_map.joints["pelvis"]], frame),
        )
        np.testing.assert_allclose(own, 1.5 * theirs, atol=5e-3)


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
def test_feet_slide_no_more_than_the_captures_and_stay_on_the_floor(scene: Any, change: dict[str, Any]) -> None:
    source = import_capture(scene, pack_motion("cmu_06_01"))
    rig = example_in(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), **change), skin=True)
    retarget_to(scene, source, rig)
    frames = range(1, 100)
    theirs, own = sole_tracks(scene, source, CAPTURED_FEET, frames), sole_tracks(scene, rig, FEET, frames)
    standing = standing_points(theirs)
    assert standing.mean() > 0.3
    assert mean_slide(own, standing) <= mean_slide(theirs, standing)
    assert own[..., 2].min() > min(theirs[..., 2].min(), 0.0) * 1.6 - 0.005
    np.testing.assert_allclose(own[1:, :, 2][standing].mean(), theirs[1:, :, 2][standing].mean(), atol=0.02)


def test_feet_that_glide_on_and_on_do_not_tear_at_a_giants_legs(scene: Any) -> None:
    still = one_pose({}, frames=300)
    way = np.linspace(0.0, 2.25, 300, dtype=np.float32)[:, None] * np.array([1.0, 0.0, 0.0], np.float32)  # in 10 s
    source = import_capture(scene, replace(still, trans=still.trans + way))
    rig = example_in(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), size=1.5), skin=True)
    retarget_to(scene, source, rig)
    for frame in (1, 150, 300):
        hip, foot = heads_at(scene, rig, ["LeftUpperLeg", "LeftFoot"], frame)
        assert degrees_between(foot - hip, np.array([0.0, 0.0, -1.0])) < 20.0


def test_without_holding_the_feet_long_shins_slide(scene: Any) -> None:
    """What the test above would see if nothing held the feet."""
    source = import_capture(scene, pack_motion("cmu_06_01"))
    rig = example_in(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), stretched=LONG_SHINS), skin=True)
    retarget_to(scene, source, rig, feet=False)
    frames = range(1, 60)
    theirs, own = sole_tracks(scene, source, CAPTURED_FEET, frames), sole_tracks(scene, rig, FEET, frames)
    standing = standing_points(theirs)
    assert mean_slide(own, standing) > 1.1 * mean_slide(theirs, standing)


def test_knees_and_elbows_bend_as_the_captures_when_feet_are_held(scene: Any) -> None:
    source = import_capture(scene, pack_motion("cmu_06_01"))
    rig = example_in(scene, replace(EXAMPLES["unity"], turned=(0.0, 0.0, 0.0), stretched=LONG_SHINS), skin=True)
    retarget_to(scene, source, rig)
    names = ["LeftUpperLeg", "LeftLowerLeg", "LeftFoot"]
    for frame in range(5, 115, 5):
        hip, knee, ankle = heads_at(scene, rig, names, frame)
        theirs = heads_at(scene, source, ["left_hip", "left_knee", "left_ankle"], frame)
        bend, their_bend = np.cross(knee - hip, ankle - knee), np.cross(theirs[1] - theirs[0], theirs[2] - theirs[1])
        if np.linalg.norm(their_bend) > 0.02:  # a knee that is clearly bent
            assert degrees_between(bend, their_bend) < 25.0


def test_hands_that_meet_meet_again_on_short_arms(scene: Any) -> None:
    shoulder, elbow = np.array([0.0, 0.9, 0.0]), np.array([0.0, 1.17, 0.0])
    turns = {"left_shoulder": -shoulder, "right_shoulder": shoulder, "left_elbow": -elbow, "right_elbow": elbow}
    source = import_capture(scene, one_pose({joint: turn.tolist() for joint, turn in turns.items()}, frames=3))
    example = replace(EXAMPLES["mixamo"], stretched={"left_elbow": 0.6, "right_elbow": 0.6})
    gaps = {}
    for hands in (False, True):
        rig = example_in(scene, example)
        bone_map, _ = retarget_to(scene, source, rig, hands=hands)
        left, right = heads_at(scene, rig, [bone_map.joints[f"{side}_wrist"] for side in ("left", "right")], 2)
        gaps[hands] = np.linalg.norm(left - right)
    theirs = heads_at(scene, source, ["left_wrist", "right_wrist"], 2)
    arms = 1.0 - 0.4 * 0.244 / (0.244 + 0.250)  # forearm over both bones of the arm
    assert gaps[True] == pytest.approx(arms * np.linalg.norm(theirs[0] - theirs[1]), abs=0.005)
    assert abs(gaps[False] - gaps[True]) > 0.05


@pytest.mark.parametrize("travel", ["hips", "root", "in_place"])
def test_travel_is_carried_by_the_hips_the_root_bone_or_nothing(scene: Any, travel: str) -> None:
    source, rig = import_capture(scene, pack_motion("cmu_06_01")), example_in(scene, "unreal_5", skin=True)
    retarget_to(scene, source, rig, travel=travel)
    ways = [heads_at(scene, rig, ["root", "pelvis"], frame) for frame in (1, 100)]
    root, hips = ways[1] - ways[0]
    far = np.linalg.norm(heads_at(scene, source, ["pelvis"], 100) - heads_at(scene, source, ["pelvis"], 1))
    assert np.linalg.norm(root[:2]) == pytest.approx(far if travel == "root" else 0.0, abs=0.05)
    assert np.linalg.norm(hips[:2]) == pytest.approx(0.0 if travel == "in_place" else far, abs=0.05)
    assert abs(root[2]) < 1e-6


def test_without_a_root_bone_the_hips_carry_the_travel_and_it_is_said(scene: Any, motion: Motion) -> None:
    _, report = retarget_to(scene, import_capture(scene, motion), example_in(scene, "mixamo"), travel="root")
    assert "no free root bone" in report.warnings[0]
