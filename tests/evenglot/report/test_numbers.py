from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenglot.report import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (999.6, "1k"),
        (16_779, "16.8k"),
        (2_400_000, "2.4M"),
        (3e12, "3T"),
        (0.25, "0.25"),
    ],
)
def test_compact(value: float, text: str) -> None:
    assert numbers.compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (49_000_000, "49.0 MB"),
        (999_600, "1.0 MB"),
        (123_000_000, "123 MB"),
    ],
)
def test_size(value: float, text: str) -> None:
    assert numbers.size(value).replace(numbers.THIN, " ") == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.00001, "< 0.01 %"), (0.0042, "0.42 %"), (0.042, "4.2 %"), (0.7283, "72.8 %"), (1, "100 %")],
)
def test_percent(share: float, text: str) -> None:
    assert numbers.percent(share).replace(numbers.THIN, " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0123, "12 ms"),
        (0.9996, "1.0 s"),
        (12.44, "12.4 s"),
        (59.99, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert numbers.duration(seconds).replace(numbers.THIN, " ") == text


def test_other_forms() -> None:
    assert numbers.count(16_779.4) == "16,779"
    assert numbers.times(0.4) == "×0.40"
    assert numbers.times(132.2) == "×132"
    assert numbers.signed(-0.1234) == "−0.123"
    assert numbers.signed(0.0001) == "0.000"
    assert numbers.plural(1, "document") == "1 document"
    assert numbers.plural(2, "entry", "entries") == "2 entries"
    assert numbers.significant(float("nan")) == "–"


@given(st.floats(min_value=0.001, max_value=1e8))
def test_significant_stays_within_its_precision(value: float) -> None:
    assert float(numbers.significant(value)) == pytest.approx(value, rel=0.006)
