"""One optimiser step: some rows, their loss and penalties, one move of the weights."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from corpus.errors import ConfigurationError
from corpus.hashing import stable_hash
from trainer import regularisers
from trainer.config import RegulariserConfig, TrainConfig
from trainer.distributed import World
from trainer.model import Transformer
from trainer.objectives import make_task, mask_ratio, masked_rows
from trainer.optimise import clip, set_learning_rate
from trainer.regularisers.base import Evidence
from trainer.rows import Rows, RowStream, Work, make_work
from trainer.schedules import learning_rate_share, strength_share
from trainer.tally import Tally

_SCORES: Final = 1 << 23
"""Scores in 32 MiB, as float32."""


class PenaltyReport(NamedTuple):
    """What a regulariser did in a step."""

    value: Tensor
    """Before the strength is applied, in nats per token."""
    strength: float
    metrics: dict[str, Tensor]


class StepReport(NamedTuple):
    """What happened in a step."""

    learning_rate: float
    grad_norm: float
    """Before clipping; not finite when the step was skipped."""
    stop: bool
    """Whether any of the processes asked to stop."""
    penalties: dict[str, PenaltyReport]

    @property
    def skipped(self) -> bool:
        """Whether the weights were left alone because the gradient was not finite."""
        return not math.isfinite(self.grad_norm)


class Stepper:
    """Computes steps by their number; holds no state that a checkpoint would have to save.

    Args:
        config: of the training.
        model: the bare model, whose parameters the optimiser moves.
        optimiser: over the model's parameters.
        stream: the rows.
        tally: where losses and tokens are counted.
        world: the processes.
        train_tokens: training tokens that exist of each language, in the stream's order.
        total: steps of the whole run.
        mask_id: token id put in place of hidden tokens.
        pass_rows: rows in one forward pass at most.
        seed: of the run.

    Raises:
        ConfigurationError: there are fewer rows in a step than processes.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: Transformer,
        optimiser: torch.optim.Optimizer,
        stream: RowStream,
        tally: Tally,
        world: World,
        *,
        train_tokens: list[int],
        total: int,
        mask_id: int,
        pass_rows: int,
        seed: int,
    ) -> None:
        if config.rows < world.size:
            raise ConfigurationError(
                f"train.rows is {config.rows}, but {world.size} processes train together",
                "Give each at least one row of every step",
            )
        self.config = config
        self.model = model
        self.wrapped = world.wrap(model)
        self.optimiser = optimiser
        self.stream = stream
        self.tally = tally
        self.world = world
        self.total = total
        self.mask_id = mask_id
        self.pass_rows = pass_rows
        self.seed = seed
        self.precision = autocast_type(config, world.device)
        self._train_tokens = torch.tensor(train_tokens, dtype=torch.float32, device=world.device).clamp(min=1)
        self._regularisers = [
            (entry, regularisers.load(entry.name), regularisers.check(entry.name, entry.options))
            for entry in config.regularisers
        ]

    def __call__(self, number: int, *, stop: bool = False) -> StepReport:
        """Do one step.

        Args:
            number: 0 for the first.
            stop: whether this process asks to stop after it.
        """
        torch.manual_seed(stable_hash("step", self.seed, number) >> 1)
        rate = self.config.learning_rate() * learning_rate_share(self.config.schedule, number, self.total)
        set_learning_rate(self.optimiser, rate)
        batches = self._batches(number)
        counts, anyone_stops = self._agree(np.sum([work.counts for _, work in batches], axis=0), stop)
        total = max(1.0, float(counts.sum()))
        evidence = Evidence(self._train_tokens, (counts / total).to(self.world.device, torch.float32))

        self.optimiser.zero_grad()
        losses: list[Tensor] = []
        penalties: dict[str, PenaltyReport] = {}
        for _, work in batches[:-1]:
            with self.world.without_averaging(self.wrapped):
                losses.append(self._backward(work, total, number, None)[0])
        last, penalties = self._backward(batches[-1][1], total, number, evidence)
        losses.append(last)

        norm = float(clip(self.model, self.config.optimiser.clip))
        if math.isfinite(norm):
            self.optimiser.step()
            for (rows, work), loss in zip(batches, losses, strict=True):
                self.tally.add_loss(loss, work.languages)
                self.tally.add_seen(rows.languages, rows.segments)
        return StepReport(rate, norm, anyone_stops, penalties)

    def _batches(self, number: int) -> list[tuple[Rows, Work]]:
        """This process's rows of a step, in pieces of one forward pass each."""
        start = number * self.config.rows
        share = np.array(self.world.share(start, start + self.config.rows), dtype=np.int64)
        ratio = mask_ratio(self.config.objective, number, self.total)
        batches = []
        for first in range(0, len(share), self.pass_rows):
            indices = share[first : first + self.pass_rows]
            rows = self.stream.rows(indices.tolist())
            task = make_task(
                rows.tokens,
                rows.segments,
                indices,
                masked_rows(self.config.objective, indices, self.seed),
                ratio=ratio,
                mask_id=self.mask_id,
                seed=self.seed,
            )
            batches.append((rows, make_work(rows, task, len(self.stream.languages), self.world.device)))
        return batches

    def _agree(self, counts: npt.NDArray[np.float64], stop: bool) -> tuple[Tensor, bool]:
        """Predicted tokens of each language over all processes, and whether any of them asks to stop."""
        local = torch.tensor([*counts, float(stop)], dtype=torch.float64)
        if self.world.size > 1:
            local = self.world.sum(local.to(self.world.device)).cpu()
        return local[:-1], bool(local[-1] > 0)

    def _backward(
        self, work: Work, total: float, number: int, evidence: Evidence | None
    ) -> tuple[Tensor, dict[str, PenaltyReport]]:
        """Add the gradient of one pass; the penalties are computed once a step, with its last pass."""
        with torch.autocast(self.world.device.type, self.precision, enabled=self.precision is not torch.float32):
            outputs = self.wrapped(work.inputs)
        losses = functional.cross_entropy(outputs.logits.float(), work.labels, reduction="none")
        # The processes' gradients are averaged, the loss is a mean over the tokens of all of them.
        loss = losses.sum() * (self.world.size / total)
        penalties: dict[str, PenaltyReport] = {}
        if evidence is not None:
            for entry, function, options in self._regularisers:
                penalty = function(self.model, work.inputs, outputs, evidence, options)
                strength = strength_at(entry, number, self.total)
                if strength:
                    loss = loss + strength * penalty.value
                penalties[entry.name] = PenaltyReport(penalty.value.detach(), strength, penalty.metrics)
        torch.autograd.backward(loss)
        return losses.detach(), penalties


def strength_at(entry: RegulariserConfig, step: int, total: int) -> float:
    """Strength of a regulariser in a step."""
    return entry.strength * strength_share(entry.schedule, step, total)


def pass_rows(config: TrainConfig, device: torch.device, row_tokens: int, vocabulary: int) -> int:
    """Rows in one forward pass at most.

    On CPUs the scores, one for each token and piece of the vocabulary, decide: up to 32 MiB the C library hands
    the same memory out again, larger blocks come fresh from the system, page by page, in every pass.
    """
    if config.micro_rows is not None:
        return config.micro_rows
    if device.type == "cuda":
        return config.rows
    return max(1, min(config.rows, _SCORES // (row_tokens * vocabulary)))


def autocast_type(config: TrainConfig, device: torch.device) -> torch.dtype:
    """The number format of the matrix products.

    ``auto`` takes bfloat16 on GPUs that compute in it. On CPUs it takes float32: few have bfloat16 instructions,
    and the others imitate them slowly.
    """
    if config.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if config.precision == "bfloat16" else torch.float32
