"""Our forward kinematics is Blender's."""

from typing import Any

import numpy as np
from reel2rig.addon.character.action_curves import bone_curves, curves_of, keyed_frames, read_channels, skeleton_of
from reel2rig.addon.character.posed_skeleton import channels_of, pose_of
from reel2rig.lifter.motion_file import Motion


def test_the_pose_is_blenders_own_and_gives_its_channels_back(imported: Any, motion: Motion, bone_ends: Any) -> None:
    rig = imported(motion)
    rig.pose.bones["root"].rotation_quaternion = (0.8, 0.1, -0.3, 0.2)  # not keyed, not of unit length
    skeleton, bag = skeleton_of(rig), curves_of(rig)
    frames = keyed_frames(bone_curves(bag, skeleton.names).values())
    channels = read_channels(rig, skeleton, bag, frames)
    pose = pose_of(skeleton, channels)
    for frame in (1, 17, 40):
        ours = np.stack([pose.heads, pose.tails(skeleton)], axis=2)[frame - 1]
        assert np.abs(ours - bone_ends(rig, frame, skeleton.names)).max() < 1e-5
    again = channels_of(skeleton, pose)
    np.testing.assert_allclose(again.locations, channels.locations, atol=1e-5)
    np.testing.assert_allclose(pose_of(skeleton, again).axes, pose.axes, atol=1e-5)
