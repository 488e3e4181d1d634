"""Earlier documents as pieces of a run: their keys, what the keep rule must know of them, and their texts.

Pieces of earlier documents are numbered after those of the run, so a number tells which of the two a document is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.shards import conform, read_table
from corpus.storage import Storage
from pipeline.deduplicate.candidates import number, place
from pipeline.deduplicate.exact import ROW
from pipeline.deduplicate.resolve import MEMBER
from pipeline.deduplicate.shingles import Int64s, UInt64s
from pipeline.documents import StagedDocuments
from pipeline.earlier.filter import NewKeys, first_half
from pipeline.earlier.index import COPIES_SCHEMA
from pipeline.match import fixed_bytes, pack_keys, read_decisions
from pipeline.split.config import SplitConfig
from pipeline.split.heldout import SplitSketch, cluster_hash
from pipeline.work import single_batch

_FIRST: float = 2.0
"""Taken from the order of earlier documents, so that they come before all new ones, whose quality is at most 1."""


@dataclass(frozen=True)
class EarlierPart:
    """One index file, and the corpus whose documents it holds."""

    root: str
    """Of the corpus, to which the places of texts in the index are relative."""
    index: str
    """Folder or URL that the index file lies in: the corpus, or the run's work folder where it was made anew."""
    path: str
    """Of the index file there."""
    own: bool
    """Whether the corpus is the one that is being made."""

    def read(self, columns: list[str]) -> pa.Table:
        """Some columns, by memory map where the index is local."""
        with Storage(self.index).local_copy(self.path) as path:
            return read_table(path).select(columns)

    def texts(self, rows: npt.NDArray[np.uint32]) -> pa.Array:
        """The texts of some rows, in the order given, large_string."""
        places = self.read(["path", "row"]).take(pa.array(rows))
        paths = np.array(places.column("path").to_pylist(), dtype=object)
        inside = places.column("row").to_numpy()
        parts, positions = [], []
        for name in sorted(set(paths)):
            mine = np.flatnonzero(paths == name)
            with Storage(self.root).local_copy(name) as path:
                column = read_table(path).column("text").take(pa.array(inside[mine]))
            parts.append(column.cast(pa.large_string()).combine_chunks())
            positions.append(mine)
        if not parts:
            return pa.array([], pa.large_string())
        order = np.argsort(np.concatenate(positions), kind="stable")
        return pa.concat_arrays(parts).take(pa.array(order))


def earlier_name(part: int) -> str:
    """Name of the files about a part in the work folder."""
    return f"earlier-{part:06d}"


def earlier_rows(part: EarlierPart, piece: int, new: NewKeys) -> npt.NDArray[np.void]:
    """The documents of a part that may share id or text with a new one, packed for comparison."""
    table = part.read(["id", "text_key", "quality", "bytes"])
    chosen = new.has(first_half(fixed_bytes(table.column("id"))))
    chosen |= new.has(first_half(fixed_bytes(table.column("text_key"))))
    places = np.flatnonzero(chosen)
    table = table.take(pa.array(places))
    rows = np.zeros(table.num_rows, dtype=ROW)
    rows["id"], rows["key"] = fixed_bytes(table.column("id")), fixed_bytes(table.column("text_key"))
    rows["quality"], rows["bytes"] = table.column("quality").to_numpy(), table.column("bytes").to_numpy()
    rows["piece"], rows["row"] = piece, places
    return rows


def earlier_keys(part: EarlierPart, new: NewKeys) -> npt.NDArray[np.void]:
    """The keys by which new documents may meet those of a part, as KEY rows; those that no new one has are left out."""
    batch = single_batch(part.read(["bands", "sampled", "quality"]))
    quality = batch.column("quality").to_numpy(zero_copy_only=False)
    keys = pack_keys(batch.column("bands"), batch.column("sampled"), np.arange(batch.num_rows), -quality - _FIRST)
    return keys[new.has(keys["key"])]


def earlier_sketch(part: EarlierPart, config: SplitConfig, seed: int) -> dict[str, SplitSketch]:
    """What the documents of a part say about the held-out bounds of their languages."""
    table = part.read(["lang", "cluster", "bytes"])
    languages = np.array(table.column("lang").to_pylist(), dtype=object)
    hashes = cluster_hash(fixed_bytes(table.column("cluster")), seed)
    sizes = table.column("bytes").to_numpy().astype(np.int64)
    sketches = {}
    for lang in sorted(set(languages)):
        chosen = languages == lang
        sketches[lang] = SplitSketch()
        sketches[lang].add(hashes[chosen], sizes[chosen], config)
    return sketches


def earlier_copies(work: Storage, decisions: str, parts: Sequence[EarlierPart]) -> pa.Table:
    """The documents of some parts, the first of the run's, that new ones were copies of: COPIES_SCHEMA.

    Args:
        work: the run's work folder.
        decisions: folder of the decisions in it.
        parts: of the corpus that is gone on with.
    """
    found = []
    for position, part in enumerate(parts):
        match = read_decisions(work, decisions, earlier_name(position))
        if match.num_rows:
            known = part.read(["id", "lang", "heldout"]).take(match.column("row").combine_chunks())
            copies = pa.array((match.column("copies").to_numpy() - 1).astype(np.int32))
            batch = single_batch(known.append_column("copies", copies))
            found.append(conform(batch, COPIES_SCHEMA))
    return pa.Table.from_batches(found, schema=COPIES_SCHEMA)


@dataclass(frozen=True)
class JoinedDocuments:
    """The survivors of this run, and earlier documents after them."""

    staged: StagedDocuments
    earlier: tuple[EarlierPart, ...]

    def texts(self, numbers: UInt64s) -> pa.Array:
        """The texts of n documents given in ascending order, large_string."""
        new, old = self.divide(numbers)
        parts = [self.staged.texts(new)] if len(new) else []
        parts += [self.earlier[part].texts(rows) for part, rows in self.by_part(old)]
        return pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())

    def sizes(self, numbers: UInt64s) -> Int64s:
        """UTF-8 bytes of n documents given in ascending order."""
        new, old = self.divide(numbers)
        parts = [self.staged.sizes(new)]
        for part, rows in self.by_part(old):
            parts.append(self.earlier[part].read(["bytes"]).column("bytes").to_numpy()[rows].astype(np.int64))
        return np.concatenate(parts)

    def members(self, numbers: UInt64s) -> npt.NDArray[np.void]:
        """MEMBER rows of n documents given in ascending order; the key of an earlier one is its cluster's."""
        new, old = self.divide(numbers)
        parts = [self.staged.members(new)]
        for part, rows in self.by_part(old):
            columns = ["id", "cluster", "quality", "bytes", "heldout"]
            table = single_batch(self.earlier[part].read(columns).take(pa.array(rows)))
            found = np.zeros(len(rows), dtype=MEMBER)
            found["document"] = number(len(self.staged.pieces) + part, rows)
            found["id"], found["key"] = fixed_bytes(table.column("id")), fixed_bytes(table.column("cluster"))
            for name in ("quality", "bytes", "heldout"):
                found[name] = table.column(name).to_numpy(zero_copy_only=False)
            found["earlier"], found["copies"] = 1, 1
            match = read_decisions(Storage(self.staged.work), self.staged.decisions, earlier_name(part))
            counted = match.column("row").to_numpy()
            at = np.searchsorted(counted, rows)
            there = at < len(counted)
            there[there] = counted[at[there]] == rows[there]
            found["copies"][there] = match.column("copies").to_numpy()[at[there]]
            parts.append(found)
        return np.concatenate(parts)

    def divide(self, numbers: UInt64s) -> tuple[UInt64s, UInt64s]:
        """The numbers of new documents, and those of earlier ones."""
        at = np.searchsorted(numbers, number(len(self.staged.pieces), np.zeros(1, np.uint32))[0])
        return numbers[:at], numbers[at:]

    def by_part(self, numbers: UInt64s) -> Iterator[tuple[int, npt.NDArray[np.uint32]]]:
        """Every part that has some of the documents, and their rows in it."""
        pieces, rows = place(numbers)
        for piece in np.unique(pieces).tolist():
            yield piece - len(self.staged.pieces), rows[pieces == piece]
