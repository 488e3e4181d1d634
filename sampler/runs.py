"""Runs of neighbouring documents, opened when they are first used.

A run is up to 1,024 neighbouring documents of one record batch of a token shard; shards written by this version
have one run in a record batch. Where the manifest counts the tokens of each run, a corpus is opened without
reading a shard; where it does not (corpora of older versions), a shard's record batches are counted once.

What is open is bounded: ``OPEN_SHARDS`` file handles, and ``OPEN_RUNS`` runs of about two kilobytes each, which
keep their maps by themselves.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import CorpusError
from corpus.manifest import ShardFile
from corpus.schema import RUN_DOCUMENTS
from corpus.shards import open_shard

OPEN_SHARDS = 32
OPEN_RUNS = 1 << 14

Tokens = NDArray[np.uint16] | NDArray[np.uint32]
_DAMAGED = "Run `evenglot verify` on the corpus to see what is damaged"


class Run(NamedTuple):
    """Neighbouring documents of one shard."""

    tokens: Tokens
    """Tokens of the whole record batch, a view of the mapped file."""
    offsets: NDArray[np.int32]
    """Start of each of the n documents in ``tokens`` and the end of the last, [n + 1]."""
    sizes: NDArray[np.int32]
    """UTF-8 bytes of each document, [n]."""
    columns: Mapping[str, NDArray[Any]]
    """Those of ``corpus.schema.TOKEN_ATTRIBUTES`` that were asked for, NaN where a score is null, each [n]."""
    held: int
    """Bytes of the record batch that the views keep."""


class Places(NamedTuple):
    """The R runs of a shard."""

    batches: NDArray[np.int32]
    """Record batch of each run, [R]."""
    firsts: NDArray[np.int32]
    """First row of each run in its record batch, [R]."""
    documents: NDArray[np.int32]
    """Documents of each run, [R]."""
    tokens: NDArray[np.int64]
    """Tokens of each run, without the piece that begins each document, [R]."""


class Batches(Protocol):
    """Where the record batches of token shards come from."""

    ahead: bool
    """Whether it helps to say what will be asked for soon."""

    def count(self, file: ShardFile) -> int:
        """Record batches of a shard."""

    def batch(self, file: ShardFile, index: int) -> pa.RecordBatch:
        """A record batch, over memory that lasts as long as it is used."""

    def prefetch(self, file: ShardFile, index: int) -> None:
        """Say that a record batch will be asked for soon."""


class MappedBatches:
    """Record batches of local shards, by memory map.

    Args:
        root: folder that the shards' paths are relative to.
        limit: shards kept open.
    """

    ahead = False

    def __init__(self, root: Path, limit: int = OPEN_SHARDS) -> None:
        self._root = root
        self._limit = limit
        self._readers: OrderedDict[str, pa.RecordBatchFileReader] = OrderedDict()

    def count(self, file: ShardFile) -> int:
        """Record batches of a shard."""
        return int(self._reader(file).num_record_batches)

    def batch(self, file: ShardFile, index: int) -> pa.RecordBatch:
        """A record batch over the map.

        Raises:
            CorpusError: the shard is missing or damaged.
        """
        try:
            return self._reader(file).get_batch(index)
        except (pa.ArrowInvalid, OSError) as error:
            raise CorpusError(f"cannot read shard {self._root / file.path}: {error}", _DAMAGED) from error

    def prefetch(self, file: ShardFile, index: int) -> None:
        """Nothing to do: the system reads ahead."""

    def _reader(self, file: ShardFile) -> pa.RecordBatchFileReader:
        reader = self._readers.get(file.path)
        if reader is None:
            reader = open_shard(self._root / file.path)
            self._readers[file.path] = reader
            if len(self._readers) > self._limit:
                self._readers.popitem(last=False)
        else:
            self._readers.move_to_end(file.path)
        return reader


class RunCache:
    """The runs in use, of all languages; the one opened first is dropped first.

    Args:
        limit: runs kept.
        room: bound on the bytes of their record batches; None where they are maps of files that stay.
    """

    def __init__(self, limit: int = OPEN_RUNS, room: int | None = None) -> None:
        self._limit = limit
        self._room = room
        self._held: OrderedDict[tuple[int, int], dict[int, Run]] = OrderedDict()

    def put(self, runs: dict[int, Run], index: int, run: Run) -> None:
        """Keep a run in a language's table, where it is dropped from when its time has come."""
        if self._room is not None:
            before = runs.get(index)
            self._room += (0 if before is None else before.held) - run.held
        runs[index] = run
        self._held[id(runs), index] = runs
        while len(self._held) > self._limit or (self._room is not None and self._room < 0 and len(self._held) > 1):
            (_, first), table = self._held.popitem(last=False)
            dropped = table.pop(first)
            if self._room is not None:
                self._room += dropped.held


def places(file: ShardFile, batches: Batches) -> Places:
    """The runs of a shard: from the manifest where it counts them, else from the shard.

    Raises:
        CorpusError: the shard is missing, damaged or no token shard, or the manifest contradicts itself.
    """
    listed = file.run_tokens
    if listed:
        documents = np.full(len(listed), RUN_DOCUMENTS, dtype=np.int32)
        documents[-1] = file.rows - RUN_DOCUMENTS * (len(listed) - 1)
        if not 0 < documents[-1] <= RUN_DOCUMENTS:
            raise CorpusError(
                f"the manifest counts {len(listed)} runs of {file.path} for {file.rows:,} documents", _DAMAGED
            )
        order = np.arange(len(listed), dtype=np.int32)
        return Places(order, np.zeros_like(order), documents, np.array(listed, dtype=np.int64))
    numbers: list[tuple[int, int, int, int]] = []
    for index in range(batches.count(file)):
        offsets = view(lists_of(batches.batch(file, index), file).offsets)
        for first in range(0, len(offsets) - 1, RUN_DOCUMENTS):
            end = min(first + RUN_DOCUMENTS, len(offsets) - 1)
            numbers.append((index, first, end - first, int(offsets[end]) - int(offsets[first])))
    columns = np.array(numbers, dtype=np.int64).reshape(-1, 4).T
    batch, first, count = (column.astype(np.int32) for column in columns[:3])
    return Places(batch, first, count, columns[3])


def open_run(file: ShardFile, batches: Batches, where: Places, index: int, names: Collection[str] = ()) -> Run:
    """One run of a shard.

    Args:
        file: the shard.
        batches: where its record batches come from.
        where: the shard's runs.
        index: of the run in the shard.
        names: of the columns that are wanted beside the tokens.

    Raises:
        CorpusError: the shard is missing, damaged, no token shard, without such a column, or not what the manifest
            says.
    """
    batch = batches.batch(file, int(where.batches[index]))
    lists = lists_of(batch, file)
    first, count = int(where.firsts[index]), int(where.documents[index])
    offsets = view(lists.offsets)[first : first + count + 1]
    sizes = view(batch.column("bytes"))[first : first + count]
    if len(sizes) != count or int(offsets[-1]) - int(offsets[0]) != int(where.tokens[index]):
        raise CorpusError(
            f"run {index} of {file.path} holds {len(sizes):,} documents of "
            f"{int(offsets[-1]) - int(offsets[0]):,} tokens, the manifest says {count:,} of {where.tokens[index]:,}",
            _DAMAGED,
        )
    columns = {}
    for name in names:
        place = batch.schema.get_field_index(name)
        if place < 0:
            raise CorpusError(
                f"{file.path} has no column '{name}', which the sampler's documents settings look at",
                "Run `evenglot tokenize` again, or leave out the settings of sampler.documents that need it",
            )
        columns[name] = attribute(batch.column(place))[first : first + count]
    return Run(view(lists.values), offsets, sizes, columns, batch.nbytes)


def attribute(array: pa.Array) -> NDArray[Any]:
    """The values of a column that a document may be chosen by, NaN where a score is null."""
    if pa.types.is_boolean(array.type):
        return view(array.cast(pa.uint8())).astype(np.bool_)
    return view(array.fill_null(np.nan) if array.null_count else array)


def view(array: pa.Array) -> NDArray[Any]:
    """An array's values without a copy, read-only; it has no nulls.

    Arrow's own ``to_numpy`` imports pandas where that is installed, half a second at the first row of a run.
    """
    return np.from_dlpack(array)


def lists_of(batch: pa.RecordBatch, file: ShardFile) -> pa.ListArray:
    """The token lists of a record batch.

    Raises:
        CorpusError: it has none of two- or four-byte tokens.
    """
    try:
        lists = batch.column("tokens")
        batch.column("bytes")
        kind = lists.values.type
    except (KeyError, AttributeError) as error:
        raise CorpusError(f"{file.path} is no token shard: {error}", "Run `evenglot tokenize` again") from error
    if kind not in (pa.uint16(), pa.uint32()):
        raise CorpusError(f"{file.path} holds tokens of type {kind}", "Run `evenglot tokenize` again")
    return lists
