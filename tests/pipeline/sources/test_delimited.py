from __future__ import annotations

import csv
import gzip
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import InputError
from pipeline.sources import InputConfig, Split, plan, read


def config(tmp_path: Path, data: bytes, name: str = "a.csv", **more: Any) -> InputConfig:
    file = tmp_path / name
    file.write_bytes(data)
    return InputConfig(path=str(file), **more)


def test_quoted_line_breaks_and_broken_rows(tmp_path: Path, everything: Callable[..., Any]) -> None:
    data = (
        b"\xef\xbb\xbfid,text,lang,extra\r\n"
        b'1,"one, with a comma",en,\r\n'
        b'2,"two\r\nlines",,x\r\n'
        b"\r\n"
        b"3,too few\r\n"
        b"4,too,many,fields,here\r\n"
        b"5,bad \xff byte,en,\r\n"
        b"6,,en,\r\n"
        b'7,"with ""quotes"" and a \x00 byte",sw,\r\n'
        b"8,last,en,"
    )
    found = everything(config(tmp_path, data))
    assert [(row["key"], row["text"], row["declared_lang"], row["meta"], row["offset"]) for row in found.rows] == [
        ("1", "one, with a comma", "en", None, data.index(b"1,")),
        ("2", "two\r\nlines", None, '{"extra":"x"}', data.index(b"2,")),
        ("7", 'with "quotes" and a \x00 byte', "sw", None, data.index(b"7,")),
        ("8", "last", "en", None, data.index(b"8,")),
    ]
    assert found.rejections == [("6", "empty_text", None)]
    assert [(piece.line, piece.reason, piece.detail) for piece in found.unreadable] == [
        (5, "blank_line", None),
        (6, "wrong_field_count", "2 fields, the header has 4"),
        (7, "wrong_field_count", "5 fields, the header has 4"),
        (8, "invalid_utf8", "line 8: byte 0xff at 6: invalid start byte"),
    ]
    assert found.read == 9


def test_a_stray_quote_costs_its_own_row_only(tmp_path: Path, everything: Callable[..., Any]) -> None:
    data = b'id,text\n1,one\n2,"never closed\n3,three\n4,"fo""ur"\n5,five\n'
    found = everything(config(tmp_path, data))
    assert [row["key"] for row in found.rows] == ["1", "3", "4", "5"]
    assert [(piece.line, piece.reason, piece.raw) for piece in found.unreadable] == [
        (3, "invalid_csv", b'2,"never closed')
    ]


def test_a_stray_quote_closed_by_the_next_quoted_field(tmp_path: Path, everything: Callable[..., Any]) -> None:
    data = b'id,text\n1,"never closed\n2,two\n3,"three",\n4,"four"\n'
    found = everything(config(tmp_path, data))
    assert [row["key"] for row in found.rows] == ["2", "4"]
    assert [(piece.line, piece.raw) for piece in found.unreadable] == [(2, b'1,"never closed'), (4, b'3,"three",')]


def test_a_row_over_the_limit_gives_up_its_first_line(tmp_path: Path, everything: Callable[..., Any]) -> None:
    data = b'id,text\n1,"open\n' + b"2,filler\n" * 400 + b"3,last\n"
    found = everything(config(tmp_path, data, max_document_bytes=1024))
    assert found.read == 402
    assert [row["key"] for row in found.rows] == ["2"] * 400 + ["3"]
    assert [(piece.line, piece.reason) for piece in found.unreadable] == [(2, "invalid_csv")]


@pytest.mark.parametrize("batch_bytes", [16, 1 << 20])
def test_a_line_over_the_limit(tmp_path: Path, everything: Callable[..., Any], batch_bytes: int) -> None:
    data = b"id,text\n1,one\n2," + b"x" * 5000 + b"\n3,three\n"
    found = everything(config(tmp_path, data, max_document_bytes=1024, batch_bytes=batch_bytes))
    assert [row["key"] for row in found.rows] == ["1", "3"]
    assert [piece.line for piece in found.unreadable] == [3]


def test_rereading_is_bounded(tmp_path: Path, everything: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    # Every line closes the quote of the one before and opens another: without a bound each line is read as
    # often as there are lines before it.
    monkeypatch.setattr("pipeline.sources.delimited._REREAD_FREE", 0)
    data = b"id,text\n" + b'x","\n' * 20_000
    started = time.process_time()
    found = everything(config(tmp_path, data))
    assert time.process_time() - started < 10
    assert found.rows == []
    assert b"\n".join(piece.raw for piece in found.unreadable) == data[8:-1]


def test_damage_ends_the_file_and_keeps_the_rows_before(tmp_path: Path, everything: Callable[..., Any]) -> None:
    data = b"id,text\n" + b"".join(b'%d,"row\nnumber %d"\n' % (n, n * n) for n in range(4000))
    whole = gzip.compress(data)
    found = everything(config(tmp_path, whole[: len(whole) // 2], "a.csv.gz"))
    assert 500 < len(found.rows) < 4000
    assert [row["key"] for row in found.rows] == [str(n) for n in range(len(found.rows))]
    assert [piece.reason for piece in found.unreadable] == ["corrupt_file"]


def test_tsv_has_no_quotes_unless_asked_for(tmp_path: Path, everything: Callable[..., Any]) -> None:
    data = b'id\ttext\n1\the said "no\n2\t"quoted"\n'
    assert everything(config(tmp_path, data, "a.tsv")).texts == ['he said "no', '"quoted"']
    assert everything(config(tmp_path, data[:11] + b'2\t"quoted"\n', "b.tsv", quote='"')).texts == []
    assert everything(config(tmp_path, b'id\ttext\n2\t"quoted"\n', "c.tsv", quote='"')).texts == ["quoted"]


def test_other_delimiters_and_files_without_a_header(tmp_path: Path, everything: Callable[..., Any]) -> None:
    found = everything(config(tmp_path, b"swh;habari\n;bila\n", delimiter=";", columns=("lang", "text")))
    assert [(row["declared_lang"], row["text"], row["offset"]) for row in found.rows] == [
        ("swh", "habari", 0),
        (None, "bila", 11),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"id,text,text\n1,a,b\n", "has several columns 'text'"),
        (b'id,"text\n1,a\n', "the header of .* cannot be read: invalid_csv, a quote is never closed"),
        (b"id,body\n1,a\n", r"has a field 'text'; it has: id, body\. .*fields: \{text: body\}"),
    ],
)
def test_a_wrong_header_is_said_before_any_work(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan([config(tmp_path, data)])


def test_an_empty_file_and_one_of_a_header_only(tmp_path: Path, everything: Callable[..., Any]) -> None:
    assert everything(config(tmp_path, b"")).read == 0
    assert everything(config(tmp_path, b"id,text\n")).read == 0


@given(
    st.lists(
        st.tuples(st.text(max_size=20), st.text(max_size=10)).filter(
            lambda row: not any("\ud800" <= c <= "\udfff" or c == "\r" for field in row for c in field)
        ),
        max_size=12,
    ),
    st.integers(1, 64),
)
@settings(max_examples=100, deadline=None)
def test_property_whatever_csv_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "url"), *rows])
    file = tmp_path_factory.getbasetemp() / "property.csv"
    file.write_bytes(text.getvalue().encode())
    batches = list(read(Split(0, "s", str(file), "csv"), InputConfig(path=str(file), batch_bytes=size)))
    found = [row for batch in batches for row in (*batch.records.to_pylist(), *batch.rejected.to_pylist())]
    assert sum(batch.read for batch in batches) == len(rows)
    assert sorted((row["text"], row["url"] or "") for row in found) == sorted(rows)
