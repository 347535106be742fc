"""The temporal lifter: a residual network of dilated convolutions over time (after VideoPose3D, Pavllo et al., 2019).

It is fully convolutional: a clip of any length goes through at once, or in pieces that overlap by its reach. Blocks
are normalised before, not after, their layers (as in Xiong et al., 2020), and their matrices are trained with Muon
(Jordan et al., 2024), which together learn several times faster than batch normalisation and Adam did here.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from ..lifter.virtual_camera import FEATURES
from .checkpoint import Explained, load_checkpoint

POINTS = 24 + 13  # joints and ends; the last row of the output is the world's up
DILATIONS = (1, 2, 4, 8, 16)


class Block(nn.Module):
    """A frame with its neighbours at ``dilation`` frames' distance through two layers, added to what came in."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(3 * width, width)
        self.second = nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) to the same shape."""
        normal = self.norm(x)
        if torch.is_autocast_enabled(x.device.type):
            normal = normal.to(torch.get_autocast_dtype(x.device.type))  # before it is copied three times
        frames, around = x.shape[1], functional.pad(normal, (0, 0, self.dilation, self.dilation))
        earlier, later = around[:, :frames], around[:, 2 * self.dilation :]
        return x + self.second(functional.relu(self.first(torch.cat([earlier, normal, later], -1))))


class Lifter(nn.Module):
    """features (B, T, 100) to (B, T, 38, 3), virtual camera axes: 24 joints and 13 ends in statures, pelvis at 0, and
    the direction of the world's up (about unit length)."""

    def __init__(self, width: int = 304, dilations: tuple[int, ...] = DILATIONS) -> None:
        super().__init__()
        self.settings = {"width": width, "dilations": list(dilations)}
        self.first = nn.Linear(FEATURES, width)
        self.blocks = nn.Sequential(*(Block(width, dilation) for dilation in dilations))
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, (POINTS + 1) * 3)

    @property
    def reach(self) -> int:
        """How many frames to either side an output depends on."""
        return sum(self.settings["dilations"])

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        hidden = self.norm(self.blocks(self.first(features)))
        rows = self.last(hidden).reshape(features.shape[0], -1, POINTS + 1, 3)
        return torch.cat([rows[:, :, :POINTS] - rows[:, :, :1], rows[:, :, POINTS:]], 2)

    def optimizers(self, learning_rate: float, matrix_rate: float, weight_decay: float) -> list[Optimizer]:
        """Muon for the blocks' matrices, AdamW for the rest. PyTorch before 2.9 has no Muon; then AdamW for all."""
        matrices = [parameter for parameter in self.blocks.parameters() if parameter.ndim == 2]
        if not hasattr(torch.optim, "Muon"):
            return [torch.optim.AdamW(self.parameters(), lr=learning_rate, weight_decay=weight_decay)]
        chosen = {id(matrix) for matrix in matrices}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in chosen]
        return [
            torch.optim.Muon(matrices, lr=matrix_rate, weight_decay=weight_decay),
            torch.optim.AdamW(rest, lr=learning_rate, weight_decay=weight_decay, betas=(0.9, 0.99)),
        ]


def load_lifter(path: Path, device: torch.device | str = "cpu") -> Lifter:
    """A lifter from a .pth written by train. Raises TrainingDataError when it is none."""
    with Explained(path, "model written by train", "Give a best_model.pth."):
        state = load_checkpoint(path, device)
        network = Lifter(state["settings"]["width"], tuple(state["settings"]["dilations"])).to(device)
        network.load_state_dict(state["weights"])
    return network.eval()
