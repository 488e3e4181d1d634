"""The penalties of a run: what they add to the loss of each pass, and what they remember from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from corpus.config import Config
from trainer import regularisers
from trainer.config import LogConfig, RegulariserConfig
from trainer.distributed import World
from trainer.registry import Need
from trainer.regularisers.base import Moment, Regulariser
from trainer.steps.strength import strength_at, strengths


class PenaltyReport(NamedTuple):
    """What a regulariser did in a step."""

    value: Tensor
    """Before the strength is applied, in nats per token; this process's."""
    strength: float
    metrics: Mapping[str, Tensor]
    """Of the last pass."""
    gradient_norm: Tensor | None = None
    """Norm of the gradient of strength times value; None where it was not measured."""


class _Entry(NamedTuple):
    """A regulariser with its options."""

    config: RegulariserConfig
    function: Regulariser
    options: Config
    reads_rows: bool
    reads_pairs: bool


class Penalties:
    """Computes the penalties of passes.

    What a pass wants to remember is kept apart until :meth:`commit`, so a step without a finite gradient leaves no
    trace.

    Args:
        entries: the regularisers with their strengths and options.
        layers: blocks of the model.
    """

    def __init__(self, entries: Sequence[RegulariserConfig], layers: int) -> None:
        self._entries = [
            _Entry(
                entry,
                regularisers.load(entry.name),
                regularisers.check(entry.name, entry.options),
                regularisers.reads_rows(entry.name),
                "pairs" in regularisers.needs(entry.name),
            )
            for entry in entries
        ]
        self.keep: Final = self._kept(layers, pairs=False)
        self.keep_pairs: Final = self._kept(layers, pairs=True)
        self.needs: Final = needs(entries)
        self._memory: dict[str, Mapping[str, Tensor]] = {}
        self._next: dict[str, Mapping[str, Tensor]] = {}
        self._reports: dict[str, PenaltyReport] = {}
        self._gradients: dict[str, Tensor] = {}

    def begin(self) -> None:
        """Start a step."""
        self._next, self._reports, self._gradients = {}, {}, {}

    def add(self, loss: Tensor, moment: Moment, *, passes: int, last: bool, measure: bool = False) -> Tensor:
        """The loss of a pass with the penalties added, each times its strength.

        Penalties on rows are a mean over the passes; those on weights alone are computed once, with the last one. One
        that is outside the part of the run that its schedule gives it is not computed, and remembers what it did.

        Args:
            loss: scalar.
            moment: the pass.
            passes: of the step.
            last: whether this is the last of them.
            measure: also find the gradient of each penalty alone, by a backward pass of its own.
        """
        for entry in self._entries:
            name, strength = entry.config.name, strength_at(entry.config, moment.step, moment.total)
            if not (last or entry.reads_rows) or (entry.config.strength and not strength):
                continue
            if entry.reads_pairs != (moment.pairs is not None):
                continue
            parts = passes if entry.reads_rows else 1
            penalty = entry.function(self._moment(entry, moment), entry.options, self._remembered(name))
            if strength:
                added = (strength / parts) * penalty.value
                if measure:
                    self._measure(name, added, moment.model)
                loss = loss + added
            if penalty.memory:
                self._next[name] = {key: value.detach() for key, value in penalty.memory.items()}
            value = penalty.value.detach() / parts
            if name in self._reports:
                value = value + self._reports[name].value
            self._reports[name] = PenaltyReport(value, strength, penalty.metrics)
        return loss

    def reports(self, world: World) -> dict[str, PenaltyReport]:
        """What was done in the step; all processes must call it where gradients were measured."""
        return {
            name: report._replace(gradient_norm=(world.sum(self._gradients[name]) / world.size).norm())
            if name in self._gradients
            else report
            for name, report in self._reports.items()
        }

    def commit(self) -> None:
        """Keep what the step wanted to remember."""
        self._memory = {**self._memory, **self._next}

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint, named ``<regulariser>/<key>``."""
        return {f"{name}/{key}": value for name, memory in self._memory.items() for key, value in memory.items()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        found: dict[str, dict[str, Tensor]] = {}
        for path, value in tensors.items():
            name, _, key = path.rpartition("/")
            found.setdefault(name, {})[key] = value
        self._memory = dict(found)

    def _kept(self, layers: int, *, pairs: bool) -> tuple[int, ...]:
        """The blocks whose vectors are read in passes over pairs, or in the others."""
        found = (
            regularisers.keeps(entry.config.name, entry.options, layers)
            for entry in self._entries
            if entry.reads_pairs == pairs
        )
        return tuple(sorted({block for blocks in found for block in blocks}))

    def _moment(self, entry: _Entry, moment: Moment) -> Moment:
        """The pass with the languages' strengths in this penalty."""
        config = entry.config.by_evidence
        return moment if config is None else replace(moment, strengths=strengths(config, moment.evidence))

    def _remembered(self, name: str) -> Mapping[str, Tensor]:
        """What a regulariser returned as memory in the pass, or the step, before."""
        return self._next.get(name) or self._memory.get(name, {})

    def _measure(self, name: str, added: Tensor, model: nn.Module) -> None:
        """Add the gradient of a penalty in this pass to that of the passes before."""
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        found: Sequence[Tensor | None] = [None] * len(trained)
        if added.requires_grad:
            found = torch.autograd.grad(added, trained, retain_graph=True, allow_unused=True)
        flat = torch.cat(
            [
                torch.zeros_like(one).flatten() if gradient is None else gradient.flatten()
                for one, gradient in zip(trained, found, strict=True)
            ]
        )
        before = self._gradients.get(name)
        self._gradients[name] = flat if before is None else before + flat


def needs(entries: Sequence[RegulariserConfig]) -> frozenset[Need]:
    """What the penalties of a run have to be given beside the passes."""
    found: set[Need] = {need for entry in entries for need in regularisers.needs(entry.name)}
    if any(entry.by_evidence is not None and entry.by_evidence.by == "repeats" for entry in entries):
        found.add("passes")
    return frozenset(found)


def measured(config: LogConfig, done: int, total: int) -> bool:
    """Whether the penalties' gradients are measured in a step: in the first line of every ``shares_every`` steps.

    Args:
        config: of the log.
        done: steps done with this one.
        total: steps of the run.
    """
    if config.shares_every is None or not (done % config.every == 0 or done == total):
        return False
    return done % config.shares_every < config.every
