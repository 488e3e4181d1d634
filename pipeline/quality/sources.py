"""From how many sources a language's documents come: counts that stay small however many sources there are.

Limits derived from a language's own documents mean little when one site wrote nearly all of them: they describe
that site. The number that tells is the inverse Simpson index, 1 / Σ pᵢ² for sources with shares pᵢ of the documents
(Hill 1973, order 2, https://doi.org/10.2307/1934352): equal shares of n sources give n, and every small
source added to one that dominates changes next to nothing.

Σ nᵢ² is estimated from counts in BUCKETS hashed buckets, as integers that add up in any order. Two sources that
share a bucket look like one; the N² / BUCKETS that this adds on average is taken off. What remains is a standard
error of about √(2 / BUCKETS), 4.4 %, as long as the effective number is well below BUCKETS.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import stable_hash

BUCKETS: Final = 1024

SourceCounts = npt.NDArray[np.int64]
"""Documents by bucket of their source, shape (BUCKETS,)."""

_HOST: Final = r"^[A-Za-z][A-Za-z0-9+.\-]*://(?:[^/?#@]*@)?(?:[wW]{3}\.)?(?P<host>\[[^\]/?#]*\]|[^/?#:]+)"
"""The host of an address, without user, port and a leading ``www.``."""


def sources(batch: pa.RecordBatch) -> pa.DictionaryArray:
    """Where each document comes from: the host of its address, else the name of the input it was read from.

    Inputs rather than files stand for what has no address, as the files of one input are as often pieces of one
    collection as collections of their own.

    Args:
        batch: n rows, with ``url`` and ``source`` where there are such columns.

    Returns:
        n strings; the empty one where neither is known.
    """
    hosts = pa.nulls(batch.num_rows, pa.string())
    if batch.schema.get_field_index("url") >= 0:
        found = pc.extract_regex(batch.column("url").cast(pa.string()), _HOST)
        hosts = pc.utf8_lower(pc.struct_field(found, "host"))
    if batch.schema.get_field_index("source") >= 0:
        # A slash is in no host, so an input cannot be taken for one.
        names = pc.binary_join_element_wise(pa.scalar("/"), batch.column("source").cast(pa.string()), "")
        hosts = pc.coalesce(hosts, names)
    return pc.dictionary_encode(pc.fill_null(hosts, ""))


def hashes(places: pa.DictionaryArray) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each document's source; shape (n,)."""
    names = np.array([stable_hash("source", name) for name in places.dictionary.to_pylist()], np.uint64)
    return names[places.indices.to_numpy(zero_copy_only=False)] if len(names) else np.zeros(0, np.uint64)


def count(source_hashes: npt.NDArray[np.uint64]) -> SourceCounts:
    """Documents by bucket."""
    return np.bincount((source_hashes % np.uint64(BUCKETS)).astype(np.int64), minlength=BUCKETS)


def effective(counts: SourceCounts) -> float:
    """The effective number of sources, from 1 to the number of documents; 0 without documents."""
    total = int(counts.sum())
    if not total:
        return 0.0
    squares = float((counts.astype(np.float64) ** 2).sum())
    squares = (squares - total**2 / BUCKETS) / (1 - 1 / BUCKETS)
    return total**2 / max(squares, float(total))
