"""Weights cut among the processes: FSDP2, and the way between shards and whole tensors.

Each process keeps a part of every parameter, of its gradient and of what the optimiser remembers; a block's weights
are brought together while it computes (Zhao et al. 2023, arXiv 2304.11277; Rajbhandari et al. 2020, arXiv 1910.02054).
Checkpoints hold whole tensors, so they do not tell how a run was cut. A tensor that is not cut passes through
everything here unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from corpus.errors import ConfigurationError
from trainer.config import TrainConfig
from trainer.model.language_model import LanguageModel
from trainer.regularisers import needs


def shard(model: LanguageModel, mesh: DeviceMesh, *, keep: bool) -> None:
    """Cut a model's parameters, block by block; to be called before the optimiser is made.

    Args:
        model: with the same weights on all processes.
        mesh: the processes.
        keep: hold a block's whole weights from its forward pass to its backward pass, for penalties that read them.
    """
    for block in model.blocks:
        fully_shard(block, mesh=mesh, reshard_after_forward=not keep)
    fully_shard(model, mesh=mesh, reshard_after_forward=False)


def check_settings(config: TrainConfig, processes: int) -> None:
    """Confirm that a run can be cut among some processes.

    Raises:
        ConfigurationError: the rows of a step cannot be divided evenly, though each pass is one of all processes
            together; penalties' gradients are to be measured, or one computes rows twice; there are rows of
            translations; or the run holds rows of tensors, or sets them, which are not where they were once these
            are cut.
    """
    other = "or set train.parallelism to ddp"
    growth = config.batch_growth
    if growth is not None and growth.multiple % processes:
        raise ConfigurationError(
            f"train.batch_growth.multiple is {growth.multiple}, which {processes} processes cannot share evenly, as "
            "train.parallelism fsdp needs",
            f"Choose a multiple of the number of processes, {other}",
        )
    if config.rows % processes:
        raise ConfigurationError(
            f"train.rows is {config.rows}, which {processes} processes cannot share evenly, as train.parallelism fsdp "
            "needs",
            f"Choose a multiple of the number of processes, {other}",
        )
    if config.log.shares_every is not None:
        raise ConfigurationError(
            "train.log.shares_every asks for a backward pass of each penalty alone, which would take the cut weights "
            "apart before the step's own backward pass",
            f"Leave it out, {other}",
        )
    for entry in config.regularisers:
        if "noise" in needs(entry.name):
            raise ConfigurationError(
                f"train.parallelism is fsdp, and regulariser '{entry.name}' computes rows twice, not as many on each "
                "process",
                "Set train.parallelism to ddp, or leave the regulariser out",
            )
    if config.parallel is not None:
        raise ConfigurationError(
            "train.parallelism is fsdp, and rows of translations (train.parallel) are passes that some processes lack",
            "Set train.parallelism to ddp, or leave train.parallel out",
        )
    if config.continual is not None:
        raise ConfigurationError(
            "train.parallelism is fsdp, and a run with new languages holds rows of whole tensors",
            "Set train.parallelism to ddp",
        )
    if config.late_start.start != "core":
        raise ConfigurationError(
            "train.parallelism is fsdp, and train.late_start computes a language's rows from others', which lie "
            "elsewhere",
            "Set train.parallelism to ddp, or train.late_start.start to core",
        )


def whole(value: Tensor) -> Tensor:
    """A tensor's full value; all processes must call it."""
    if not isinstance(value, DTensor):
        return value
    found: Tensor = value.full_tensor()
    return found


def local(value: Tensor) -> Tensor:
    """The part of a tensor that lies here; changes of it are changes of the tensor."""
    if not isinstance(value, DTensor):
        return value.detach()
    with torch.no_grad():  # else a copy that remembers where it comes from
        found: Tensor = value.to_local()
    return found


def cut_like(value: Tensor, target: Tensor) -> Tensor:
    """A copy of a whole tensor, cut as another one of the same shape is, on its device."""
    if not isinstance(target, DTensor):
        return value.to(target.device, copy=True)
    on_device = value.to(target.device)
    # Every process has read the same file: none needs to send.
    return distribute_tensor(on_device, target.device_mesh, target.placements, src_data_rank=None).clone()


@torch.no_grad()
def load_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a model whole tensors for its state, whether it is cut or not."""
    target = model.state_dict()
    model.load_state_dict({name: cut_like(v, target[name]) if name in target else v for name, v in tensors.items()})


def set_averaging(model: nn.Module, *, on: bool) -> None:
    """Whether a cut model's backward pass brings the processes' gradients together."""
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(on)


@contextmanager
def scoring(model: nn.Module) -> Iterator[None]:
    """While the block runs, no gradients are recorded.

    A cut model's whole weights are forgotten afterwards: they would hide what changes until the next step.
    """
    if not isinstance(model, FSDPModule):
        with torch.inference_mode():
            yield
        return
    with torch.no_grad():
        yield
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


@contextmanager
def whole_weights(model: nn.Module) -> Iterator[None]:
    """While the block runs, the parameters of a cut model are whole, to be read; all processes must enter it."""
    parts = [module for module in model.modules() if isinstance(module, FSDPModule)]
    for module in parts:
        module.unshard()
    try:
        yield
    finally:
        for module in parts:
            module.reshard()
