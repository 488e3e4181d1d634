"""The n-grams of all evaluation items as sorted hashes, kept beside the run's other work and mapped by each worker.

    decontaminate/items.arrow      file, id, language, units, n-grams and folded text of every item
    decontaminate/ngrams.arrow     hash, item, first unit and number of units of every n-gram, by hash
    decontaminate/prefixes.arrow   hash of the first ``min_words`` of every n-gram, sorted

A document's n-grams are looked up in three steps, each for the few that pass the one before: the hash of the first
``min_words`` in a table of bits, then in the sorted prefixes, then the hash of the whole in the sorted n-grams. What is
found is compared as text, so that no document is lost to a hash.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from pipeline.decontaminate.config import DecontaminateConfig
from pipeline.decontaminate.items import file_labels
from pipeline.decontaminate.ngrams import WORD, Units, parts
from pipeline.deduplicate.shingles import Int64s, UInt64s

FOLDER: Final = "decontaminate"
_FILTER_BITS: Final = range(16, 25)
"""Smallest and largest table of the first step, as powers of two."""
_SPARSE: Final = 16
"""Places in that table for each prefix, where they fit."""

INDEXED_SCHEMA: Final = pa.schema(
    [
        pa.field("file", pa.int32()),
        pa.field("id", pa.string()),
        pa.field("lang", pa.string()),
        pa.field("units", pa.int32()),
        pa.field("ngrams", pa.int32()),  # 0 when the item is too short
        pa.field("words", pa.string()),  # units as they are compared, with a space between them
    ]
)
NGRAM_SCHEMA: Final = pa.schema(
    [
        pa.field("hash", pa.uint64()),
        pa.field("item", pa.uint32()),
        pa.field("start", pa.uint32()),
        pa.field("units", pa.uint32()),
    ]
)
PREFIX_SCHEMA: Final = pa.schema([pa.field("hash", pa.uint64())])


@dataclass(frozen=True)
class Index:
    """What documents are compared with."""

    items: pa.Table
    """``INDEXED_SCHEMA``."""
    ngrams: pa.Table
    """``NGRAM_SCHEMA``, by hash."""
    prefixes: pa.Table
    """``PREFIX_SCHEMA``, sorted."""

    def write(self, storage: Storage) -> None:
        """Keep the index in the work folder; the prefixes come last, so where they are all is."""
        for name in ("items", "ngrams", "prefixes"):
            table: pa.Table = getattr(self, name)
            with (
                storage.create(f"{FOLDER}/{name}.arrow") as path,
                ShardWriter(path, table.schema) as writer,
            ):
                for batch in table.to_batches():
                    writer.write(batch)

    @classmethod
    def read(cls, storage: Storage) -> Index:
        """The index of a work folder, by memory map."""
        tables = []
        for name in ("items", "ngrams", "prefixes"):
            # The mapping outlives a temporary copy that is unlinked.
            with storage.local_copy(f"{FOLDER}/{name}.arrow") as path:
                tables.append(read_table(path).combine_chunks())
        return cls(*tables)


def has_index(storage: Storage) -> bool:
    """Whether a work folder has its index."""
    return storage.exists(f"{FOLDER}/prefixes.arrow")


def indexed_items(storage: Storage) -> pa.Table:
    """The items of a work folder's index."""
    with storage.local_copy(f"{FOLDER}/items.arrow") as path:
        return read_table(path).combine_chunks()


def build_index(items: pa.RecordBatch, config: DecontaminateConfig) -> Index:
    """The index over some items.

    Args:
        items: ``file``, ``id``, ``lang`` and ``text`` of each, the text as documents have theirs.
        config: lengths.
    """
    words: list[str] = [""] * items.num_rows
    units = np.zeros(items.num_rows, np.int64)
    found: list[npt.NDArray[np.void]] = []
    prefixes: list[UInt64s] = []
    for chunk in parts(items.column("text")):
        part = Units(chunk)
        starts, stops = item_ngrams(part, config)
        ngrams = np.zeros(len(starts), dtype=[("hash", "<u8"), ("item", "<u4"), ("start", "<u4"), ("units", "<u4")])
        owners = part.owners[starts]
        ngrams["hash"] = part.hashes(starts, stops)
        ngrams["item"] = chunk.first + owners
        # Units of the parts of a long item are counted on; what parts have in common stands there twice.
        ngrams["start"] = starts - part.bounds[owners] + units[chunk.first + owners]
        ngrams["units"] = stops - starts
        found.append(ngrams)
        prefixes.append(part.hashes(starts, part.ends(config.min_words * WORD, starts)))
        for document in range(chunk.documents):
            row, (first, last) = chunk.first + document, part.bounds[document : document + 2].tolist()
            joined = " ".join(part.words(first, last))
            words[row] = f"{words[row]} {joined}" if units[row] else joined
            units[row] += last - first
    table = np.concatenate(found) if found else np.zeros(0, dtype=[("hash", "<u8"), ("item", "<u4")])
    order = np.lexsort((table["start"], table["item"], table["hash"])) if len(table) else np.zeros(0, np.int64)
    table = table[order]
    counts = np.bincount(table["item"], minlength=items.num_rows).astype(np.int32)
    columns = {
        "file": items.column("file"),
        "id": items.column("id"),
        "lang": items.column("lang"),
        "units": pa.array(units.astype(np.int32)),
        "ngrams": pa.array(counts),
        "words": pa.array(words, pa.string()),
    }
    names = [field.name for field in NGRAM_SCHEMA] if len(table) else []
    hashes = np.unique(np.concatenate(prefixes)) if prefixes else np.zeros(0, np.uint64)
    return Index(
        pa.table(columns, schema=INDEXED_SCHEMA),
        pa.table({name: np.ascontiguousarray(table[name]) for name in names}, schema=NGRAM_SCHEMA)
        if names
        else NGRAM_SCHEMA.empty_table(),
        pa.table({"hash": hashes}, schema=PREFIX_SCHEMA),
    )


def item_ngrams(units: Units, config: DecontaminateConfig) -> tuple[Int64s, Int64s]:
    """First unit and one past the last of every n-gram; of a short item the whole, if that is long enough."""
    stops = units.ends(config.words * WORD)
    starts = np.flatnonzero(stops)
    stops = stops[starts]
    first, last = units.bounds[:-1], units.bounds[1:]
    weights = units.weights[last] - units.weights[first]
    short = (weights < config.words * WORD) & (weights >= config.min_words * WORD)
    return np.concatenate([starts, first[short]]), np.concatenate([stops, last[short]])


@dataclass(frozen=True)
class Hit:
    """An n-gram that a document and an item have in common."""

    row: int
    """The document in its batch."""
    item: int
    start: int
    """First unit in the item."""
    passage: str
    """The text in the document."""


class Lookup:
    """An index made ready for documents: one for each process."""

    def __init__(self, index: Index, config: DecontaminateConfig) -> None:
        self.index, self.config = index, config
        self.labels = file_labels(config.files)
        self.hashes: UInt64s = column(index.ngrams, "hash")
        self.item_of = column(index.ngrams, "item")
        self.start_of = column(index.ngrams, "start")
        self.units_of = column(index.ngrams, "units")
        self.prefixes: UInt64s = column(index.prefixes, "hash")
        self.files: npt.NDArray[np.int32] = column(index.items, "file")
        self.sizes: npt.NDArray[np.int32] = column(index.items, "ngrams")
        self.short_lengths = self._short_lengths()
        wanted = math.ceil(math.log2(max(1, _SPARSE * len(self.prefixes))))
        bits = min(max(wanted, _FILTER_BITS.start), _FILTER_BITS.stop - 1)
        self._shift = np.uint64(64 - bits)
        self._filter = np.zeros(1 << bits, np.bool_)
        self._filter[self.prefixes >> self._shift] = True
        self._words = lru_cache(maxsize=256)(self._split)

    def _short_lengths(self) -> list[int]:
        """Units of the items that are looked for as a whole."""
        whole = np.flatnonzero(self.sizes == 1)
        return sorted(set(column(self.index.items, "units")[whole].tolist()))

    def _split(self, item: int) -> list[str]:
        words: str = self.index.items.column("words")[item].as_py()
        return words.split(" ")

    def item_id(self, item: int) -> str:
        """The id of an item."""
        return str(self.index.items.column("id")[item].as_py())

    def find(self, texts: pa.Array) -> list[Hit]:
        """Every n-gram that documents share with items, by document, in no order within it."""
        hits: list[Hit] = []
        if not len(self.hashes):
            return hits
        for chunk in parts(texts):
            units = Units(chunk)
            starts = self._candidates(units)
            if not len(starts):
                continue
            stops = units.ends(self.config.words * WORD, starts)
            hits += self._confirmed(units, starts[stops > 0], stops[stops > 0])
            for length in self.short_lengths:
                ends = starts + length
                inside = ends <= units.bounds[1:][units.owners[starts]]
                hits += self._confirmed(units, starts[inside], ends[inside])
        return list(dict.fromkeys(hits))

    def _candidates(self, units: Units) -> Int64s:
        """First units of the runs that begin as an n-gram of some item does."""
        stops = units.ends(self.config.min_words * WORD)
        starts = np.flatnonzero(stops)
        hashes = units.hashes(starts, stops[starts])
        passed = np.flatnonzero(self._filter[hashes >> self._shift])
        starts, hashes = starts[passed], hashes[passed]
        places = np.minimum(np.searchsorted(self.prefixes, hashes), len(self.prefixes) - 1)
        found: Int64s = starts[self.prefixes[places] == hashes]
        return found

    def _confirmed(self, units: Units, starts: Int64s, stops: Int64s) -> list[Hit]:
        """Runs whose hash is that of an n-gram, and whose text is as well."""
        hashes = units.hashes(starts, stops)
        left = np.searchsorted(self.hashes, hashes)
        right = np.searchsorted(self.hashes, hashes, side="right")
        hits = []
        for run in np.flatnonzero(right > left).tolist():
            first, last = int(starts[run]), int(stops[run])
            words = units.words(first, last)
            for place in range(left[run], min(right[run], left[run] + _OWNERS)):
                item, start, length = (int(a[place]) for a in (self.item_of, self.start_of, self.units_of))
                if self._words(item)[start : start + length] == words:
                    row = units.chunk.first + int(units.owners[first])
                    hits.append(Hit(row, item, start, units.passage(first, last)))
        return hits


_OWNERS: Final = 16
"""Items named for one n-gram at most: instructions that all items of a set begin with need not name them all."""


def column(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """A column without nulls as an array over the same memory."""
    return np.asarray(table.column(name).combine_chunks())
