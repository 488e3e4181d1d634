"""Parquet files and Arrow IPC files and streams. Offsets are row numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

import pyarrow as pa

from pipeline.sources.batch import BatchBuilder, SourceBatch
from pipeline.sources.config import InputConfig
from pipeline.sources.fields import Mapper
from pipeline.sources.files import is_remote, open_raw
from pipeline.sources.split import Split

ARROW_MAGIC: Final = b"ARROW1\0\0"
# A damaged schema can hold names that are no UTF-8.
_FAILURES: Final = (pa.ArrowException, OSError, UnicodeDecodeError)

Units = list[tuple[int, int | None, int]]
"""First unit, unit behind the last and bytes of each split."""


# --- Parquet ---


def plan_parquet(file: str, size: int, split_bytes: int) -> tuple[Units, list[str] | None]:
    """Splits in row groups, and the names of the columns; None where the file is damaged."""
    try:
        with _open_parquet(file) as parquet:
            metadata, names = parquet.metadata, list(parquet.schema_arrow.names)
            sizes = [metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)]
    except _FAILURES as error:
        _raise_if_system(error)
        return [(0, None, size)], None
    return _gather(sizes, size, split_bytes), names


def read_parquet(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The records of some row groups. A damaged row group costs what lies behind the damage in it."""
    mapper = Mapper(config, null_is_missing=True)
    builder = BatchBuilder(split.file)
    try:
        with _open_parquet(split.file) as parquet:
            metadata = parquet.metadata
            end = metadata.num_row_groups if split.end is None else split.end
            base = sum(metadata.row_group(group).num_rows for group in range(split.start))
            for group in range(split.start, end):
                about = metadata.row_group(group)
                rows = max(1, int(config.batch_bytes * about.num_rows / max(about.total_byte_size, 1)))
                done = 0
                try:
                    batches = parquet.iter_batches(min(rows, 1 << 16), row_groups=[group], use_threads=False)
                    for batch in batches:
                        add_batch(builder, mapper, config, batch, base + done)
                        done += batch.num_rows
                        yield builder.build()
                except _FAILURES as error:
                    _raise_if_system(error)
                    detail = f"row group {group}, rows {done} to {about.num_rows}: {error}"
                    builder = BatchBuilder(split.file, read=1)
                    builder.spoil(base + done, None, "corrupt_file", detail, b"")
                    yield builder.build()
                base += about.num_rows
    except _FAILURES as error:
        _raise_if_system(error)
        yield _corrupt(split, 0, str(error))


@contextmanager
def _open_parquet(file: str) -> Iterator[Any]:
    from pyarrow.parquet import ParquetFile

    with open_raw(file) as raw:
        # Column chunks are read piece by piece, so that a large row group does not fill the memory.
        yield ParquetFile(_source(file, raw), buffer_size=1 << 20, pre_buffer=False)


# --- Arrow ---


def plan_arrow(file: str, size: int, split_bytes: int) -> tuple[Units, list[str] | None]:
    """Splits in record batches (a stream is never cut), and the names of the columns; None where damaged."""
    try:
        with open_raw(file) as raw:
            source = _source(file, raw)
            if not _is_file_format(source):
                return [(0, None, size)], list(pa.ipc.open_stream(source).schema.names)
            reader = pa.ipc.open_file(source)
            count = reader.num_record_batches
            return _gather([size // max(count, 1)] * count, size, split_bytes), list(reader.schema.names)
    except _FAILURES as error:
        _raise_if_system(error)
        return [(0, None, size)], None


def read_arrow(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The records of some record batches of a file, or of a whole stream."""
    mapper = Mapper(config, null_is_missing=True)
    with open_raw(split.file) as raw:
        source = _source(split.file, raw)
        reader: Any = None
        if _is_file_format(source):
            try:
                reader = pa.ipc.open_file(source)
            except _FAILURES as error:
                # A file cut short has lost the index at its end, but it is a stream behind eight bytes.
                _raise_if_system(error)
                source.seek(len(ARROW_MAGIC))
        if reader is None:
            batches = _stream_batches(source)
            base = 0
        else:
            end = reader.num_record_batches if split.end is None else split.end
            base = _rows_before(source, reader, split.start) if split.start else 0
            batches = (_batch(reader, index) for index in range(split.start, end))
        for batch, problem in batches:
            if batch is None:
                yield _corrupt(split, base, problem)
                continue
            for piece in pieces(batch, config.batch_bytes):
                builder = BatchBuilder(split.file)
                add_batch(builder, mapper, config, piece, base)
                base += piece.num_rows
                yield builder.build()


def _batch(reader: Any, index: int) -> tuple[pa.RecordBatch | None, str]:
    try:
        batch = reader.get_batch(index)
        _validate(batch)
    except _FAILURES as error:
        _raise_if_system(error)
        return None, f"record batch {index}: {error}"
    return batch, ""


def _stream_batches(source: Any) -> Iterator[tuple[pa.RecordBatch | None, str]]:
    try:
        for batch in pa.ipc.open_stream(source):
            _validate(batch)
            yield batch, ""
    except _FAILURES as error:
        _raise_if_system(error)
        yield None, str(error)


def _rows_before(source: Any, reader: Any, batches: int) -> int:
    """Rows in the first batches; only one column is decompressed for it."""
    fixed = [index for index, field in enumerate(reader.schema) if _is_fixed_width(field.type)]
    source.seek(0)
    options = pa.ipc.IpcReadOptions(included_fields=fixed[:1] or [0])
    narrow = pa.ipc.open_file(source, options=options)
    rows = 0
    for index in range(batches):
        try:
            rows += narrow.get_batch(index).num_rows
        except _FAILURES as error:  # a damaged batch counts as the one entry that stands for it
            _raise_if_system(error)
            rows += 1
    return rows


def _is_fixed_width(type_: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(type_))


def _validate(batch: pa.RecordBatch) -> None:
    """Check data from outside: wrong offsets in an IPC file would otherwise be read out of bounds.

    Text that is no UTF-8 passes here; it costs its own row later.

    Raises:
        pyarrow.ArrowInvalid: the batch is damaged.
    """
    for column in batch.columns:
        _as_bytes(column).validate(full=True)


def _as_bytes(column: pa.Array) -> pa.Array:
    """The same column with text as plain bytes, without a copy; other types as they are."""
    if pa.types.is_string(column.type):
        return column.view(pa.binary())
    if pa.types.is_large_string(column.type):
        return column.view(pa.large_binary())
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(column.indices, _as_bytes(column.dictionary), safe=False)
    return column


def _is_file_format(source: Any) -> bool:
    start = source.read(len(ARROW_MAGIC))
    source.seek(0)
    return bytes(start) == ARROW_MAGIC


# --- both ---


def add_batch(
    builder: BatchBuilder, mapper: Mapper, config: InputConfig, batch: pa.RecordBatch, first_row: int
) -> None:
    """Add the rows of a batch; one whose text is no UTF-8 becomes unreadable."""
    builder.read += batch.num_rows
    text = config.fields.text
    try:
        records: list[dict[str, Any] | None] = batch.to_pylist()
    except (ValueError, OverflowError):
        records = [None] * batch.num_rows
    for row, found in enumerate(records):
        record = found
        try:
            if record is None:
                record = _row(batch, row)
            if type(value := record.get(text)) is bytes:
                record[text] = value.decode()
        except UnicodeDecodeError as error:
            builder.spoil(first_row + row, None, "invalid_utf8", str(error), _raw(batch, row, text))
        except (ValueError, OverflowError) as error:
            builder.spoil(first_row + row, None, "not_a_record", str(error), _raw(batch, row, text))
        else:
            mapper.add(builder, record, first_row + row)


def _row(batch: pa.RecordBatch, row: int) -> dict[str, Any]:
    """A row value by value; a time outside Python's calendar becomes the number it is stored as.

    Raises:
        ValueError: another value cannot be had, text that is no UTF-8 for example.
    """
    record = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            record[name] = column[row].as_py()
        except OverflowError:
            record[name] = getattr(column[row], "value", None)
    return record


def pieces(batch: pa.RecordBatch, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Slices of a batch of about ``batch_bytes`` each."""
    rows = max(1, int(batch_bytes * batch.num_rows / max(batch.nbytes, 1)))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _raw(batch: pa.RecordBatch, row: int, text: str) -> bytes:
    """The bytes of a row's text; of a row without one the row itself, as an Arrow IPC stream."""
    index = batch.schema.get_field_index(text)
    if index >= 0:
        value = _as_bytes(batch.column(index).slice(row, 1))[0].as_py()
        if isinstance(value, bytes):
            return value
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch.slice(row, 1))
    return sink.getvalue()


def _gather(sizes: list[int], size: int, split_bytes: int) -> Units:
    """Consecutive units in groups of about ``split_bytes``."""
    groups: Units = []
    total = max(sum(sizes), 1)
    start = held = 0
    for index, unit in enumerate(sizes):
        if held and held + unit > split_bytes:
            groups.append((start, index, size * held // total))
            start, held = index, 0
        held += unit
    if held or not groups:
        groups.append((start, len(sizes), size * held // total))
    return groups


def _source(file: str, raw: BinaryIO) -> Any:
    return pa.PythonFile(raw, mode="r") if is_remote(file) else pa.memory_map(file, "r")


def _corrupt(split: Split, row: int, detail: str) -> SourceBatch:
    builder = BatchBuilder(split.file, read=1)
    builder.spoil(row, None, "corrupt_file", detail, b"")
    return builder.build()


def _raise_if_system(error: BaseException) -> None:
    """Let a failing disk or connection through: it is no damage of the data, and trying again may help."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error
