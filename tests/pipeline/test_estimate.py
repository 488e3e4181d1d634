from __future__ import annotations

from collections import Counter

import pytest

from corpus.hashing import stable_hash
from pipeline.estimate import Interval, add, removed_copies, share, shows, total, true_size


def test_total_of_equal_ranges_has_no_error_and_of_unlike_ones_has() -> None:
    assert total([10, 20, 30], [1, 2, 3], 12) == Interval(120.0, 120.0, 120.0)
    found = total([10, 20, 60], [2, 2, 2], 24)
    assert found.expected == pytest.approx(360)
    assert found.low == 90, "what was counted is there"
    # Leaving one out gives ratios 20, 17.5 and 7.5; error = 4.30 * sqrt(2/3 * 87.5 * 3/4) * 24.
    assert found.high == pytest.approx(360 + 4.30 * (2 / 3 * 87.5 * 0.75) ** 0.5 * 24)


def test_total_of_all_is_exact_and_of_one_range_unsure() -> None:
    assert total([3, 5], [10, 10], 20) == Interval(8.0, 8.0, 8.0)
    assert total([3], [10], 20) == Interval(6.0, 3.0, 12.0)


def test_shares_have_wilsons_interval() -> None:
    found = share(5, 10)
    assert (found.expected, round(found.low, 4), round(found.high, 4)) == (0.5, 0.2366, 0.7634)
    assert share(0, 100).low == 0.0
    assert round(share(0, 100).high, 4) == 0.037
    assert share(0, 0) == Interval(0.0, 0.0, 1.0)


def test_errors_of_independent_parts_add_in_squares() -> None:
    assert add([Interval(10, 7, 13), Interval(20, 16, 24)]) == Interval(30, 25, 35)
    assert Interval(10, 7, 13).widened(0.4) == Interval(10, 5, 15)
    assert Interval(10, 7, 13).scaled(2) == Interval(20, 14, 26)


def test_pairs_are_scaled_by_the_chance_to_hold_both() -> None:
    assert shows(2, 0.1) == pytest.approx(0.01)
    assert true_size(2, 0.1) == 2
    found = removed_copies({2: 4}, 0.1, 100_000)
    assert found.expected == pytest.approx(400)
    assert found.low < 20 < 700 < found.high
    assert removed_copies({2: 4}, 0.1, 300).expected == 300, "no more than there are"


def test_nothing_seen_is_no_proof_and_everything_seen_is() -> None:
    assert removed_copies({}, 0.1, 1e6) == Interval(0.0, 0.0, pytest.approx(300))
    assert removed_copies({2: 3, 5: 1}, 1.0, 100) == Interval(7.0, 7.0, 7.0)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_copies_are_found_from_a_sample_of_known_clusters(fraction: float, seed: int) -> None:
    truth = {2: 3000, 5: 400, 200: 6}
    seen: Counter[int] = Counter()
    for size, count in truth.items():
        for cluster in range(count):
            showing = sum(stable_hash(size, cluster, copy, seed=seed) < fraction * 2**64 for copy in range(size))
            if showing > 1:
                seen[showing] += 1
    removed = sum((size - 1) * count for size, count in truth.items())
    found = removed_copies(seen, fraction, 1e6)
    assert found.expected == pytest.approx(removed, rel=0.25)
    assert found.low * 0.9 <= removed <= found.high * 1.1
