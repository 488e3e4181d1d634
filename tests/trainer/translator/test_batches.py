from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.translator.batches import Batches, padded, shares, takes


def _batches(lengths: list[int], directions: list[int], *, tokens: int = 64, temperature: float = 1.0) -> Batches:
    sizes = np.array(lengths, np.int64)
    counts = np.bincount(directions)
    return Batches(
        [n * 7919 for n in range(len(lengths))],
        np.array(directions, np.int64),
        sizes,
        sizes[::-1].copy(),
        batch_tokens=tokens,
        takes=takes(counts, temperature),
        seed=3,
    )


def test_shares_flatten_with_the_temperature() -> None:
    assert shares(np.array([900, 100]), 1.0).tolist() == [0.9, 0.1]
    assert shares(np.array([900, 100]), 2.0).tolist() == [0.75, 0.25]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(0, 3))
def test_an_epoch_has_each_pair_once_and_batches_within_the_bound(lengths: list[int], epoch: int) -> None:
    found = _batches(lengths, [0] * len(lengths)).epoch(epoch)
    assert sorted(index for batch in found for index in batch.tolist()) == list(range(len(lengths)))
    others = lengths[::-1]
    for batch in found:
        width = max(lengths[n] for n in batch) + max(others[n] for n in batch)
        assert len(batch) == 1 or width * len(batch) <= 64


def test_small_directions_come_round_again() -> None:
    directions = [0] * 90 + [1] * 10
    batches = _batches([5] * 100, directions, temperature=2.0)
    counts: Counter[int] = Counter()
    for epoch in range(4):
        counts.update(index for batch in batches.epoch(epoch) for index in batch.tolist())
    assert [sum(counts[n] for n in range(90)), sum(counts[n] for n in range(90, 100))] == [300, 100]
    # 300 of 90 and 100 of 10, as evenly as whole passes allow.
    assert {counts[n] for n in range(90)} == {3, 4}
    assert {counts[n] for n in range(90, 100)} == {10}


def test_epochs_differ_and_steps_go_on_anywhere() -> None:
    batches = _batches(list(range(1, 30)), [0] * 29)
    every = [(epoch, batch.tolist()) for epoch, batch in islice(batches.steps(0), 60)]
    assert [(epoch, batch.tolist()) for epoch, batch in islice(batches.steps(37), 23)] == every[37:]
    assert batches.epoch(0)[0].tolist() != batches.epoch(1)[0].tolist()


def test_padded() -> None:
    table = padded([np.array([1, 2, 3], np.int32), np.array([4], np.int32)], 9)
    assert table.tolist() == [[1, 2, 3], [4, 9, 9]]


def test_an_epoch_takes_of_each_group_its_number_and_of_an_empty_one_nothing() -> None:
    ones = np.ones(6, np.int64)
    groups = np.array([0, 0, 0, 0, 2, 2], np.int64)
    batches = Batches(
        range(6), groups, ones, ones, batch_tokens=4, takes=np.array([4, 3, 5], np.int64), seed=1
    )  # fmt: skip
    taken = Counter(index for batch in batches.epoch(0) for index in batch.tolist())
    assert [taken[n] for n in range(4)] == [1, 1, 1, 1]
    assert sorted([taken[4], taken[5]]) == [2, 3]


def test_takes_are_as_many_as_there_are_and_at_least_one_of_each() -> None:
    assert takes(np.array([900, 100]), 2.0).tolist() == [750, 250]
    assert takes(np.array([10_000, 1, 0]), 1.0).tolist() == [10_000, 1, 0]
