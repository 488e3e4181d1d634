"""The cap of a budget, met to the byte."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.augmentation import Naturalness
from pipeline.augment.compare import cut_language
from pipeline.augment.cut import cut
from pipeline.augment.join import Survivors

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


def survivors(scores: list[float], sizes: list[int]) -> Survivors:
    count = len(scores)
    return Survivors(
        piece=np.zeros(count, np.int64),
        row=np.arange(count),
        id=np.array([f"{number}" for number in range(count)]),
        lang=np.array(["swh_Latn"] * count),
        origin=np.array(["back_translation"] * count),
        bytes=np.array(sizes, np.int64),
        score=np.array(scores, np.float32),
        like_heldout=np.zeros(count, bool),
    )


def test_the_least_natural_go_first_and_say_what_shrank_the_budget() -> None:
    found = survivors([0.5, 0.9, 0.8], [10, 10, 10])
    values = np.array([0.9, 0.1, np.nan])
    rows = np.arange(3)
    parts = {"back_translation": 20}
    all_of_it = cut_language(found, rows, values, parts, Naturalness())
    assert {row: (one.reason, one.detail) for row, one in all_of_it.items()} == {
        1: ("over_budget", "10 bytes, score 0.9, naturalness 0.1; budget 20 bytes; others were better")
    }
    half = cut_language(found, rows, values, parts, Naturalness(share=0.5, why="the classifier"))
    assert {row: one.reason for row, one in half.items()} == {1: "over_budget", 2: "naturalness"}
    assert "budget 10 bytes of 20: the classifier; others were better" in half[1].detail
