"""Arrow IPC files: written once, in batches of bounded size; read by memory map."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.schema import RUN_DOCUMENTS

Compression = Literal["none", "lz4", "zstd"]


class ShardWriter:
    """Writes record batches into one Arrow IPC file that appears only when it is whole.

    Dictionary columns of the schema may arrive as plain strings; they are encoded here, one dictionary per
    file, built from all batches, because the IPC file format allows no dictionary to be replaced.

    Args:
        path: the file to create; its folder must exist.
        schema: the file's columns; batches must have at least these.
        compression: of the buffers; ``none`` allows reading by memory map without a copy.
        metadata: key-value pairs stored in the schema.
    """

    def __init__(
        self,
        path: str | Path,
        schema: pa.Schema,
        compression: Compression = "none",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.rows = 0
        self._schema = schema.with_metadata(dict(metadata)) if metadata else schema
        self._compression = None if compression == "none" else compression
        self._batches: list[pa.RecordBatch] = []

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        self._batches = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of one batch."""
        if batch.num_rows:
            self._batches.append(conform(batch, self._schema))
            self.rows += batch.num_rows

    def close(self) -> None:
        """Unify the dictionaries, write the file beside its place and move it there in one step."""
        table = pa.Table.from_batches(self._batches, schema=self._schema).unify_dictionaries()
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        options = pa.ipc.IpcWriteOptions(compression=self._compression)
        try:
            with (
                pa.OSFile(str(partial), "wb") as sink,
                pa.ipc.new_file(sink, table.schema, options=options) as writer,
            ):
                writer.write_table(table)
            partial.replace(self.path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise CorpusError(
                f"cannot write {self.path}: {error.strerror or error}",
                "Free some space or choose another output folder",
            ) from error
        self._batches = []


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Bring a batch to a schema: order the columns, encode dictionaries, fill absent nullable ones.

    Raises:
        CorpusError: a column that may not be null is absent or has nulls.
    """
    columns = []
    for field in schema:
        index = batch.schema.get_field_index(field.name)
        column = pa.nulls(batch.num_rows, field.type) if index < 0 else batch.column(index)
        if column.type != field.type:
            if pa.types.is_dictionary(column.type):
                column = column.dictionary_decode()
            if pa.types.is_dictionary(field.type):
                column = pc.cast(column, field.type.value_type).dictionary_encode()
            else:
                column = pc.cast(column, field.type)
        if not field.nullable and column.null_count:
            raise CorpusError(f"column '{field.name}' has {column.null_count} nulls but must have none")
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def open_shard(path: str | Path) -> pa.RecordBatchFileReader:
    """Open an Arrow IPC file by memory map.

    Raises:
        CorpusError: the file is missing or is no whole Arrow IPC file.
    """
    try:
        return pa.ipc.open_file(pa.memory_map(str(path), "r"))
    except (OSError, pa.ArrowInvalid) as error:
        raise CorpusError(
            f"cannot read shard {path}: {error}", "Run `evenglot verify` on the corpus to see what is damaged"
        ) from error


def read_batches(path: str | Path) -> Iterator[pa.RecordBatch]:
    """The batches of an Arrow IPC file, in order, without copying when it is uncompressed."""
    reader = open_shard(path)
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)


def read_table(path: str | Path) -> pa.Table:
    """A whole Arrow IPC file as a table over the memory map."""
    return open_shard(path).read_all()


def run_tokens(batches: Iterable[pa.RecordBatch]) -> tuple[int, ...]:
    """Tokens of each run of a token shard, as ``ShardFile.run_tokens`` holds them.

    Args:
        batches: the shard's record batches, in order, or those about to be written to it; each is cut into runs of
            ``RUN_DOCUMENTS`` documents. Only offsets are read, no tokens.
    """
    totals: list[int] = []
    for batch in batches:
        offsets = batch.column("tokens").offsets.to_numpy()
        bounds = [*range(0, batch.num_rows, RUN_DOCUMENTS), batch.num_rows]
        totals += [int(offsets[end]) - int(offsets[start]) for start, end in pairwise(bounds)]
    return tuple(totals)
