"""Text that is known, such as the held-out documents of a corpus, to find sentences of it elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.manifest import Snapshot
from corpus.schema import HELDOUT
from corpus.shards import read_batches
from corpus.storage import Storage
from pipeline.decontaminate.ngrams import WORD, Units, parts

UInt64s = npt.NDArray[np.uint64]

SHORTEST: Final = 4
"""Words; shorter sentences occur anywhere and prove nothing."""


class KnownText:
    """Runs of words of some texts, by hash, to find sentences of them.

    A sentence is found where a run of ``words`` words of it is one of theirs; one of fewer words, but at
    least ``SHORTEST``, where all its runs of ``SHORTEST`` words are. Words, letters of unspaced scripts and folding are
    those of ``pipeline.decontaminate``.

    Args:
        texts: in any pieces.
        words: length of the runs.
    """

    def __init__(self, texts: Iterable[pa.Array], words: int) -> None:
        self._words = words
        long: list[UInt64s] = [np.zeros(0, np.uint64)]
        short: list[UInt64s] = [np.zeros(0, np.uint64)]
        for piece in texts:
            long.append(_runs(piece, words)[0])
            short.append(_runs(piece, SHORTEST)[0])
        self._long = np.unique(np.concatenate(long))
        self._short = np.unique(np.concatenate(short))

    def contain(self, texts: pa.Array) -> npt.NDArray[np.bool_]:
        """Whether each sentence is found in one of them, [S]."""
        hashes, owners = _runs(texts, self._words)
        size = len(texts)
        found = np.bincount(owners[np.isin(hashes, self._long)], minlength=size) > 0
        runs = np.bincount(owners, minlength=size)
        hashes, owners = _runs(texts, SHORTEST)
        met = np.bincount(owners[np.isin(hashes, self._short)], minlength=size)
        every = np.bincount(owners, minlength=size)
        return np.asarray(found | ((runs == 0) & (every > 0) & (met == every)), dtype=bool)


def heldout_documents(storage: Storage, snapshot: Snapshot, languages: Collection[str], words: int) -> KnownText:
    """What is held out of a corpus, to find sentences in that must not be trained on.

    Args:
        storage: the corpus.
        snapshot: whose held-out documents are read.
        languages: tags of interest.
        words: length of the runs.
    """

    def texts() -> Iterator[pa.Array]:
        for lang in sorted(languages):
            for file in snapshot.select("text", lang=lang, split=HELDOUT):
                with storage.local_copy(file.path) as path:
                    for batch in read_batches(path):
                        yield batch.column("text")

    return KnownText(texts(), words)


def _runs(texts: pa.Array, words: int) -> tuple[UInt64s, npt.NDArray[np.int64]]:
    """Hashes of all runs of so many words, and the text of each."""
    hashes: list[UInt64s] = [np.zeros(0, np.uint64)]
    owners: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for part in parts(texts):
        units = Units(part)
        stops = units.ends(WORD * words)
        starts = np.flatnonzero(stops)
        hashes.append(units.hashes(starts, stops[starts]))
        owners.append(units.owners[starts] + part.first)
    return np.concatenate(hashes), np.concatenate(owners)
