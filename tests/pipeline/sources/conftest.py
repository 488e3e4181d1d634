"""Reading a whole input at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.records import RAW_SCHEMA
from pipeline.sources import READ_REJECTED_SCHEMA, InputConfig, Unreadable, plan, read


@dataclass
class Everything:
    """All that the splits of an input gave, in order."""

    rows: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    unreadable: list[Unreadable]
    read: int
    splits: int

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.rows]

    @property
    def rejections(self) -> list[tuple[str | None, str, str | None]]:
        return [(row["key"], row["reason"], row["detail"]) for row in self.rejected]

    @property
    def broken(self) -> list[tuple[int, int | None, str, bytes]]:
        return [(piece.offset, piece.line, piece.reason, piece.raw) for piece in self.unreadable]


def read_everything(config: InputConfig, split_bytes: int = 64 << 20) -> Everything:
    found = Everything([], [], [], 0, 0)
    for split in plan([config], split_bytes):
        found.splits += 1
        for batch in read(split, config):
            assert batch.records.schema == RAW_SCHEMA
            assert batch.rejected.schema == READ_REJECTED_SCHEMA
            batch.records.validate(full=True)
            found.rows += batch.records.to_pylist()
            found.rejected += batch.rejected.to_pylist()
            found.unreadable += batch.unreadable
            found.read += batch.read
    # What was read is counted apart from where it went; no input may lose or invent a record.
    assert found.read == len(found.rows) + len(found.rejected) + len(found.unreadable)
    return found


@pytest.fixture
def everything() -> Callable[..., Everything]:
    return read_everything
