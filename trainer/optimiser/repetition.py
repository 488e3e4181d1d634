"""What grows with repeats: dropout of a language, and the decay of the core's weights.

Text that is read for the first time cannot be overfitted, and regularising it costs (arXiv 2505.24788 on dropout in
single-epoch training). Text that is read often can, and pays for much stronger regularisation than usual: with heavy
repetition the best weight decay is up to thirty times the usual one (Kim et al. 2025, arXiv 2509.14786).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.config import DropoutConfig, LayerDropConfig, OptimiserConfig
from trainer.optimiser.schedules import linear

FloatArray = npt.NDArray[np.float64]


def dropout_rates(config: DropoutConfig, passes: FloatArray) -> FloatArray:
    """Dropout rate of each language, [K].

    rate_l = min(largest, rate + growth * max(0, passes_l - after))

    Args:
        config: the numbers.
        passes: over each language's text so far, [K].
    """
    return np.minimum(config.largest, config.rate + config.growth * np.maximum(0.0, passes - config.after))


def decay_factor(config: OptimiserConfig, passes: FloatArray, shares: FloatArray) -> float:
    """Factor of the weight decay: min(largest, 1 + growth * max(0, mean passes - 1)).

    Args:
        config: the numbers.
        passes: over each language's text so far, [K].
        shares: of each language in the rows, [K], of sum 1: the mean is over the rows.
    """
    mean = float((passes * shares).sum())
    return min(config.decay_largest, 1 + config.decay_growth * max(0.0, mean - 1))


def depth_rates(config: LayerDropConfig, layers: int, step: int, total: int) -> tuple[float, ...]:
    """Share of the rows for which each block is left out; empty when no block ever is.

    Args:
        config: largest rate, profile over depth and over time.
        layers: number of blocks.
        step: 0 for the first.
        total: steps of the run.
    """
    if not config.rate:
        return ()
    now = config.rate * linear(1.0, config.final, step, total)
    if config.profile == "uniform":
        return (now,) * layers
    return tuple(now * number / layers for number in range(1, layers + 1))
