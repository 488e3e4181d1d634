"""The removed lines of all pieces as one bounded table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from corpus.boilerplate import REMOVED_SCHEMA, add_up
from pipeline.pii.config import PiiConfig
from pipeline.pii.stage import MaskPiiStage

_ROWS: Final = 100_000
"""Lines that the table holds at most; the most frequent."""
_ENOUGH: Final = 4 * _ROWS
"""Rows gathered before they are added up."""


def merge_removed(tables: Iterable[pa.Table], most: int = _ROWS) -> pa.Table:
    """Counts of several pieces added up, the most frequent first; equal ones by site and line.

    Args:
        tables: in the order of the pieces, columns of REMOVED_SCHEMA.
        most: rows to keep. Where there are more lines, the count of one that was dropped between two batches of
            pieces is too small; the same pieces give the same counts.
    """
    total, waiting, rows = REMOVED_SCHEMA.empty_table(), [], 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        if rows > max(_ENOUGH, most):
            total, waiting, rows = add_up([total, *waiting]).slice(0, 2 * most), [], 0
    return add_up([total, *waiting]).slice(0, most)


def masked(table: pa.Table, config: PiiConfig) -> pa.Table:
    """The table with personal data in its lines masked as in the documents: imprints name people."""
    if not config.enabled or table.num_rows == 0:
        return table
    lines = pa.RecordBatch.from_arrays([table.column("line").combine_chunks()], names=["text"])
    return table.set_column(1, REMOVED_SCHEMA.field("line"), MaskPiiStage(config)(lines).kept.column("text"))
