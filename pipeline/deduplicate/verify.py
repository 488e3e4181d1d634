"""Candidates compared by their texts: only what is alike in truth is linked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.documents import Documents
from pipeline.deduplicate.own import own_share
from pipeline.deduplicate.resolve import LINK
from pipeline.deduplicate.shingles import UInt64s, shingles
from pipeline.deduplicate.sign import lengths_of
from pipeline.deduplicate.similarity import shingle_sets, similarity

BATCH_BYTES: Final = 32 << 20
"""Text in memory at a time, about."""


def verify(first: UInt64s, second: UInt64s, documents: Documents, config: NearDuplicateConfig) -> npt.NDArray[np.void]:
    """The links among n pairs of documents.

    Args:
        first, second: documents by number, in ascending order of pairs.
        documents: where their texts are.
        config: thresholds and shingles.

    Returns:
        LINK rows of the pairs that reach one of the thresholds, in the order given.
    """
    links = [np.zeros(0, dtype=LINK)]
    for batch in batches(first, second, documents):
        one, two = first[batch], second[batch]
        numbers, rows = np.unique(np.concatenate([one, two]), return_inverse=True)
        found_shingles = shingles(documents.texts(numbers), lengths_of(config))
        sets = shingle_sets(found_shingles)
        left, right = rows[: len(one)], rows[len(one) :]
        jaccard, first_in, second_in = similarity(sets, left, right)
        alike = (jaccard >= config.jaccard) | (np.maximum(first_in, second_in) >= config.containment)
        found = np.empty(int(alike.sum()), dtype=LINK)
        for name, values in (("first", one), ("second", two), ("jaccard", jaccard)):
            found[name] = values[alike]
        found["first_in"], found["second_in"] = first_in[alike], second_in[alike]
        found["first_own"] = own_share(found_shingles, sets, left[alike], right[alike])
        found["second_own"] = own_share(found_shingles, sets, right[alike], left[alike])
        links.append(found)
    return np.concatenate(links)


def batches(first: UInt64s, second: UInt64s, documents: Documents) -> Iterator[slice]:
    """Runs of pairs with about BATCH_BYTES of text; a document met again in a run is counted again."""
    if not len(first):
        return
    numbers, rows = np.unique(np.concatenate([first, second]), return_inverse=True)
    sizes = documents.sizes(numbers)
    total = np.cumsum(sizes[rows[: len(first)]] + sizes[rows[len(first) :]])
    start = 0
    while start < len(first):
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + BATCH_BYTES, side="right")))
        yield slice(start, stop)
        start = stop
