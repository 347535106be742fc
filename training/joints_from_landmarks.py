"""From what a detector sees to SMPL's joints: each of the 24 as a weighted mean of BlazePose's 33 picture points.

The table joints_from_landmarks.json was made from the motion pack that ships:
    python -m reel2rig.training preprocess
    python -m reel2rig.training.joints_from_landmarks processed/processed_data.npz
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.skeleton import JOINT_NAMES, mirrored
from .detector_noise import DetectorNoise
from .json_file import write_json
from .motion_set import MotionSet, read_motion_set
from .synthesis import Augmentation, PairMaker

TABLE = Path(__file__).with_name("joints_from_landmarks.json")
POINT_ERROR = 0.015  # of the person's box, a detector's usual error; keeps single weights from growing
PEOPLE, FRAMES = 1024, 4


def joint_weights() -> Tensor:
    """Weights (24, 33) whose rows sum to 1: slopes (33, 2) or pixels of BlazePose's points to those of the joints."""
    table = json.loads(TABLE.read_text("utf-8"))
    return torch.tensor([list(row.values()) for row in table.values()], dtype=torch.float32)


def measured_weights(motions: MotionSet) -> Tensor:
    """Weights (24, 33) fitted to posed bodies of random shape before random cameras."""
    camera = replace(Augmentation(), focal_error=0.0)
    batch = PairMaker(motions, 0, augmentation=camera, noise=DetectorNoise(strength=0.0)).batch(PEOPLE, FRAMES)
    points = batch.joints + batch.root[:, :, None]
    joints = (points[..., :2] / points[..., 2:].clamp_min(0.15)).flatten(0, 1)
    return fitted_weights(batch.rays.flatten(0, 1), joints)


def fitted_weights(landmarks: Tensor, joints: Tensor) -> Tensor:
    """Weights (24, 33) from pictures of N people by ridge regression; left and right mirror each other.

    landmarks: (N, 33, 2) and joints: (N, 24, 2), same unit. With both counted from the landmarks' middle, any constant
    may be added to a row: the one that makes its sum 1 is.
    """
    middle = landmarks.mean(1, keepdim=True)
    box = (landmarks.amax(1) - landmarks.amin(1)).amax(-1)[:, None, None]
    seen, wanted = (((points - middle) / box).mT.flatten(0, 1).double() for points in (landmarks, joints))
    ridge = POINT_ERROR**2 * len(seen) * torch.eye(seen.shape[1], dtype=seen.dtype)
    weights = torch.linalg.solve(seen.mT @ seen + ridge, seen.mT @ wanted).mT
    weights = weights + (1 - weights.sum(1, keepdim=True)) / weights.shape[1]
    other_side = weights[list(mirrored(JOINT_NAMES))][:, list(mirrored(BLAZEPOSE33))]
    return ((weights + other_side) / 2).float()


def write_table(weights: Tensor, path: Path = TABLE) -> None:
    """Write weights (24, 33) by name."""
    rows = {
        joint: {name: round(float(weight), 6) for name, weight in zip(BLAZEPOSE33, row, strict=True)}
        for joint, row in zip(JOINT_NAMES, weights, strict=True)
    }
    write_json(path, rows)


if __name__ == "__main__":
    write_table(measured_weights(read_motion_set(Path(sys.argv[1])).only("train")))
