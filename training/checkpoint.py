"""Files of weights (.pth): written whole or not at all, read without running what is in them."""

import io
from pathlib import Path
from pickle import UnpicklingError
from types import TracebackType
from typing import Any

import torch

from ..lifter.atomic_file import written_whole
from .errors import TrainingDataError

FAULTS = (OSError, EOFError, RuntimeError, UnpicklingError, KeyError, TypeError, ValueError)


def save_checkpoint(path: Path, data: dict[str, Any]) -> None:
    """Write a .pth. Raises CaptureError("cannot_write") when the disk is full or the folder cannot be written."""
    buffer = io.BytesIO()  # torch.save itself tells of a full disk as of a fault of its own
    torch.save(data, buffer)
    with written_whole(path) as part:
        part.write_bytes(buffer.getbuffer())


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What a .pth holds, on ``device``. Raises one of FAULTS, which ``Explained`` turns into words."""
    return torch.load(path, map_location=device, weights_only=True)


class Explained:
    """A block that reads ``path``: its faults become a TrainingDataError that says what it is not, and the remedy."""

    def __init__(self, path: Path, what: str, remedy: str) -> None:
        self.path, self.what, self.remedy = path, what, remedy

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, FAULTS) and not isinstance(error, TrainingDataError):
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise TrainingDataError(f"{self.path} is no {self.what} ({reason}). {self.remedy}") from error
