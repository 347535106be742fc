"""Where the floor is, and how to set people and camera on it."""

from dataclasses import replace

import numpy as np

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END, JOINT
from .records import Fit, Joints3D

POINTS_TO_SOLE = 0.005  # the heel and toe points lie this far above the sole


def floor_height(ends: Array, confidence: Array) -> float:
    """Height of the floor along up: the level at which the lower foot of the people most often stands."""
    feet = [END[name] for name in ("left_heel", "right_heel", "left_big_toe", "right_big_toe")]
    lowest = ends[:, feet, 2].min(axis=1)
    sure = confidence[:, [JOINT["left_ankle"], JOINT["right_ankle"]]].mean(axis=1) > 0.3
    if sure.sum() >= 3:
        lowest = lowest[sure]
    return float(np.percentile(lowest, 30)) - POINTS_TO_SOLE


def on_the_floor(fits: list[Fit], joints: Joints3D) -> tuple[list[Fit], Joints3D]:
    """Shift the world so that its floor is at z = 0 for the fitted feet; what the camera sees stays."""
    shift = np.array([0.0, 0.0, -floor_height(np.concatenate([found.ends for found in fits]), joints.confidence)])
    moved = [replace(f, trans=f.trans + shift, joints=f.joints + shift, ends=f.ends + shift) for f in fits]
    camera = joints.camera_world_from_cam
    if camera is not None:
        camera = camera.copy()
        camera[:3, 3] += shift
    points = shift.astype(np.float32)
    return moved, replace(
        joints, joints=joints.joints + points, ends=joints.ends + points, camera_world_from_cam=camera
    )
