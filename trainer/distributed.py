"""Processes that train one model together; the only module that knows process groups.

Started by ``torchrun`` each process takes every n-th row of a step by its global index and the gradients are
averaged (DistributedDataParallel), so any number of processes sees the same batches. The model is on all of them, or
cut among them (:mod:`trainer.sharding`). Alone, everything here does nothing.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel

from corpus.errors import ConfigurationError
from trainer import sharding
from trainer.model.language_model import LanguageModel

Piece = TypeVar("Piece")


class Turn(NamedTuple, Generic[Piece]):
    """A piece of work for each process."""

    pieces: list[Piece]
    """Of all processes; in the last turn there may be fewer than processes."""
    own: Piece | None
    """What this process has to compute."""
    counts: bool
    """Whether its result is to be used; otherwise another process computes the same."""


class World:
    """This process among those that train together.

    Args:
        rank: 0 for the one that writes the files.
        size: number of processes.
        device: of this one.
        sharded: whether the model's weights are cut among the processes.
    """

    def __init__(self, rank: int, size: int, device: torch.device, *, sharded: bool = False) -> None:
        self.rank = rank
        self.size = size
        self.device = device
        self.sharded = sharded

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

    def sum_with_gradient(self, values: Tensor) -> Tensor:
        """The sum over all processes, through which gradients flow back.

        What follows must be the same on all processes, as a loss of the sum is. Each process then gets the gradient of
        its own part, multiplied by their number: the processes' gradients are averaged later, and this one is a sum.
        """
        if self.size == 1:
            return values
        summed: Tensor = _Sum.apply(values, self.size)  # type: ignore[no-untyped-call]
        return summed

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

    def shard(self, model: LanguageModel, *, keep: bool) -> None:
        """Cut the model's parameters among the processes, if they are to be cut; before the optimiser is made.

        Args:
            model: the same on all processes.
            keep: whether penalties read whole weights between the forward and the backward pass.
        """
        if self.sharded:
            mesh = init_device_mesh(self.device.type, (self.size,))
            sharding.shard(model, mesh, keep=keep)

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model whose backward pass averages gradients over the processes."""
        return DistributedDataParallel(model) if self.size > 1 and not self.sharded else model

    @contextmanager
    def without_averaging(self, wrapped: nn.Module) -> Iterator[None]:
        """Gradients of all but the last pass of a step are only added up here."""
        if isinstance(wrapped, DistributedDataParallel):
            with wrapped.no_sync():
                yield
            return
        sharding.set_averaging(wrapped, on=False)
        try:
            yield
        finally:
            sharding.set_averaging(wrapped, on=True)

    def turns(self, pieces: Iterable[Piece]) -> Iterator[Turn[Piece]]:
        """Some work that all processes know of, a piece for each of them at a time."""
        waiting = iter(pieces)
        while turn := list(islice(waiting, self.size)):
            if self.rank < len(turn):
                yield Turn(turn, turn[self.rank], True)
            else:
                # A cut model computes on all processes or on none.
                yield Turn(turn, turn[0] if self.sharded else None, False)

    def whole(self, value: Tensor) -> Tensor:
        """A parameter's values, put together where the model is cut; all must call it."""
        return sharding.whole(value.detach())

    def gather(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Whole tensors in the leading process's memory, nothing on the others; all must call it."""
        found = {}
        for name, value in tensors.items():
            full = sharding.whole(value.detach())
            if self.leads:
                found[name] = full.cpu()
        return found


class _Sum(torch.autograd.Function):
    """Sum over all processes whose gradient stays with each."""

    @staticmethod
    def forward(context: Any, values: Tensor, size: int) -> Tensor:
        """Add up."""
        context.size = size
        summed = values.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Make up for the average that is taken later."""
        return gradient * context.size, None


def world(device: str, parallelism: str = "ddp") -> World:
    """Join the process group that ``torchrun`` describes in the environment, if any.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
        parallelism: ``ddp`` for the whole model on every process, ``fsdp`` to cut it among them.

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
    return World(rank, size, chosen, sharded=parallelism == "fsdp")
