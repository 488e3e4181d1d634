"""Which documents are held out: those whose cluster hashes fall under a bound, one bound for each language.

The bound is the asked share of the hash range; a language too small for that to give it enough held-out
documents gets the hash of its k-th smallest document instead. All that has to be known of a language is a
few counts and its k smallest hashes, which merge in any order (a bottom-k sketch).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash
from pipeline.split.config import SplitConfig

_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # odd, so multiplication permutes the 64-bit integers
_RANGE: Final = 2**64

Hashes = npt.NDArray[np.uint64]


def cluster_hash(keys: npt.NDArray[np.bytes_], seed: int) -> Hashes:
    """A hash for each 16-byte cluster key under a seed.

    Args:
        keys: n keys of dtype ``S16``.
        seed: another seed holds out other documents.
    """
    high = np.ascontiguousarray(keys).view(np.dtype(">u8")).reshape(-1, 2)[:, 0].astype(np.uint64)
    salt = np.uint64(stable_hash("heldout", seed=seed))
    with np.errstate(over="ignore"):
        return (high ^ salt) * _SPREAD


@dataclass
class SplitSketch:
    """Mergeable facts of one language from which its bound and its held-out size follow exactly."""

    documents: int = 0
    bytes: int = 0
    under_documents: int = 0
    """Documents whose hash lies under the asked share."""
    under_bytes: int = 0
    smallest: list[tuple[int, int]] = field(default_factory=list)
    """(hash, bytes) of the documents with the smallest hashes, ascending; at most ``heldout_min_documents``."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> SplitSketch:
        """A sketch as it was written to JSON."""
        return cls(**{**fields, "smallest": [(value, size) for value, size in fields["smallest"]]})

    def under(self, bound: int, config: SplitConfig) -> int:
        """Bytes of the documents under a bound that this sketch, or one that it was merged into, gives."""
        if bound == int(config.heldout_share * _RANGE):
            return self.under_bytes
        return sum(size for value, size in self.smallest if value < bound)

    def add(self, hashes: Hashes, sizes: npt.NDArray[np.int64], config: SplitConfig) -> None:
        """Count documents given by hash and UTF-8 bytes."""
        under = hashes < np.uint64(min(int(config.heldout_share * _RANGE), _RANGE - 1))
        order = np.argsort(hashes, kind="stable")[: config.heldout_min_documents]
        other = SplitSketch(
            documents=len(hashes),
            bytes=int(sizes.sum()),
            under_documents=int(under.sum()),
            under_bytes=int(sizes[under].sum()),
            smallest=[(int(hashes[i]), int(sizes[i])) for i in order],
        )
        self.merge(other, config)

    def merge(self, other: SplitSketch, config: SplitConfig) -> None:
        """Take in another part of the same language."""
        self.documents += other.documents
        self.bytes += other.bytes
        self.under_documents += other.under_documents
        self.under_bytes += other.under_bytes
        self.smallest = sorted(self.smallest + other.smallest)[: config.heldout_min_documents]

    def bound(self, config: SplitConfig) -> int:
        """The held-out documents are those with a hash below this number."""
        wanted = min(config.heldout_min_documents, self.documents // 4)
        if self.under_documents >= wanted:
            return int(config.heldout_share * _RANGE)
        return self.smallest[wanted - 1][0] + 1

    def heldout(self, config: SplitConfig) -> tuple[int, int]:
        """Documents and bytes under the bound."""
        wanted = min(config.heldout_min_documents, self.documents // 4)
        if self.under_documents >= wanted:
            return self.under_documents, self.under_bytes
        return wanted, sum(size for _, size in self.smallest[:wanted])


def heldout_mask(hashes: Hashes, bound: int) -> npt.NDArray[np.bool_]:
    """Which documents are held out."""
    if bound >= _RANGE:
        return np.ones(len(hashes), dtype=bool)
    return hashes < np.uint64(bound)
