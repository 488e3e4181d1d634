from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from corpus.errors import ConfigurationError, InputError
from pipeline.sources import InputConfig, plan, read
from pipeline.sources.plan import place_of

RECORD = b'{"text": "x", "id": "1"}\n'


def test_order_and_cuts(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(RECORD * 10)
    (tmp_path / "a.jsonl").write_bytes(RECORD)
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(RECORD * 10))
    (tmp_path / "z.txt").write_bytes(b"text")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    inputs = [
        InputConfig(path=str(tmp_path / "z.txt"), name="z"),
        InputConfig(path=str(tmp_path / "*.jsonl*"), name="j"),
    ]
    splits = plan(inputs, 100)
    assert [(s.input, s.source, Path(s.file).name, s.format, s.compression, s.start, s.end) for s in splits] == [
        (0, "z", "z.txt", "text", None, 0, None),
        (1, "j", "a.jsonl", "jsonl", None, 0, None),
        (1, "j", "b.jsonl", "jsonl", None, 0, 100),
        (1, "j", "b.jsonl", "jsonl", None, 100, 200),
        (1, "j", "b.jsonl", "jsonl", None, 200, 250),
        (1, "j", "c.jsonl.gz", "jsonl", "gzip", 0, None),
    ]
    assert [s.bytes for s in splits[:5]] == [4, 25, 100, 100, 50]
    assert plan(inputs, 100) == splits


def test_paragraphs_and_csv_are_not_cut(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"line\n" * 100)
    (tmp_path / "a.csv").write_bytes(b"text\n" * 100)
    for config in (
        InputConfig(path=str(tmp_path / "a.txt"), document="paragraph"),
        InputConfig(path=str(tmp_path / "a.txt"), document="file"),
        InputConfig(path=str(tmp_path / "a.csv")),
    ):
        assert [(split.start, split.end) for split in plan([config], 10)] == [(0, None)]


@pytest.mark.parametrize(
    ("name", "data", "options", "message"),
    [
        ("a.jsonl", b'{"content": "x", "n": 1}\n', {}, r"a field 'text'; it has: content, n. .*\{text: content\}"),
        ("a.jsonl", b'{"txt": "x"}\n' * 200, {}, r"a field 'text'; it has: txt. .*\{text: txt\}"),
        ("a.jsonl", RECORD, {"fields": {"text": "doc.text"}}, r"a field 'doc.text'; it has: text, id"),
        ("a.jsonl.gz", gzip.compress(b'{"body": "x"}\n', mtime=0), {}, r"it has: body. .*\{text: body\}"),
        ("a.csv", b"text;lang\nx;en\n", {}, r"one column, 'text;lang', and none 'text'. Set .* `delimiter: \";\"`"),
        ("a.json", b'[{"text": "x"}, {"text": "y"}]\n', {}, "is a JSON array"),
        ("a.json", b' [\n{"text": "x"}]', {}, "is a JSON array, not one object a line. Convert it"),
        (
            "a.jsonl",
            b"just text\n" * 30,
            {},
            "is not JSON lines: none of its first lines is an object. Set the `format`",
        ),
        ("a.txt", "x".encode("utf-16"), {}, "is UTF-16. Convert it to UTF-8"),
        (
            "a.data",
            b"x",
            {},
            "cannot tell the format of .*a.data. Set the `format` .*, or narrow its path to a pattern",
        ),
    ],
)
def test_what_is_wrong_with_an_input_is_said_before_any_work(
    tmp_path: Path, name: str, data: bytes, options: dict[str, Any], message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        plan([InputConfig.model_validate({"path": str(tmp_path / name), **options})])


def test_some_odd_files_do_not_stop_the_others(tmp_path: Path, everything: Callable[..., Any]) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"title": "no text"}\n')
    (tmp_path / "b.jsonl").write_bytes(b"rubbish\n" * 30)
    (tmp_path / "c.jsonl").write_bytes(RECORD)
    found = everything(InputConfig(path=str(tmp_path)))
    assert found.texts == ["x"]
    assert [row["reason"] for row in found.rejected] == ["missing_text"]
    assert [piece.reason for piece in found.unreadable] == ["not_a_record"] * 30


def test_one_record_with_the_field_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"n": 1}\n' * 50 + RECORD)
    assert len(plan([InputConfig(path=str(tmp_path / "a.jsonl"))])) == 1


def test_a_list_among_json_lines_is_a_broken_record_not_another_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"[1, 2]\n" + RECORD)
    config = InputConfig(path=str(tmp_path / "a.jsonl"))
    (split,) = plan([config])
    assert [record.reason for batch in read(split, config) for record in batch.unreadable] == ["not_a_record"]


def test_a_file_that_belongs_to_two_inputs(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(RECORD)
    twice = [InputConfig(path=str(tmp_path / "*"), name="s"), InputConfig(path=str(tmp_path / "a.jsonl"), name="s")]
    with pytest.raises(InputError, match="belongs to inputs 1 and 2, both named 's'"):
        plan(twice)
    assert len(plan([twice[0], twice[1].model_copy(update={"name": "t"})])) == 2


@pytest.mark.parametrize(
    ("path", "file", "place"),
    [
        ("data/**/*.jsonl", "data/swa/a.jsonl", "swa/a.jsonl"),
        ("data/part-*/a.jsonl", "data/part-1/a.jsonl", "part-1/a.jsonl"),
        ("/mnt/data/*.jsonl", "/mnt/data/a.jsonl", "a.jsonl"),
        ("./data/", "data/swa/a.jsonl", "swa/a.jsonl"),
        (".", "swa/a.jsonl", "swa/a.jsonl"),
        ("**/*.jsonl", "swa/a.jsonl", "swa/a.jsonl"),
        ("data/swa/a.jsonl", "data/swa/a.jsonl", "a.jsonl"),
        ("s3://bucket/data/*", "s3://bucket/data/a.jsonl", "a.jsonl"),
        ("s3://bucket/*/a.jsonl", "s3://bucket/data/a.jsonl", "data/a.jsonl"),
        ("memory://data/*.jsonl", "memory:///data/a.jsonl", "a.jsonl"),
        ("https://example.org/dumps/a.warc.gz", "https://example.org/dumps/a.warc.gz", "a.warc.gz"),
    ],
)
def test_the_place_of_a_file_does_not_change_when_the_data_moves(path: str, file: str, place: str) -> None:
    assert place_of(path, file) == place


def test_places_tell_the_files_of_a_source_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.jsonl").write_bytes(RECORD)
    pattern = plan([InputConfig(path=str(tmp_path / "*" / "part.jsonl"), name="web")])
    assert [split.place for split in pattern] == ["a/part.jsonl", "b/part.jsonl"]
    inputs = [InputConfig(path=str(tmp_path / folder / "part.jsonl"), name="web") for folder in ("a", "b")]
    assert [split.place for split in plan(inputs)] == [config.path for config in inputs]
    named = [config.model_copy(update={"name": None}) for config in inputs]
    assert [(split.source, split.place) for split in plan(named)] == [("a", "part.jsonl"), ("b", "part.jsonl")]


def test_nothing_to_read_and_senseless_sizes(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there are no inputs"):
        plan([])
    with pytest.raises(ConfigurationError, match="split size is 0 bytes"):
        plan([InputConfig(path=str(tmp_path))], 0)


def test_a_remote_file_is_cut_and_read_alike() -> None:
    lines = [json.dumps({"text": f"text {n}"}) for n in range(100)]
    with fsspec.open("memory://plan-test/a.jsonl", "wb") as file:
        file.write("\n".join(lines).encode())
    config = InputConfig(path="memory://plan-test/*.jsonl")
    splits = plan([config], 100)
    assert len(splits) > 10
    texts = [text for split in splits for batch in read(split, config) for text in batch.records["text"].to_pylist()]
    assert texts == [f"text {n}" for n in range(100)]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("b.jsonl", b"[\n1]", "the file is a JSON array, not one object a line. Convert it"),
        ("b.jsonl", '{"text": "x"}'.encode("utf-16"), "the file is UTF-16. Convert it to UTF-8"),
        ("b.csv", b"text,text\nx,y\n", "the file has several columns 'text'. Rename one"),
        ("b.csv", b"id,te\xffxt\n1,x\n", "the header of the file cannot be read: invalid_utf8"),
        ("b.csv.gz", gzip.compress(b"id,text", mtime=0)[:12], "the header of the file cannot be read: corrupt_file"),
        ("b.parquet.gz", b"x", "the file is compressed as a whole. Decompress it"),
    ],
)
def test_unusable_file_among_others_is_one_unreadable_record(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"UTF-16|JSON array|header|columns|compressed as a whole"):
        plan([InputConfig(path=str(tmp_path / "*"))])
    (tmp_path / "a.jsonl").write_bytes(RECORD)
    config = InputConfig(path=str(tmp_path / "*"))
    good, bad = plan([config])
    assert (good.place, good.problem, bad.place) == ("a.jsonl", None, name)
    assert bad.problem is not None
    assert bad.problem.startswith(problem)
    (batch,) = read(bad, config)
    assert (batch.read, batch.records.num_rows, batch.rejected.num_rows) == (1, 0, 0)
    ((piece),) = batch.unreadable
    assert (piece.reason, piece.detail, piece.raw) == ("corrupt_file", bad.problem, content)


def test_unusable_file_of_another_input_still_stops_the_plan(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(RECORD)
    (tmp_path / "b.jsonl").write_bytes(b"[\n1]")
    with pytest.raises(InputError, match="JSON array"):
        plan([InputConfig(path=str(tmp_path / name)) for name in ("a.jsonl", "b.jsonl")])
