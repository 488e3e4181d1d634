"""What travels between the stages: one record batch with the account of what happened to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipeline.sources import Unreadable


@dataclass(frozen=True)
class Piece:
    """A batch of one split, with all that was set aside from it on the way."""

    task: str
    """Name of the split's task; staged files start with it."""
    number: int
    """Position of the batch in its split, from 0."""
    kept: pa.RecordBatch
    rejected: Sequence[tuple[str, pa.RecordBatch]] = ()
    """(stage, rows with ``reason`` and ``detail``)."""
    unreadable: Sequence[Unreadable] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    """CPU seconds by stage."""
    rows: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Rows in and out by stage."""
    side: Mapping[str, pa.RecordBatch] = field(default_factory=dict)
    """Tables that stages set aside, by name."""

    @property
    def name(self) -> str:
        """Name of the staged files of this piece, without suffix."""
        return f"{self.task}-{self.number:06d}"

    def replace(self, **changes: Any) -> Piece:
        """The piece with some fields changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class EndOfSplit:
    """Follows the last piece of a split; its arrival marks the split as done."""

    task: str
    pieces: int
    read: int
    """Records the reader met, counted by line ends or row counts, not by adding up the pieces."""
