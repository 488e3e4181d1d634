from __future__ import annotations

import numpy as np

from pipeline.vectors import mix, ranges, unique_rows


def test_ranges_end_to_end() -> None:
    assert ranges(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
    assert ranges(np.array([], np.int64), np.array([], np.int64)).tolist() == []


def test_mix_is_the_finaliser_of_splitmix64() -> None:
    # The first outputs of the published generator with seed 0 mix multiples of its constant.
    step = 0x9E3779B97F4A7C15
    states = np.array([step, 2 * step % 2**64], np.uint64)
    assert mix(states).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


def test_unique_rows_by_two_fields_in_their_order() -> None:
    rows = np.array([(2, 1, 9), (1, 5, 8), (2, 1, 7), (1, 2, 6)], dtype=[("a", "<u8"), ("b", "<u8"), ("c", "<u4")])
    assert unique_rows(rows, "a", "b").tolist() == [(1, 2, 6), (1, 5, 8), (2, 1, 9)]
    assert unique_rows(rows[:0], "a", "b").tolist() == []
