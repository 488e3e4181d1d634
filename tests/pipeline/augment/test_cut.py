"""The cap of a budget, met to the byte."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.augmentation import Naturalness
from pipeline.augment.compare import Likeness, apply_budgets, cut_language
from pipeline.augment.cut import cut
from pipeline.augment.join import Survivors
from pipeline.augment.likeness import measured_methods
from pipeline.parents.budget import Budget

METHODS = ("back_translation", "paraphrase", "insertion")


def taken(methods: list[str], sizes: list[int], parts: dict[str, int]) -> list[bool]:
    order = np.arange(len(sizes))
    return cut(np.array(methods, np.str_), np.array(sizes, np.int64), order, parts).tolist()


def test_each_method_fills_its_part_and_what_it_leaves_goes_to_the_others() -> None:
    both = ["back_translation", "back_translation", "paraphrase", "back_translation"]
    assert taken(both, [5, 5, 5, 1], {"back_translation": 6, "paraphrase": 5}) == [True, False, True, True]
    assert taken(both, [5, 5, 5, 1], {"back_translation": 6, "paraphrase": 9}) == [True, False, True, True]
    assert taken(both, [5, 5, 4, 1], {"back_translation": 6, "paraphrase": 9}) == [True, True, True, True]
    assert taken(["insertion"], [5], {"back_translation": 5}) == [True]
    assert taken(["insertion"], [5], {}) == [False]


@given(
    rows=st.lists(st.tuples(st.sampled_from(METHODS), st.integers(1, 50)), max_size=30),
    parts=st.dictionaries(st.sampled_from(METHODS), st.integers(0, 200)),
)
def test_never_more_than_the_budget_and_nothing_left_out_that_fits(
    rows: list[tuple[str, int]], parts: dict[str, int]
) -> None:
    methods, sizes = [method for method, _ in rows], [size for _, size in rows]
    found = taken(methods, sizes, parts)
    total, room = sum(size for size, stays in zip(sizes, found, strict=True) if stays), sum(parts.values())
    assert total <= room
    assert all(stays or size > room - total for size, stays in zip(sizes, found, strict=True))


def survivors(scores: list[float], sizes: list[int], origins: list[str] | None = None) -> Survivors:
    count = len(scores)
    return Survivors(
        piece=np.zeros(count, np.int64),
        row=np.arange(count),
        id=np.array([f"{number}" for number in range(count)]),
        lang=np.array(["swh_Latn"] * count),
        origin=np.array(origins or ["back_translation"] * count),
        bytes=np.array(sizes, np.int64),
        score=np.array(scores, np.float32),
        like_heldout=np.zeros(count, bool),
    )


def test_the_least_natural_go_first_and_say_what_shrank_the_budget() -> None:
    found = survivors([0.5, 0.9, 0.8], [10, 10, 10])
    values = np.array([0.9, 0.1, np.nan])
    rows = np.arange(3)
    parts = {"back_translation": 20}
    all_of_it = cut_language(found, rows, values, parts)
    assert {row: (one.reason, one.detail) for row, one in all_of_it.items()} == {
        1: ("over_budget", "10 bytes, score 0.9, naturalness 0.1; budget 20 bytes; others were better")
    }
    half = cut_language(found, rows, values, parts, {"back_translation": 0.5}, "the classifier")
    assert {row: one.reason for row, one in half.items()} == {1: "over_budget", 2: "naturalness"}
    assert "budget 10 bytes of 20: the classifier; others were better" in half[1].detail


def test_natural_sentences_keep_their_part_where_translations_lose_theirs() -> None:
    origins = ["back_translation", "back_translation", "insertion", "insertion"]
    found = survivors([0.9, 0.8, 0.5, 0.4], [10, 10, 10, 10], origins)
    rows, values = np.arange(4), np.full(4, np.nan)
    parts = {"back_translation": 20, "paraphrase": 10, "insertion": 10}
    # In all 40 bytes, so that everything fits while nothing shrinks.
    assert cut_language(found, rows, values, parts) == {}
    shares = {"back_translation": 0.5, "paraphrase": 0.0, "insertion": 1.0}
    half = cut_language(found, rows, values, parts, shares, "the classifier")
    assert {row: one.reason for row, one in half.items()} == {1: "naturalness", 3: "naturalness"}
    assert half[1].detail.endswith("budget 20 bytes of 40: the classifier; others were better")
    # What insertion leaves does not go to translations that nobody takes for natural text.
    none = cut_language(found, rows[:3], values[:3], parts, shares | {"back_translation": 0.0}, "the classifier")
    assert sorted(none) == [0, 1]


def test_text_by_models_is_measured_alone_where_there_is_any() -> None:
    assert measured_methods(["insertion", "back_translation"]) == {"back_translation", "paraphrase"}
    assert measured_methods(["insertion"]) == {"insertion"}


def test_what_is_left_of_a_budget_counts_the_parts_that_did_not_shrink() -> None:
    found = survivors([0.9, 0.5], [10, 10], ["back_translation", "insertion"])
    budgets = {"swh_Latn": Budget(100, "", {"back_translation": 80, "paraphrase": 0, "insertion": 20})}
    likeness = {"swh_Latn": Likeness(Naturalness(share=0.1, why="the classifier"), np.full(2, np.nan))}
    compared = apply_budgets(found, {}, {"swh_Latn": np.arange(2)}, budgets, likeness)
    assert compared.naturalness["swh_Latn"].share == 0.28
    assert list(compared.refused) == [0]
