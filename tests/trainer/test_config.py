from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from trainer.config import ModelConfig, RegulariserConfig, Shape, TrainConfig


def test_preset_fills_in_what_is_not_given() -> None:
    assert ModelConfig().shape() == Shape(width=128, layers=4, heads=4, feedforward=512, adapter=32)
    assert ModelConfig(size="base", layers=6, adapter=0).shape() == Shape(768, 6, 12, 3072, 0)
    assert ModelConfig(width=64, heads=2).shape() == Shape(64, 4, 2, 256, 16)


def test_width_must_suit_the_heads() -> None:
    with pytest.raises(ValidationError, match="width 100 is not a multiple of twice the 4 heads"):
        ModelConfig(width=100)


def test_steps_from_tokens_are_rounded_up() -> None:
    assert TrainConfig(tokens=10_001, rows=10).total_steps(row_tokens=100) == 11
    assert TrainConfig(tokens=10_000, rows=10).total_steps(row_tokens=100) == 10
    assert TrainConfig(steps=7).total_steps(row_tokens=100) == 7
    assert TrainConfig().total_steps(row_tokens=100) == 1000


def test_two_budgets_are_refused() -> None:
    with pytest.raises(ValidationError, match="both `steps` and `tokens` are given"):
        TrainConfig(steps=1, tokens=1)


def test_learning_rate_follows_the_preset_unless_given() -> None:
    assert TrainConfig().learning_rate() == 3e-3
    assert TrainConfig.model_validate({"model": {"size": "base"}}).learning_rate() == 6e-4
    assert TrainConfig.model_validate({"optimiser": {"learning_rate": 0.5}}).learning_rate() == 0.5


def test_unknown_regulariser_names_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"there is no regulariser 'devation'\. Did you mean 'deviation'\?"):
        RegulariserConfig(name="devation")


def test_unknown_option_names_those_there_are() -> None:
    with pytest.raises(ValidationError, match=r"option 'pwer' of regulariser 'deviation'.*Its options are: power"):
        RegulariserConfig(name="deviation", options={"pwer": 1})


def test_a_regulariser_is_listed_once() -> None:
    with pytest.raises(ValidationError, match="listed twice"):
        TrainConfig(regularisers=(RegulariserConfig(name="deviation"), RegulariserConfig(name="deviation")))


def test_unknown_keys_are_errors() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        TrainConfig.model_validate({"minutes": 5})


def test_reading_settings_loads_no_torch() -> None:
    code = "import sys, trainer.config as c; c.TrainConfig(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
