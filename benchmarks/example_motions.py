"""Captured motion for tests, pictures and benchmarks: clips of the motion pack as motion files hold them. Needs numpy
only."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from ..lifter.motion_file import Motion
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import axis_angle_from_matrix, matrix_from_axis_angle
from ..smpl_assets.skeleton import JOINT, JOINT_NAMES

PACK: Final = Path(__file__).resolve().parents[1] / "training" / "data" / "cmu_pack"
Z_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # from Y up
FPS: Final = 30.0


@cache
def pack_motion(name: str) -> Motion:
    """The clip ``name`` of the pack on the open body: its rotations, and its path scaled by leg length."""
    for file in sorted(PACK.glob("*.npz")):
        with np.load(file) as pack:
            names = pack["name"].tolist()
            if name not in names:
                continue
            number = names.index(name)
            rows = slice(int(pack["start"][number]), int(pack["start"][number] + pack["length"][number]))
            poses = pack["pose"][rows].astype(np.float64) * float(pack["pose_scale"])
            joints = pack["joints"][rows, 0].astype(np.float64) * float(pack["joint_scale"])
            legs = np.linalg.norm(pack["rest"][number][[JOINT["left_knee"], JOINT["left_ankle"]]], axis=1).sum()
            return _on_open_body(poses, joints, float(legs))
    raise KeyError(name)


def _on_open_body(poses: np.ndarray, pelvis: np.ndarray, legs: float) -> Motion:
    body = open_body()
    rest = body.rest_joints(np.zeros(0, np.float32)).astype(np.float64)
    hip, knee, ankle = (rest[JOINT[f"left_{part}"]] for part in ("hip", "knee", "ankle"))
    ratio = (np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee)) / legs
    poses[:, 0] = axis_angle_from_matrix(Z_UP @ matrix_from_axis_angle(poses[:, 0]))
    return Motion(
        poses=poses.reshape(len(poses), 72).astype(np.float32),
        trans=(ratio * pelvis @ Z_UP.T - rest[0]).astype(np.float32),
        betas=np.zeros(10, np.float32),
        fps=FPS,
        licence=body.licence,
    )


def one_pose(turns: Mapping[str, Sequence[float]], frames: int = 1) -> Motion:
    """The open body upright on its rest pose with some joints turned (axis-angle, radians, body frame), standing."""
    body = open_body()
    rest = body.rest_joints(np.zeros(0, np.float32)).astype(np.float64)
    poses = np.zeros((frames, 24, 3), np.float32)
    poses[:, 0] = [np.pi / 2, 0.0, 0.0]
    for joint, turn in turns.items():
        poses[:, JOINT_NAMES.index(joint)] = turn
    height = rest[0, 1] - float(body.v_template[:, 1].min())
    return Motion(
        poses=poses.reshape(frames, 72),
        trans=np.tile(np.array([0.0, 0.0, height]) - rest[0], (frames, 1)).astype(np.float32),
        betas=np.zeros(10, np.float32),
        fps=FPS,
        body=body.identity(),
        licence=body.licence,
    )
