"""A lifter for web pages: one frame's 24 joints in the picture in, 24 joints in metres out, nothing else to get right.

The usual single-frame lifter (Martinez et al., 2017) leaves centring, scaling and the camera to its user. Here they are
part of the graph, and so is the mean of a pose and its mirror image.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..smpl_assets.skeleton import JOINT, JOINT_NAMES, mirrored
from .checkpoint import Explained, load_checkpoint
from .frame_network import FrameNetwork

STATURE = 1.70  # metres: how tall everybody is taken to be
LIMB_SHARE = 0.2  # the trunk steadies the aim, the limbs only help, as in lifter/virtual_camera.py
TRUNK = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
FEATURES = 2 * 24 + 1


class BrowserLifter(nn.Module):
    """Slopes (N, 48) to joints (N, 72).

    In: x, y of 24 joints in SMPL's order, as slopes: (u - cx) / f and (v - cy) / f of pixel u, v; y down. All finite.
    Out: x, y, z of 24 joints, metres for a person 1.70 m tall, pelvis at the origin, OpenCV camera axes (x right,
    y down, z forward). For the record: ``joint_weights`` (24, 33), how the joints were got from the detector's points
    in training, and ``steps``, how long that was.
    """

    aim: Tensor
    mirror_features: Tensor
    mirror_joints: Tensor
    joint_weights: Tensor

    def __init__(self, width: int, joint_weights: Tensor, steps: int = 0) -> None:
        super().__init__()
        self.settings: dict[str, Any] = {"width": width, "steps": steps}
        self.network = FrameNetwork(FEATURES, 72, width, dropout=0.0)  # no two batches are alike: nothing to overfit
        with torch.no_grad():
            self.network.last.weight *= 0.1  # metres, not tens of them, to begin with
        share = torch.tensor([1.0 if name in TRUNK else LIMB_SHARE for name in JOINT_NAMES])
        self.register_buffer("aim", torch.kron((share / share.sum())[:, None], torch.eye(2)), persistent=False)
        flat = torch.block_diag(_mirroring(2), torch.eye(1))
        self.register_buffer("mirror_features", flat, persistent=False)
        self.register_buffer("mirror_joints", _mirroring(3), persistent=False)
        self.register_buffer("joint_weights", joint_weights.clone())

    def forward(self, slopes: Tensor) -> Tensor:
        """See the class."""
        features, turn = self.virtual_view(slopes)
        joints = self.network(features)
        if not self.training:
            joints = (joints + self.network(features @ self.mirror_features) @ self.mirror_joints) / 2
        points = joints.reshape(-1, 24, 3)
        return ((points - points[:, : JOINT["pelvis"] + 1]) @ turn.transpose(1, 2)).reshape(-1, 72)

    def virtual_view(self, slopes: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, 49): joints seen by a camera aimed at the trunk, in units of their own size, and log size.

        With camera_from_virtual (N, 3, 3).
        """
        one = torch.ones_like(slopes[:, :1])
        turn = _turn_from_z(torch.cat([slopes @ self.aim, one], -1))
        points = slopes.reshape(-1, 24, 2)
        turned = torch.cat([points, torch.ones_like(points[..., :1])], -1) @ turn
        flat = (turned[..., :2] / turned[..., 2:].clamp_min(0.1)).reshape(-1, 48)
        size = (2 * (flat * flat).mean(-1, keepdim=True)).sqrt().clamp_min(1e-4)
        return torch.cat([flat / size, size.log()], -1), turn


def _mirroring(axes: int) -> Tensor:
    """Matrix (24 * axes, 24 * axes): x turned round and left exchanged with right, for row vectors."""
    exchange = torch.eye(24)[list(mirrored(JOINT_NAMES))]
    return torch.kron(exchange, torch.diag(torch.tensor([-1.0] + [1.0] * (axes - 1))))


def _turn_from_z(axis: Tensor) -> Tensor:
    """Rotations (N, 3, 3) that take the z axis to ``axis`` (N, 3), which looks forward; the shortest way."""
    length = (axis * axis).sum(-1, keepdim=True).sqrt()
    x, y, z = (axis / length).split(1, -1)
    k = 1 / (1 + z)
    rows = [1 - k * x * x, -k * x * y, x, -k * x * y, 1 - k * y * y, y, -x, -y, z]
    return torch.cat(rows, -1).reshape(-1, 3, 3)


def load_browser_lifter(path: Path) -> BrowserLifter:
    """A trained model, ready to use. Raises TrainingDataError when the file is missing or holds something else."""
    with Explained(path, "model of train-browser", "Give a .pth file it wrote."):
        saved = load_checkpoint(path)
        network = BrowserLifter(**saved["settings"], joint_weights=saved["weights"]["joint_weights"])
        network.load_state_dict(saved["weights"])
    return network.eval()
