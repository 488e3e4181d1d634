"""CSV and TSV, with quoted line breaks. A broken row costs that row only.

A quote that is never closed would swallow all rows up to the next quote. So a row that spans several lines
and turns out wrong gives up its first line only; the others are read again as rows of their own.
"""

from __future__ import annotations

import csv
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from pipeline.sources.batch import BatchBuilder, SourceBatch
from pipeline.sources.config import InputConfig
from pipeline.sources.fields import Mapper
from pipeline.sources.files import UnusableFileError, open_stream
from pipeline.sources.lines import KEPT_OF_LONG, Block, blocks
from pipeline.sources.split import Split

# Rereading lines after a wrong row is paid for by lines read: without a bound a file made for the purpose
# would be read as often as it has lines.
_REREAD_FACTOR: Final = 4
_REREAD_FREE: Final = 64 << 20


@dataclass(frozen=True)
class _Line:
    offset: int
    number: int
    data: bytes


class _TooLongError(Exception):
    """A row has grown over the limit."""


class _FaultError(Exception):
    """Something that is no line came up in a row."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block


class _Feed:
    """Hands lines to the parser and remembers those of the row in hand."""

    def __init__(self, stream: BinaryIO, config: InputConfig) -> None:
        self.consumed = 0
        self.taken: list[_Line] = []
        self.ended = False
        self.problem: str | None = None
        """What is wrong with the encoding of the row in hand."""
        self._taken_bytes = 0
        self._limit = config.max_document_bytes
        self._pushed: deque[_Line] = deque()
        self._lines = self._read(blocks(stream, size=config.batch_bytes, limit=self._limit))

    def _read(self, source: Iterator[Block]) -> Iterator[_Line | Block]:
        for block in source:
            if block.fault is not None:
                yield block
                continue
            offset = block.offset
            for number, data in enumerate(block.data.split(b"\n"), block.line + 1):
                self.consumed += len(data) + 1
                yield _Line(offset, number, data)
                offset += len(data) + 1

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self._pushed:
            line = self._pushed.popleft()
        else:
            item = next(self._lines, None)
            if item is None:
                self.ended = True
                raise StopIteration
            if isinstance(item, Block):
                raise _FaultError(item)
            line = item
        self.taken.append(line)
        self._taken_bytes += len(line.data) + 1
        if self._taken_bytes > self._limit:
            raise _TooLongError
        try:
            return line.data.decode() + "\n"
        except UnicodeDecodeError as error:
            self.problem = f"line {line.number}: byte 0x{line.data[error.start]:02x} at {error.start}: {error.reason}"
            return line.data.decode(errors="replace") + "\n"

    def start_row(self) -> None:
        """Forget the lines of the last row."""
        self.taken, self._taken_bytes = [], 0
        self.ended, self.problem = False, None

    def push_back(self) -> int:
        """Give back all lines of the row but its first; how many bytes that is."""
        rest = self.taken[1:]
        self._pushed.extendleft(reversed(rest))
        return sum(len(line.data) + 1 for line in rest)


def read(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The records of a file."""
    mapper = Mapper(config)
    builder = BatchBuilder(split.file)
    with open_stream(split.file, split.compression) as stream:
        rows = _Rows(_Feed(stream, config), split.format, config)
        names = header(split.file, rows, config)
        text = config.fields.text
        for row in rows:
            builder.read += 1
            first = row.lines[0]
            if row.fields is not None:
                # CSV cannot say null: an empty field is an absent one.
                record = {name: value for name, value in zip(names, row.fields, strict=True) if value or name == text}
                mapper.add(builder, record, first.offset)
            else:
                raw = b"\n".join(line.data for line in row.lines)
                if row.reason == "line_too_long":
                    raw = raw[:KEPT_OF_LONG]
                builder.spoil(first.offset, first.number, row.reason, row.detail, raw)
            if builder.size >= config.batch_bytes:
                yield builder.build()
    if builder.read:
        yield builder.build()


@dataclass(frozen=True)
class _Row:
    lines: list[_Line]
    fields: list[str] | None
    reason: str = ""
    detail: str | None = None


class _Rows:
    """Rows of a file, sound and broken; the number of fields is checked once ``width`` is known."""

    def __init__(self, feed: _Feed, format: str, config: InputConfig) -> None:
        delimiter = config.delimiter or ("\t" if format == "tsv" else ",")
        quote = config.quote if config.quote is not None else ("" if format == "tsv" else '"')
        # The limit of the csv module is one for the process. Rows are bounded by the feed, fields thereby.
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        self.width: int | None = None
        self._feed = feed
        # Not strict, the parser would take `"a"b` for one field, and with it all rows within the quotes.
        self._reader = (
            csv.reader(feed, delimiter=delimiter, quotechar=quote, strict=True)
            if quote
            else csv.reader(feed, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        )
        self._reread = 0

    def __iter__(self) -> Iterator[_Row]:
        feed = self._feed
        while True:
            feed.start_row()
            fields: list[str] | None = None
            reason, detail = "invalid_csv", None
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except _FaultError as fault:
                yield _faulty(feed.taken, fault.block)
                continue
            except csv.Error as error:
                detail = str(error)
            except _TooLongError:
                detail = "a quote is not closed within the largest document allowed"
            if feed.ended:
                detail = "a quote is never closed"
            if fields is not None:
                problem = self._check(fields)
                if problem is None:
                    yield _Row(feed.taken, fields)
                    continue
                reason, detail = problem
            if len(feed.taken) > 1 and self._reread < _REREAD_FREE + _REREAD_FACTOR * feed.consumed:
                self._reread += feed.push_back()
                yield _Row(feed.taken[:1], None, reason, detail)
            else:
                yield _Row(feed.taken, None, reason, detail)

    def _check(self, fields: list[str]) -> tuple[str, str | None] | None:
        if not fields or (len(fields) == 1 and not fields[0].strip() and self.width != 1):
            return "blank_line", None
        if self._feed.problem is not None:
            return "invalid_utf8", self._feed.problem
        if self.width is not None and len(fields) != self.width:
            return "wrong_field_count", f"{len(fields)} fields, the header has {self.width}"
        return None


def header(file: str, rows: _Rows, config: InputConfig) -> tuple[str, ...]:
    """The column names: those of the recipe, or the file's first line that is not blank.

    Raises:
        UnusableFileError: the header cannot be read or names a column twice.
    """
    names = config.columns
    if names is None:
        row = next((row for row in rows if row.reason != "blank_line"), None)
        if row is None:
            return ()
        if row.fields is None:
            raise UnusableFileError(
                f"the header of {file} cannot be read: {row.reason}, {row.detail}",
                "Correct the file, or set `delimiter`, `quote` or `columns` of the input",
            )
        names = tuple(name.strip() for name in row.fields)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnusableFileError(f"{file} has several columns '{twice[0]}'", "Rename one of them")
    rows.width = len(names)
    return names


def column_names(file: str, stream: BinaryIO, format: str, config: InputConfig) -> tuple[str, ...]:
    """The column names of an open file; see ``header``."""
    return header(file, _Rows(_Feed(stream, config), format, config), config)


def _faulty(lines: list[_Line], fault: Block) -> _Row:
    assert fault.fault is not None
    reason, detail = fault.fault
    lines = [*lines, _Line(fault.offset, fault.line + 1, fault.data)]
    return _Row(lines, None, reason, detail)
