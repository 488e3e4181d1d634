from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.storage import Storage
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.keys import NO_KEYS, load_keys, write_keys
from pipeline.boilerplate.lines import combine, find_lines
from pipeline.boilerplate.select import anywhere
from pipeline.boilerplate.sites import site_keys
from pipeline.boilerplate.stage import REMOVED, BoilerplateStage, without_lines


def keys_of(pairs: list[tuple[str | None, str]]) -> np.ndarray:
    keys = []
    for site, line in pairs:
        line_key = find_lines(pa.array([line])).key
        keys.append(anywhere(line_key) if site is None else combine(site_keys(pa.array([site])), line_key))
    return np.unique(np.concatenate(keys))


def stage(folder: Path, pairs: list[tuple[str | None, str]]) -> BoilerplateStage:
    load_keys.cache_clear()
    write_keys(Storage(str(folder)), "keys.arrow", keys_of(pairs) if pairs else NO_KEYS)
    return BoilerplateStage(BoilerplateConfig(), str(folder), "keys.arrow")


def batch(rows: list[tuple[str | None, str]]) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "text": pa.array([text for _, text in rows], pa.string()),
            "url": pa.array([host and f"https://{host}/page" for host, _ in rows], pa.string()),
            "source": ["s"] * len(rows),
            "repairs": pa.array([None, "nfc", *[None] * (len(rows) - 2)][: len(rows)], pa.string()),
        }
    )


def test_literal_batch(tmp_path: Path) -> None:
    remove = stage(tmp_path, [("a.example", "Home | About"), ("a.example", "***"), (None, "Read more »")])
    outcome = remove(
        batch(
            [
                ("www.a.example", "Home | About\n\nFirst.\n\nSecond.\n Read more » "),
                ("a.example", "First.\nHome | About\nSecond."),
                ("b.example", "Home | About\nOf another site.\nRead more »"),
                (None, "Home | About\nOf no site.\nRead more »"),
                ("a.example", "***\nNo letter in a line: it stays."),
                ("a.example", "Home | About\n\nRead more »"),
                ("a.example", "Nothing to remove."),
                ("a.example", ""),
            ]
        )
    )
    assert outcome.kept.column("text").to_pylist() == [
        "First.\n\nSecond.",
        "First.\nSecond.",
        "Home | About\nOf another site.",
        "Home | About\nOf no site.",
        "***\nNo letter in a line: it stays.",
        "Home | About\n\nRead more »",
        "Nothing to remove.",
        "",
    ]
    assert outcome.kept.column("repairs").to_pylist() == [
        "boilerplate",
        "nfc,boilerplate",
        "boilerplate",
        "boilerplate",
        None,
        None,
        None,
        None,
    ]
    assert outcome.rejected is None
    assert outcome.counters == {
        "boilerplate/bytes": 14 + 15 + 13 + 13 + 13,
        "boilerplate/documents": 4,
        "boilerplate/lines": 5,
        "boilerplate/nothing_else": 1,
    }
    assert outcome.side[REMOVED].to_pylist() == [
        {"site": "", "line": "Read more »", "count": 1},
        {"site": "a.example", "line": "Home | About", "count": 2},
        {"site": "a.example", "line": "Read more »", "count": 1},
        {"site": "b.example", "line": "Read more »", "count": 1},
    ]


def test_nothing_is_known_of_any_site(tmp_path: Path) -> None:
    given = batch([("a.example", "Home"), ("a.example", "Text")])
    outcome = stage(tmp_path, [])(given)
    assert outcome.kept == given
    assert outcome.counters == {}
    assert outcome.side[REMOVED].num_rows == 0


def test_empty_batch_has_the_same_columns(tmp_path: Path) -> None:
    given = batch([("a.example", "Home"), ("a.example", "Text")])
    outcome = stage(tmp_path, [("a.example", "Home")])(given.slice(0, 0))
    assert outcome.kept.schema == given.schema
    assert outcome.counters == {}


@pytest.mark.parametrize(
    ("text", "numbers", "left", "taken"),
    [
        ("a\nb\nc", [1], "a\nc", ["b"]),
        ("a\n\nb\n\nc", [2], "a\n\nc", ["b"]),
        ("a\nb\n\n\nc", [1], "a\n\n\nc", ["b"]),
        ("a\n\nb\n\nb\n\nc", [2, 4], "a\n\nc", ["b", "b"]),
        ("b\n\na", [0], "a", ["b"]),
        ("a\n\n\nb", [3], "a", ["b"]),
        ("  a\n b \n  c", [1], "  a\n  c", ["b"]),
        ("a\n \nc\nb", [3], "a\n\nc", ["b"]),
        ("b", [0], "", ["b"]),
        ("b\n\n", [0], "", ["b"]),
        ("1\n--", [0, 1], "1\n--", []),
        ("二\n一", [1], "二", ["一"]),
    ],
)
def test_blank_lines_around_a_removed_one_close_up(text: str, numbers: list[int], left: str, taken: list[str]) -> None:
    assert without_lines(text, numbers) == (left, taken)
