"""What a reader hands on: records, records it had to reject, and pieces it could not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from pipeline.records import RAW_SCHEMA

READ_REJECTED_SCHEMA: Final = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("text", pa.string()),
        pa.field("declared_lang", pa.string()),
        pa.field("url", pa.string()),
        pa.field("meta", pa.string()),
        pa.field("file", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
    ]
)
"""Columns of the records that a reader rejects; ``stage`` is always ``read``."""

STAGE: Final = "read"

Row = tuple[str | None, str | None, str | None, str | None, str | None, int]
"""Key, text, declared language, url, meta and offset of one record."""


@dataclass(frozen=True)
class Unreadable:
    """A piece of an input that is no record.

    Reasons: ``blank_line``, ``invalid_utf8``, ``truncated_json``, ``invalid_json``, ``not_a_record``,
    ``lone_surrogate``, ``wrong_field_count``, ``invalid_csv``, ``invalid_warc``, ``line_too_long``,
    ``document_too_long``, ``corrupt_file``.
    """

    file: str
    offset: int
    """Of its first byte once decompressed, or its row number."""
    line: int | None
    """Counted from 1; None where the format has no lines or counting them would mean rereading gigabytes."""
    reason: str
    detail: str | None
    raw: bytes
    """The piece itself; of one that is too long only the beginning."""


@dataclass(frozen=True)
class SourceBatch:
    """Some consecutive records of a split."""

    records: pa.RecordBatch
    """``pipeline.records.RAW_SCHEMA``."""
    rejected: pa.RecordBatch
    """``READ_REJECTED_SCHEMA``: whole records that hold no text."""
    unreadable: list[Unreadable]
    read: int
    """Records met, whole or broken, as the reader counted them: not a sum over the other three."""


@dataclass
class BatchBuilder:
    """Collects rows and turns them into a ``SourceBatch``."""

    file: str
    read: int = 0
    size: int = 0
    """UTF-8 bytes collected, about; readers without blocks close a batch by it."""
    rows: list[Row] = field(default_factory=list)
    rejected: list[tuple[Row, str, str | None]] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def spoil(self, offset: int, line: int | None, reason: str, detail: str | None, raw: bytes) -> None:
        """Add a piece that could not be read."""
        self.unreadable.append(Unreadable(self.file, offset, line, reason, detail, raw))
        self.size += len(raw)

    def build(self) -> SourceBatch:
        """The batch; the builder is empty again afterwards."""
        batch = SourceBatch(self._records(), self._rejected(), self.unreadable, self.read)
        self.rows, self.rejected, self.unreadable, self.read, self.size = [], [], [], 0, 0
        return batch

    def _records(self) -> pa.RecordBatch:
        keys, texts, langs, urls, metas, offsets = zip(*self.rows, strict=True) if self.rows else ((),) * 6
        columns = [
            pa.array(keys, pa.string()),
            pa.array(texts, pa.string()),
            pa.array(langs, pa.string()),
            pa.array(urls, pa.string()),
            pa.array(metas, pa.string()),
            pa.repeat(self.file, len(self.rows)),
            pa.array(offsets, pa.int64()),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=RAW_SCHEMA)

    def _rejected(self) -> pa.RecordBatch:
        rows = [(*row[:5], self.file, row[5], STAGE, reason, detail) for row, reason, detail in self.rejected]
        columns = zip(*rows, strict=True) if rows else ((),) * len(READ_REJECTED_SCHEMA)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, READ_REJECTED_SCHEMA, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=READ_REJECTED_SCHEMA)
