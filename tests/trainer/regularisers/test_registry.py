from __future__ import annotations

import pytest

from corpus.config import Config
from corpus.errors import ConfigurationError
from trainer import regularisers
from trainer.regularisers import deviation
from trainer.regularisers.options import DeviationOptions


def test_built_in() -> None:
    assert "deviation" in regularisers.names()
    assert regularisers.load("deviation") is deviation.penalty
    assert regularisers.check("deviation", {}) == DeviationOptions(power=1.0)


def test_a_name_is_given_once() -> None:
    with pytest.raises(ConfigurationError, match="exists already"):
        regularisers.register("deviation", Config, lambda: deviation.penalty)


def test_unknown_name_without_a_near_one() -> None:
    with pytest.raises(ConfigurationError, match=r"no regulariser 'xyz'\. Choose one of: .*deviation"):
        regularisers.check("xyz", {})


def test_option_out_of_range() -> None:
    with pytest.raises(ConfigurationError, match="option 'power' of regulariser 'deviation'"):
        regularisers.check("deviation", {"power": -1})
