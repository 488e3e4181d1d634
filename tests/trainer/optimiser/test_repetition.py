from __future__ import annotations

import numpy as np
import pytest

from trainer.config import DropoutConfig, LayerDropConfig, OptimiserConfig
from trainer.optimiser.repetition import decay_factor, depth_rates, dropout_rates


def test_dropout_grows_with_the_passes_beyond_the_first_ones() -> None:
    config = DropoutConfig(rate=0.01, growth=0.05, after=2, largest=0.2)
    assert dropout_rates(config, np.array([0.0, 2.0, 3.0, 4.5, 50.0])).tolist() == pytest.approx(
        [0.01, 0.01, 0.06, 0.135, 0.2]
    )


def test_decay_grows_with_the_mean_passes_of_the_rows() -> None:
    config = OptimiserConfig(decay_growth=2.0, decay_largest=10)
    assert decay_factor(config, np.array([0.5, 0.9]), np.array([0.5, 0.5])) == 1.0
    assert decay_factor(config, np.array([1.0, 4.0]), np.array([0.75, 0.25])) == pytest.approx(1 + 2 * 0.75)
    assert decay_factor(config, np.array([100.0]), np.array([1.0])) == 10.0


def test_blocks_are_left_out_the_more_the_deeper_and_the_earlier() -> None:
    config = LayerDropConfig(rate=0.4)
    assert depth_rates(config, 4, 0, 11) == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert depth_rates(config, 4, 5, 11) == pytest.approx((0.05, 0.1, 0.15, 0.2))
    assert depth_rates(config, 4, 10, 11) == (0.0,) * 4
    assert depth_rates(LayerDropConfig(rate=0.4, profile="uniform", final=1.0), 2, 10, 11) == pytest.approx((0.4, 0.4))
    assert depth_rates(LayerDropConfig(), 4, 0, 11) == ()
