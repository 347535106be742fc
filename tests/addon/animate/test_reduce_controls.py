"""Keys on the controls become fewer, and the body keeps the promise."""

from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.animate.control_rig import control_names
from reel2rig.addon.animate.control_rig_shown import ShownBody
from reel2rig.addon.animate.reduce_keys import reduce_rig_keys
from reel2rig.addon.character.action_curves import curves_of, read_channels, skeleton_of
from reel2rig.addon.character.posed_skeleton import PoseChannels
from reel2rig.lifter.motion_file import Motion
from reel2rig.smpl_assets.rotation import geodesic_degrees
from reel2rig.smpl_assets.skeleton import JOINT_NAMES


def test_the_body_that_numpy_shows_is_the_one_blender_shows(
    imported: Any, motion: Motion, bone_ends: Any, bone_axes: Any
) -> None:
    rig = imported(motion)
    bpy.ops.reel2rig.add_control_rig()
    full, bag = skeleton_of(rig), curves_of(rig)
    controls, rng = full.part(control_names()), np.random.default_rng(4)
    frames = np.arange(1.0, 41.0)
    channels = read_channels(rig, controls, bag, frames)
    movable = np.array([name.endswith(("root", "pelvis_ctrl", "_ik", "_pole")) for name in controls.names])
    moved = PoseChannels(
        channels.locations + rng.normal(0, 0.02, channels.locations.shape[1:]) * movable[:, None],
        channels.quaternions + rng.normal(0, 0.05, channels.quaternions.shape[1:]),
    )
    body = ShownBody(full, controls, channels)
    shown = body.pose(moved)
    rig.animation_data.action = None
    for bone, name in enumerate(controls.names):
        posed = rig.pose.bones[name]
        posed.location, posed.rotation_quaternion = moved.locations[22, bone], moved.quaternions[22, bone]
    np.testing.assert_allclose(shown.heads[22], bone_ends(rig, 23, JOINT_NAMES)[:, 0], atol=1e-4)
    assert geodesic_degrees(shown.axes[22], bone_axes(rig, 23)).max() < 0.05
    assert body.errors(channels).max() == 0.0
    assert body.errors(moved).max() > 0.02


@pytest.mark.parametrize("tolerance", [2.0, 10.0])
def test_the_body_stays_within_the_tolerance(walker: Any, bone_ends: Any, tolerance: float) -> None:
    before = np.array([bone_ends(walker, frame, JOINT_NAMES) for frame in range(1, 121)])
    bpy.ops.reel2rig.add_control_rig()
    report = reduce_rig_keys(walker, tolerance, 30.0)
    after = np.array([bone_ends(walker, frame, JOINT_NAMES) for frame in range(1, 121)])
    assert 1000 * np.linalg.norm(after - before, axis=-1).max() <= tolerance + 0.1
    assert report.after < report.before / 3
    assert report.error_mm <= tolerance


def test_reduced_controls_can_be_baked(walker: Any, bone_ends: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    assert bpy.ops.reel2rig.reduce_keys(tolerance=10.0) == {"FINISHED"}
    before = np.array([bone_ends(walker, frame) for frame in range(1, 121, 9)])
    bpy.ops.reel2rig.bake_control_rig()
    after = np.array([bone_ends(walker, frame) for frame in range(1, 121, 9)])
    assert np.abs(after - before).max() < 5e-4
