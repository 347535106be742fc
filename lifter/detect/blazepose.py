"""BlazePose on one person's crop: 33 keypoints, 3D points and the next crop. Bazarevsky et al., BlazePose, 2020.

Decoding follows MediaPipe's pose landmark graph.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..keypoint_sets import COCO17
from ..providers import Provider, open_session
from .crop import from_crop

FloatArray = NDArray[np.float32]
CROP = 256
LANDMARKS = 39  # 33 keypoints, centre and rim of the circle around the person (33, 34), four not used
CENTRE, RIM = 33, 34
ROI_MARGIN = 1.25
HEATMAP, WINDOW, LEAST_HEAT = 64, 7, 0.5
OUTSIDE_CONFIDENCE = 0.1

L_SHOULDER, R_SHOULDER, L_HIP, R_HIP = (
    COCO17.index(name) for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
)


@dataclass(frozen=True)
class Poses:
    """What BlazePose says about N crops.

    keypoints: (N, 33, 3) x px, y px, confidence. world: (N, 33, 3) metres, pelvis-centred, camera axes.
    presence: (N,) 0..1 that a person is in the crop. rois: (N, 4) where to look in the next frame.
    """

    keypoints: FloatArray
    world: FloatArray
    presence: FloatArray
    rois: FloatArray


class BlazePose:
    """The net with its decoding."""

    def __init__(self, model_path: Path, provider: Provider, threads: int | None = None) -> None:
        self._session = open_session(model_path, provider, threads)

    def __call__(self, crops: FloatArray, rois: FloatArray, image_size: tuple[int, int]) -> Poses:
        """Poses of (N, 256, 256, 3) crops in 0..1 that were cut at ``rois`` (crop.py)."""
        outputs = self._session.run(["Identity", "Identity_1", "Identity_3", "Identity_4"], {"input_1": crops})
        landmarks, presence, heatmaps, world = outputs
        landmarks = landmarks.reshape(-1, LANDMARKS, 5)
        in_crop = landmarks[..., :2] / CROP
        in_crop[:, :33] = refine(in_crop[:, :33], heatmaps)
        points = from_crop(in_crop, rois)
        confidence = sigmoid(landmarks[:, :33, 3]) * sigmoid(landmarks[:, :33, 4])
        beyond = (points[:, :33] < -0.5) | (points[:, :33] > np.asarray(image_size) - 0.5)
        confidence = np.where(beyond.any(axis=-1), np.minimum(confidence, OUTSIDE_CONFIDENCE), confidence)
        return Poses(
            keypoints=np.concatenate([points[:, :33], confidence[..., None]], axis=-1).astype(np.float32),
            world=_turned(world.reshape(-1, LANDMARKS, 3)[:, :33], rois[:, 3]),
            presence=presence[:, 0],
            rois=roi_of_circle(points[:, CENTRE], points[:, RIM]),
        )


def sigmoid(values: FloatArray) -> FloatArray:
    """1 / (1 + exp(-values)) without overflow."""
    return 0.5 * (np.tanh(0.5 * values) + 1)


def refine(points: FloatArray, heatmaps: FloatArray) -> FloatArray:
    """Points (N, K, 2) in 0..1 moved to the centre of heat around them where the heatmap is sure.

    heatmaps: (N, 64, 64, >= K) before the sigmoid. As MediaPipe's refine_landmarks_from_heatmap, 7 x 7 cells.
    """
    people, count = points.shape[:2]
    half = WINDOW // 2
    padded = np.pad(heatmaps[..., :count], ((0, 0), (half, half), (half, half), (0, 0)), constant_values=-100)
    cell = np.floor(points * HEATMAP).astype(np.int64)
    inside = ((cell >= 0) & (cell < HEATMAP)).all(axis=-1)
    column, row = np.moveaxis(np.clip(cell, 0, HEATMAP - 1), -1, 0)
    steps = np.arange(WINDOW)
    person, point = np.arange(people)[:, None, None, None], np.arange(count)[:, None, None]
    heat = sigmoid(
        padded[person, (row[..., None] + steps)[..., None], (column[..., None] + steps)[..., None, :], point]
    )
    total = np.maximum(heat.sum(axis=(-1, -2)), 1e-6)
    offset = steps - half
    moved_x = column + (heat.sum(axis=-2) * offset).sum(axis=-1) / total
    moved_y = row + (heat.sum(axis=-1) * offset).sum(axis=-1) / total
    sure = inside & (heat.max(axis=(-1, -2)) >= LEAST_HEAT)
    return np.where(sure[..., None], np.stack([moved_x, moved_y], axis=-1) / HEATMAP, points).astype(np.float32)


def roi_of_circle(centre: FloatArray, rim: FloatArray) -> FloatArray:
    """(N, 4) square around the circle with ``rim`` (N, 2) straight above the person's ``centre`` (N, 2)."""
    across, up = np.moveaxis(rim - centre, -1, 0)
    side = 2 * ROI_MARGIN * np.hypot(across, up)
    return np.column_stack([centre, side, np.arctan2(across, -up)]).astype(np.float32)


def roi_of_coco(points: FloatArray) -> FloatArray:
    """(N, 4) first square around people known by 17 COCO keypoints (N, 17, 3)."""
    hips = points[:, [L_HIP, R_HIP], :2].mean(axis=1)
    shoulders = points[:, [L_SHOULDER, R_SHOULDER], :2].mean(axis=1)
    visible = points[..., 2] > 0.2
    reach = np.linalg.norm(points[..., :2] - hips[:, None], axis=-1)
    radius = 1.1 * np.where(visible, reach, 0).max(axis=1)
    across, up = np.moveaxis(shoulders - hips, -1, 0)
    return np.column_stack([hips, 2.2 * np.maximum(radius, 8), np.arctan2(across, -up)]).astype(np.float32)


def _turned(world: FloatArray, angles: FloatArray) -> FloatArray:
    """World points from the crop's axes to the picture's."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y, z = np.moveaxis(world, -1, 0)
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=-1).astype(np.float32)
