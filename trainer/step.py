"""One optimiser step: some rows, their loss and penalties, one move of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
from trainer.ema import WeightAverage
from trainer.goldfish import forgotten
from trainer.language_model import LanguageModel, Outputs
from trainer.noise import Noise
from trainer.objectives import make_task, mask_ratio, masked_rows
from trainer.optimise import clip, set_decay, set_learning_rate
from trainer.regularisers.base import Evidence, Moment
from trainer.repetition import decay_factor, depth_rates, dropout_rates
from trainer.rows import Rows, RowStream, Work, make_work
from trainer.schedules import learning_rate_share, strength_share
from trainer.tally import Tally
from trainer.weighting.factors import LanguageFactors

AVERAGE: Final = "average/"
"""Begins the names of the running mean's tensors in a checkpoint."""

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
    weight_decay: float
    """Of the core's matrices."""
    dropout: float
    """Mean rate over the step's rows."""
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
    depth: tuple[float, ...]
    """Share of the rows for which each block is left out; empty for none."""
    dropout: npt.NDArray[np.float64] | None
    """Rate of each language; None for no dropout."""


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
        passes: gives, for a step, the passes over each language's text before it, [languages]; None for 0.

    Raises:
        ConfigurationError: there are fewer rows in a step than processes.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: LanguageModel,
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
        passes: Callable[[int], npt.NDArray[np.float64]] | None = None,
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
        layers = len(model.blocks)
        self._keep = tuple(
            sorted(
                {n for entry, _, options in self._regularisers for n in regularisers.keeps(entry.name, options, layers)}
            )
        )
        self._memory: dict[str, Mapping[str, Tensor]] = {}
        self.factors: LanguageFactors | None = None
        if config.language_loss is not None:
            known = torch.tensor(baseline or [0.0] * len(train_tokens), dtype=torch.float32, device=world.device)
            self.factors = LanguageFactors(config.language_loss, self._train_tokens, known, total)
        self.average = WeightAverage(model, config.average.decay) if config.average is not None else None
        self._passes = passes
        self._last_passes = (-1, np.zeros(len(train_tokens)))

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
        rates = self._dropout(number)
        decay = self.config.optimiser.weight_decay * self._decay_factor(number)
        set_decay(self.optimiser, decay)
        counts, anyone_stops = self._agree(np.sum([work.counts for _, work in batches], axis=0), stop)
        total = max(1.0, float(counts.sum()))
        evidence = Evidence(self._train_tokens, (counts / total).to(self.world.device, torch.float32))

        factors = self.factors.at(number) if self.factors is not None else None
        depth = depth_rates(self.config.layer_drop, len(self.model.blocks), number, self.total)
        plan = _Plan(number, total, len(batches), evidence, factors, depth, rates)

        self.optimiser.zero_grad()
        losses: list[Tensor] = []
        memory: dict[str, Mapping[str, Tensor]] = {}
        penalties: dict[str, PenaltyReport] = {}
        for place, (rows, work) in enumerate(batches):
            last = place + 1 == len(batches)
            with nullcontext() if last else self.world.without_averaging(self.wrapped):
                loss, penalties = self._backward(work, self._noise(rows, plan), plan, memory, last=last)
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
            if self.average is not None:
                self.average.update()
        mean_rate = (
            float(rates[np.concatenate([rows.languages for rows, _ in batches])].mean()) if rates is not None else 0.0
        )
        return StepReport(rate, decay, mean_rate, norm, anyone_stops, penalties, factors)

    def tensors(self) -> dict[str, Tensor]:
        """What methods remember from step to step, for the checkpoint."""
        found = {
            f"regulariser/{name}/{key}": value for name, memory in self._memory.items() for key, value in memory.items()
        }
        for kind, part in (("language_loss", self.factors), ("average", self.average)):
            if part is not None:
                found |= {f"{kind}/{key}": value for key, value in part.state().items()}
        return found

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        found: dict[str, dict[str, Tensor]] = {}
        for path, value in tensors.items():
            owner, _, key = path.rpartition("/")
            found.setdefault(owner, {})[key] = value.to(self.world.device)
        for owner, part in (("language_loss", self.factors), ("average", self.average)):
            if part is not None:
                part.load_state(found[owner])
        self._memory = {
            owner.removeprefix("regulariser/"): memory
            for owner, memory in found.items()
            if owner.startswith("regulariser/")
        }

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
                left_out=self._left_out(rows, number),
            )
            batches.append((rows, make_work(rows, task, len(self.stream.languages), self.world.device)))
        return batches

    def _left_out(self, rows: Rows, number: int) -> npt.NDArray[np.bool_] | None:
        """Tokens of often repeated languages that are never predicted."""
        goldfish = self.config.objective.goldfish
        if goldfish is None:
            return None
        often = self.passes(number) >= goldfish.after
        found = forgotten(rows.tokens, rows.segments, goldfish.context, goldfish.every)
        return found & often[rows.languages][:, None]

    def _dropout(self, number: int) -> npt.NDArray[np.float64] | None:
        """Dropout rate of each language; None when there is none."""
        config = self.config.dropout
        if not (config.rate or config.growth):
            return None
        rates = dropout_rates(config, self.passes(number))
        return rates if rates.any() else None

    def _decay_factor(self, number: int) -> float:
        if not self.config.optimiser.decay_growth or number == 0:
            return 1.0
        passes = self.passes(number)
        read = passes * self._train_tokens.cpu().numpy()
        return decay_factor(self.config.optimiser, passes, read / read.sum())

    def _noise(self, rows: Rows, plan: _Plan) -> Noise:
        """What is left out in one pass."""
        dropout = None
        if plan.dropout is not None:
            dropout = torch.from_numpy(plan.dropout[rows.languages]).to(self.world.device, torch.float32)
        return Noise(dropout, plan.depth)

    def passes(self, number: int) -> npt.NDArray[np.float64]:
        """Passes over each language's text before a step, [languages]."""
        if self._passes is not None and self._last_passes[0] != number:
            self._last_passes = (number, self._passes(number))
        return self._last_passes[1]

    def _agree(self, counts: npt.NDArray[np.float64], stop: bool) -> tuple[Tensor, bool]:
        """Predicted tokens of each language over all processes, and whether any of them asks to stop."""
        local = torch.tensor([*counts, float(stop)], dtype=torch.float64)
        if self.world.size > 1:
            local = self.world.sum(local.to(self.world.device)).cpu()
        return local[:-1], bool(local[-1] > 0)

    def _backward(
        self, work: Work, noise: Noise, plan: _Plan, memory: dict[str, Mapping[str, Tensor]], *, last: bool
    ) -> tuple[Tensor, dict[str, PenaltyReport]]:
        """Add the gradient of one pass.

        Penalties on rows are a mean over the passes; those on weights alone are computed once, with the last one.
        """
        with torch.autocast(self.world.device.type, self.precision, enabled=self.precision is not torch.float32):
            outputs = self.wrapped(work.inputs, noise, self._keep)
        losses, counted = token_losses(outputs.logits, work.labels, self.config.objective.label_smoothing)
        if plan.factors is not None:
            counted = counted * plan.factors[work.languages]
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
            again=lambda: self._again(work, noise),
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

    def _again(self, work: Work, noise: Noise) -> Outputs:
        """Another forward pass; the bare model's, whose gradients arrive together with those of the first."""
        with torch.autocast(self.world.device.type, self.precision, enabled=self.precision is not torch.float32):
            found: Outputs = self.model(work.inputs, noise, self._keep)
        return found

    def _sums(self, batches: list[tuple[Rows, Work]], losses: list[Tensor]) -> Tensor:
        """Summed loss and predicted tokens of each language in this process's rows, float64 [languages, 2]."""
        sums = torch.zeros(len(self._train_tokens), 2, dtype=torch.float64, device=self.world.device)
        for (_, work), loss in zip(batches, losses, strict=True):
            pair = torch.stack((loss.double(), torch.ones_like(loss, dtype=torch.float64)), dim=1)
            sums.index_add_(0, work.languages, pair)
        return sums


def token_losses(logits: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Nats of each predicted token, and what is minimised instead of them.

    Args:
        logits: [N, V].
        labels: int64 [N].
        smoothing: share of the probability asked for all pieces alike.

    Returns:
        both float32 [N], and the same tensor without smoothing.
    """
    scores = logits.float()
    if not smoothing:
        losses = functional.cross_entropy(scores, labels, reduction="none")
        return losses, losses
    total = scores.logsumexp(dim=-1)
    losses = total - scores.gather(1, labels[:, None])[:, 0]
    return losses, (1 - smoothing) * losses + smoothing * (total - scores.mean(dim=-1))


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
