"""Measure a 2D detector on rendered people whose pose is known exactly: where its points lie, and how far they stray.

A folder of renders holds one folder a clip with view0.mp4 and truth.npz: poses_body_yup (T, 72) rad,
global_rotation_world (T, 3, 3), joints (T, 24, 3) m world Z up, betas (10,), K (1, 3, 3) px, world_from_cam (1, 4, 4).
The landmark table and the spreads of detector_noise.py come from this measurement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.body import joint_transforms, open_body
from ..smpl_assets.landmarks import body_landmarks, place_landmarks
from ..smpl_assets.rotation import Array, matrix_from_axis_angle
from ..smpl_assets.skeleton import JOINT
from .motion_pack import TrainingDataError

HIDDEN = 0.5  # confidence below which the detector admits that it guesses


@dataclass(frozen=True)
class Render:
    """One clip. keypoints (T, 33, 3) px and confidence; rotations (T, 24, 3, 3) and joints (T, 24, 3) m, world;
    landmark_pixels (T, 33, 2) by the landmark table; rays (T, 33, 3) unit, world; camera (3,) m."""

    keypoints: Array
    rotations: Array
    joints: Array
    landmark_pixels: Array
    rays: Array
    camera: Array


def measure(folder: Path, preset: str, report: Callable[[str], None] = print) -> dict[str, Any]:
    """Per point: offset from its joint in rest axes (metres) and errors in percent of the person's box.

    Raises TrainingDataError when the folder holds no render.
    """
    clips = sorted(path.parent for path in folder.glob("*/truth.npz"))
    if not clips:
        raise TrainingDataError(f"No renders in {folder}: expected folders with view0.mp4 and truth.npz.")
    renders = []
    for clip in clips:
        renders.append(_read(clip, preset))
        report(f"{clip.name}: {len(renders[-1].keypoints)} frames seen")
    return {"preset": preset, "clips": len(clips), "points": {name: _point(renders, name) for name in BLAZEPOSE33}}


def _read(clip: Path, preset: str) -> Render:
    from ..lifter.clip_reader import probe, read_frames
    from ..lifter.detect import detect
    from ..lifter.track import choose_people, track

    video = clip / "view0.mp4"
    info = probe(video)
    found = track(detect(read_frames(video), info.image_size, info.default_fps, preset=preset).keypoints)  # type: ignore[arg-type]
    seen = found.select(found.track_id == choose_people(found, "largest")[0])
    with np.load(clip / "truth.npz", allow_pickle=False) as truth:
        data = {
            key: truth[key].astype(np.float64) for key in ("poses_body_yup", "joints", "betas", "K", "world_from_cam")
        }
        root = truth["global_rotation_world"].astype(np.float64)
    frames = seen.frames[seen.frames < len(root)]
    return _posed(data, root[frames], frames, seen.keypoints[: len(frames)].astype(np.float64))


def _posed(data: dict[str, Array], root: Array, frames: NDArray[np.int64], keypoints: Array) -> Render:
    body, points = open_body(), body_landmarks(open_body(), BLAZEPOSE33)
    local = matrix_from_axis_angle(data["poses_body_yup"][frames].reshape(-1, 24, 3))
    local[:, 0] = root
    rest = body.rest_joints(data["betas"])
    rotations, joints = joint_transforms(rest, body.parents, local, data["joints"][frames, 0] - rest[0])
    landmarks = place_landmarks(points, points.local_offsets(rest, data["betas"]), rotations, joints)
    pose, intrinsics = data["world_from_cam"][0], data["K"][0]
    seen = (landmarks - pose[:3, 3]) @ pose[:3, :3]
    pixels = seen[..., :2] / seen[..., 2:] @ intrinsics[:2, :2].T + intrinsics[:2, 2]
    slopes = (keypoints[..., :2] - intrinsics[:2, 2]) / np.diag(intrinsics)[:2]
    rays = np.concatenate([slopes, np.ones((*slopes.shape[:2], 1))], axis=-1) @ pose[:3, :3].T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    return Render(keypoints, rotations, joints, pixels, rays, pose[:3, 3])


def _point(renders: list[Render], name: str) -> dict[str, Any]:
    index = BLAZEPOSE33.index(name)
    errors, sure, steps = [], [], []
    for render in renders:
        box = np.ptp(render.landmark_pixels, axis=1).max(axis=-1)[:, None]
        error = 100 * (render.keypoints[:, index, :2] - render.landmark_pixels[:, index]) / box
        errors.append(np.linalg.norm(error, axis=1))
        steps.append(np.linalg.norm(np.diff(error, axis=0), axis=1))
        sure.append(render.keypoints[:, index, 2])
    distance, confidence = np.concatenate(errors), np.concatenate(sure)
    hidden = confidence < HIDDEN
    joint = joint_of(name)
    return {
        "joint": joint,
        "offset_m": np.round(offset_from_joint(renders, index, JOINT[joint]), 4).tolist(),
        "median_percent": round(float(np.median(distance)), 2),
        "p90_percent": round(float(np.percentile(distance, 90)), 2),
        "median_step_percent": round(float(np.median(np.concatenate(steps))), 2),
        "hidden_share": round(float(hidden.mean()), 3),
        "hidden_median_percent": round(float(np.median(distance[hidden])), 2) if hidden.any() else None,
    }


def joint_of(name: str) -> str:
    """The joint whose bone a BlazePose point is taken to be fixed to."""
    side, _, part = name.partition("_")
    if side not in ("left", "right") or part.startswith(("eye", "ear")):
        return "head"
    parts = {"pinky": "wrist", "index": "wrist", "thumb": "wrist", "heel": "ankle", "foot_index": "foot"}
    return f"{side}_{parts.get(part, part)}"


def offset_from_joint(renders: list[Render], point: int, joint: int, rounds: int = 15) -> Array:
    """Where (3,) a point lies in the joint's rest axes, metres: least squares over all rays, outliers weighed down.

    A point p on the ray from c along d has (I - d d^T) (p - c) = 0, which is linear in its offset.
    """
    rays = np.concatenate([r.rays[:, point] for r in renders])
    sure = np.concatenate([r.keypoints[:, point, 2] > HIDDEN for r in renders])
    turn = np.concatenate([r.rotations[:, joint] for r in renders])
    away = np.concatenate([r.camera - r.joints[:, joint] for r in renders])
    across = np.eye(3) - rays[:, :, None] * rays[:, None, :]
    matrix, right = across @ turn, (across @ away[..., None])[..., 0]
    weight = sure / np.linalg.norm(away, axis=1)
    robust = np.ones(len(rays))
    offset = np.zeros(3)
    for _ in range(rounds):
        scale = (weight * robust)[:, None]
        offset = np.linalg.lstsq((matrix * scale[..., None]).reshape(-1, 3), (right * scale).ravel(), rcond=None)[0]
        robust = 1.0 / np.sqrt(1.0 + (np.linalg.norm(matrix @ offset - right, axis=1) / 0.02) ** 2)
    return offset
