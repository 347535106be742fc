"""Where the floor is, and how to set people and camera on it."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END, JOINT
from .records import Fit, Joints3D

POINTS_TO_SOLE = 0.005  # metres; the heel and toe points lie this far above the sole
FEET = tuple(END[name] for name in ("left_heel", "right_heel", "left_big_toe", "right_big_toe"))
# How much a standing foot may be off the floor, and the person off their place in the picture: metres. Moving along
# the ray also shows, as a change of size: limbs lie about half a metre from the body's middle.
FLOOR_SPREAD, PICTURE_SPREAD, BODY_RADIUS = 0.015, 0.015, 0.5
STANDING_HEIGHT = 0.10  # a lowest foot point higher than this is in the air
SETTLE_TIME = 0.15  # seconds


def floor_height(ends: Array, confidence: Array) -> float:
    """Height of the floor in ``ends`` (T, 13, 3), Z up: the level at which the lower foot most often stands."""
    lowest = ends[:, FEET, 2].min(axis=1)
    sure = confidence[:, [JOINT["left_ankle"], JOINT["right_ankle"]]].mean(axis=1) > 0.3
    if sure.sum() >= 3:
        lowest = lowest[sure]
    return float(np.percentile(lowest, 30)) - POINTS_TO_SOLE


def on_the_floor(fits: list[Fit], joints: Joints3D, people: list[int]) -> tuple[list[Fit], Joints3D]:
    """Shift the world so that its floor is at z = 0 for the fitted feet, then let each person stand on it.

    fits: one for each track id in ``people``. What the camera sees stays the same to a few pixels.
    """
    shift = np.array([0.0, 0.0, -floor_height(np.concatenate([found.ends for found in fits]), joints.confidence)])
    camera = joints.camera_world_from_cam
    if camera is not None:
        camera = camera.copy()
        camera[:3, 3] += shift
    world = joints.joints + shift.astype(np.float32), joints.ends + shift.astype(np.float32)
    moved = [_moved(found, shift) for found in fits]
    if camera is not None:
        moved = [
            _moved(found, settled(found, joints.times[joints.track_id == person], camera[:3, 3]))
            for found, person in zip(moved, people, strict=True)
        ]
    return moved, replace(joints, joints=world[0], ends=world[1], camera_world_from_cam=camera)


def settled(found: Fit, times: Array, camera: Array) -> Array:
    """Moves (T, 3) in metres that bring standing feet to the floor, mostly along the camera's rays.

    One camera sees depth worst, so that is what gives way; jumps keep their height, since a foot in the air has no
    say and takes the move of its neighbours in time.
    """
    height = found.ends[:, FEET, 2].min(axis=1) - POINTS_TO_SOLE
    ray = found.joints[:, 0] - camera
    distance = np.maximum(np.linalg.norm(ray, axis=1), 1e-3)[:, None, None]
    ray = ray / distance[:, 0]
    along = ray[:, :, None] * ray[:, None, :]
    stiffness = (np.eye(3) - along + along * (BODY_RADIUS / distance) ** 2) / PICTURE_SPREAD**2
    stiffness[:, 2, 2] += 1.0 / FLOOR_SPREAD**2
    pull = np.zeros((len(height), 3))
    pull[:, 2] = -height / FLOOR_SPREAD**2
    move = np.linalg.solve(stiffness, pull[..., None])[..., 0]
    standing = np.exp(-((height / STANDING_HEIGHT) ** 2)) + 1e-4
    return _smoothed(move, standing, times)


def _smoothed(move: Array, weights: Array, times: Array) -> Array:
    if len(times) < 2:
        return move * (weights > 0.5)[:, None]
    sigma = SETTLE_TIME / max(float(np.median(np.diff(times))), 1e-3)
    total = gaussian_filter1d(weights, sigma, mode="nearest")
    return gaussian_filter1d(move * weights[:, None], sigma, axis=0, mode="nearest") / total[:, None]


def _moved(found: Fit, shift: Array) -> Fit:
    points = shift if shift.ndim == 1 else shift[:, None]
    return replace(found, trans=found.trans + shift, joints=found.joints + points, ends=found.ends + points)
