from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.deduplicate.minhash import estimate, sign, sign_texts
from pipeline.deduplicate.shingles import Lengths, Shingles

PLACES = 64


def documents(*sizes: int, seed: int = 0) -> Shingles:
    hashes = np.random.default_rng(seed).integers(0, 2**64, sum(sizes), dtype=np.uint64)
    return of(hashes, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


def of(hashes: np.ndarray, bounds: np.ndarray) -> Shingles:
    return Shingles(hashes, bounds, np.full(len(bounds) - 1, 5))


@pytest.mark.parametrize("size", [1, 3, 20, 60, 500])
@pytest.mark.parametrize("shared", [0.2, 0.6])
def test_agreement_is_the_jaccard_similarity_for_short_and_long_texts(size: int, shared: float) -> None:
    pairs, common = 600, round(size * shared)
    every = documents(*[2 * size - common] * pairs, seed=size).hashes.reshape(pairs, -1)
    bounds = np.arange(pairs + 1) * size
    one = of(np.ascontiguousarray(every[:, :size]).ravel(), bounds)
    two = of(np.ascontiguousarray(every[:, size - common :]).ravel(), bounds)
    found = estimate(sign(one, PLACES), sign(two, PLACES))
    true = common / (2 * size - common)
    deviation = np.sqrt(true * (1 - true) / PLACES)  # of classic MinHash
    assert abs(found.mean() - true) < 4 * deviation / np.sqrt(pairs) + 1e-9
    assert found.std() < 1.1 * deviation + 1e-9


def test_signature_is_of_the_set() -> None:
    base = documents(40)
    order = np.random.default_rng(1).permutation(40)
    repeated = np.concatenate([base.hashes[order], base.hashes[:7]])
    assert (sign(base, PLACES) == sign(of(repeated, np.array([0, 47])), PLACES)).all()


def test_signature_does_not_depend_on_neighbours_and_empty_has_none() -> None:
    several = documents(5, 0, 300, 1)
    signatures = sign(several, PLACES)
    assert signatures.shape == (4, PLACES)
    assert (signatures[1] == 2**32 - 1).all()
    for row in range(4):
        part = several.hashes[several.bounds[row] : several.bounds[row + 1]]
        assert (sign(of(part, np.array([0, len(part)])), PLACES) == signatures[row]).all()
    assert (np.delete(signatures, 1, axis=0) != 2**32 - 1).all()


def test_signatures_of_texts_have_these_values_for_good() -> None:
    # Signatures are stored for later runs, so a change of any step must be noticed.
    texts = ["one two three four five six seven", "", "天気がいいから散歩しましょう"]
    assert sign_texts(pa.array(texts), Lengths(5, 5), 4).tolist() == STORED


STORED = [
    [3716679629, 1654075010, 3913129731, 4059447033],
    [4294967295, 4294967295, 4294967295, 4294967295],
    [48807966, 2030680318, 815252129, 672272202],
]
