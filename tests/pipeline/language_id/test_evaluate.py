from __future__ import annotations

import pytest

from pipeline.language_id.evaluate import score


def test_score_by_hand() -> None:
    found = score(["a", "a", "a", "b", "c"], ["a", "a", "b", "b", "x"])
    assert found.count == 5
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.languages["a"].precision == pytest.approx(1.0)
    assert found.languages["a"].recall == pytest.approx(2 / 3)
    assert found.languages["a"].f1 == pytest.approx(0.8)
    assert found.languages["b"].f1 == pytest.approx(2 / 3)
    assert found.languages["c"].f1 == 0.0
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 3)
    assert found.macro_recall == pytest.approx((2 / 3 + 1) / 3)
    assert found.confusions == [("a", "b", 1), ("c", "x", 1)]


def test_score_of_nothing() -> None:
    assert score([], []).macro_f1 == 0.0
