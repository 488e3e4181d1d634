from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deduplicate.config import DeduplicateConfig
from pipeline.deduplicate.exact import (
    DUPLICATE_TEXT,
    KEPT,
    REPEATED_ID,
    ROW,
    partition,
    resolve_ids,
    resolve_texts,
)


def rows(*values: tuple[str, str, float, int, int, int]) -> np.ndarray:
    """(id, key, quality, bytes, piece, row), ids and keys padded to 16 bytes."""
    packed = [(i.encode().rjust(16, b"."), k.encode().rjust(16, b"."), *rest, rest[-1]) for i, k, *rest in values]
    return np.array(packed, dtype=ROW)


def verdicts(decisions: np.ndarray) -> dict[tuple[int, int], tuple[int, int, str]]:
    return {
        (int(d["piece"]), int(d["row"])): (int(d["verdict"]), int(d["copies"]), d["other"].decode().strip("."))
        for d in decisions
    }


def test_best_of_equal_texts_stays_and_counts_the_others() -> None:
    decisions = resolve_texts(
        rows(
            ("a", "T1", 0.5, 100, 0, 0),
            ("b", "T1", 0.9, 90, 0, 1),  # best quality
            ("c", "T1", 0.5, 100, 1, 0),
            ("d", "T2", 0.5, 100, 1, 1),  # alone
            ("e", "T3", 0.5, 80, 2, 0),
            ("f", "T3", 0.5, 81, 2, 1),  # longer
            ("h", "T4", 0.5, 80, 3, 0),
            ("g", "T4", 0.5, 80, 3, 1),  # smaller id
        )
    )
    assert verdicts(decisions) == {
        (0, 0): (DUPLICATE_TEXT, 0, "b"),
        (0, 1): (KEPT, 3, "b"),
        (1, 0): (DUPLICATE_TEXT, 0, "b"),
        (1, 1): (KEPT, 1, "d"),
        (2, 0): (DUPLICATE_TEXT, 0, "f"),
        (2, 1): (KEPT, 2, "f"),
        (3, 0): (DUPLICATE_TEXT, 0, "g"),
        (3, 1): (KEPT, 2, "g"),
    }


def test_first_by_place_keeps_an_id_and_another_text_under_it_is_rejected() -> None:
    outcome = resolve_ids(
        rows(
            ("a", "T2", 0.5, 9, 1, 0), ("a", "T1", 0.5, 9, 0, 5), ("a", "T1", 0.5, 9, 2, 2), ("b", "T9", 0.5, 9, 0, 1)
        ),
        DeduplicateConfig(),
    )
    assert verdicts(outcome.decisions) == {(1, 0): (REPEATED_ID, 0, "a")}
    kept = {(int(r["piece"]), int(r["row"])) for r in outcome.unique}
    assert kept == {(0, 5), (2, 2), (0, 1)}, "the same text under the same id is left to the comparison of texts"


def test_a_repeated_id_can_go_on_under_a_new_one() -> None:
    given_rows = rows(("a", "T2", 0.5, 9, 1, 0), ("a", "T1", 0.5, 9, 0, 5))
    outcome = resolve_ids(given_rows, DeduplicateConfig(repeated_id="keep"))
    assert len(outcome.decisions) == 0
    assert len(set(outcome.unique["id"].tolist())) == 2
    again = resolve_ids(given_rows[::-1], DeduplicateConfig(repeated_id="keep"))
    assert again.unique.tobytes() == outcome.unique.tobytes()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)), max_size=40),
    st.randoms(use_true_random=False),
)
def test_decisions_do_not_depend_on_order_and_every_row_gets_one(
    values: list[tuple[int, int, int, int]], random: Random
) -> None:
    given_rows = rows(*[(f"i{n}", f"k{key}", q / 4, b, n // 7, n) for n, (key, _, q, b) in enumerate(values)])
    order = list(range(len(given_rows)))
    random.shuffle(order)
    first, second = verdicts(resolve_texts(given_rows)), verdicts(resolve_texts(given_rows[order]))
    if len(given_rows):
        assert first == second
    assert len(first) == len(values)
    kept = [value for value in first.values() if value[0] == KEPT]
    assert len(kept) == len({key for key, *_ in values})
    assert sum(copies for _, copies, _ in kept) == len(values)


@pytest.mark.parametrize("partitions", [1, 2, 7, 256])
def test_equal_keys_share_a_partition_and_numbers_stay_in_range(partitions: int) -> None:
    many = np.zeros(2000, dtype=ROW)
    many["key"] = np.frombuffer(np.random.default_rng(0).bytes(16 * 2000), dtype="S16")
    numbers = partition(many, "key", partitions)
    assert numbers.min() >= 0
    assert numbers.max() < partitions
    assert (partition(many[::-1], "key", partitions)[::-1] == numbers).all()
    assert len(set(numbers.tolist())) == min(partitions, 256) or partitions == 256
