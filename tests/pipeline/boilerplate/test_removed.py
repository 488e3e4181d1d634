from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.boilerplate import REMOVED_SCHEMA
from pipeline.boilerplate import removed as module
from pipeline.boilerplate.removed import masked, merge_removed
from pipeline.pii.config import PiiConfig


def table(rows: list[tuple[str, str, int]]) -> pa.Table:
    names = REMOVED_SCHEMA.names
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=REMOVED_SCHEMA)


def rows(merged: pa.Table) -> list[tuple[str, str, int]]:
    return [tuple(row.values()) for row in merged.to_pylist()]


def test_counts_add_up_and_the_most_frequent_come_first() -> None:
    merged = merge_removed([table([("a", "x", 1), ("b", "y", 5)]), table([]), table([("a", "x", 4), ("a", "w", 5)])])
    assert rows(merged) == [("a", "w", 5), ("a", "x", 5), ("b", "y", 5)]
    assert merged.schema == REMOVED_SCHEMA
    assert merge_removed([]).num_rows == 0


def test_number_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [table([("a", f"{n}", n + 1) for n in range(start, start + 10)]) for start in range(0, 100, 10)]
    assert rows(merge_removed(many, most=2)) == [("a", "99", 100), ("a", "98", 99)]
    monkeypatch.setattr(module, "_ENOUGH", 15)
    assert rows(merge_removed(many, most=2)) == [("a", "99", 100), ("a", "98", 99)], "also when added up on the way"


def test_personal_data_is_masked_where_it_is_in_documents() -> None:
    given = table([("a.example", "Contact: jane.roe@mail.example.org", 3), ("a.example", "Home", 2)])
    assert masked(given, PiiConfig()).equals(given), "off by default"
    assert rows(masked(given, PiiConfig(enabled=True))) == [
        ("a.example", "Contact: <EMAIL>", 3),
        ("a.example", "Home", 2),
    ]
    assert masked(table([]), PiiConfig(enabled=True)).num_rows == 0
