"""Processes that train one model together; the only module that knows process groups.

Started by ``torchrun`` each process takes every n-th row of a step by its global index and the gradients are
averaged (DistributedDataParallel), so any number of processes sees the same batches. Alone, everything here
does nothing.
"""

from __future__ import annotations

import atexit
import os
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from corpus.errors import ConfigurationError


class World:
    """This process among those that train together."""

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        self.rank = rank
        self.size = size
        self.device = device

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, start: int, stop: int) -> range:
        """The global row indices of [start, stop) that this process computes."""
        return range(start + self.rank, stop, self.size)

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def from_leader(self, text: str) -> str:
        """The leading process's text, on all of them."""
        if self.size == 1:
            return text
        data = torch.tensor(list(text.encode()) if self.leads else [], dtype=torch.int64, device=self.device)
        length = self.sum(torch.tensor([len(data)], device=self.device))
        if not self.leads:
            data = torch.zeros(int(length), dtype=torch.int64, device=self.device)
        return bytes(self.sum(data).tolist()).decode()

    def barrier(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model whose backward pass averages gradients over the processes."""
        return DistributedDataParallel(model) if self.size > 1 else model

    def without_averaging(self, wrapped: nn.Module) -> AbstractContextManager[None]:
        """Gradients of all but the last pass of a step are only added up here."""
        if isinstance(wrapped, DistributedDataParallel):
            context: AbstractContextManager[None] = wrapped.no_sync()
            return context
        return nullcontext()


def world(device: str) -> World:
    """Join the process group that ``torchrun`` describes in the environment, if any.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        ConfigurationError: ``cuda`` is asked for and there is none.
    """
    size, rank, local = (
        int(os.environ.get(name, default))
        for name, default in (("WORLD_SIZE", "1"), ("RANK", "0"), ("LOCAL_RANK", "0"))
    )
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "train.device is cuda, but torch finds no GPU", "Set it to auto or cpu, or install a CUDA build of torch"
        )
    on_gpu = device != "cpu" and torch.cuda.is_available()
    chosen = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(chosen)
    if size == 1:
        return World(0, 1, chosen)
    if not dist.is_initialized():
        # Ended with the process and not here: a second group would meet the first one's leftovers in the store.
        dist.init_process_group("nccl" if on_gpu else "gloo")
        atexit.register(dist.destroy_process_group)
    return World(rank, size, chosen)
