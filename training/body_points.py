"""Joints and landmarks of many bodies at once, in torch: the truth that synthetic pairs are made of."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.body import open_body
from ..smpl_assets.landmarks import body_landmarks
from ..smpl_assets.skeleton import END_NAMES, JOINT, PARENTS

UPWARDS = tuple(JOINT[name] for name in ("spine1", "spine2", "spine3", "neck", "head"))
DOWNWARDS = tuple(JOINT[f"left_{name}"] for name in ("hip", "knee", "ankle"))


def matrix_from_quaternion(quaternion: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    w, x, y, z = quaternion.unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, -1).reshape(*quaternion.shape[:-1], 3, 3)


@dataclass(frozen=True)
class BodyPoints:
    """The open body's joints, BlazePose landmarks and ends as linear functions of betas.

    joint_template (24, 3), joint_directions (24, 3, B); landmark_weights (P, 24), landmark_template (P, 24, 3),
    landmark_directions (P, 24, 3, B); stature_template (), stature_directions (B,). P = 33 + 13.
    """

    joint_template: Tensor
    joint_directions: Tensor
    landmark_weights: Tensor
    landmark_template: Tensor
    landmark_directions: Tensor
    stature_template: Tensor
    stature_directions: Tensor

    def stature(self, betas: Tensor, bone_scale: Tensor) -> Tensor:
        """Height (B,) in metres of rest bodies with betas (B, 10) and bones (B, 24) times their usual length."""
        bones = self._bones(self._rest(betas))[..., 1] * (bone_scale - 1)
        longer = bones[:, UPWARDS].sum(1) - bones[:, DOWNWARDS].sum(1)
        return self.stature_template + betas @ self.stature_directions + longer

    def posed(self, rotations: Tensor, betas: Tensor, bone_scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Joints (B, T, 24, 3), keypoints (B, T, 33, 3), ends (B, T, 13, 3), pelvis at the origin.

        rotations: (B, T, 24, 3, 3) local. betas: (B, 10). bone_scale: (B, 24), the bone that ends in each joint.
        """
        rest = self._rest(betas)
        bones = (self._bones(rest) * bone_scale[..., None])[:, None, ..., None]
        world = [rotations[:, :, 0]]
        joints = [torch.zeros_like(rotations[:, :, 0, 0])]
        for joint in range(1, 24):
            parent = PARENTS[joint]
            joints.append(joints[parent] + (world[parent] @ bones[:, :, joint])[..., 0])
            world.append(world[parent] @ rotations[:, :, joint])
        positions, turned = torch.stack(joints, 2), torch.stack(world, 2)
        template = self.landmark_template + torch.einsum("pjck,bk->bpjc", self.landmark_directions, betas)
        offsets = template - self.landmark_weights[..., None] * rest[:, None]
        landmarks = torch.einsum("bpjc,btjdc->btpd", offsets, turned) + self.landmark_weights @ positions
        return positions, landmarks[:, :, :33], landmarks[:, :, 33:]

    def _rest(self, betas: Tensor) -> Tensor:
        """Joints (B, 24, 3) of rest bodies."""
        return self.joint_template + torch.einsum("jck,bk->bjc", self.joint_directions, betas)

    def _bones(self, rest: Tensor) -> Tensor:
        """From each joint's parent to the joint (B, 24, 3), 0 for the pelvis."""
        return rest - rest[:, [0, *PARENTS[1:]]]


def body_points(device: torch.device | str = "cpu") -> BodyPoints:
    """Tables of the bundled open body on ``device``."""
    body = open_body()
    points = body_landmarks(body, BLAZEPOSE33)
    ends = body_landmarks(body, END_NAMES)
    crown, sole = int(body.v_template[:, 1].argmax()), int(body.v_template[:, 1].argmin())
    tables = (
        body.joint_template,
        body.joint_directions,
        np.concatenate([points.weights, ends.weights]),
        np.concatenate([points.template, ends.template]),
        np.concatenate([points.directions, ends.directions]),
        body.v_template[crown, 1] - body.v_template[sole, 1],
        body.shapedirs[crown, 1] - body.shapedirs[sole, 1],
    )
    return BodyPoints(*(torch.as_tensor(table, dtype=torch.float32, device=device) for table in tables))
