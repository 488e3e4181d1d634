from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from corpus.boilerplate import REMOVED_SCHEMA, removed_lines
from corpus.ledger import Ledger
from corpus.manifest import ShardFile, Snapshot
from corpus.shards import ShardWriter


def write(root: Path, name: str, rows: list[tuple[str, str, int]]) -> ShardFile:
    names = REMOVED_SCHEMA.names
    batch = pa.RecordBatch.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=REMOVED_SCHEMA)
    (root / "boilerplate").mkdir(exist_ok=True)
    with ShardWriter(root / name, REMOVED_SCHEMA) as writer:
        writer.write(batch)
    return ShardFile(path=name, kind="boilerplate")


def snapshot(files: list[ShardFile]) -> Snapshot:
    return Snapshot(
        number=1,
        made_by="prepare",
        languages={},
        mixtures={},
        mixture="unimax",
        ledger=Ledger(read=0, kept={}, rejected={}, unreadable={}),
        files=files,
    )


def test_lines_of_one_run_and_of_one_site(tmp_path: Path) -> None:
    one = write(tmp_path, "boilerplate/000001.arrow", [("b.example", "Home", 9), ("a.example", "Home", 3)])
    keys = ShardFile(path="boilerplate/000001-keys.arrow", kind="boilerplate")
    state = snapshot([one, keys])
    assert [row["site"] for row in removed_lines(str(tmp_path), state).to_pylist()] == ["b.example", "a.example"]
    assert removed_lines(str(tmp_path), state, "a.example").to_pylist() == [
        {"site": "a.example", "line": "Home", "count": 3}
    ]
    assert removed_lines(str(tmp_path), snapshot([])).num_rows == 0


def test_lines_of_several_runs_add_up(tmp_path: Path) -> None:
    one = write(tmp_path, "boilerplate/000001.arrow", [("b.example", "Home", 9), ("a.example", "Home", 3)])
    two = write(tmp_path, "boilerplate/000002.arrow", [("a.example", "Home", 8), ("a.example", "About", 1)])
    assert removed_lines(str(tmp_path), snapshot([one, two])).to_pylist() == [
        {"site": "a.example", "line": "Home", "count": 11},
        {"site": "b.example", "line": "Home", "count": 9},
        {"site": "a.example", "line": "About", "count": 1},
    ]
