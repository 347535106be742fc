"""A lifter of single frames: the residual fully connected network of Martinez et al. (2017)."""

from torch import Tensor, nn


class FrameBlock(nn.Module):
    """Two fully connected layers, added to what came in."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        layer = lambda: (nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout))  # noqa: E731
        self.layers = nn.Sequential(*layer(), *layer())

    def forward(self, x: Tensor) -> Tensor:
        """(N, width) to the same shape."""
        return x + self.layers(x)


class FrameNetwork(nn.Module):
    """(N, inputs) to (N, outputs)."""

    def __init__(self, inputs: int, outputs: int, width: int = 512, blocks: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU())
        self.blocks = nn.Sequential(*(FrameBlock(width, dropout) for _ in range(blocks)))
        self.last = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.last(self.blocks(self.first(x)))
