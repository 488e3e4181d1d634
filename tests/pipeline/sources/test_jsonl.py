from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources import InputConfig, Split, read
from pipeline.sources.jsonl import examine


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "blank_line"),
        (b" \t\r", "blank_line"),
        (b'{"id": "a", "text": "b', "truncated_json"),
        (b'{"id": "a", "text": "b"', "truncated_json"),
        (b'{"id": "a", "text":', "truncated_json"),
        (b'{"id": "a", "te', "truncated_json"),
        (b'{"id": "a",', "truncated_json"),
        (b'{"id', "truncated_json"),
        (b"{", "truncated_json"),
        (b'{"text": "a\\', "truncated_json"),
        (b'{"text": "a\\u00', "truncated_json"),
        (b'{"id": "a", "n": tr', "truncated_json"),
        (b'{"id": "a", "n": 1.', "truncated_json"),
        (b'{"id": "a", "n": -', "truncated_json"),
        (b'{"id": "a", "n": [1, {"x": nul', "truncated_json"),
        (b'{"text": "half a character \xe2\x80', "truncated_json"),
        (b'{"text": "a"}\xe2\x80', "invalid_utf8"),
        (b'{"text": "bad \xff byte"}', "invalid_utf8"),
        (b'{"text": "overlong \xc3("}', "invalid_utf8"),
        (b"\x00\xff\x00", "invalid_utf8"),
        (b'{"id": }', "not_a_record"),
        (b'{id: "a"}', "not_a_record"),
        (b"{}", "not_a_record"),
        (b'"just a string"', "not_a_record"),
        (b"[1, 2]", "not_a_record"),
        (b"42", "not_a_record"),
        (b"null", "not_a_record"),
        (b"CHAPTER IX Bertha made her way home", "not_a_record"),
        (b'"a string that stops', "not_a_record"),
        (b'{"text": "he said "no" to it"}', "invalid_json"),
        (b'{"id": "a", "text": "he said "no" to it"}', "invalid_json"),
        (b'{"id": "a"} {"id": "b"}', "invalid_json"),
        (b'{"id": "a", text: "b"}', "invalid_json"),
        (b'{"id": "a", "text": "a\tb"}', "invalid_json"),
        (b'{"id": "a", "text": "\\x41"}', "invalid_json"),
        (b'{"text": "\\ud83d end"}', "lone_surrogate"),
        (b'{"text": "x", "meta": {"a": ["\\udc00"]}}', "lone_surrogate"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid_json"),
    ],
)
def test_each_broken_line_has_one_reason(line: bytes, reason: str) -> None:
    record, found, _ = examine(line)
    assert record is None
    assert found == reason


def test_what_python_writes_is_read_though_strict_json_lacks_it() -> None:
    assert examine(b'{"text": "x", "score": Infinity}') == ({"text": "x", "score": float("inf")}, "", None)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers() | st.none(), min_size=1), st.data())
@settings(max_examples=150, deadline=None)
def test_a_record_cut_off_anywhere_is_truncated(record: dict[str, Any], data: st.DataObject) -> None:
    line = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    cut = line[: data.draw(st.integers(1, len(line) - 1))]
    assert examine(cut)[1] == "truncated_json"


LINES = [
    b'{"id": "1", "text": "one"}',
    b"",
    b'{"id": "2", "text": "tw',
    b'{"id": "3", "text": "three", "lang": "eng", "n": [1, 2]}\r',
    b'{"id": "4"}',
    b'{"id": "5", "text": "bad \xff"}',
    b'{"id": "6", "text": "  "}',
    '{"id": "7", "text": "sœur \u2028 line"}'.encode(),
    b'{"id": "8", "text": 8}',
    b'{"id": "9", "text": "last"}',
]
FILE = b"\xef\xbb\xbf" + b"\n".join(LINES)


def test_every_line_is_somewhere(tmp_path: Path, everything: Callable[..., Any]) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(FILE)
    found = everything(InputConfig(path=str(file)))
    assert found.read == 10
    assert [(row["key"], row["text"], row["declared_lang"], row["meta"], row["offset"]) for row in found.rows] == [
        ("1", "one", None, None, 3),
        ("3", "three", "eng", '{"n":[1,2]}', 55),
        ("7", "sœur \u2028 line", None, None, FILE.index(b'{"id": "7"')),
        ("9", "last", None, None, FILE.index(b'{"id": "9"')),
    ]
    assert found.rejections == [
        ("4", "missing_text", "no field 'text'"),
        ("6", "empty_text", None),
        ("8", "non_string_text", "8"),
    ]
    assert found.broken == [
        (30, 2, "blank_line", b""),
        (31, 3, "truncated_json", LINES[2]),
        (FILE.index(LINES[5]), 6, "invalid_utf8", LINES[5]),
    ]
    assert {row["file"] for row in found.rows} == {str(file)}


@pytest.mark.parametrize("split_bytes", [1, 7, 40, 100, 1000])
@pytest.mark.parametrize("batch_bytes", [1, 64, 1 << 20])
def test_any_split_and_batch_size_gives_the_same(
    tmp_path: Path, everything: Callable[..., Any], split_bytes: int, batch_bytes: int
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(FILE)
    whole = everything(InputConfig(path=str(file)))
    cut = everything(InputConfig(path=str(file), batch_bytes=batch_bytes), split_bytes)
    assert cut == type(whole)(whole.rows, whole.rejected, whole.unreadable, whole.read, cut.splits)
    assert cut.splits == -(-len(FILE) // split_bytes)


line = st.sampled_from(
    [b'{"text": "a"}', b'{"text": "longer \xc3\xa4 text"}\r', b"", b"{", b'{"x": 1}', b'{"text": ""}', b"\xff"]
)


@given(st.lists(line, min_size=1, max_size=30), st.integers(1, 80), st.integers(1, 64), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_property_splits_read_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], step: int, size: int, end: bool, mark: bool
) -> None:
    data = (b"\xef\xbb\xbf" if mark else b"") + b"\n".join(lines) + (b"\n" if end else b"")
    file = tmp_path_factory.getbasetemp() / "property.jsonl"
    file.write_bytes(data)
    config = InputConfig(path=str(file), batch_bytes=size)

    def collect(splits: list[Split]) -> tuple[list[Any], int]:
        found: list[Any] = []
        count = 0
        for split in splits:
            for batch in read(split, config):
                found += batch.records.to_pylist() + batch.rejected.to_pylist() + batch.unreadable
                count += batch.read
        return sorted(map(repr, found)), count

    whole = collect([Split(0, "s", str(file), "jsonl")])
    cut = collect([Split(0, "s", str(file), "jsonl", None, at, at + step) for at in range(0, max(len(data), 1), step)])
    expected = len(lines) - (not end and lines[-1] == b"")
    assert whole == cut
    assert whole[1] == len(whole[0]) == expected


@pytest.mark.parametrize(
    ("extension", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zstandard.ZstdCompressor().compress),
        ("plain", bytes),
    ],
)
def test_compressed_files_read_alike(
    tmp_path: Path, everything: Callable[..., Any], extension: str, compress: Callable[[bytes], bytes]
) -> None:
    half = len(FILE) // 2
    named = tmp_path / ("a.jsonl" if extension == "plain" else f"a.jsonl.{extension}")
    named.write_bytes(compress(FILE[:half]) + compress(FILE[half:]))
    found = everything(InputConfig(path=str(named)), 50)
    assert (found.read, found.texts) == (10, ["one", "three", "sœur \u2028 line", "last"])
    assert [piece.line for piece in found.unreadable] == [2, 3, 6]
    assert found.splits == (1 if extension != "plain" else -(-len(FILE) // 50))


def test_compression_is_recognised_without_its_extension(tmp_path: Path, everything: Callable[..., Any]) -> None:
    file = tmp_path / "download"
    file.write_bytes(gzip.compress(FILE))
    assert everything(InputConfig(path=str(file), format="jsonl")).read == 10


def test_a_compressed_file_cut_short_keeps_its_whole_lines(tmp_path: Path, everything: Callable[..., Any]) -> None:
    records = [orjson.dumps({"id": str(n), "text": f"document {n} {hash(str(n))}"}) for n in range(5000)]
    data = b"\n".join(records) + b"\n"
    whole = gzip.compress(data)
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(whole[: len(whole) * 2 // 3])
    found = everything(InputConfig(path=str(file)))
    assert 2000 < len(found.rows) < 5000
    assert [row["key"] for row in found.rows] == [str(n) for n in range(len(found.rows))]
    (rest,) = found.unreadable
    assert (rest.reason, rest.detail, rest.line) == (
        "corrupt_file",
        "the gzip data ends too early",
        len(found.rows) + 1,
    )
    assert rest.offset == len(b"\n".join(records[: len(found.rows)])) + 1
    assert records[len(found.rows)].startswith(rest.raw)
    assert found.read == len(found.rows) + 1


def test_a_file_that_is_no_gzip_at_all_is_one_unreadable_piece(tmp_path: Path, everything: Callable[..., Any]) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(b"garbage")
    (tmp_path / "b.jsonl").write_bytes(LINES[0])
    found = everything(InputConfig(path=str(tmp_path / "*")))
    assert (found.read, found.texts) == (2, ["one"])
    assert [(piece.reason, piece.line) for piece in found.unreadable] == [("corrupt_file", 1)]


@pytest.mark.parametrize("size", [64, 1 << 20])
def test_a_line_over_the_limit_costs_itself(tmp_path: Path, everything: Callable[..., Any], size: int) -> None:
    long = orjson.dumps({"text": "x" * 200_000})
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\n".join([LINES[0], long, LINES[0], LINES[0]]))
    found = everything(InputConfig(path=str(file), max_document_bytes=1024, batch_bytes=size))
    assert (found.read, found.texts) == (4, ["one"] * 3)
    (piece,) = found.unreadable
    assert (piece.offset, piece.line, piece.reason) == (27, 2, "line_too_long")
    assert piece.detail == "200,011 bytes, the limit is 1,024"
    assert long.startswith(piece.raw)
    assert 64 <= len(piece.raw) <= 64 << 10


def test_an_empty_file_has_no_records(tmp_path: Path, everything: Callable[..., Any]) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert everything(InputConfig(path=str(tmp_path / "a.jsonl"))).read == 0
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b""))
    assert everything(InputConfig(path=str(tmp_path / "b.jsonl.gz"))).read == 0


def test_a_damaged_member_of_a_gzip_file_costs_itself_alone(tmp_path: Path, everything: Callable[..., Any]) -> None:
    def member(first: int) -> bytes:
        records = [{"id": str(n), "text": f"document {n} {hash(str(n))}"} for n in range(first, first + 500)]
        return gzip.compress(b"".join(orjson.dumps(record) + b"\n" for record in records))

    broken = member(500)
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(member(0) + broken[: len(broken) // 2] + member(1000) + member(1500)[:-4000] + member(2000))
    found = everything(InputConfig(path=str(file)))
    keys = [int(row["key"]) for row in found.rows]
    assert {*range(500), *range(1000, 1500), *range(2000, 2500)} <= set(keys)
    assert keys == sorted(set(keys))
    assert [piece.reason for piece in found.unreadable] == ["corrupt_file"] * 2
    assert found.read == len(found.rows) + 2
    assert len({row["offset"] for row in found.rows}) == len(found.rows), "records without a key are told apart by it"
