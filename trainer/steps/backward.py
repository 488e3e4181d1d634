"""The gradient of a step: forward passes, their loss and penalties, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.config import TrainConfig
from trainer.conflict.held import Surgery
from trainer.conflict.measure import ConflictMeter
from trainer.distributed import World
from trainer.model.language_model import LanguageModel, Outputs
from trainer.model.noise import Noise
from trainer.regularisers.base import Moment
from trainer.steps.batches import Batch
from trainer.steps.penalties import Penalties, PenaltyReport
from trainer.steps.plan import Agreed, Plan
from trainer.steps.rows import Work, part

Compute = Callable[[Work, Noise, tuple[int, ...]], Outputs]
"""The model on some work: with what is left out, and the blocks whose vectors are kept."""

Before = Callable[[Compute, Plan, Agreed], Tensor]


class Gradient(NamedTuple):
    """What was found on the way to a step's gradient, which itself lies in the parameters."""

    losses: list[Tensor]
    """Nats of each predicted token of each pass, [N]."""
    penalties: dict[str, PenaltyReport]
    minimised: Tensor
    """Loss of the step with its penalties, before they are averaged over the processes; a scalar."""


class Pass(NamedTuple):
    """A forward pass and what it is to be judged by."""

    moment: Moment
    counted: Tensor
    """What is minimised at each predicted token: nats, smoothed and weighted by language, float32 [N]."""


class Backward:
    """Adds up the gradient of a step's passes in the parameters.

    Args:
        config: of the training.
        model: the bare model.
        world: the processes.
        penalties: added to the loss.
        before: passes that come before those over the step's rows, and give what they minimised; None for none.
        meter: told of every pass; None for no measurement.
        surgery: done on the gradients of groups of languages; None for none.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: LanguageModel,
        world: World,
        penalties: Penalties,
        before: Before | None = None,
        meter: ConflictMeter | None = None,
        surgery: Surgery | None = None,
    ) -> None:
        self._config = config
        self._model = model
        self._wrapped = world.wrap(model)
        self._world = world
        self._penalties = penalties
        self._before = before
        self._meter = meter
        self._surgery = surgery
        self.precision = autocast_type(config, world.device)

    def __call__(self, batches: list[Batch], plan: Plan, agreed: Agreed) -> Gradient:
        """The gradient of a step, averaged over the processes; what the parameters held before stays in the sum."""
        if self._surgery is not None and self._surgery.due(plan.number):
            return self._operated(self._surgery, batches, plan, agreed)
        losses: list[Tensor] = []
        minimised: list[Tensor] = []
        self._penalties.begin()
        if self._before is not None:
            with self._world.without_averaging(self._wrapped):
                minimised.append(self._before(partial(self._compute, self._wrapped), plan, agreed))
        for place, batch in enumerate(batches):
            last = place + 1 == len(batches)
            with nullcontext() if last else self._world.without_averaging(self._wrapped):
                # A method of its own, so that the scores of one pass are gone before those of the next come.
                found, loss = self._whole(batch, plan, agreed, passes=len(batches), last=last)
            losses.append(found)
            minimised.append(loss)
        return Gradient(losses, self._penalties.reports(self._world), torch.stack(minimised).sum())

    def _whole(self, batch: Batch, plan: Plan, agreed: Agreed, *, passes: int, last: bool) -> tuple[Tensor, Tensor]:
        """Add the gradient of one pass, penalties and all; gives the loss of each token and what was minimised."""
        done = self._forward(self._wrapped, batch, plan, agreed, passes=passes, last=last)
        # The processes' gradients are averaged, the loss is a mean over the tokens of all of them.
        loss = done.counted.sum() * (self._world.size / agreed.tokens)
        loss = self._penalties.add(loss, done.moment, passes=passes, last=last, measure=plan.measure)
        with nullcontext() if self._meter is None else self._meter.backward():
            torch.autograd.backward(loss)
        return done.moment.losses.detach(), loss.detach()

    def _operated(self, surgery: Surgery, batches: list[Batch], plan: Plan, agreed: Agreed) -> Gradient:
        """The gradient of a step in which those of groups are held apart and operated on; penalties' are added after.

        All passes are the bare model's: nothing is averaged over the processes before it is known to whom it belongs.
        """
        losses: list[Tensor] = []
        minimised: list[Tensor] = []
        self._penalties.begin()
        surgery.begin()
        if self._before is not None:
            minimised.append(self._before(partial(self._compute, self._model), plan, agreed))
        for place, batch in enumerate(batches):
            last = place + 1 == len(batches)
            found, loss = self._apart(surgery, batch, plan, agreed, passes=len(batches), last=last)
            losses.append(found)
            minimised.append(loss)
        surgery.finish(plan.number)
        return Gradient(losses, self._penalties.reports(self._world), torch.stack(minimised).sum())

    def _apart(
        self, surgery: Surgery, batch: Batch, plan: Plan, agreed: Agreed, *, passes: int, last: bool
    ) -> tuple[Tensor, Tensor]:
        """Add the gradients of one pass, each group's and that of the penalties, to where they belong."""
        done = self._forward(self._model, batch, plan, agreed, passes=passes, last=last)
        counted = done.counted * (self._world.size / agreed.tokens)
        with nullcontext() if self._meter is None else self._meter.backward():
            surgery.add(counted, batch.work.languages)
        nothing = torch.zeros((), device=counted.device)
        penalties = self._penalties.add(nothing, done.moment, passes=passes, last=last, measure=plan.measure)
        if penalties.requires_grad:
            torch.autograd.backward(penalties)
        return done.moment.losses.detach(), (counted.sum() + penalties).detach()

    def _forward(self, model: nn.Module, batch: Batch, plan: Plan, agreed: Agreed, *, passes: int, last: bool) -> Pass:
        """One forward pass.

        Args:
            model: the wrapped model, or the bare one where gradients are not to be averaged by it.
            batch: the rows.
            plan: of the step.
            agreed: between the processes.
            passes: of the step.
            last: whether this is the last of them.
        """
        work = batch.work
        noise = plan.noise(batch.rows, self._world.device)
        with nullcontext() if self._meter is None else self._meter.forward(work.inputs):
            outputs = self._compute(model, work, noise, self._penalties.keep)
        losses, counted = token_losses(
            outputs.logits, work.labels, self._config.objective.label_smoothing, self._config.objective.z_loss
        )
        if plan.factors is not None:
            counted = counted * plan.factors[work.languages]
        moment = Moment(
            model=self._model,
            batch=work.inputs,
            outputs=outputs,
            losses=losses,
            labels=work.labels,
            languages=work.languages,
            evidence=agreed.evidence,
            # The bare model's, whose gradients arrive together with those of the first pass.
            again=lambda: self._compute(self._model, work, noise, self._penalties.keep),
            step=plan.number,
            total=plan.total,
            again_on=lambda rows: self._on_rows(work, noise, rows),
            token_scale=passes * self._world.size / agreed.tokens,
            last=last,
        )
        return Pass(moment, counted)

    def _compute(self, model: nn.Module, work: Work, noise: Noise, keep: tuple[int, ...]) -> Outputs:
        with torch.autocast(self._world.device.type, self.precision, enabled=self.precision is not torch.float32):
            found: Outputs = model(work.inputs, noise, keep)
        return found

    def _on_rows(self, work: Work, noise: Noise, rows: Tensor) -> tuple[Outputs, Tensor]:
        """The bare model on some of the rows, and the places of their predicted tokens among those of the pass."""
        inputs, places = part(work.inputs, rows)
        rates = None if noise.dropout is None else noise.dropout.index_select(0, rows)
        return self._compute(
            self._model, work._replace(inputs=inputs), noise._replace(dropout=rates), self._penalties.keep
        ), places


def token_losses(logits: Tensor, labels: Tensor, smoothing: float, z_loss: float = 0.0) -> tuple[Tensor, Tensor]:
    """Nats of each predicted token, and what is minimised instead of them.

    Args:
        logits: [N, V].
        labels: int64 [N].
        smoothing: share of the probability asked for all pieces alike.
        z_loss: factor of the squared logarithm of the normaliser.

    Returns:
        both float32 [N], and the same tensor without smoothing and z-loss.
    """
    scores = logits.float()
    if not (smoothing or z_loss):
        losses = functional.cross_entropy(scores, labels, reduction="none")
        return losses, losses
    total = scores.logsumexp(dim=-1)
    losses = total - scores.gather(1, labels[:, None])[:, 0]
    counted = losses
    if smoothing:
        counted = (1 - smoothing) * losses + smoothing * (total - scores.mean(dim=-1))
    return losses, counted + z_loss * total.square() if z_loss else counted


def autocast_type(config: TrainConfig, device: torch.device) -> torch.dtype:
    """The number format of the matrix products.

    ``auto`` takes bfloat16 on GPUs that compute in it. On CPUs it takes float32: few have bfloat16 instructions,
    and the others imitate them slowly.
    """
    if config.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if config.precision == "bfloat16" else torch.float32
