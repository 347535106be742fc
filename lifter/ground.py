"""Where the floor is, and how to set people and camera on it."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END, END_NAMES, JOINT, JOINT_NAMES
from .records import Fit, Joints3D

SUNK = 0.005  # metres above the floor, where a heel or toe point, which is inside the foot, has sunk into it
CONTACT_POINTS = tuple(END[name] for name in ("left_heel", "left_big_toe", "right_heel", "right_big_toe"))
SOLES = np.array([0.0275, 0.0145, 0.0275, 0.0145])  # metres from those points down to the sole, in the body's rest pose
OTHERS = tuple(number for number in range(len(END_NAMES)) if number not in CONTACT_POINTS)  # ends of head and hands
# Metres from joints, and those ends, down to the floor that somebody lies on.
TRUNK = ("pelvis", "hip", "spine1", "spine2", "spine3", "neck", "collar", "head")
JOINT_FLESH = np.array([0.1 if name.split("_")[-1] in TRUNK else 0.03 for name in JOINT_NAMES])
OTHERS_FLESH = 0.02
CLEARLY_LOWER = 0.1  # metres below the feet, at which another part of the body carries in their place
LOWER_FOOT = 0.03  # metres above the lowest foot point at which another still carries
IN_THE_AIR = 0.15  # a lowest foot point this far above or below the floor has nothing to do with it
STANDING_SPEED = 0.35  # metres a second
SPEED_SMOOTHING = 0.04  # seconds
STEP_IN = 0.1  # seconds in which a foot takes and gives up its load, so that nothing pops


def sole_heights(ends: Array) -> Array:
    """Heights (T, 4) m of the soles under CONTACT_POINTS, from ends (T, 13, 3), Z up."""
    return ends[:, CONTACT_POINTS, 2] - SOLES


def lowest_height(joints: Array, ends: Array) -> Array:
    """Height (T,) m of what carries, from joints (T, 24, 3) and ends (T, 13, 3), Z up.

    That is the lower sole; of somebody who lies, sits with raised legs or stands on their hands, the lowest part.
    """
    soles = sole_heights(ends).min(axis=1)
    bones = (joints[..., 2] - JOINT_FLESH).min(axis=1)
    below = np.maximum(soles - np.minimum(bones, ends[:, OTHERS, 2].min(axis=1) - OTHERS_FLESH), 0.0)
    return soles - below * np.minimum(below / CLEARLY_LOWER, 1.0)


def floor_height(joints: Array, ends: Array, confidence: Array) -> float:
    """Height of the floor in joints (T, 24, 3) and ends (T, 13, 3), Z up: the level at which people most often are."""
    lowest = lowest_height(joints, ends)
    sure = confidence[:, [JOINT["left_ankle"], JOINT["right_ankle"]]].mean(axis=1) > 0.3
    if sure.sum() >= 3:
        lowest = lowest[sure]
    return float(np.percentile(lowest, 30))


def on_the_floor(fits: list[Fit], joints: Joints3D, share: float = 1.0) -> tuple[list[Fit], Joints3D]:
    """Shift the world so that its floor is at z = 0 for the fitted feet; what the camera sees stays.

    fits: of everybody in ``joints``, in the order of their rows. share: 0..1, of the way to the floor.
    """
    points, ends = (
        np.concatenate(parts) for parts in zip(*((found.joints, found.ends) for found in fits), strict=True)
    )
    shift = np.array([0.0, 0.0, -share * floor_height(points, ends, joints.confidence)])
    moved = [replace(f, trans=f.trans + shift, joints=f.joints + shift, ends=f.ends + shift) for f in fits]
    camera = joints.camera_world_from_cam
    if camera is not None:
        camera = camera.copy()
        camera[:3, 3] += shift
    points = shift.astype(np.float32)
    return moved, replace(
        joints, joints=joints.joints + points, ends=joints.ends + points, camera_world_from_cam=camera
    )


def support(ends: Array, confidence: Array, fps: float) -> Array:
    """How surely each end point (T, 13) stands on the floor, 0..1, from ends (T, 13, 3) m, floor near z = 0.

    A foot supports where it is the lower one, slow and not in the air, or where it has sunk into the floor, at any
    speed. Only heels and toes can.
    """
    feet, height = ends[:, CONTACT_POINTS], sole_heights(ends)
    lowest = height.min(axis=1, keepdims=True)
    _, speed = smoothed_feet(feet, fps)
    near = np.exp(-((lowest / IN_THE_AIR) ** 4))
    standing = np.exp(-(((height - lowest) / LOWER_FOOT) ** 2)) * np.exp(-((speed / STANDING_SPEED) ** 2))
    sunk = np.clip((SUNK - feet[..., 2]) / LOWER_FOOT, 0.0, 1.0)
    seen = confidence[:, [JOINT["left_ankle"], JOINT["left_foot"], JOINT["right_ankle"], JOINT["right_foot"]]]
    result = np.zeros(ends.shape[:2])
    sure = np.maximum(standing, sunk) * near * (seen > 0.3)
    result[:, CONTACT_POINTS] = gaussian_filter1d(sure, max(STEP_IN * fps, 0.3), axis=0, mode="nearest")
    return result


def smoothed_feet(points: Array, fps: float) -> tuple[Array, Array]:
    """Points (T, P, 3) m, lightly smoothed over time, and their speeds (T, P) in metres a second."""
    smooth = gaussian_filter1d(points, max(SPEED_SMOOTHING * fps, 0.3), axis=0, mode="nearest")
    if len(points) == 1:
        return smooth, np.zeros(points.shape[:2])
    return smooth, np.linalg.norm(np.gradient(smooth, axis=0), axis=-1) * fps
