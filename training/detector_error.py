"""Measure a 2D detector on rendered people whose pose is known exactly: where its points lie, and how far they stray.

A folder of renders holds one folder a clip with view0.mp4 and truth.npz: poses_body_yup (T, 72) rad,
global_rotation_world (T, 3, 3), joints (T, 24, 3) m world Z up, betas (10,), K (1, 3, 3) px, world_from_cam (1, 4, 4).
The landmark table and detector_noise.json come from this measurement.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.body import joint_transforms, open_body
from ..smpl_assets.landmarks import body_landmarks, place_landmarks
from ..smpl_assets.rotation import Array, matrix_from_axis_angle
from ..smpl_assets.skeleton import JOINT, mirrored
from .detector_noise import FACE, DetectorNoise, hidden_limbs
from .errors import TrainingDataError
from .noise_check import fit_and_check
from .noise_fit import HIDDEN, Seen

MIRROR = np.array([-1.0, 1.0, 1.0])
ABOUT = (
    "How the detector errs on rendered people of known pose. fitted: the figures of training/detector_noise.py, "
    "lengths in shares of the person's box. chosen: what these renders do not show (things in front of people, lost "
    "frames and points, faces of flesh and blood), set by hand. check: [measured, simulated] on the same people. "
    "points: each point's offset from its joint; its offset from the landmark table, taken away before fitting (the "
    "face's is told by face_shrink instead); its errors in percent of the box. Limit: few people, one picture size, "
    "short clips, so what is constant for a clip and what drifts within seconds cannot be told apart."
)


@dataclass(frozen=True)
class Render:
    """One clip of T frames in which a person was found.

    keypoints (T, 33, 3) px and confidence; frames (T,) their numbers; rotations (T, 24, 3, 3) and joints (T, 24, 3) m,
    world; landmarks (T, 33, 3) m, world, by the landmark table; world_from_camera (4, 4); intrinsics (3, 3) px;
    picture (2,) px wide and high; fps.
    """

    keypoints: Array
    frames: NDArray[np.int64]
    rotations: Array
    joints: Array
    landmarks: Array
    world_from_camera: Array
    intrinsics: Array
    picture: Array
    fps: float

    def in_camera(self, points: Array) -> Array:
        """World points (T, P, 3) in camera axes, metres."""
        return (points - self.world_from_camera[:3, 3]) @ self.world_from_camera[:3, :3]

    def slopes(self, points: Array) -> Array:
        """World points (T, P, 3) as slopes (T, P, 2) of their rays."""
        seen = self.in_camera(points)
        return seen[..., :2] / seen[..., 2:]

    def seen_slopes(self) -> Array:
        """The detector's points as slopes (T, 33, 2)."""
        return (self.keypoints[..., :2] - self.intrinsics[:2, 2]) / np.diag(self.intrinsics)[:2]

    def rays(self) -> Array:
        """The detector's points as unit rays (T, 33, 3), world axes."""
        slopes = self.seen_slopes()
        rays = np.concatenate([slopes, np.ones((*slopes.shape[:2], 1))], axis=-1) @ self.world_from_camera[:3, :3].T
        return rays / np.linalg.norm(rays, axis=-1, keepdims=True)


def measure(folder: Path, preset: str, report: Callable[[str], None] = print) -> dict[str, Any]:
    """What goes into detector_noise.json: the fitted noise, its check, and each point's offsets and errors.

    Raises TrainingDataError when the folder holds no render.
    """
    clips = sorted(path.parent for path in folder.glob("*/truth.npz"))
    if not clips:
        raise TrainingDataError(f"No renders in {folder}: expected folders with view0.mp4 and truth.npz.")
    renders = []
    for clip in clips:
        renders.append(read_render(clip, preset))
        report(f"{clip.name}: {len(renders[-1].keypoints)} frames seen")
    return describe([render for render in renders if len(render.frames)], preset)


def describe(renders: list[Render], preset: str) -> dict[str, Any]:
    """See measure."""
    offsets = table_offsets(renders)
    figures, check = fit_and_check(observed(renders, offsets))
    noise = DetectorNoise()
    return {
        "about": ABOUT,
        "command": f"python -m reel2rig.training measure RENDERS --preset {preset} --out training/detector_noise.json",
        "preset": preset,
        "clips": len(renders),
        "frames": sum(len(render.frames) for render in renders),
        "picture_px": [int(side) for side in renders[0].picture],
        "fitted": figures,
        "chosen": {f.name: getattr(noise, f.name) for f in fields(noise) if f.name not in ("figures", "strength")},
        "check": check,
        "points": {name: _point(renders, name, offsets[index]) for index, name in enumerate(BLAZEPOSE33)},
    }


def read_render(clip: Path, preset: str) -> Render:
    """Run the detector over a rendered clip and put its truth beside what it saw."""
    from ..lifter.clip_reader import probe, read_frames
    from ..lifter.detect import detect
    from ..lifter.track import choose_people, track

    video = clip / "view0.mp4"
    info = probe(video)
    found = track(detect(read_frames(video), info.image_size, info.default_fps, preset=preset).keypoints)  # type: ignore[arg-type]
    seen = found.select(found.track_id == choose_people(found, "largest")[0])
    frames = seen.frames[seen.frames < _frame_count(clip)]
    return posed(clip, seen.keypoints[: len(frames)].astype(np.float64), frames, seen.image_size, seen.fps)


def _frame_count(clip: Path) -> int:
    with np.load(clip / "truth.npz", allow_pickle=False) as truth:
        return len(truth["joints"])


def posed(clip: Path, keypoints: Array, frames: NDArray[np.int64], picture: tuple[int, int], fps: float) -> Render:
    """The detector's ``keypoints`` (T, 33, 3) of some ``frames`` (T,) beside the truth in ``clip``."""
    with np.load(clip / "truth.npz", allow_pickle=False) as truth:
        data = {key: truth[key].astype(np.float64) for key in truth.files if truth[key].dtype.kind == "f"}
    body, points = open_body(), body_landmarks(open_body(), BLAZEPOSE33)
    local = matrix_from_axis_angle(data["poses_body_yup"][frames].reshape(-1, 24, 3))
    local[:, 0] = data["global_rotation_world"][frames]
    rest = body.rest_joints(data["betas"])
    rotations, joints = joint_transforms(rest, body.parents, local, data["joints"][frames, 0] - rest[0])
    landmarks = place_landmarks(points, points.local_offsets(rest, data["betas"]), rotations, joints)
    camera, lens = data["world_from_cam"][0], data["K"][0]
    return Render(
        keypoints, frames, rotations, joints, landmarks, camera, lens, np.array(picture, np.float64), float(fps)
    )


def observed(renders: list[Render], offsets: Array) -> Seen:
    """All clips in one, padded to the longest; points are taken to lie ``offsets`` (33, 3) beside the table."""
    count = max(int(render.frames[-1]) + 1 for render in renders)
    rows = []
    for render in renders:
        true = render.slopes(_moved(render, offsets))
        box = np.ptp(true, axis=1).max(axis=-1).mean()
        error = (render.seen_slopes() - true) / box
        hidden = hidden_limbs(torch.as_tensor(render.in_camera(render.joints))[None])[0].numpy()
        half = render.picture / 2 / np.diag(render.intrinsics)[:2] / box
        whole = np.clip(np.searchsorted(render.frames, np.arange(count)), 0, len(render.frames) - 1)
        lost = ~np.isin(np.arange(count), render.frames)
        error, confidence = error[whole], render.keypoints[whole, :, 2]
        error[lost], confidence[lost] = np.nan, np.nan
        rows.append(((true / box)[whole], error, confidence, hidden[whole], half, render.fps))
    return Seen(*(np.stack(column) for column in zip(*rows, strict=True)))


def _joints_of_points() -> list[int]:
    return [JOINT[joint_of(name)] for name in BLAZEPOSE33]


def _moved(render: Render, offsets: Array) -> Array:
    turn = render.rotations[:, _joints_of_points()]
    return render.landmarks + (turn @ offsets[..., None])[..., 0]


def table_offsets(renders: list[Render]) -> Array:
    """How far (33, 3) from where the landmark table has it the detector sees each point, metres in the axes of its
    joint, both sides alike. 0 for the face, whose shrinking towards its middle is fitted instead."""
    found = np.zeros((len(BLAZEPOSE33), 3))
    for index in range(len(FACE), len(BLAZEPOSE33)):
        joint = _joints_of_points()[index]
        table = [
            (np.swapaxes(r.rotations[:, joint], 1, 2) @ (r.landmarks[:, index] - r.joints[:, joint])[..., None])[..., 0]
            for r in renders
        ]
        found[index] = offset_from_joint(renders, index, joint) - np.concatenate(table).mean(axis=0)
    return (found + found[list(mirrored(BLAZEPOSE33))] * MIRROR) / 2


def _point(renders: list[Render], name: str, table_offset: Array) -> dict[str, Any]:
    index = BLAZEPOSE33.index(name)
    errors, sure, steps = [], [], []
    for render in renders:
        true = render.slopes(render.landmarks)
        box = np.ptp(true, axis=1).max(axis=-1)[:, None]
        error = 100 * (render.seen_slopes()[:, index] - true[:, index]) / box
        errors.append(np.linalg.norm(error, axis=1))
        steps.append(np.linalg.norm(np.diff(error, axis=0), axis=1))
        sure.append(render.keypoints[:, index, 2])
    distance, confidence = np.concatenate(errors), np.concatenate(sure)
    hidden = confidence < HIDDEN
    joint = joint_of(name)
    return {
        "joint": joint,
        "offset_m": np.round(offset_from_joint(renders, index, JOINT[joint]), 4).tolist(),
        "table_offset_m": np.round(table_offset, 4).tolist(),
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
    rays = np.concatenate([r.rays()[:, point] for r in renders])
    sure = np.concatenate([r.keypoints[:, point, 2] > HIDDEN for r in renders])
    turn = np.concatenate([r.rotations[:, joint] for r in renders])
    away = np.concatenate([r.world_from_camera[:3, 3] - r.joints[:, joint] for r in renders])
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
