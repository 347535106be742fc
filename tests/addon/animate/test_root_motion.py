"""The travel can be on the root, on the hips or nowhere, and the body moves alike."""

from typing import Any

import bpy
import numpy as np
import pytest

FRAMES = (1, 2, 40, 77, 120)


def test_the_hips_carry_the_travel_and_give_it_back_exactly(walker: Any, bone_ends: Any) -> None:
    before = np.array([bone_ends(walker, frame) for frame in FRAMES])
    assert bpy.ops.reel2rig.root_motion(travel="hips") == {"FINISHED"}
    on_hips = np.array([bone_ends(walker, frame) for frame in FRAMES])
    np.testing.assert_allclose(on_hips[:, 0, 0], 0.0, atol=1e-7)
    np.testing.assert_allclose(on_hips[:, 1:], before[:, 1:], atol=5e-5)
    assert bpy.ops.reel2rig.root_motion(travel="root") == {"FINISHED"}
    np.testing.assert_allclose([bone_ends(walker, frame) for frame in FRAMES], before, atol=5e-5)


def test_in_place_takes_out_the_way_and_keeps_the_height(walker: Any, bone_ends: Any) -> None:
    before = np.array([bone_ends(walker, frame) for frame in FRAMES])
    assert bpy.ops.reel2rig.root_motion(travel="in_place") == {"FINISHED"}
    after = np.array([bone_ends(walker, frame) for frame in FRAMES])
    np.testing.assert_allclose(after[:, 0, 0], 0.0, atol=1e-7)
    way = before[:, 1:2, 0] * [1, 1, 0]
    np.testing.assert_allclose(after[:, 1:], before[:, 1:] - way[:, None], atol=5e-5)


def test_it_says_how_far_the_way_was(walker: Any) -> None:
    from reel2rig.addon.animate.move_travel import move_travel

    frames, moved = move_travel(walker, "in_place")
    assert moved.length() == pytest.approx(119 * 1.2 / 30, rel=1e-4)
    assert len(frames) == 120


def test_a_turned_root_and_reduced_keys_travel_alike(walker: Any, bone_ends: Any) -> None:
    walker.pose.bones["root"].rotation_quaternion = (0.9, 0.0, 0.0, 0.4)
    bpy.ops.reel2rig.reduce_keys(tolerance=10.0)
    before = np.array([bone_ends(walker, frame) for frame in FRAMES])
    for travel in ("hips", "root"):
        bpy.ops.reel2rig.root_motion(travel=travel)
        after = np.array([bone_ends(walker, frame) for frame in FRAMES])
        np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-4)


def test_it_needs_a_character(scene: Any, addon: None) -> None:
    assert not bpy.ops.reel2rig.root_motion.poll()


@pytest.mark.parametrize("travel", ["hips", "in_place"])
def test_the_export_takes_it_as_it_is(walker: Any, tmp_path: Any, travel: str) -> None:
    bpy.ops.reel2rig.root_motion(travel=travel)
    assert bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "a.fbx"), target="unity") == {"FINISHED"}
    assert "travels 0.00 m" in walker["reel2rig_export"]


def test_the_travel_of_a_loop_goes_on_round_after_round(walker: Any, bone_ends: Any) -> None:
    bpy.ops.reel2rig.make_loop(repeat=True)
    before = np.array([bone_ends(walker, frame) for frame in range(1, 100, 7)])
    bpy.ops.reel2rig.root_motion(travel="hips")
    after = np.array([bone_ends(walker, frame) for frame in range(1, 100, 7)])
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=2e-4)
    bpy.ops.reel2rig.root_motion(travel="in_place")
    assert np.ptp(np.array([bone_ends(walker, frame) for frame in range(1, 100, 7)])[:, 1, 0, 0]) < 1e-3
