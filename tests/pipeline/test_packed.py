from __future__ import annotations

import numpy as np

from pipeline.deduplicate.exact import DECISION, ROW
from pipeline.packed import by_partition, by_piece, partitions_for, unpack


def test_rows_are_dealt_by_key_and_come_back_whole() -> None:
    rows = np.zeros(1000, dtype=ROW)
    rows["id"] = np.frombuffer(np.random.default_rng(3).bytes(16_000), dtype="S16")
    rows["row"] = np.arange(1000)
    dealt = dict(by_partition(rows, "id", 8))
    assert set(dealt) == set(range(8))
    back = unpack(dealt.values(), ROW)
    assert sorted(back["row"].tolist()) == list(range(1000))
    assert list(by_partition(rows[:0], "id", 8)) == []


def test_decisions_are_grouped_by_piece() -> None:
    decisions = np.zeros(5, dtype=DECISION)
    decisions["piece"] = [2, 0, 2, 1, 0]
    decisions["row"] = [5, 1, 3, 9, 0]
    grouped = {piece: unpack([packed], DECISION)["row"].tolist() for piece, packed in by_piece(decisions)}
    assert grouped == {0: [1, 0], 1: [9], 2: [5, 3]}


def test_keys_of_many_pieces_are_dealt_to_256_partitions_at_most() -> None:
    assert [partitions_for(pieces) for pieces in (0, 1, 7, 256, 10_000)] == [1, 1, 7, 256, 256]
