"""How many sentences, documents and sources have each of some features: exact, mergeable, and of bounded size.

Where a language has more different features than a table may hold, only those whose hash ends below 2^-level of the
range are counted, and the level rises until they fit (distinct sampling: Gibbons, VLDB 2001). Whether a feature is
counted depends on it alone, so what is counted is counted exactly, and the result does not depend on the order in
which parts are merged: no part can need a higher level than the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.vectors import mix

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
UInt32s = npt.NDArray[np.uint32]

SOURCES = 64
"""Buckets in which sources are told apart; two in one bucket count as one."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of f features; 24 bytes each."""

    keys: UInt64s = field(default_factory=lambda: np.empty(0, np.uint64))
    """[f], ascending."""
    sentences: UInt32s = field(default_factory=lambda: np.empty(0, np.uint32))
    """[f] sentences that have each."""
    documents: UInt32s = field(default_factory=lambda: np.empty(0, np.uint32))
    """[f] documents that have each."""
    sources: UInt64s = field(default_factory=lambda: np.empty(0, np.uint64))
    """[f] a bit for each bucket of sources that have it."""
    level: int = 0
    """One feature in 2^level is counted."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Tally)
            and self.level == other.level
            and all(
                np.array_equal(getattr(self, name), getattr(other, name))
                for name in ("keys", "sentences", "documents", "sources")
            )
        )

    __hash__ = None  # type: ignore[assignment]

    def merge(self, other: Tally, limit: int) -> Tally:
        """The counts of both, of other documents each.

        Args:
            other: of documents that are not in this one.
            limit: most features.
        """
        level = max(self.level, other.level)
        one, two = self.at(level), other.at(level)
        keys, rows = np.unique(np.concatenate([one.keys, two.keys]), return_inverse=True)
        sentences, documents = np.zeros(len(keys), np.uint32), np.zeros(len(keys), np.uint32)
        sources = np.zeros(len(keys), np.uint64)
        for part, places in ((one, rows[: len(one.keys)]), (two, rows[len(one.keys) :])):
            sentences[places] += part.sentences
            documents[places] += part.documents
            sources[places] |= part.sources
        return Tally(keys, sentences, documents, sources, level).limited(limit)

    def limited(self, limit: int) -> Tally:
        """The least level at which there are no more features than allowed."""
        found = self
        while len(found.keys) > limit:
            found = found.at(found.level + 1)
        return found

    def at(self, level: int) -> Tally:
        """The features that are counted at a level no lower than this one's."""
        if level == self.level:
            return self
        stays = chosen(self.keys, level)
        return Tally(self.keys[stays], self.sentences[stays], self.documents[stays], self.sources[stays], level)


def chosen(keys: UInt64s, level: int) -> npt.NDArray[np.bool_]:
    """Which features are counted at a level."""
    if not level:
        return np.ones(len(keys), np.bool_)
    found: npt.NDArray[np.bool_] = mix(keys + np.uint64(0xD1B54A32D192ED03)) >> np.uint64(64 - level) == 0
    return found


def tally(keys: UInt64s, sentences: Int64s, documents: Int64s, sources: UInt64s, limit: int) -> Tally:
    """Count occurrences.

    Args:
        keys: of m features, in any order, repeated where they occur again.
        sentences: [m] where each occurs.
        documents: [s] the document of each sentence.
        sources: [d] hash of each document's source.
        limit: most features.
    """
    if not len(keys):
        return Tally()
    found, rows = np.unique(keys, return_inverse=True)
    pairs = np.unique(rows.astype(np.uint64) << np.uint64(32) | sentences.astype(np.uint64))
    feature = (pairs >> np.uint64(32)).astype(np.int64)
    document = documents[(pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    new = np.ones(len(pairs), np.bool_)  # sentences ascend within a feature, and so do their documents
    new[1:] = (feature[1:] != feature[:-1]) | (document[1:] != document[:-1])
    bits = np.uint64(1) << sources % np.uint64(SOURCES)
    mask = np.zeros(len(found), np.uint64)
    np.bitwise_or.at(mask, feature[new], bits[document[new]])
    return Tally(
        found,
        np.bincount(feature, minlength=len(found)).astype(np.uint32),
        np.bincount(feature[new], minlength=len(found)).astype(np.uint32),
        mask,
    ).limited(limit)
