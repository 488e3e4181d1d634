from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.deduplicate.sample import sample
from pipeline.deduplicate.shingles import Shingles

HASHES = np.random.default_rng(5).integers(0, 2**64, 4000, dtype=np.uint64)


def keys(*parts: tuple[int, int], one_in: int = 16) -> list[set[int]]:
    """Sampled keys of documents that are slices of one text."""
    hashes = np.concatenate([HASHES[a:b] for a, b in parts])
    bounds = np.cumsum([0, *(b - a for a, b in parts)])
    found, ends = sample(Shingles(hashes, bounds, np.full(len(parts), 5)), 5, one_in)
    return [set(found[a:b].tolist()) for a, b in pairwise(ends)]


def test_part_has_the_keys_that_the_whole_has_there() -> None:
    whole, part, elsewhere = keys((0, 2000), (700, 1000), (2000, 4000))
    assert part <= whole
    assert not whole & elsewhere
    assert len(part) == 30  # of 18.4 expected
    assert 0.8 * 2000 / 16 < len(whole) < 1.2 * 2000 / 16


def test_all_nothing_and_what_is_too_short() -> None:
    assert [len(found) for found in keys((0, 9), (0, 5), (0, 6), (0, 0), one_in=1)] == [4, 0, 1, 0]
    assert keys((0, 500), one_in=0) == [set()]
    assert keys((0, 3), one_in=1) == [set()]
