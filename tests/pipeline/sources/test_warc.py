from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.sources import InputConfig

DATE = {"WARC-Date": "2024-01-02T03:04:05Z"}


def write(records: list[tuple[str, str, bytes, dict[str, str], list[tuple[str, str]] | None, str]]) -> list[bytes]:
    """Each record by itself, as warcio writes it: type, id, content, more headers, HTTP headers, status."""
    written = []
    for kind, key, content, more, http, status in records:
        sink = io.BytesIO()
        writer = WARCWriter(sink, gzip=False)
        headers = StatusAndHeaders(status, http, protocol="HTTP/1.1") if http is not None else None
        record = writer.create_warc_record(
            f"http://site.example/{key}",
            kind,
            payload=io.BytesIO(content),
            warc_headers_dict={"WARC-Record-ID": f"<urn:{key}>", **DATE, **more},
            http_headers=headers,
        )
        writer.write_record(record)
        written.append(sink.getvalue())
    return written


def conversion(key: str, text: str, **more: str) -> tuple[Any, ...]:
    return ("conversion", key, text.encode(), {"Content-Type": "text/plain", **more}, None, "")


def page(key: str, content: bytes, kind: str = "text/html", status: str = "200 OK", **http: str) -> tuple[Any, ...]:
    return ("response", key, content, {}, [("Content-Type", kind), *http.items()], status)


WET = write(
    [
        ("warcinfo", "info", b"software: x\r\n", {"Content-Type": "application/warc-fields"}, None, ""),
        conversion("1", "Habari ya dunia\nleo", **{"WARC-Identified-Content-Language": "swa,eng"}),
        conversion("2", " \n "),
        conversion("3", "WARC/1.0\r\nContent-Length: 5\r\n\r\nnot a record"),
        conversion("4", "the last"),
    ]
)


def store(tmp_path: Path, data: bytes, name: str = "a.warc.wet") -> str:
    (tmp_path / name).write_bytes(data)
    return str(tmp_path / name)


@pytest.mark.parametrize("batch_bytes", [1, 1 << 20])
@pytest.mark.parametrize("name", ["a.warc.wet", "a.warc.wet.gz", "a.wet.zst"])
def test_wet(tmp_path: Path, everything: Callable[..., Any], name: str, batch_bytes: int) -> None:
    packed = {
        "wet": b"".join(WET),
        "gz": b"".join(map(gzip.compress, WET)),
        "zst": b"".join(map(zstandard.ZstdCompressor().compress, WET)),
    }[name.rsplit(".", 1)[1]]
    found = everything(InputConfig(path=store(tmp_path, packed, name), batch_bytes=batch_bytes))
    starts = [sum(map(len, WET[:index])) for index in range(len(WET))]
    assert found.read == 4
    assert [(row["key"], row["text"], row["declared_lang"], row["url"], row["offset"]) for row in found.rows] == [
        ("<urn:1>", "Habari ya dunia\nleo", "swa", "http://site.example/1", starts[1]),
        ("<urn:3>", "WARC/1.0\r\nContent-Length: 5\r\n\r\nnot a record", None, "http://site.example/3", starts[3]),
        ("<urn:4>", "the last", None, "http://site.example/4", starts[4]),
    ]
    assert found.rejections == [("<urn:2>", "empty_text", None)]
    meta = json.loads(found.rows[0]["meta"])
    assert (meta["WARC-Date"], meta["WARC-Identified-Content-Language"]) == (DATE["WARC-Date"], "swa,eng")


def test_pages(tmp_path: Path, everything: Callable[..., Any]) -> None:
    records = write(
        [
            page("html", "<p>naïve</p><script>no</script><p>two</p>".encode()),
            page("latin", b"<p>na\xefve \x96 dash</p>", "text/html; charset=ISO-8859-1"),
            page("meta", b'<meta charset="koi8-r"><p>\xf7\xcf\xca\xce\xc1</p>', "text/html"),
            page("plain", b"a plain text", "text/plain"),
            page("gzip", gzip.compress(b"<p>packed</p>"), **{"Content-Encoding": "gzip"}),
            page("chunked", b"5\r\n<p>ch\r\n5\r\nunk!!\r\n0\r\n\r\n", **{"Transfer-Encoding": "chunked"}),
            page("image", b"\x89PNG", "image/png"),
            page("gone", b"<p>not found</p>", status="404 Not Found"),
            page("bad", b"<p>\xff\xfe</p>"),
            page("hostile", b"<p>\\ud83d \xff</p>", "text/html; charset=unicode_escape"),
            page("unknown", b"<p>\xff</p>", "text/html; charset=klingon"),
            ("request", "r", b"", {}, [("Host", "x")], "GET / HTTP/1.1"),
        ]
    )
    found = everything(InputConfig(path=store(tmp_path, b"".join(records), "a.warc")))
    assert found.read == 11
    assert [(row["key"], row["text"]) for row in found.rows] == [
        ("<urn:html>", "naïve\ntwo"),
        ("<urn:latin>", "naïve – dash"),
        ("<urn:meta>", "Война"),
        ("<urn:plain>", "a plain text"),
        ("<urn:gzip>", "packed"),
        ("<urn:chunked>", "chunk!!"),
    ]
    assert found.rejections == [
        ("<urn:image>", "not_text", "content type image/png"),
        ("<urn:gone>", "http_error", "status 404"),
    ]
    assert [piece.reason for piece in found.unreadable] == ["invalid_utf8"] * 3


def test_a_broken_record_costs_itself(tmp_path: Path, everything: Callable[..., Any]) -> None:
    for damaged, reason in (
        (WET[2].replace(b"Content-Length: 3", b"Content-Length: three"), "invalid_warc"),
        (WET[2].replace(b"Content-Length: 3\r\n", b""), "invalid_warc"),
        (b"rubbish\r\n" * 20_000, "invalid_warc"),
    ):
        assert damaged != WET[2]
        data = b"".join([*WET[:2], damaged, *WET[3:]])
        found = everything(InputConfig(path=store(tmp_path, data)))
        assert [row["key"] for row in found.rows] == ["<urn:1>", "<urn:3>", "<urn:4>"]
        assert [(piece.offset, piece.reason) for piece in found.unreadable] == [(len(WET[0] + WET[1]), reason)]
        assert damaged.startswith(found.unreadable[0].raw)


def test_a_wrong_length_is_survived(tmp_path: Path, everything: Callable[..., Any]) -> None:
    # Too short: what is left over is rubbish before the next record. Too long: the next record is eaten.
    short = WET[1].replace(b"Content-Length: 19", b"Content-Length: 4")
    assert short != WET[1]
    found = everything(InputConfig(path=store(tmp_path, b"".join([WET[0], short, *WET[2:]]))))
    assert [row["text"] for row in found.rows][::2] == ["Haba", "the last"]
    assert [piece.reason for piece in found.unreadable] == ["invalid_warc"]
    assert b"ri ya dunia" in found.unreadable[0].raw


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_cut_short(tmp_path: Path, everything: Callable[..., Any], packed: bool) -> None:
    data = b"".join(WET)[:-10]
    name = "a.warc.wet.gz" if packed else "a.warc.wet"
    found = everything(InputConfig(path=store(tmp_path, gzip.compress(data)[:-12] if packed else data, name)))
    assert [row["key"] for row in found.rows] == ["<urn:1>", "<urn:3>"]
    (rest,) = found.unreadable
    assert (rest.reason, rest.offset) == ("corrupt_file", sum(map(len, WET[:4])))
    assert WET[4].startswith(rest.raw)


def test_a_record_over_the_limit(tmp_path: Path, everything: Callable[..., Any]) -> None:
    big = write([conversion("big", "x" * 300_000)])[0]
    bomb = write([page("bomb", gzip.compress(bytes(50 << 20)), **{"Content-Encoding": "gzip"})])[0]
    found = everything(
        InputConfig(path=store(tmp_path, b"".join([WET[1], big, bomb, WET[4]])), max_document_bytes=100_000)
    )
    assert [row["key"] for row in found.rows] == ["<urn:1>", "<urn:4>"]
    assert [piece.reason for piece in found.unreadable] == ["document_too_long"] * 2
    assert all(len(piece.raw) < 100_000 for piece in found.unreadable)


def test_other_files_are_no_warc(tmp_path: Path, everything: Callable[..., Any]) -> None:
    found = everything(InputConfig(path=store(tmp_path, b'{"text": "x"}\n' * 3)))
    assert (found.rows, [piece.reason for piece in found.unreadable]) == ([], ["invalid_warc"])


def test_a_damaged_record_of_a_compressed_file_costs_itself_alone(
    tmp_path: Path, everything: Callable[..., Any]
) -> None:
    members = [gzip.compress(record) for record in WET]
    members[1] = members[1][:-9]
    members[2] = b"\xff" * 20 + members[2][20:]
    found = everything(InputConfig(path=store(tmp_path, b"".join(members), "a.warc.wet.gz")))
    assert [row["key"] for row in found.rows] == ["<urn:3>", "<urn:4>"]
    assert [(piece.reason, piece.offset) for piece in found.unreadable] == [("corrupt_file", len(WET[0]))]
    assert found.read == 3, "the second member has no beginning any more: it is part of the first one's damage"
