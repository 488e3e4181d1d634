"""What a step does, as a function of its number: rates, factors and noise, before any row is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.config import TrainConfig
from trainer.model.noise import Noise
from trainer.optimiser.repetition import decay_factor, depth_rates, dropout_rates
from trainer.optimiser.schedules import learning_rate_share
from trainer.regularisers.base import Evidence
from trainer.steps.penalties import measured
from trainer.steps.rows import Rows, spoken_languages
from trainer.weighting.factors import LanguageFactors

ReadPasses = Callable[[int], npt.NDArray[np.float64]]
"""Gives, for a step, the passes over each language's text before it, [languages]."""


class Plan(NamedTuple):
    """What all passes of a step share, and all processes agree on."""

    number: int
    """0 for the first."""
    total: int
    """Steps of the run."""
    learning_rate: float
    decay_growth: float
    """Factor of the weight decay in this step."""
    depth: tuple[float, ...]
    """Share of the rows for which each block is left out; empty for none."""
    dropout: npt.NDArray[np.float64] | None
    """Rate of each language; None for no dropout."""
    factors: Tensor | None
    """Factor of each language's tokens in the loss, [languages]; None when all count the same."""
    measure: bool = False
    """Whether the gradient of each penalty is measured."""

    def noise(self, rows: Rows, device: torch.device) -> Noise:
        """What is left out in a pass over some rows."""
        dropout = None
        if self.dropout is not None:
            dropout = torch.from_numpy(self.dropout[spoken_languages(rows)]).to(device, torch.float32)
        return Noise(dropout, self.depth)

    def mean_dropout(self, rows: list[Rows]) -> float:
        """Mean dropout rate over the rows of a step."""
        if self.dropout is None:
            return 0.0
        rates = [self.dropout[spoken_languages(part)] for part in rows]
        return float(np.concatenate([part if part.ndim == 1 else part.mean(axis=1) for part in rates]).mean())


class Agreed(NamedTuple):
    """What the processes have told each other at the start of a step."""

    tokens: float
    """Predicted tokens of the step, over all processes; at least 1."""
    evidence: Evidence
    """What is known of each language."""
    stop: bool
    """Whether any of the processes asks to stop."""


class Planner:
    """Plans steps by their number.

    Args:
        config: of the training.
        train_tokens: training tokens that exist of each language, float32 [languages].
        total: steps of the run.
        blocks: of the model.
        factors: of the languages' tokens; None when all count the same.
        passes: over each language's text; None for 0.
    """

    def __init__(
        self,
        config: TrainConfig,
        train_tokens: Tensor,
        *,
        total: int,
        blocks: int,
        factors: LanguageFactors | None,
        passes: ReadPasses | None,
    ) -> None:
        self._config = config
        self._train_tokens = train_tokens.cpu().numpy()
        self._total = total
        self._blocks = blocks
        self._factors = factors
        self._passes = passes
        self._last_passes = (-1, np.zeros(len(train_tokens)))

    def __call__(self, number: int) -> Plan:
        """The plan of a step."""
        return Plan(
            number=number,
            total=self._total,
            learning_rate=self._config.learning_rate()
            * learning_rate_share(self._config.schedule, number, self._total),
            decay_growth=self._decay_factor(number),
            depth=depth_rates(self._config.layer_drop, self._blocks, number, self._total),
            dropout=self._dropout(number),
            factors=self._factors.at(number) if self._factors is not None else None,
            measure=measured(self._config.log, number + 1, self._total),
        )

    def passes(self, number: int) -> npt.NDArray[np.float64]:
        """Passes over each language's text before a step, [languages]."""
        if self._passes is not None and self._last_passes[0] != number:
            self._last_passes = (number, self._passes(number))
        return self._last_passes[1]

    def _dropout(self, number: int) -> npt.NDArray[np.float64] | None:
        """Dropout rate of each language; None when there is none."""
        config = self._config.dropout
        if not (config.rate or config.growth):
            return None
        rates = dropout_rates(config, self.passes(number))
        return rates if rates.any() else None

    def _decay_factor(self, number: int) -> float:
        if not self._config.optimiser.decay_growth or number == 0:
            return 1.0
        passes = self.passes(number)
        read = passes * self._train_tokens
        return decay_factor(self._config.optimiser, passes, read / read.sum())
