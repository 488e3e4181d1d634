from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from pipeline.sources import InputConfig

DATA = "\ufeffErste Zeile\r\nzweite Zeile\n \n\nنص عربي\n".encode() + b"bad \xff line\nlast"


def config(tmp_path: Path, data: bytes, document: Literal["line", "paragraph", "file"], **more: Any) -> InputConfig:
    file = tmp_path / "a.txt"
    file.write_bytes(data)
    return InputConfig(path=str(file), document=document, **more)


def test_lines(tmp_path: Path, everything: Callable[..., Any]) -> None:
    found = everything(config(tmp_path, DATA, "line", lang="deu_Latn"))
    assert found.read == 7
    assert [(row["text"], row["offset"], row["declared_lang"]) for row in found.rows] == [
        ("Erste Zeile", 3, "deu_Latn"),
        ("zweite Zeile", 16, "deu_Latn"),
        ("نص عربي", 32, "deu_Latn"),
        ("last", len(DATA) - 4, "deu_Latn"),
    ]
    assert found.broken == [
        (29, 3, "blank_line", b" "),
        (31, 4, "blank_line", b""),
        (DATA.index(b"bad"), 6, "invalid_utf8", b"bad \xff line"),
    ]


@pytest.mark.parametrize("split_bytes", [1, 5, 16, 33])
def test_lines_of_any_cut(tmp_path: Path, everything: Callable[..., Any], split_bytes: int) -> None:
    asked = config(tmp_path, DATA, "line")
    whole, cut = everything(asked), everything(asked, split_bytes)
    assert (cut.rows, cut.unreadable, cut.read) == (whole.rows, whole.unreadable, whole.read)


@pytest.mark.parametrize("batch_bytes", [1, 8, 1 << 20])
def test_paragraphs(tmp_path: Path, everything: Callable[..., Any], batch_bytes: int) -> None:
    found = everything(
        config(tmp_path, DATA + b"\n\n\nnew one\r\nof two\r\n\r\n", "paragraph", batch_bytes=batch_bytes)
    )
    assert [(row["text"], row["offset"]) for row in found.rows] == [
        ("Erste Zeile\nzweite Zeile", 3),
        ("new one\nof two", len(DATA) + 3),
    ]
    assert [(piece.offset, piece.line, piece.reason) for piece in found.unreadable] == [(32, 5, "invalid_utf8")]
    assert found.unreadable[0].raw == DATA[32:]


@pytest.mark.parametrize("batch_bytes", [1, 1 << 20])
def test_a_paragraph_over_the_limit(tmp_path: Path, everything: Callable[..., Any], batch_bytes: int) -> None:
    data = b"first\n\n" + b"word " * 100 + b"\n" + b"more\n" * 200 + b"\nlast\n\n" + b"x" * 2000 + b"\nend\n"
    found = everything(config(tmp_path, data, "paragraph", max_document_bytes=1024, batch_bytes=batch_bytes))
    assert found.texts == ["first", "last"]
    assert [(piece.offset, piece.line, piece.reason) for piece in found.unreadable] == [
        (7, 3, "document_too_long"),
        (data.index(b"xxx"), 207, "document_too_long"),
    ]


def test_a_paragraph_cut_short_by_damage(tmp_path: Path, everything: Callable[..., Any]) -> None:
    data = b"".join(b"paragraph %d\nsecond line %d\n\n" % (n, n * n) for n in range(3000))
    whole = gzip.compress(data)
    file = tmp_path / "a.txt.gz"
    file.write_bytes(whole[: len(whole) // 2])
    found = everything(InputConfig(path=str(file), document="paragraph"))
    assert 500 < len(found.rows) < 3000
    (rest,) = found.unreadable
    assert rest.reason == "corrupt_file"
    assert data[rest.offset :].startswith(rest.raw)


def test_files(tmp_path: Path, everything: Callable[..., Any]) -> None:
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfone\r\n\r\ntwo\n")
    (tmp_path / "a.txt").write_bytes(b"\xff\xff\xff")
    (tmp_path / "c.txt").write_bytes(b" \n ")
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"four"))
    (tmp_path / "e.txt.gz").write_bytes(gzip.compress(b"five" * 1000)[:-9])
    (tmp_path / "f.txt").write_bytes(b"x" * 5000)
    found = everything(InputConfig(path=str(tmp_path / "*"), document="file", max_document_bytes=4096))
    assert found.read == 6
    assert found.texts == ["one\n\ntwo\n", "four"]
    assert [row["reason"] for row in found.rejected] == ["empty_text"]
    assert [(Path(piece.file).name, piece.reason) for piece in found.unreadable] == [
        ("a.txt", "invalid_utf8"),
        ("e.txt.gz", "corrupt_file"),
        ("f.txt", "document_too_long"),
    ]
