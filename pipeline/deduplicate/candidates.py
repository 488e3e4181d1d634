"""Pairs worth comparing: documents that share a key, without the square of how many share it.

All rows of a key meet in one partition. A few of them are paired each with each; of many, each is paired with the
best of all and with its next neighbours in the order of quality. Near copies of one page share many keys, and the
best of them is the same everywhere, so they are paired with the one that is to stay, and that pair is the same one
for all their keys.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.shingles import UInt64s
from pipeline.vectors import unique_rows

KEY: Final = np.dtype([("key", "<u8"), ("row", "<u4"), ("order", "<f4")])
"""A key of one document of a piece: 16 bytes. ``order`` is low for what is to stay rather than others."""

PAIR: Final = np.dtype([("first", "<u8"), ("second", "<u8")])
"""Two documents by number, the smaller first."""

FEW: Final = 9
"""Documents of one key that are paired each with each."""
NEIGHBOURS: Final = 2
"""Where there are more: documents after it that one is paired with, besides the best of all."""

ROW_BITS: Final = 32
"""Of a document's number, the lower ones."""
_ROW: Final = np.uint64(0xFFFFFFFF)

Keys = npt.NDArray[np.void]
Pairs = npt.NDArray[np.void]


def number(piece: int | npt.NDArray[np.uint32], row: npt.NDArray[np.uint32]) -> UInt64s:
    """One number for each document, from those of its piece and its row."""
    return np.uint64(piece) << np.uint64(ROW_BITS) | row.astype(np.uint64)


def place(numbers: UInt64s) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Piece and row of documents given by number."""
    return (numbers >> np.uint64(ROW_BITS)).astype(np.uint32), (numbers & _ROW).astype(np.uint32)


def partition_of(keys: UInt64s, partitions: int) -> npt.NDArray[np.int64]:
    """The partition in which a key's rows meet: by its highest 32 bits."""
    return ((keys >> np.uint64(32)) * np.uint64(partitions) >> np.uint64(32)).astype(np.int64)


def candidate_pairs(
    keys: UInt64s, documents: UInt64s, order: npt.NDArray[np.float32], earlier: int | None = None
) -> Pairs:
    """Different pairs of documents that share a key.

    Args:
        keys: n keys of one partition, in any order.
        documents: whose they are.
        order: low for what is to stay rather than others.
        earlier: documents with this number or a higher one are of earlier snapshots, and not compared among themselves.

    Returns:
        PAIR rows in ascending order; at most ``(FEW - 1) / 2`` for each row given.
    """
    shared = repeated(keys)
    keys, documents, order = keys[shared], documents[shared], order[shared]
    sorting = np.lexsort((documents, order, keys))
    keys, documents = keys[sorting], documents[sorting]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else shared
    sizes = np.diff(np.append(starts, len(keys)))
    best, many = np.repeat(starts, sizes), np.repeat(sizes > FEW, sizes)
    rows = np.arange(len(keys))
    found = [(best, rows)]
    for gap in range(1, FEW):
        same = np.flatnonzero(keys[gap:] == keys[:-gap])
        if gap > NEIGHBOURS:
            same = same[~many[same]]
        found.append((same, same + gap))
    one, two = (documents[np.concatenate([side[end] for side in found])] for end in (0, 1))
    pairs = np.empty(len(one), dtype=PAIR)
    pairs["first"], pairs["second"] = np.minimum(one, two), np.maximum(one, two)
    wanted = pairs["first"] != pairs["second"]
    if earlier is not None:
        wanted &= pairs["first"] < np.uint64(earlier)
    return unique_pairs(pairs[wanted])


def repeated(keys: UInt64s) -> npt.NDArray[np.int64]:
    """The rows whose key others have too: few, so that only they have to be brought into full order."""
    sorting = np.argsort(keys)
    ordered = keys[sorting]
    equal = np.zeros(len(keys) + 1, np.bool_)
    equal[1:-1] = ordered[1:] == ordered[:-1]
    rows: npt.NDArray[np.int64] = sorting[equal[1:] | equal[:-1]]
    return rows


def unique_pairs(pairs: Pairs) -> Pairs:
    """The different pairs, in ascending order."""
    return unique_rows(pairs, "first", "second")
