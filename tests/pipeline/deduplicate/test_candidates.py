from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deduplicate.candidates import FEW, NEIGHBOURS, candidate_pairs, number, partition_of, place


def pairs(rows: list[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """Of (key, document, order)."""
    keys, documents = (np.array([row[side] for row in rows], np.uint64) for side in (0, 1))
    return candidate_pairs(keys, documents, np.array([row[2] for row in rows], np.float32)).tolist()


def test_documents_of_one_key_are_paired_each_with_each_once() -> None:
    assert pairs([(1, 30, 0), (2, 10, 0), (1, 20, 0), (1, 10, 0), (2, 20, 0), (3, 99, 0)]) == [
        (10, 20),
        (10, 30),
        (20, 30),
    ]


def test_few_are_paired_each_with_each() -> None:
    found = pairs([(1, document, 0) for document in range(FEW)])
    assert found == [(one, two) for one in range(FEW) for two in range(one + 1, FEW)]


def test_document_that_has_a_key_twice_is_no_pair() -> None:
    assert pairs([(1, 10, 0), (1, 10, 0)]) == []
    assert pairs([]) == []


def test_many_with_one_key_are_paired_with_the_best_and_their_neighbours() -> None:
    count = 1000
    best = 777
    found = pairs([(1, document, -1.0 if document == best else document / count) for document in range(count)])
    assert len(found) <= count * (NEIGHBOURS + 1)
    met = {document: set() for document in range(count)}
    for one, two in found:
        met[one].add(two)
        met[two].add(one)
    assert all(best in met[document] for document in range(count) if document != best)
    assert met[500] >= set(range(500 - NEIGHBOURS, 500 + NEIGHBOURS + 1)) - {500}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 3)), max_size=40), st.randoms())
def test_order_of_rows_makes_no_difference(rows: list[tuple[int, int, float]], random: object) -> None:
    # A document has one quality, wherever its keys lie.
    quality = {document: order for _, document, order in rows}
    rows = [(key, document, quality[document]) for key, document, _ in rows]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert pairs(rows) == pairs(shuffled)


def test_numbers_hold_piece_and_row() -> None:
    numbers = number(3, np.array([0, 5, 2**32 - 1], np.uint32))
    assert numbers.tolist() == [3 << 32, (3 << 32) + 5, (4 << 32) - 1]
    pieces, rows = place(numbers)
    assert pieces.tolist() == [3, 3, 3]
    assert rows.tolist() == [0, 5, 2**32 - 1]


def test_equal_keys_share_a_partition() -> None:
    keys = np.random.default_rng(0).integers(0, 2**64, 5000, dtype=np.uint64)
    numbers = partition_of(keys, 7)
    assert set(numbers.tolist()) == set(range(7))
    assert (partition_of(keys[::-1], 7)[::-1] == numbers).all()
    assert partition_of(np.array([2**64 - 1], np.uint64), 256).tolist() == [255]
