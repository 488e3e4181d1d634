from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from corpus.hashing import stable_hash
from pipeline.reading import ReadTask, read_pieces
from pipeline.sample import UNIT_BYTES, choose, measure, narrowed, sample_input
from pipeline.sources import InputConfig, Split, plan


def lines(count: int) -> bytes:
    rows = ({"id": n, "text": f"{stable_hash(n)} and {stable_hash(-n)} in all; " * (1 + n % 9)} for n in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_every_input_gets_its_share_and_one_range_at_least() -> None:
    large = [Split(0, "large", f"large-{n}", "jsonl", "gzip", bytes=1 << 20, place=f"{n}") for n in range(64)]
    small = [Split(1, "small", "small", "jsonl", "gzip", bytes=10, place="small")]
    chosen = choose([*large, *small], 16 * UNIT_BYTES, 0)
    assert sum(split.input == 0 for split in chosen) == 16
    assert sum(split.input == 1 for split in chosen) == 1
    assert set(chosen.values()) == {UNIT_BYTES}
    assert choose([*large, *small], 16 * UNIT_BYTES, 0) == chosen
    assert choose([*large, *small], 16 * UNIT_BYTES, 1) != chosen


def test_large_file_that_cannot_be_entered_is_read_further() -> None:
    splits = [
        Split(0, "s", name, "jsonl", "gzip", bytes=size, place=name) for name, size in (("a", 7 << 20), ("b", 1 << 20))
    ]
    found = {split.file: limit // UNIT_BYTES for split, limit in choose(splits, 8 * UNIT_BYTES, 0).items()}
    assert found == {"a": 7, "b": 1}


def test_lines_are_entered_anywhere_and_other_formats_are_not() -> None:
    split = Split(0, "s", "f", "jsonl", None, 0, None, bytes=10 * UNIT_BYTES)
    part = narrowed(split, 3 * UNIT_BYTES + 5)
    assert (part.start, part.end, part.bytes) == (3 * UNIT_BYTES, 4 * UNIT_BYTES, UNIT_BYTES)
    for other in (Split(0, "s", "f", "csv", None, bytes=1 << 30), Split(0, "s", "f", "jsonl", "zstd", bytes=1 << 30)):
        assert narrowed(other, 1 << 25) == other


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a.csv"])
def test_records_for_each_byte_on_disk_are_those_of_the_whole(name: str, tmp_path: Path) -> None:
    count = 20_000
    path, content = tmp_path / name, lines(count)
    rows = [json.loads(line) for line in content.splitlines()]
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=4000)
    elif name.endswith(".csv"):
        path.write_text("id,text\n" + "".join(f'{row["id"]},"{row["text"]}"\n' for row in rows))
    else:
        pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
        path.write_bytes(pack(content))
    config = InputConfig(path=str(path))
    splits = plan([config], 1 << 20)
    units = measure(choose(splits, 3 * UNIT_BYTES, 0), [config])
    disk = sum(unit.bytes for unit in units)
    assert 0.02 < disk / path.stat().st_size < 0.9
    found = 0
    for unit in units:
        task = ReadTask("t", "s", unit.split, sample_input(config), batches=unit.batches)
        *_, end = read_pieces(task, 1 << 20)
        found += end.read  # type: ignore[union-attr]
    assert found / disk * path.stat().st_size == pytest.approx(count, rel=0.1)


def test_small_input_is_taken_whole(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_bytes(lines(50))
    config = InputConfig(path=str(tmp_path))
    units = measure(choose(plan([config], 1 << 20), 16 << 20, 0), [config])
    assert sorted(Path(unit.split.file).name for unit in units) == ["0.jsonl", "1.jsonl", "2.jsonl"]
    assert all(unit.batches is None and unit.bytes == unit.split.bytes for unit in units)
