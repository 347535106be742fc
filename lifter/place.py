"""Where people stand: from pelvis-rooted joints in the camera frame to a level world with its floor at z = 0."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END, JOINT
from .ground import floor_height
from .keypoint_sets import BLAZEPOSE33
from .records import Joints3D, Lifted
from .stretches import unbroken
from .virtual_camera import rays_from_pixels

# BlazePose points that lie on a joint or an end of the skeleton to within 2 cm.
MATCHES: dict[str, str] = {
    "left_shoulder": "left_shoulder", "right_shoulder": "right_shoulder", "left_elbow": "left_elbow",
    "right_elbow": "right_elbow", "left_wrist": "left_wrist", "right_wrist": "right_wrist", "left_knee": "left_knee",
    "right_knee": "right_knee", "left_ankle": "left_ankle", "right_ankle": "right_ankle", "nose": "nose",
    "left_ear": "left_ear", "right_ear": "right_ear", "left_heel": "left_heel", "right_heel": "right_heel",
}  # fmt: skip
DEPTH_MEDIAN = 0.5  # seconds
DEPTH_SMOOTHING = 0.3
PLACE_SMOOTHING = 0.05
UP_SPREAD = 0.1  # about 6 degrees


def place(lifted: Lifted) -> Joints3D:
    """Put pelvis-rooted camera-frame joints into a level world, using the 2D keypoints of the same rows.

    World: right-handed, Z up, floor at z = 0, camera looking along +Y, first person starting above the origin.
    """
    joints, keypoints = lifted.joints, lifted.keypoints
    assert joints.camera_K is not None
    rays = rays_from_pixels(keypoints.keypoints[..., :2].astype(np.float64), joints.camera_K)
    weights = keypoints.keypoints[..., 2].astype(np.float64)
    root = np.empty((len(rays), 3))
    for rows in unbroken(joints):
        root[rows] = steady(translations(joints.select(rows), rays[rows], weights[rows]), weights[rows], keypoints.fps)
    return _in_world(joints, root, level_up(lifted.up, weights))


def translations(joints: Joints3D, rays: Array, weights: Array) -> Array:
    """Pelvis positions (T, 3), camera frame, that best explain the rays (T, 33, 2): linear least squares per frame.

    Each point gives x + tx = u (z + tz) and y + ty = v (z + tz).
    """
    points = np.concatenate([joints.joints, joints.ends], axis=1).astype(np.float64)
    ours = [JOINT[name] if name in JOINT else 24 + END[name] for name in MATCHES.values()]
    seen = [BLAZEPOSE33.index(name) for name in MATCHES]
    p, slope, w = points[:, ours], rays[:, seen], np.maximum(weights[:, seen], 1e-3) ** 2
    zero, one = np.zeros_like(w), np.ones_like(w)
    rows_x = np.stack([one, zero, -slope[..., 0]], axis=-1)
    rows_y = np.stack([zero, one, -slope[..., 1]], axis=-1)
    matrix = np.concatenate([rows_x, rows_y], axis=1)
    right = np.concatenate([slope[..., 0] * p[..., 2] - p[..., 0], slope[..., 1] * p[..., 2] - p[..., 1]], axis=1)
    both = np.concatenate([w, w], axis=1)[..., None]
    normal = np.swapaxes(matrix * both, -1, -2) @ matrix + 1e-9 * np.eye(3)
    found = np.linalg.solve(normal, np.swapaxes(matrix * both, -1, -2) @ right[..., None])[..., 0]
    return np.where(found[:, 2:] > 0.2, found, np.array([0.0, 0.0, 3.0]))


def steady(root: Array, weights: Array, fps: float) -> Array:
    """Smooth the path: strongly along the ray, where one camera sees least, and lightly across it."""
    sure = weights.mean(axis=1) + 1e-3
    distance = np.log(np.linalg.norm(root, axis=1))
    distance = median_filter(distance, size=max(1, round(DEPTH_MEDIAN * fps)) | 1, mode="nearest")
    distance = _weighted_smooth(distance[:, None], sure, DEPTH_SMOOTHING * fps)
    direction = root / root[:, 2:]
    direction = _weighted_smooth(direction, sure, PLACE_SMOOTHING * fps)
    return direction / np.linalg.norm(direction, axis=1, keepdims=True) * np.exp(distance)


def _weighted_smooth(values: Array, weights: Array, sigma: float) -> Array:
    if len(values) < 2 or sigma < 0.3:
        return values
    total = gaussian_filter1d(weights, sigma, mode="nearest")
    return gaussian_filter1d(values * weights[:, None], sigma, axis=0, mode="nearest") / total[:, None]


def level_up(up: Array, weights: Array) -> Array:
    """One up (3,) for the clip, camera frame, from what every row (N, 3) suggests: a weighted mean without outliers."""
    share = weights.mean(axis=1, keepdims=True) + 1e-3
    rows = up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-6)
    mean = (rows * share).sum(axis=0)
    for _ in range(10):
        mean = mean / max(float(np.linalg.norm(mean)), 1e-9)
        far = np.linalg.norm(rows - mean, axis=1, keepdims=True)
        mean = (rows * share / (1.0 + (far / UP_SPREAD) ** 2)).sum(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def _in_world(joints: Joints3D, root: Array, up: Array) -> Joints3D:
    forward = np.array([0.0, 0.0, 1.0]) - up[2] * up
    if np.linalg.norm(forward) < 0.1:  # looking straight down
        forward = np.array([0.0, 1.0, 0.0]) - up[1] * up
    forward = forward / np.linalg.norm(forward)
    rotation = np.stack([np.cross(forward, up), forward, up])  # rows: world X, Y, Z in camera axes
    points = np.concatenate([joints.joints, joints.ends], axis=1) + root[:, None]
    world = points @ rotation.T
    floor = floor_height(world[:, :24], world[:, 24:], joints.confidence)
    start = world[0, 0]
    shift = -np.array([start[0], start[1], floor])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, shift
    world = (world + shift).astype(np.float32)
    return replace(joints, joints=world[:, :24], ends=world[:, 24:], frame="world", camera_world_from_cam=pose)
