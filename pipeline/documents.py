"""Documents by number, wherever they lie: their texts, and what the keep rule must know of them.

A document's number holds that of its piece and its row there. Pieces of this run are staged; texts are read by
memory map where the storage is local, so that comparing two pieces moves only the rows asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.hashing import stable_hash
from corpus.storage import Storage
from pipeline.deduplicate.candidates import place
from pipeline.deduplicate.resolve import MEMBER
from pipeline.deduplicate.shingles import Int64s, UInt64s
from pipeline.match import fixed_bytes, read_decisions
from pipeline.work import read_staged


@dataclass(frozen=True)
class StagedDocuments:
    """The survivors of this run."""

    work: str
    pieces: tuple[str, ...]
    """Names of the staged pieces by number."""
    decisions: str
    """Folder of the decisions on exact duplicates."""

    def texts(self, numbers: UInt64s) -> pa.Array:
        """The texts of n documents given in ascending order, large_string."""
        parts = [self.column(name, "text").take(rows).cast(pa.large_string()) for name, rows in self.by_piece(numbers)]
        return pa.chunked_array(parts, pa.large_string()).combine_chunks()

    def sizes(self, numbers: UInt64s) -> Int64s:
        """UTF-8 bytes of n documents given in ascending order."""
        parts = [self.column(name, "n_bytes").take(rows).to_numpy() for name, rows in self.by_piece(numbers)]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def members(self, numbers: UInt64s) -> npt.NDArray[np.void]:
        """MEMBER rows of n documents given in ascending order."""
        found = np.zeros(len(numbers), dtype=MEMBER)
        found["document"] = numbers
        start = 0
        for name, rows in self.by_piece(numbers):
            chosen = slice(start, start + len(rows))
            table = read_staged(Storage(self.work), name, ["text_key", "quality", "n_bytes", "lang"]).take(rows)
            found["key"][chosen] = fixed_bytes(table.column("text_key"))
            found["lang"][chosen] = language_numbers(table.column("lang").to_pylist())
            found["quality"][chosen] = table.column("quality").to_numpy()
            found["bytes"][chosen] = np.minimum(table.column("n_bytes").to_numpy(), np.iinfo(np.uint32).max)
            match = read_decisions(Storage(self.work), self.decisions, name)
            at = np.searchsorted(match.column("row").to_numpy(), rows.to_numpy())
            found["copies"][chosen] = match.column("copies").to_numpy()[at]
            found["id"][chosen] = fixed_bytes(match.column("other"))[at]
            start += len(rows)
        return found

    def by_piece(self, numbers: UInt64s) -> Iterator[tuple[str, pa.Array]]:
        """Name of every piece that has some of the documents, and their rows in it."""
        pieces, rows = place(numbers)
        starts = np.flatnonzero(np.concatenate([[True], pieces[1:] != pieces[:-1]])) if len(pieces) else pieces
        for start, stop in zip(starts, np.append(starts[1:], len(pieces)), strict=False):
            yield self.pieces[int(pieces[start])], pa.array(rows[start:stop])

    def column(self, piece: str, name: str) -> pa.ChunkedArray:
        """One column of a staged piece."""
        return read_staged(Storage(self.work), piece, [name]).column(name)


def language_numbers(tags: Sequence[str]) -> npt.NDArray[np.uint32]:
    """A number other than 0 for each tag, the same everywhere."""
    numbers = {tag: stable_hash(tag) % (2**32 - 1) + 1 for tag in set(tags)}
    return np.array([numbers[tag] for tag in tags], dtype=np.uint32)
