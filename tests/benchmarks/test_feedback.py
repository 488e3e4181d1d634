"""Figures of the feedback benchmark."""

from __future__ import annotations

import pytest

from benchmarks.feedback import differences, grouped


def test_thirds_are_by_amount_of_text() -> None:
    scores = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 5.0, "f": 9.0}
    sizes = {"a": 10, "b": 60, "c": 50, "d": 40, "e": 20, "f": 30}
    assert grouped(scores, sizes) == {"macro": 4.0, "major": 2.5, "minor": 3.0, "worst": 9.0}


def test_differences_are_between_runs_of_one_seed() -> None:
    figures = {"major": 1.0, "minor": 1.0, "worst": 1.0}
    runs = {
        "unimax": [{"macro": 2.0, **figures}, {"macro": 3.0, **figures}],
        "progress": [{"macro": 2.5, **figures}, {"macro": 3.1, **figures}],
    }
    found = differences(runs)["progress"]
    assert found["macro"] == pytest.approx({"mean": 0.3, "spread": 0.2})
    assert found["worst"] == {"mean": 0.0, "spread": 0.0}
