"""The penalties of a run: what they add to the loss of each pass, and what they remember from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from torch import Tensor

from trainer import regularisers
from trainer.config import RegulariserConfig
from trainer.regularisers.base import Moment
from trainer.schedules import strength_share


class PenaltyReport(NamedTuple):
    """What a regulariser did in a step."""

    value: Tensor
    """Before the strength is applied, in nats per token."""
    strength: float
    metrics: dict[str, Tensor]


class Penalties:
    """Computes the penalties of passes.

    What a pass wants to remember is kept apart until :meth:`commit`, so a step without a finite gradient leaves no
    trace.

    Args:
        entries: the regularisers with their strengths and options.
        layers: blocks of the model.
    """

    def __init__(self, entries: Sequence[RegulariserConfig], layers: int) -> None:
        self._regularisers = [
            (entry, regularisers.load(entry.name), regularisers.check(entry.name, entry.options)) for entry in entries
        ]
        self.keep: Final = tuple(
            sorted(
                {
                    block
                    for entry, _, options in self._regularisers
                    for block in regularisers.keeps(entry.name, options, layers)
                }
            )
        )
        self._memory: dict[str, Mapping[str, Tensor]] = {}
        self._next: dict[str, Mapping[str, Tensor]] = {}

    def begin(self) -> None:
        """Start a step."""
        self._next = {}

    def add(self, loss: Tensor, moment: Moment, *, passes: int, last: bool) -> tuple[Tensor, dict[str, PenaltyReport]]:
        """The loss of a pass with the penalties added, each times its strength.

        Penalties on rows are a mean over the passes; those on weights alone are computed once, with the last one.

        Args:
            loss: scalar.
            moment: the pass.
            passes: of the step.
            last: whether this is the last of them.
        """
        reports: dict[str, PenaltyReport] = {}
        for entry, function, options in self._regularisers:
            reads_rows = regularisers.reads_rows(entry.name)
            if not (last or reads_rows):
                continue
            penalty = function(moment, options, self._next.get(entry.name) or self._memory.get(entry.name, {}))
            strength = strength_at(entry, moment.step, moment.total)
            if strength:
                loss = loss + (strength / passes if reads_rows else strength) * penalty.value
            if penalty.memory:
                self._next[entry.name] = {name: value.detach() for name, value in penalty.memory.items()}
            reports[entry.name] = PenaltyReport(penalty.value.detach(), strength, dict(penalty.metrics))
        return loss, reports

    def commit(self) -> None:
        """Keep what the step wanted to remember."""
        self._memory = self._next

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


def strength_at(entry: RegulariserConfig, step: int, total: int) -> float:
    """Strength of a regulariser in a step."""
    return entry.strength * strength_share(entry.schedule, step, total)
