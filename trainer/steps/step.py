"""One optimiser step: some rows, their gradient, one move of the weights, and what is remembered of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from corpus.errors import ConfigurationError
from corpus.hashing import stable_hash
from trainer.config import TrainConfig
from trainer.conflict.held import Surgery
from trainer.conflict.matrix import ConflictReport
from trainer.conflict.measure import ConflictMeter
from trainer.distributed import World
from trainer.model.language_model import LanguageModel
from trainer.optimiser.average import WeightAverage
from trainer.optimiser.build import Optimiser, clip, grow_decay, set_learning_rate
from trainer.parallel.batches import ParallelBatches
from trainer.parallel.passes import ParallelPasses
from trainer.steps.backward import Backward, Gradient
from trainer.steps.batches import Batch, Batches
from trainer.steps.known import Known
from trainer.steps.penalties import Penalties, PenaltyReport
from trainer.steps.plan import Agreed, Planner, ReadPasses
from trainer.steps.rows import RowStream, spoken_languages
from trainer.steps.tally import Tally
from trainer.weighting.factors import LanguageFactors

AVERAGE: Final = "average/"
"""Begins the names of the running mean's tensors in a checkpoint."""


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
    not_finite: Tensor | None
    """Only of a skipped step: predicted tokens of each language, and how many of them had a loss that was not finite,
    over all processes, float64 [languages, 2]."""
    minimised: Tensor
    """Loss with its penalties as this process's rows gave it; the mean over the processes is the step's."""
    conflict: ConflictReport | None
    """Of the groups' gradients, when it was the step's turn to measure them."""

    @property
    def skipped(self) -> bool:
        """Whether the weights were left alone because the gradient was not finite."""
        return not math.isfinite(self.grad_norm)


class Remembers(Protocol):
    """A part of a step that carries tensors from step to step."""

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        ...

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        ...


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
        occurrences: of each piece of the vocabulary in the training text, where a penalty needs them, [V].
        recent_baseline: as ``baseline``, for the penalties that compare languages.
        parallel: rows of translations that join the steps; None for none.

    Raises:
        ConfigurationError: there are fewer rows in a step than processes.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: LanguageModel,
        optimiser: Optimiser,
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
        passes: ReadPasses | None = None,
        occurrences: npt.NDArray[np.float32] | None = None,
        recent_baseline: list[float] | None = None,
        parallel: ParallelBatches | None = None,
    ) -> None:
        smallest = config.row_schedule(total).smallest
        if smallest < world.size:
            first = "" if smallest == config.rows else f" and the first step has {smallest} of them"
            raise ConfigurationError(
                f"train.rows is {config.rows}{first}, but {world.size} processes train together",
                "Give each at least one row of every step",
            )
        self.config = config
        self.model = model
        self.optimiser = optimiser
        self.stream = stream
        self.tally = tally
        self.world = world
        self.total = total
        self.mask_id = mask_id
        self.pass_rows = pass_rows
        self.seed = seed
        self._train_tokens = torch.tensor(train_tokens, dtype=torch.float32, device=world.device).clamp(min=1)
        self.factors: LanguageFactors | None = None
        if config.language_loss is not None:
            known = torch.tensor(baseline or [0.0] * len(train_tokens), dtype=torch.float32, device=world.device)
            self.factors = LanguageFactors(config.language_loss, self._train_tokens, known, total)
        self.average = WeightAverage(model, config.average.decay) if config.average is not None else None
        self._penalties = Penalties(config.regularisers, len(model.blocks))
        self._planner = Planner(
            config,
            self._train_tokens,
            total=total,
            blocks=len(model.blocks),
            factors=self.factors,
            passes=passes,
        )
        self._known = Known(
            self._train_tokens,
            stream.languages,
            self._penalties.needs,
            passes=self._planner.passes if passes is not None else None,
            occurrences=None if occurrences is None else torch.from_numpy(occurrences).to(world.device),
            baseline=recent_baseline,
        )
        self._batches = Batches(
            config, stream, self._planner, world, total=total, mask_id=mask_id, pass_rows=pass_rows, seed=seed
        )
        self.parallel = (
            ParallelPasses(
                config.parallel.tlm if config.parallel else None,
                parallel,
                model,
                self._penalties,
                world,
                smoothing=config.objective.label_smoothing,
                total=total,
            )
            if parallel is not None
            else None
        )
        self.meter = (
            ConflictMeter(config.conflict, model, stream.languages, train_tokens, world)
            if config.conflict is not None
            else None
        )
        self.surgery = (
            Surgery(config.surgery, model, stream.languages, train_tokens, world)
            if config.surgery is not None
            else None
        )
        self._backward = Backward(config, model, world, self._penalties, self.parallel, self.meter, self.surgery)

    @property
    def precision(self) -> torch.dtype:
        """Number format of the matrix products."""
        return self._backward.precision

    def passes(self, number: int) -> npt.NDArray[np.float64]:
        """Passes over each language's text before a step, [languages]."""
        return self._planner.passes(number)

    def __call__(self, number: int, *, stop: bool = False) -> StepReport:
        """Do one step.

        Args:
            number: 0 for the first.
            stop: whether this process asks to stop after it.
        """
        torch.manual_seed(stable_hash("step", self.seed, number) >> 1)
        plan = self._planner(number)
        set_learning_rate(self.optimiser, plan.learning_rate)
        grow_decay(self.optimiser, plan.decay_growth)
        batches = self._batches(number)
        agreed = self._agree(number, batches, stop)
        self.optimiser.zero_grad()
        with nullcontext() if self.meter is None else self.meter.watching(number):
            gradient = self._backward(batches, plan, agreed)
        norm = float(clip(self.model, self.config.optimiser.clip))
        not_finite = None
        conflict = None
        if math.isfinite(norm):
            conflict = None if self.meter is None else self.meter.finish(agreed.tokens)
            self.optimiser.step()
            self._remember(batches, gradient)
        else:
            not_finite = self.world.sum(self._not_finite(batches, gradient.losses))
        return StepReport(
            plan.learning_rate,
            self.config.optimiser.weight_decay * plan.decay_growth,
            plan.mean_dropout([batch.rows for batch in batches]),
            norm,
            agreed.stop,
            gradient.penalties,
            plan.factors,
            not_finite,
            gradient.minimised,
            conflict,
        )

    def tensors(self) -> dict[str, Tensor]:
        """What methods remember from step to step, for the checkpoint, named ``<owner>/<key>``."""
        return {f"{owner}/{key}": value for owner, part in self._parts() for key, value in part.state().items()}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        for owner, part in self._parts():
            begin = f"{owner}/"
            part.load_state(
                {
                    path.removeprefix(begin): value.to(self.world.device)
                    for path, value in tensors.items()
                    if path.startswith(begin)
                }
            )

    def _parts(self) -> list[tuple[str, Remembers]]:
        """Who remembers something, by the name of its tensors' owner."""
        found: list[tuple[str, Remembers | None]] = [
            ("regulariser", self._penalties),
            ("known", self._known),
            ("language_loss", self.factors),
            ("parallel", self.parallel),
            ("conflict", self.meter),
            ("surgery", self.surgery),
            (AVERAGE.removesuffix("/"), self.average),
        ]
        return [(owner, part) for owner, part in found if part is not None]

    def _agree(self, number: int, batches: list[Batch], stop: bool) -> Agreed:
        """Bring together what the processes know before a step: predicted tokens, and who asks to stop."""
        counts = np.sum([batch.work.counts for batch in batches], axis=0)
        local = torch.tensor([*counts, float(stop)], dtype=torch.float64)
        if self.world.size > 1:
            local = self.world.sum(local.to(self.world.device)).cpu()
        tokens = max(1.0, float(local[:-1].sum()))
        share = (local[:-1] / tokens).to(self.world.device, torch.float32)
        return Agreed(tokens, self._known.evidence(number, share), bool(local[-1] > 0))

    def _remember(self, batches: list[Batch], gradient: Gradient) -> None:
        """Count a step that has moved the weights."""
        self._penalties.commit()
        if self.surgery is not None:
            self.surgery.commit()
        if self.parallel is not None:
            self.parallel.commit()
        for batch, losses in zip(batches, gradient.losses, strict=True):
            self.tally.add_loss(losses, batch.work.languages)
            self.tally.add_seen(spoken_languages(batch.rows), batch.rows.segments)
        if self.factors is not None or self._known.watches:
            sums = self.world.sum(self._sums(batches, gradient.losses))
            self._known.update(sums)
            if self.factors is not None:
                self.factors.update(sums)
        if self.average is not None:
            self.average.update()

    def _sums(self, batches: list[Batch], losses: list[Tensor]) -> Tensor:
        """Summed loss and predicted tokens of each language in this process's rows, float64 [languages, 2]."""
        sums = torch.zeros(len(self._train_tokens), 2, dtype=torch.float64, device=self.world.device)
        for batch, loss in zip(batches, losses, strict=True):
            pair = torch.stack((loss.double(), torch.ones_like(loss, dtype=torch.float64)), dim=1)
            sums.index_add_(0, batch.work.languages, pair)
        return sums

    def _not_finite(self, batches: list[Batch], losses: list[Tensor]) -> Tensor:
        """Predicted tokens of each language in this process's rows, and those without a finite loss, [languages, 2]."""
        found = torch.zeros(len(self._train_tokens), 2, dtype=torch.float64, device=self.world.device)
        for batch, loss in zip(batches, losses, strict=True):
            broken = (~loss.isfinite()).double()
            found.index_add_(0, batch.work.languages, torch.stack((torch.ones_like(broken), broken), dim=1))
        return found
