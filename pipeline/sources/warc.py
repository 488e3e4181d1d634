"""WARC and WET files (ISO 28500, https://iipc.github.io/warc-specifications/).

Records are cut out by their declared length here, so that a broken one costs itself alone and every offset is
one of the decompressed file, however the file was compressed; warcio reads what is inside.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

import regex

from pipeline.sources.batch import BatchBuilder, SourceBatch
from pipeline.sources.compression import CorruptStreamError
from pipeline.sources.config import InputConfig
from pipeline.sources.fields import EMPTY_TEXT, has_visible, to_json
from pipeline.sources.files import open_stream
from pipeline.sources.html import declared_charset, visible_text
from pipeline.sources.lines import KEPT_OF_LONG, too_long
from pipeline.sources.split import Split

NOT_TEXT: Final = "not_text"
HTTP_ERROR: Final = "http_error"

_DOCUMENTS: Final = frozenset(("conversion", "response", "resource"))
"""Record types that hold a document; the others (warcinfo, request, metadata, revisit) are not counted."""

_LONGEST_HEAD: Final = 1 << 20
_LENGTH = regex.compile(rb"^content-length:[ \t]*+(\d{1,18})[ \t]*+\r?$", regex.IGNORECASE | regex.MULTILINE)
_TYPE = regex.compile(rb"^warc-type:[ \t]*+(\S++)[ \t]*+\r?$", regex.IGNORECASE | regex.MULTILINE)
# Codecs of Python that no page may ask for: they make lone surrogates or take quadratic time.
_NO_PAGE_ENCODINGS: Final = frozenset(("idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"))
_USED_HEADERS: Final = frozenset(("warc-type", "warc-record-id", "warc-target-uri", "content-length"))


def read(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The documents of a file: converted text of WET files, pages and plain text of WARC files."""
    builder = BatchBuilder(split.file)
    limit = config.max_document_bytes
    with open_stream(split.file, split.compression) as stream:
        reader = _Reader(stream, config.batch_bytes)
        for offset, head, body, problem in _records(reader, limit):
            if problem is not None:
                builder.read += 1
                builder.spoil(offset, None, *problem, head + body)
            elif _type(head) in _DOCUMENTS:
                builder.read += 1
                _add(builder, config, offset, head, body)
            if builder.size >= config.batch_bytes:
                yield builder.build()
    if builder.read:
        yield builder.build()


class _Reader:
    """Lines and blocks of a stream, with the offset of the next byte and whatever precedes a break."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.offset = 0
        self.broken: str | None = None
        """What is wrong with the stream; all that precedes the break can be read before ``resume``."""
        self._stream = stream
        self._size = max(size, 64 << 10)
        self._buffer = b""
        self._at = 0
        self._end = False

    def line(self, limit: int) -> bytes:
        """The next line with its terminator, or ``limit`` bytes of it; b"" at the end."""
        found = self._buffer.find(b"\n", self._at)
        while found < 0 and len(self._buffer) - self._at < limit and self._fill():
            found = self._buffer.find(b"\n", self._at)
        available = len(self._buffer) - self._at if found < 0 else found + 1 - self._at
        return self._take(min(available, limit))

    def block(self, length: int) -> bytes:
        """The next ``length`` bytes, fewer at the end."""
        pieces = []
        while length:
            piece = self._take(min(length, len(self._buffer) - self._at))
            pieces.append(piece)
            length -= len(piece)
            if length and not self._fill():
                break
        return b"".join(pieces)

    def skip(self, length: int) -> int:
        """Pass over bytes without holding them; how many there were."""
        left = length
        while left:
            passed = len(self.block(min(left, self._size)))
            if not passed:
                break
            left -= passed
        return length - left

    def resume(self) -> None:
        """Go on behind the break. Members of a compressed file are records: the next begins there."""
        self.broken, self._end = None, False

    def _take(self, length: int) -> bytes:
        taken = self._buffer[self._at : self._at + length]
        self._at += length
        self.offset += length
        return taken

    def _fill(self) -> bool:
        if self._end:
            return False
        pieces = [self._buffer[self._at :]]
        self._at = 0
        missing = self._size
        while missing:
            try:
                piece = self._stream.read(missing)
            except CorruptStreamError as error:
                self.broken, self._end = str(error), True
                break
            if not piece:
                self._end = True
                break
            pieces.append(piece)
            missing -= len(piece)
        self._buffer = b"".join(pieces)
        return missing < self._size


Piece = tuple[int, bytes, bytes, tuple[str, str | None] | None]
"""Offset, header block, content, and what is wrong with it."""


def _records(reader: _Reader, limit: int) -> Iterator[Piece]:
    line = reader.line(_LONGEST_HEAD)
    while True:
        while line in (b"\r\n", b"\n"):
            line = reader.line(_LONGEST_HEAD)
        offset = reader.offset - len(line)
        if not line:
            if reader.broken is None:
                return
            yield offset, b"", b"", ("corrupt_file", reader.broken)
            reader.resume()
            line = reader.line(_LONGEST_HEAD)
            continue
        head = line
        problem: str | None = None
        if line.startswith(b"WARC/"):
            while line not in (b"\r\n", b"\n"):
                line = reader.line(_LONGEST_HEAD)
                head += line
                if not line or len(head) > _LONGEST_HEAD:
                    problem = "the header block does not end"
                    break
            length = _LENGTH.search(head)
            if problem is None and length is None:
                problem = "the header block has no valid Content-Length"
        else:
            problem = "no record begins here"
        if problem is None and length is not None:
            yield from _content(reader, offset, head, int(length.group(1)), limit)
            line = reader.line(_LONGEST_HEAD)
            continue
        # Nothing says where this ends: pass on to the next line that begins a record.
        kept = bytearray(head[:KEPT_OF_LONG])
        line = reader.line(_LONGEST_HEAD)
        while line and not line.startswith(b"WARC/"):
            kept += line[: max(KEPT_OF_LONG - len(kept), 0)]
            line = reader.line(_LONGEST_HEAD)
        if not line and reader.broken is not None:
            yield offset, bytes(kept), b"", ("corrupt_file", reader.broken)
            reader.resume()
            line = reader.line(_LONGEST_HEAD)
            continue
        yield offset, bytes(kept), b"", ("invalid_warc", problem)


def _content(reader: _Reader, offset: int, head: bytes, length: int, limit: int) -> Iterator[Piece]:
    kept = reader.block(min(length, KEPT_OF_LONG) if length > limit else length)
    got = len(kept) + reader.skip(length - len(kept))
    if got < length:
        reason = reader.broken or f"the record ends after {got:,} of {length:,} bytes"
        if reader.broken is not None:
            reader.resume()
        yield offset, head, kept, ("corrupt_file", reason)
    elif length > limit:
        if _type(head) in _DOCUMENTS:
            yield offset, head, kept, ("document_too_long", too_long(length, limit)[1])
    else:
        yield offset, head, kept, None


def _type(head: bytes) -> str:
    found = _TYPE.search(head)
    return found.group(1).decode("ascii", "replace").lower() if found else ""


def _add(builder: BatchBuilder, config: InputConfig, offset: int, head: bytes, body: bytes) -> None:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed
    from warcio.statusandheaders import StatusAndHeadersParserException

    try:
        record = next(iter(ArchiveIterator(io.BytesIO(head + body + b"\r\n\r\n"))))
        content = record.content_stream().read(config.max_document_bytes + 1)
    except (ArchiveLoadFailed, StatusAndHeadersParserException, StopIteration, ValueError, EOFError) as error:
        builder.spoil(offset, None, "invalid_warc", str(error) or type(error).__name__, head + body)
        return
    if len(content) > config.max_document_bytes:  # compressed within the HTTP message
        fault = too_long(len(content), config.max_document_bytes)[1]
        builder.spoil(offset, None, "document_too_long", fault, (head + body)[:KEPT_OF_LONG])
        return
    headers = record.rec_headers.headers
    by_name = {name.lower(): value for name, value in headers}
    languages = by_name.get("warc-identified-content-language") or ""
    meta = {name: value for name, value in headers if name.lower() not in _USED_HEADERS}
    key, url = by_name.get("warc-record-id"), by_name.get("warc-target-uri")
    # Common Crawl lists the languages it found, the largest share first; all of them stay in meta.
    lang = languages.split(",")[0].strip() or config.lang

    def reject(text: str | None, reason: str, detail: str | None) -> None:
        builder.rejected.append(((key, text, lang, url, to_json(meta), offset), reason, detail))

    kind, charset = _media_type(by_name.get("content-type"))
    is_converted = record.rec_type == "conversion"
    if record.http_headers is not None:
        status = record.http_headers.get_statuscode()
        kind, charset = _media_type(record.http_headers.get_header("content-type"))
        if not status.startswith("2"):
            reject(None, HTTP_ERROR, f"status {status}")
            return
    is_page = kind in ("text/html", "application/xhtml+xml")
    if not is_page and not is_converted and kind != "text/plain":
        reject(None, NOT_TEXT, f"content type {kind or 'unknown'}")
        return
    encoding = charset or (declared_charset(content) if is_page else None)
    text, problem = _decode(content, None if is_converted else encoding)
    if text is None:
        builder.spoil(offset, None, "invalid_utf8", problem, head + body)
        return
    if is_page:
        text = visible_text(text)
    builder.size += len(body)
    if not has_visible(text):
        reject(text, EMPTY_TEXT, None)
        return
    builder.rows.append((key, text, lang, url, to_json(meta), offset))


def _media_type(value: str | None) -> tuple[str, str | None]:
    """Media type and charset of a Content-Type header."""
    kind, _, parameters = (value or "").partition(";")
    charset = next(
        (
            part.partition("=")[2].strip(" \"'")
            for part in parameters.split(";")
            if part.strip().lower().startswith("charset=")
        ),
        None,
    )
    return kind.strip().lower(), charset or None


def _decode(content: bytes, encoding: str | None) -> tuple[str | None, str | None]:
    """The text, in UTF-8 or else the encoding declared for it; else why not."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode(), None
    except UnicodeDecodeError as error:
        problem = f"byte 0x{content[error.start]:02x} at {error.start}: {error.reason}"
    if encoding is None:
        return None, problem
    try:
        # Browsers read ISO 8859-1 as Windows-1252 (https://encoding.spec.whatwg.org), and so do page authors.
        name = codecs.lookup(encoding).name
        if name in _NO_PAGE_ENCODINGS:
            return None, problem
        return content.decode("cp1252" if name in ("iso8859-1", "ascii") else name), None
    except (LookupError, UnicodeError):
        return None, f"{problem}; nor is it {encoding}"
