from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.split.config import SplitConfig
from pipeline.split.heldout import SplitSketch, cluster_hash, heldout_mask


def hashes_of(count: int, seed: int = 0) -> np.ndarray:
    keys = np.frombuffer(np.random.default_rng(1).bytes(16 * count), dtype="S16")
    return cluster_hash(keys, seed)


def test_large_language_holds_out_the_asked_share() -> None:
    config = SplitConfig(heldout_share=0.1, heldout_min_documents=5)
    hashes = hashes_of(20_000)
    sketch = SplitSketch()
    sketch.add(hashes, np.ones(len(hashes), dtype=np.int64), config)
    held = heldout_mask(hashes, sketch.bound(config))
    assert 0.09 < held.mean() < 0.11
    assert sketch.heldout(config) == (int(held.sum()), int(held.sum()))


def test_small_language_holds_out_the_minimum_but_never_more_than_a_quarter() -> None:
    config = SplitConfig(heldout_share=0.0, heldout_min_documents=8)
    for documents, expected in [(100, 8), (32, 8), (12, 3), (4, 1), (3, 0), (1, 0)]:
        hashes = hashes_of(documents)
        sketch = SplitSketch()
        sketch.add(hashes, np.full(documents, 10, dtype=np.int64), config)
        held = heldout_mask(hashes, sketch.bound(config))
        assert int(held.sum()) == expected
        assert sketch.heldout(config) == (expected, 10 * expected)


def test_another_seed_holds_out_other_documents() -> None:
    assert not np.array_equal(np.argsort(hashes_of(100, 0)), np.argsort(hashes_of(100, 1)))


@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(0, 10))
def test_sketches_merge_to_what_the_whole_gives(parts: list[int], least: int) -> None:
    config = SplitConfig(heldout_share=0.2, heldout_min_documents=least)
    hashes = hashes_of(sum(parts))
    sizes = np.arange(len(hashes), dtype=np.int64)
    whole, merged = SplitSketch(), SplitSketch()
    whole.add(hashes, sizes, config)
    start = 0
    for part in reversed(parts):
        piece = SplitSketch()
        piece.add(hashes[start : start + part], sizes[start : start + part], config)
        merged.merge(piece, config)
        start += part
    assert merged == whole
    held = heldout_mask(hashes, whole.bound(config))
    assert merged.heldout(config) == (int(held.sum()), int(sizes[held].sum()))
