"""Bones are rolled so that animators can turn and mirror them."""

from typing import Any

import bpy
import numpy as np
from reel2rig.addon.character.rest_pose import rest_pose
from reel2rig.addon.character.rig import build_armature, rest_axes
from reel2rig.smpl_assets.body import Body
from reel2rig.smpl_assets.rotation import geodesic_degrees
from reel2rig.smpl_assets.skeleton import JOINT_NAMES, mirrored


def test_left_and_right_bones_are_mirror_images(scene: Any, body: Body) -> None:
    rig = build_armature("rig", rest_pose(body, np.zeros(10)), bpy.context.scene.collection)
    axes, across = rest_axes(rig), np.diag([-1.0, 1.0, 1.0])
    assert geodesic_degrees(across @ axes @ across, axes[list(mirrored(JOINT_NAMES))]).max() < 1.0


def test_z_axes_face_forward_and_those_of_feet_up(scene: Any, body: Body) -> None:
    rig = build_armature("rig", rest_pose(body, np.zeros(10)), bpy.context.scene.collection)
    for name, axes in zip(JOINT_NAMES, rest_axes(rig), strict=True):
        facing = [0, 0, 1] if "ankle" in name or "foot" in name else [0, -1, 0]
        assert axes[:, 2] @ facing > 0.85, name
