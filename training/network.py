"""The temporal lifter: a residual network of dilated convolutions over time (after VideoPose3D, Pavllo et al., 2019).

It is fully convolutional: a clip of any length goes through at once, or in pieces that overlap by its reach.
"""

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from ..lifter.virtual_camera import FEATURES
from .motion_pack import TrainingDataError

POINTS = 24 + 13  # joints and ends; the last row of the output is the world's up
DILATIONS = (1, 2, 4, 8, 16)


class Block(nn.Module):
    """A dilated convolution over three frames, then one over a single frame, added to what came in."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv1d(width, width, 1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) to the same shape."""
        return x + self.layers(x)


class Lifter(nn.Module):
    """features (B, T, 100) to (B, T, 38, 3), virtual camera axes: 24 joints and 13 ends in statures, pelvis at 0, and
    the direction of the world's up (about unit length)."""

    def __init__(self, width: int = 256, dilations: tuple[int, ...] = DILATIONS, dropout: float = 0.05) -> None:
        super().__init__()
        self.settings = {"width": width, "dilations": list(dilations), "dropout": dropout}
        self.first = nn.Sequential(nn.Conv1d(FEATURES, width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        self.blocks = nn.Sequential(*(Block(width, dilation, dropout) for dilation in dilations))
        self.last = nn.Conv1d(width, (POINTS + 1) * 3, 1)

    @property
    def reach(self) -> int:
        """How many frames to either side an output depends on."""
        return sum(self.settings["dilations"])

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        hidden = self.blocks(self.first(features.transpose(1, 2)))
        rows = self.last(hidden).transpose(1, 2).reshape(features.shape[0], -1, POINTS + 1, 3)
        return torch.cat([rows[:, :, :POINTS] - rows[:, :, :1], rows[:, :, POINTS:]], 2)


def load_lifter(path: Path, device: torch.device | str = "cpu") -> Lifter:
    """A lifter from a .pth written by train. Raises TrainingDataError when it is none."""
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        settings = dict(state["settings"])
    except (OSError, EOFError, RuntimeError, UnpicklingError, KeyError, TypeError) as error:
        raise TrainingDataError(f"{path} is no model written by train ({error}). Give a best_model.pth.") from error
    network = Lifter(settings["width"], tuple(settings["dilations"]), settings["dropout"]).to(device)
    network.load_state_dict(state["weights"])
    return network.eval()
