from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.judge import by_source, duel, judge, mcnemar
from pipeline.language_id.prediction import Prediction
from pipeline.language_id.rows import Rows


class Fixed:
    """Says a text's first word, or always the same tag."""

    def __init__(self, tag: str | None = None) -> None:
        self.tag = tag
        self.calls: list[int] = []

    @property
    def tags(self) -> tuple[str, ...]:
        return ("a", "b")

    def describe(self) -> dict[str, Any]:
        return {"name": "fixed"}

    def predict(
        self, texts: Sequence[str], config: IdentifyConfig | None = None, declared: Sequence[str | None] | None = None
    ) -> Prediction:
        self.calls.append(len(texts))
        return Prediction([self.tag or text.split()[0] for text in texts], np.ones(len(texts), np.float32))


def test_all_rows_pass_both_models_once_and_in_turn() -> None:
    texts = ["a x"] * 700 + ["b y"] * 2
    rows = Rows(texts, ["a"] * 701 + ["b"], [None] * 702, ["web"] * 701 + [None], "f")
    first, second, done = Fixed(), Fixed("a"), []
    found = judge([first, second], [rows, Rows(["b"], ["b"], [None], ["web"], "f")], progress=done.append)
    assert first.calls == second.calls == [1, 500, 202, 1]
    assert done == [500, 702, 703]
    assert found.gold == [*["a"] * 701, "b", "b"]
    assert found.predicted[0] == [*["a"] * 700, "b", "b", "b"]
    assert found.predicted[1] == ["a"] * 703
    assert all(seconds >= 0 for seconds in found.cpu_seconds)
    scores = by_source(found)
    assert {source: (entry.count, entry.accuracy) for source, entry in scores.items()} == {
        "": (1, 1.0),
        "web": (702, pytest.approx(701 / 702)),
    }


def test_a_duel_by_hand() -> None:
    gold = ["a", "a", "b", "b", "c"]
    first = ["a", "a", "b", "a", "a"]
    second = ["a", "b", "a", "a", "c"]
    found = duel(gold, first, second)
    assert (found.rows, found.languages) == (5, 3)
    assert found.first.accuracy == pytest.approx(3 / 5)
    assert found.second.accuracy == pytest.approx(2 / 5)
    assert found.agreement == pytest.approx(2 / 5)
    assert (found.only_first_right, found.only_second_right) == (2, 1)
    assert (found.p_value, found.test) == (1.0, "exact")
    shared = duel(gold, first, second, {"a", "b"})
    assert (shared.rows, shared.languages) == (4, 2)
    assert (shared.only_first_right, shared.only_second_right) == (2, 0)
    assert shared.p_value == pytest.approx(0.5)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(0, 0) == (1.0, "exact")
    assert mcnemar(1, 7) == (pytest.approx(2 * 9 / 256), "exact")
    assert mcnemar(7, 1) == mcnemar(1, 7)
    assert mcnemar(500, 500) == (1.0, "exact")
    p_value, test = mcnemar(600, 500)  # chi square = 99 ** 2 / 1100 = 8.91
    assert (p_value, test) == (pytest.approx(0.002837, rel=1e-3), "chi2")
    assert mcnemar(600, 600) == (1.0, "chi2")
    assert 0 <= mcnemar(0, 1_000_000)[0] < 1e-300
