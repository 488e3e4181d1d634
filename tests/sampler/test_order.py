"""Pseudo-random orders."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sampler.order import hashes, permutation, permutations


@given(st.integers(0, 5000), st.integers(0, 1 << 62), st.text(max_size=8))
def test_permutation_is_bijective(size: int, number: int, lang: str) -> None:
    assert sorted(permutation(size, lang, number).tolist()) == list(range(size))


def test_permutation_is_the_same_everywhere() -> None:
    assert permutation(10, "swh_Latn", 0, 1).tolist() == PERMUTATION
    assert permutation(10, "swh_Latn", 1, 1).tolist() != PERMUTATION
    assert permutation(10, "swh_Latn", 0, 2).tolist() != PERMUTATION


def test_many_permutations_at_once_are_those_made_one_by_one() -> None:
    keys = [("swh_Latn", number, 1) for number in range(5)]
    for size in (1, 2, 10):
        assert permutations(size, keys).tolist() == [permutation(size, *key).tolist() for key in keys]
    assert permutations(10, keys)[0].tolist() == PERMUTATION


def test_every_order_of_three_is_about_as_likely() -> None:
    seen = Counter(tuple(permutation(3, "key", number).tolist()) for number in range(6000))
    assert len(seen) == 6
    # 1,000 are expected of each; five standard deviations of a binomial are 144.
    assert all(856 < count < 1144 for count in seen.values())


@given(st.sets(st.integers(0, (1 << 64) - 2), max_size=50), st.text(max_size=8))
def test_hashes_differ_and_order_the_permutation(numbers: set[int], key: str) -> None:
    found = hashes(np.array(sorted(numbers), dtype=np.uint64), key)
    assert len(set(found.tolist())) == len(numbers)
    order = hashes(np.arange(20, dtype=np.uint64), key).tolist()
    assert permutation(20, key).tolist() == sorted(range(20), key=order.__getitem__)


PERMUTATION = [1, 7, 9, 3, 5, 6, 4, 2, 0, 8]
