from __future__ import annotations

import pytest

from pipeline.balance.config import BalanceConfig
from pipeline.balance.mixtures import stored_mixtures


def test_stored_mixtures_of_a_skewed_corpus() -> None:
    mixtures = stored_mixtures({"b": 90, "a": 900, "c": 10, "empty": 0}, BalanceConfig())
    assert list(mixtures) == ["proportional", "temperature", "unimax", "uniform"]
    assert mixtures["proportional"] == pytest.approx({"a": 0.9, "b": 0.09, "c": 0.01})
    assert mixtures["uniform"] == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    # budget 1000: c gets its cap of 40, then b and a share 960 evenly but b's cap is 360
    assert mixtures["unimax"] == pytest.approx({"a": 0.6, "b": 0.36, "c": 0.04})
    powers = {"a": 0.9**0.3, "b": 0.09**0.3, "c": 0.01**0.3}
    assert mixtures["temperature"] == pytest.approx({k: v / sum(powers.values()) for k, v in powers.items()})


def test_without_text_there_is_nothing_to_mix() -> None:
    assert stored_mixtures({"a": 0}, BalanceConfig()) == {}
