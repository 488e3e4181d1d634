from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import InputError
from pipeline.sources import InputConfig, plan, read

ROWS = 1000
TABLE = pa.table(
    {
        "id": [f"d{n}" for n in range(ROWS)],
        "text": [f"document number {n} " * 5 for n in range(ROWS)],
        "lang": pa.array(["swh", None] * (ROWS // 2)).dictionary_encode(),
        "meta": [{"score": n / 2, "day": date(2024, 1, 1)} for n in range(ROWS)],
    }
)
BAD_UTF8 = pa.array([b"good", b"bad \xff", b"fine"]).view(pa.string())


def write_arrow(file: Path, table: pa.Table, chunk: int = 100, stream: bool = False, **options: Any) -> None:
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(file), table.schema, options=pa.ipc.IpcWriteOptions(unify_dictionaries=True, **options)) as writer:
        writer.write_table(table, max_chunksize=chunk)


@pytest.fixture(params=["parquet", "file", "file_lz4", "stream"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "parquet":
        pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=100)
        return tmp_path / "a.parquet"
    compression = "lz4" if request.param == "file_lz4" else None
    write_arrow(tmp_path / "a.arrow", TABLE, stream=request.param == "stream", compression=compression)
    return tmp_path / "a.arrow"


@pytest.mark.parametrize("split_bytes", [1, 30_000, 1 << 30])
@pytest.mark.parametrize("batch_bytes", [1, 5_000, 1 << 20])
def test_every_row_once_with_its_number(
    file: Path, everything: Callable[..., Any], split_bytes: int, batch_bytes: int
) -> None:
    found = everything(InputConfig(path=str(file), batch_bytes=batch_bytes), split_bytes)
    assert found.read == ROWS
    assert [row["offset"] for row in found.rows] == list(range(ROWS))
    assert found.texts == TABLE["text"].to_pylist()
    assert [row["key"] for row in found.rows] == TABLE["id"].to_pylist()
    assert found.rows[0]["declared_lang"] == "swh"
    assert found.rows[1]["declared_lang"] is None
    assert json.loads(found.rows[3]["meta"]) == {"meta": {"score": 1.5, "day": "2024-01-01"}}


def test_row_groups_and_record_batches_make_splits(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=100)
    write_arrow(tmp_path / "b.arrow", TABLE)
    write_arrow(tmp_path / "c.arrow", TABLE, stream=True)
    counts = {}
    for split in plan([InputConfig(path=str(tmp_path / "*"))], 40_000):
        counts.setdefault(Path(split.file).name, []).append((split.start, split.end))
    assert counts["c.arrow"] == [(0, None)]
    for name in ("a.parquet", "b.arrow"):
        assert len(counts[name]) > 2
        starts, ends = zip(*counts[name], strict=True)
        assert starts == (0, *ends[:-1])
        assert ends[-1] == 10


def test_nulls_and_other_types(tmp_path: Path, everything: Callable[..., Any]) -> None:
    pq.write_table(pa.table({"text": ["a", None, " "], "id": [1, 2, 3]}), tmp_path / "a.parquet")
    found = everything(InputConfig(path=str(tmp_path / "a.parquet")))
    assert [(row["key"], row["meta"]) for row in found.rows] == [("1", '{"id":1}')]
    assert found.rejections == [("2", "missing_text", "no field 'text'"), ("3", "empty_text", None)]

    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "b.parquet")
    assert everything(InputConfig(path=str(tmp_path / "b.parquet"))).rejections == [
        (None, "non_string_text", "1"),
        (None, "non_string_text", "2"),
    ]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.large_string(), pa.string_view()])
def test_text_of_other_string_types(tmp_path: Path, everything: Callable[..., Any], kind: pa.DataType) -> None:
    column = pa.array(["şu", "da"]).cast(kind)
    write_arrow(tmp_path / "a.arrow", pa.table({"text": column}))
    assert everything(InputConfig(path=str(tmp_path / "a.arrow"))).texts == ["şu", "da"]


@pytest.mark.parametrize("as_type", ["string", "large_string", "binary", "dictionary"])
@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_text_that_is_no_utf8_costs_its_own_row(
    tmp_path: Path, everything: Callable[..., Any], as_type: str, name: str
) -> None:
    column = pa.array([b"good", b"bad \xff", b"fine"])
    if as_type == "large_string":
        column = column.cast(pa.large_binary()).view(pa.large_string())
    elif as_type == "string":
        column = BAD_UTF8
    elif as_type == "dictionary":
        column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int32()), BAD_UTF8)
    table = pa.table({"id": ["a", "b", "c"], "text": column})
    if name == "a.parquet":
        pq.write_table(table, tmp_path / name)
    else:
        write_arrow(tmp_path / name, table)
    found = everything(InputConfig(path=str(tmp_path / name)))
    assert found.texts == ["good", "fine"]
    assert [(piece.offset, piece.reason, piece.raw) for piece in found.unreadable] == [(1, "invalid_utf8", b"bad \xff")]


def test_another_column_that_is_no_utf8_costs_its_row_too(tmp_path: Path, everything: Callable[..., Any]) -> None:
    write_arrow(tmp_path / "a.arrow", pa.table({"text": ["x", "y", "z"], "note": BAD_UTF8}))
    found = everything(InputConfig(path=str(tmp_path / "a.arrow")))
    assert found.texts == ["x", "z"]
    assert [(piece.offset, piece.reason, piece.raw) for piece in found.unreadable] == [(1, "invalid_utf8", b"y")]


def test_a_damaged_row_group_costs_its_own_rows(tmp_path: Path, everything: Callable[..., Any]) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(TABLE, file, row_group_size=100, compression="zstd", use_dictionary=False)
    group = pq.ParquetFile(file).metadata.row_group(4)
    data = bytearray(file.read_bytes())
    start = group.column(1).data_page_offset
    data[start : start + group.column(1).total_compressed_size] = b"\xff" * group.column(1).total_compressed_size
    file.write_bytes(data)
    for split_bytes in (1, 1 << 30):
        found = everything(InputConfig(path=str(file)), split_bytes)
        assert [row["offset"] for row in found.rows] == [*range(400), *range(500, 1000)]
        assert [(piece.offset, piece.reason) for piece in found.unreadable] == [(400, "corrupt_file")]
        assert found.unreadable[0].detail.startswith("row group 4, rows 0 to 100: ")


def test_a_parquet_file_cut_short_is_one_unreadable_piece(tmp_path: Path, everything: Callable[..., Any]) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(TABLE, file)
    file.write_bytes(file.read_bytes()[:-100])
    found = everything(InputConfig(path=str(file)))
    assert (found.read, [piece.reason for piece in found.unreadable]) == (1, ["corrupt_file"])


@pytest.mark.parametrize("stream", [False, True])
def test_an_arrow_file_cut_short_keeps_its_whole_batches(
    tmp_path: Path, everything: Callable[..., Any], stream: bool
) -> None:
    file = tmp_path / "a.arrow"
    write_arrow(file, TABLE, stream=stream)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 2 // 3])
    found = everything(InputConfig(path=str(file)))
    assert [row["offset"] for row in found.rows] == list(range(len(found.rows)))
    assert len(found.rows) in (500, 600, 700)
    assert [(piece.offset, piece.reason) for piece in found.unreadable] == [(len(found.rows), "corrupt_file")]


def test_offsets_out_of_bounds_are_damage_not_a_crash(tmp_path: Path, everything: Callable[..., Any]) -> None:
    file = tmp_path / "a.arrow"
    table = pa.table({"text": pa.array(["first text", "second text", "third text"])})
    write_arrow(file, table)
    data = file.read_bytes()
    offsets = b"".join(n.to_bytes(4, "little") for n in (0, 10, 21, 31))
    assert data.count(offsets) == 1
    file.write_bytes(data.replace(offsets, b"".join(n.to_bytes(4, "little") for n in (0, 2**30, 21, 31))))
    found = everything(InputConfig(path=str(file)))
    assert (found.read, [piece.reason for piece in found.unreadable]) == (1, ["corrupt_file"])


def test_nested_text_and_wrong_names(tmp_path: Path, everything: Callable[..., Any]) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"doc": [{"body": "x", "n": 1}], "k": ["1"]}), file)
    found = everything(InputConfig.model_validate({"path": str(file), "fields": {"text": "doc.body", "id": "k"}}))
    assert [(row["key"], row["text"], row["meta"]) for row in found.rows] == [("1", "x", '{"doc":{"n":1}}')]
    with pytest.raises(InputError, match=r"no record of .*a.parquet has a field 'text'; it has: doc, k"):
        plan([InputConfig(path=str(file))])


def test_columns_of_one_name_and_outer_compression_are_refused(tmp_path: Path) -> None:
    schema = pa.schema([("text", pa.string()), ("text", pa.string())])
    write_arrow(tmp_path / "a.arrow", pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], schema=schema))
    with pytest.raises(InputError, match="several columns 'text'"):
        plan([InputConfig(path=str(tmp_path / "a.arrow"))])
    (tmp_path / "b.parquet.gz").write_bytes(b"")
    with pytest.raises(InputError, match="compressed as a whole"):
        plan([InputConfig(path=str(tmp_path / "b.parquet.gz"))])


def test_files_without_rows(tmp_path: Path, everything: Callable[..., Any]) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "a.parquet")
    write_arrow(tmp_path / "b.arrow", TABLE.slice(0, 0))
    assert everything(InputConfig(path=str(tmp_path / "*"))).read == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_column_name_that_is_no_utf8_is_damage(tmp_path: Path, everything: Callable[..., Any], stream: bool) -> None:
    file = tmp_path / "a.arrow"
    write_arrow(file, pa.table({"text": ["x"], "oddname": ["y"]}), stream=stream)
    file.write_bytes(file.read_bytes().replace(b"oddname", b"odd\x90ame"))
    found = everything(InputConfig(path=str(file)))
    assert (found.read, [piece.reason for piece in found.unreadable]) == (1, ["corrupt_file"])


def test_time_outside_the_calendar_costs_neither_its_row_nor_its_value(tmp_path: Path) -> None:
    table = pa.table(
        {"text": ["one", "two"], "when": pa.array([0, 2**62], pa.timestamp("us")), "raw": [b"\xff", b"\xfe"]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    config = InputConfig(path=str(tmp_path / "a.parquet"))
    (split,) = plan([config], 1 << 20)
    (batch,) = read(split, config)
    assert batch.unreadable == []
    assert batch.records.column("text").to_pylist() == ["one", "two"]
    assert json.loads(batch.records.column("meta").to_pylist()[1])["when"] == 2**62
