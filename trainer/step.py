"""One optimiser step: some rows, their loss and penalties, one move of the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
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
from trainer.model import Outputs, Transformer
from trainer.objectives import make_task, mask_ratio, masked_rows
from trainer.optimise import clip, set_learning_rate
from trainer.regularisers.base import Evidence, Moment
from trainer.rows import Rows, RowStream, Work, make_work
from trainer.schedules import learning_rate_share, strength_share
from trainer.tally import Tally
from trainer.weighting.factors import LanguageFactors

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
    factors: Tensor | None
    """Factor of each language's tokens in the loss, [languages]; None when all count the same."""

    @property
    def skipped(self) -> bool:
        """Whether the weights were left alone because the gradient was not finite."""
        return not math.isfinite(self.grad_norm)


class _Plan(NamedTuple):
    """What all passes of a step share."""

    number: int
    tokens: float
    """Predicted tokens of the step, over all processes."""
    passes: int
    evidence: Evidence
    factors: Tensor | None


class Stepper:
    """Computes steps by their number; what methods remember between steps is in :meth:`tensors`.

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
        baseline: nats per token to be taken off each language's loss where languages are compared; None for 0.

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
        baseline: list[float] | None = None,
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
        self._memory: dict[str, Mapping[str, Tensor]] = {}
        self.factors: LanguageFactors | None = None
        if config.language_loss is not None:
            known = torch.tensor(baseline or [0.0] * len(train_tokens), dtype=torch.float32, device=world.device)
            self.factors = LanguageFactors(config.language_loss, self._train_tokens, known, total)

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

        factors = self.factors.at(number) if self.factors is not None else None
        plan = _Plan(number, total, len(batches), evidence, factors)

        self.optimiser.zero_grad()
        losses: list[Tensor] = []
        memory: dict[str, Mapping[str, Tensor]] = {}
        penalties: dict[str, PenaltyReport] = {}
        for place, (_, work) in enumerate(batches):
            last = place + 1 == len(batches)
            with nullcontext() if last else self.world.without_averaging(self.wrapped):
                loss, penalties = self._backward(work, plan, memory, last=last)
            losses.append(loss)

        norm = float(clip(self.model, self.config.optimiser.clip))
        if math.isfinite(norm):
            self.optimiser.step()
            self._memory = memory
            for (rows, work), loss in zip(batches, losses, strict=True):
                self.tally.add_loss(loss, work.languages)
                self.tally.add_seen(rows.languages, rows.segments)
            if self.factors is not None:
                self.factors.update(self.world.sum(self._sums(batches, losses)))
        return StepReport(rate, norm, anyone_stops, penalties, factors)

    def tensors(self) -> dict[str, Tensor]:
        """What methods remember from step to step, for the checkpoint."""
        found = {
            f"regulariser/{name}/{key}": value for name, memory in self._memory.items() for key, value in memory.items()
        }
        if self.factors is not None:
            found |= {f"language_loss/{key}": value for key, value in self.factors.state().items()}
        return found

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        memory: dict[str, dict[str, Tensor]] = {}
        own: dict[str, Tensor] = {}
        for path, value in tensors.items():
            kind, _, rest = path.partition("/")
            if kind == "language_loss":
                own[rest] = value
            else:
                name, _, key = rest.partition("/")
                memory.setdefault(name, {})[key] = value.to(self.world.device)
        self._memory = dict(memory)
        if self.factors is not None and own:
            self.factors.load_state(own)

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
        self, work: Work, plan: _Plan, memory: dict[str, Mapping[str, Tensor]], *, last: bool
    ) -> tuple[Tensor, dict[str, PenaltyReport]]:
        """Add the gradient of one pass.

        Penalties on rows are a mean over the passes; those on weights alone are computed once, with the last one.
        """
        with torch.autocast(self.world.device.type, self.precision, enabled=self.precision is not torch.float32):
            outputs = self.wrapped(work.inputs)
        losses = functional.cross_entropy(outputs.logits.float(), work.labels, reduction="none")
        counted = losses if plan.factors is None else losses * plan.factors[work.languages]
        # The processes' gradients are averaged, the loss is a mean over the tokens of all of them.
        loss = counted.sum() * (self.world.size / plan.tokens)
        moment = Moment(
            model=self.model,
            batch=work.inputs,
            outputs=outputs,
            losses=losses,
            labels=work.labels,
            languages=work.languages,
            evidence=plan.evidence,
            again=lambda: self._again(work),
            step=plan.number,
            total=self.total,
        )
        penalties: dict[str, PenaltyReport] = {}
        for entry, function, options in self._regularisers:
            reads_rows = regularisers.reads_rows(entry.name)
            if not (last or reads_rows):
                continue
            penalty = function(moment, options, memory.get(entry.name) or self._memory.get(entry.name, {}))
            strength = strength_at(entry, plan.number, self.total)
            if strength:
                loss = loss + (strength / plan.passes if reads_rows else strength) * penalty.value
            if penalty.memory:
                memory[entry.name] = {name: value.detach() for name, value in penalty.memory.items()}
            penalties[entry.name] = PenaltyReport(penalty.value.detach(), strength, dict(penalty.metrics))
        torch.autograd.backward(loss)
        return losses.detach(), penalties

    def _again(self, work: Work) -> Outputs:
        """Another forward pass; the bare model's, whose gradients arrive together with those of the first."""
        with torch.autocast(self.world.device.type, self.precision, enabled=self.precision is not torch.float32):
            found: Outputs = self.model(work.inputs)
        return found

    def _sums(self, batches: list[tuple[Rows, Work]], losses: list[Tensor]) -> Tensor:
        """Summed loss and predicted tokens of each language in this process's rows, float64 [languages, 2]."""
        sums = torch.zeros(len(self._train_tokens), 2, dtype=torch.float64, device=self.world.device)
        for (_, work), loss in zip(batches, losses, strict=True):
            pair = torch.stack((loss.double(), torch.ones_like(loss, dtype=torch.float64)), dim=1)
            sums.index_add_(0, work.languages, pair)
        return sums


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
