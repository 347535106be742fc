"""From what a detector sees to SMPL's joints: each of the 24 as a weighted mean of BlazePose's 33 picture points."""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.skeleton import JOINT_NAMES, mirrored
from .detector_noise import DetectorNoise
from .motion_pack import read_pack
from .synthesis import Augmentation, PairMaker

POINT_ERROR = 0.015  # of the person's box, a detector's usual error; keeps single weights from growing
PEOPLE, FRAMES = 512, 4


@cache
def joint_weights() -> Tensor:
    """Weights (24, 33) whose rows sum to 1: slopes (33, 2) or pixels of BlazePose's points to those of the joints.

    Ridge regression in the picture, over posed bodies of the motion pack before random cameras; the same every time.
    Left and right mirror each other. Raises TrainingDataError without the motion pack.
    """
    maker = PairMaker(
        read_pack().only("train"),
        seed=0,
        augmentation=replace(Augmentation(), focal_error=0.0),
        noise=DetectorNoise(strength=0.0),
    )
    batch = maker.batch(PEOPLE, FRAMES)
    points = batch.joints + batch.root[:, :, None]
    joints = (points[..., :2] / points[..., 2:].clamp_min(0.15)).flatten(0, 1)
    return fitted_weights(batch.rays.flatten(0, 1), joints)


def fitted_weights(landmarks: Tensor, joints: Tensor) -> Tensor:
    """Weights (24, 33) from pictures of N people: landmarks (N, 33, 2) and joints (N, 24, 2), same unit.

    With both counted from the landmarks' middle, any constant may be added to a row: the one that makes its sum 1 is.
    """
    middle = landmarks.mean(1, keepdim=True)
    box = (landmarks.amax(1) - landmarks.amin(1)).amax(-1)[:, None, None]
    seen, wanted = (((points - middle) / box).mT.flatten(0, 1).double() for points in (landmarks, joints))
    ridge = POINT_ERROR**2 * len(seen) * torch.eye(seen.shape[1], dtype=seen.dtype)
    weights = torch.linalg.solve(seen.mT @ seen + ridge, seen.mT @ wanted).mT
    weights = weights + (1 - weights.sum(1, keepdim=True)) / weights.shape[1]
    other_side = weights[list(mirrored(JOINT_NAMES))][:, list(mirrored(BLAZEPOSE33))]
    return ((weights + other_side) / 2).float()
