from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from corpus.errors import InputError
from pipeline.parallel.config import ParallelInput, ParallelSide
from pipeline.parallel.read import Broken, Record, Side, find_files, read_records


def _read(path: Path, **settings: object) -> list[Record | Broken]:
    (file,) = find_files((ParallelInput(path=str(path), **settings),))  # type: ignore[arg-type]
    return list(read_records(file))


def test_json_lines_that_map_languages_to_sentences(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl.gz"
    lines = [
        json.dumps({"id": 7, "doc": "d1", "split": "test", "text": {"en": "A cat.", "sw": "Paka.", "de": "Katze."}}),
        '{"text": {"en": "cut of',
        "",
        json.dumps({"text": {"en": "alone"}}),
        json.dumps({"text": {"en": "A dog.", "sw": None}}),
        json.dumps({"text": "A dog."}),
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = _read(path)
    assert found[0] == Record(1, "7", "d1", "test", (Side("en", "A cat."), Side("sw", "Paka."), Side("de", "Katze.")))
    assert [(item.line, item.reason, item.detail) for item in found[1:] if isinstance(item, Broken)] == [
        (2, "truncated_json", "Unterminated string starting at at character 16 of the line"),
        (3, "blank_line", None),
        (4, "no_sentences", "1 sentences"),
        (5, "no_sentences", "sw has no text"),
        (6, "no_sentences", "field 'text' maps no languages to sentences"),
    ]


def test_json_lines_with_a_field_for_each_side(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"src": "Hi", "src_lang": "en", "tgt": "Salut"}\n{"src": "Hi", "tgt": "Salut"}\n', "utf-8")
    sides = (ParallelSide(text="src", lang="src_lang"), ParallelSide(text="tgt", language="fra_Latn"))
    assert _read(path, sides=sides) == [
        Record(1, None, None, None, (Side("en", "Hi"), Side("fra_Latn", "Salut"))),
        Broken(2, "no_sentences", "field 'src_lang' holds no language", '{"src": "Hi", "tgt": "Salut"}'),
    ]


def test_a_table_whose_columns_are_languages(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_bytes('id\teng_Latn\tnote\tsw\r\n1\tA "cat".\tx\tPaka.\r\n2\tA dog.\n3\t\xff\tx\ty\n'.encode("latin-1"))
    assert _read(path) == [
        Record(2, "1", None, None, (Side("eng_Latn", 'A "cat".'), Side("sw", "Paka."))),
        Broken(3, "wrong_field_count", "2 fields, the header has 4", "2\tA dog."),
        Broken(4, "invalid_utf8", "byte 0xff at 2 of the line: invalid start byte", "3\t\ufffd\tx\ty"),
    ]


def test_a_table_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("A cat.\tPaka.\n", "utf-8")
    sides = (ParallelSide(text="a", language="en"), ParallelSide(text="b", language="sw"))
    assert _read(path, columns=("a", "b"), sides=sides) == [
        Record(1, None, None, None, (Side("en", "A cat."), Side("sw", "Paka.")))
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pairs.tsv", "source\ttarget\na\tb\n", r"no two columns named by languages; it has: source, target"),
        ("pairs.csv", "a,b\n", r"neither JSON lines nor TSV"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=message):
        _read(path)


def test_a_file_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("eng_Latn\tswh_Latn\n", "utf-8")
    entry = ParallelInput(path=str(path))
    with pytest.raises(InputError, match="listed twice"):
        find_files((entry, entry))
