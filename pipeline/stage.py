"""The shape of every stage: a record batch in, kept and rejected rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Outcome:
    """What a stage made of one batch."""

    kept: pa.RecordBatch
    rejected: pa.RecordBatch | None = None
    """Columns of the input plus ``reason`` and ``detail``; None when nothing was rejected."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Repairs and other events worth counting, by name; rejections are counted by the caller."""
    side: Mapping[str, pa.RecordBatch] = field(default_factory=dict)
    """Tables set aside, by name: what the batch says of something else than its rows."""


class Stage(Protocol):
    """A named pure function; its object is small and picklable, what is heavy loads once per process."""

    @property
    def name(self) -> str:
        """The stage's name in counters, the ledger and the report."""
        ...

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Process one batch."""
        ...


def split_batch(
    batch: pa.RecordBatch,
    reasons: Sequence[str | None],
    details: Sequence[str | None] | None = None,
    counters: Mapping[str, int] | None = None,
) -> Outcome:
    """Divide a batch by the reason given for each row; rows without one are kept.

    Args:
        batch: n rows.
        reasons: n reasons or None.
        details: n texts that hold the numbers which decided, or None.
        counters: passed on.
    """
    bad = np.fromiter((reason is not None for reason in reasons), dtype=bool, count=batch.num_rows)
    if not bad.any():
        return Outcome(batch, None, counters or {})
    rows = np.flatnonzero(bad).tolist()
    rejected = batch.take(pa.array(rows, pa.int64()))
    rejected = with_column(rejected, "reason", pa.array([reasons[row] for row in rows], pa.string()))
    chosen = [None if details is None else details[row] for row in rows]
    rejected = with_column(rejected, "detail", pa.array(chosen, pa.string()))
    return Outcome(batch.filter(pa.array(~bad)), rejected, counters or {})


def with_column(batch: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    """The batch with a column added, or replaced where one of that name exists."""
    index = batch.schema.get_field_index(name)
    if index < 0:
        return batch.append_column(name, column)
    return batch.set_column(index, name, column)


def count_reasons(outcome: Outcome) -> Counter[str]:
    """How many rows were rejected for each reason."""
    if outcome.rejected is None:
        return Counter()
    return Counter(outcome.rejected.column("reason").to_pylist())
