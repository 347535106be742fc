"""The processes that train together, one for each GPU, as torchrun starts them; usually there is one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from .errors import TrainingDataError


@dataclass(frozen=True)
class Workers:
    """rank: which of ``count`` processes this is; the first one checks, records and saves."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share_of(self, batch: int) -> int:
        """This worker's part of a batch. Raises TrainingDataError when it cannot be shared evenly."""
        if batch % self.count:
            raise TrainingDataError(f"A batch of {batch} cannot be shared by {self.count} workers. Change --batch.")
        return batch // self.count

    def gather(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """The tensors of all workers, by rank; on the CPU."""
        if self.count == 1:
            return [tensor.cpu()]
        found: list[torch.Tensor | None] = [None] * self.count
        distributed.all_gather_object(found, tensor.cpu())
        return [each for each in found if each is not None]

    def agree(self, value: bool) -> bool:
        """What the first worker says."""
        if self.count == 1:
            return value
        said = [value]
        distributed.broadcast_object_list(said, src=0)
        return said[0]


@contextmanager
def joined_workers(device: str) -> Iterator[tuple[Workers, str]]:
    """Join the other processes where torchrun started this one; the workers and this one's device.

    Raises TrainingDataError when there are more processes than GPUs.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Workers(), device
        return
    if device == "cuda":
        device = _own_gpu()
        torch.cuda.set_device(device)  # before joining: NCCL takes the device that is current
    distributed.init_process_group("gloo" if device == "cpu" else "nccl")
    yield Workers(distributed.get_rank(), count), device
    # At a good end only: after a fault this would wait for the others, whom torchrun ends.
    distributed.destroy_process_group()


def _own_gpu() -> str:
    rank, found = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if rank >= found:
        raise TrainingDataError(f"More processes than GPUs. Start torchrun with --nproc-per-node {found}.")
    return f"cuda:{rank}"
