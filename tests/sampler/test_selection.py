"""Which documents a view takes, how often, and in which band."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampler.selection import (
    BANDS,
    Columns,
    Selection,
    column_names,
    copy_parts,
    part_counts,
    rehydration,
    score_names,
)
from sampler.view import DocumentsConfig

# Levels 0, 0.25, 0.5, 0.75 and 1.
QUANTILES = {"difficulty": np.array([0.0, 1, 2, 3, 4]), "diversity": np.array([0.0, 10, 20, 30, 40])}


def scores(*values: float) -> np.ndarray:
    """A column of scores."""
    return np.array(values, dtype=np.float32)


def times(columns: Columns, count: int, **view: object) -> list[int]:
    """The times of some documents."""
    return Selection(DocumentsConfig.model_validate(view), QUANTILES).times(columns, count).tolist()


def test_the_default_view_looks_at_nothing() -> None:
    view = DocumentsConfig()
    assert view.is_default
    assert column_names(view) == ()
    assert times(Columns(), 3) == [1, 1, 1]
    assert Selection(view, {}).band(Columns(), 2).tolist() == [0, 0]


def test_ranges_keep_their_ends_and_what_has_no_score_is_the_median() -> None:
    columns = Columns(difficulty=scores(-5, 0.9, 1, 2, 3, 3.1, np.nan))
    assert times(columns, 7, difficulty=[0.25, 0.75]) == [0, 0, 1, 1, 1, 0, 1]
    assert times(columns, 7, difficulty=[0, 0.5]) == [1, 1, 1, 1, 0, 0, 1]
    assert times(columns, 7, difficulty=[0.6, 1]) == [0, 0, 0, 0, 1, 1, 0]
    assert times(Columns(diversity=scores(5, 35)), 2, diversity=[0.5, 1]) == [0, 1]


def test_copies_and_diversity_multiply_up_to_the_cap() -> None:
    copies = np.array([1, 2, 9, 10, 99, 100, 5000], dtype=np.int32)
    table = {2: 3, 10: 4, 100: 1}
    assert times(Columns(copies=copies), 7, rehydrate=table) == [1, 3, 3, 4, 4, 1, 1]
    assert times(Columns(copies=copies), 7, rehydrate=table, max_times=3) == [1, 3, 3, 3, 3, 1, 1]
    diverse = Columns(copies=copies, diversity=scores(0, 36, 35.9, 36, 0, 40, 0))
    assert times(diverse, 7, rehydrate=table, repeat_diverse=2) == [1, 6, 3, 8, 4, 2, 1]
    assert times(diverse, 7, rehydrate=table, repeat_diverse=2, difficulty=[0, 1]) == [1, 6, 3, 8, 4, 2, 1]


def test_the_middle_rule_repeats_sixteen_copies_most() -> None:
    limits, found = rehydration(DocumentsConfig(rehydrate="middle", max_times=10))
    asked = [1, 2, 3, 4, 8, 16, 17, 32, 64, 128, 256, 9999]
    assert [int(found[limits.searchsorted(c, "right")]) for c in asked] == [1, 3, 4, 5, 7, 10, 9, 7, 5, 3, 1, 1]


@pytest.mark.parametrize(
    ("order", "bands"),
    [("easy_first", [0, 0, 1, 8, 15]), ("hard_first", [15, 15, 14, 7, 0])],
)
def test_bands_follow_the_order(order: str, bands: list[int]) -> None:
    rules = Selection(DocumentsConfig.model_validate({"order": order}), QUANTILES)
    columns = Columns(difficulty=scores(-1, 0.24, 0.25, np.nan, 4))
    assert rules.band(columns, 5).tolist() == bands


def test_bands_divide_what_the_range_keeps() -> None:
    view = DocumentsConfig(order="diverse_first", diversity=(0.5, 1))
    rules = Selection(view, QUANTILES)
    columns = Columns(diversity=scores(20, 21.2, 21.3, 38.7, 38.8, 40))
    assert rules.band(columns, 6).tolist() == [15, 15, 14, 1, 0, 0]


@given(
    st.lists(st.one_of(st.floats(-1, 5, width=32), st.just(float("nan")), st.sampled_from([0.25, 2.0])), max_size=40),
    st.sampled_from(["easy_first", "hard_first", "random"]),
)
def test_in_band_agrees_with_band(values: list[float], order: str) -> None:
    rules = Selection(DocumentsConfig.model_validate({"order": order}), QUANTILES)
    columns = Columns(difficulty=scores(*values))
    bands = rules.band(columns, len(values))
    for band in range(BANDS if order != "random" else 1):
        places = np.arange(len(values))[rules.in_band(columns, band)]
        assert places.tolist() == np.flatnonzero(bands == band).tolist()


@given(st.lists(st.tuples(st.integers(0, 16), st.integers(0, (1 << 64) - 1)), max_size=30), st.integers(1, 16))
def test_copies_are_spread_over_the_parts(documents: list[tuple[int, int]], parts: int) -> None:
    often = np.array([m for m, _ in documents], dtype=np.int64)
    hashed = np.array([h for _, h in documents], dtype=np.uint64)
    document, part = copy_parts(often, hashed, parts)
    counts = np.zeros((parts, len(documents)), dtype=np.int64)
    np.add.at(counts, (part, document), 1)
    assert counts.sum(axis=0).tolist() == often.tolist()
    assert all(counts[:, place].max(initial=0) <= -(-m // parts) for place, m in enumerate(often.tolist()))
    several = np.flatnonzero(often)
    for number in range(parts):
        assert part_counts(often[several], hashed[several], number, parts).tolist() == counts[number, several].tolist()


def test_what_a_view_looks_at() -> None:
    assert score_names(DocumentsConfig(order="hard_first", repeat_diverse=2)) == ("difficulty", "diversity")
    view = DocumentsConfig(rehydrate="middle", max_synthetic_share=0.3)
    assert column_names(view) == ("copies", "synthetic")
    assert not view.is_default
