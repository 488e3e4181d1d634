"""Lines of a file or of a byte range of it, read in large blocks.

A line belongs to the range in which its first byte lies, so that the ranges of any cut give every line once.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from pipeline.sources.compression import CorruptStreamError
from pipeline.sources.files import open_stream
from pipeline.sources.split import Split

KEPT_OF_LONG: Final = 64 << 10
"""Bytes kept of a line or document that is too long."""

# Counting the lines before a split means reading the file up to there, again for each split with a broken
# line. Beyond this only the byte offset is given.
_MOST_BYTES_COUNTED: Final = 4 << 30


@dataclass(frozen=True)
class Block:
    """Consecutive whole lines, or one piece that is none."""

    offset: int
    """Of the first byte."""
    data: bytes
    """The lines without the last one's terminator; of a fault, its beginning."""
    line: int
    """Lines of the range before this block."""
    count: int
    """Lines that end in this block, by their terminators."""
    fault: tuple[str, str] | None = None
    """Reason and detail, where the block is a piece that cannot be read."""


def blocks(
    stream: BinaryIO, *, start: int = 0, end: int | None = None, size: int = 1 << 20, limit: int = 64 << 20
) -> Iterator[Block]:
    """The lines whose first byte lies in ``start`` to ``end``.

    Args:
        stream: positioned at byte ``max(start - 1, 0)``.
        start: first byte of the range.
        end: byte behind the range; None is the end of the stream.
        size: bytes read at a time; blocks have about this size.
        limit: of a longer line only the beginning is ever held; it becomes a fault ``line_too_long``. Lines
            that fit into one read are not measured.

    Yields:
        Blocks in order. A byte-order mark at the start of the file is left out. Where a damaged stream breaks, the
        line in hand is a fault ``corrupt_file``; the next begins where the stream goes on.
    """
    position = max(start - 1, 0)
    skipping = start > 0  # until the end of the line that belongs to the range before
    held: list[bytes] = []  # the beginning of a line whose end has not been read yet
    held_bytes, held_offset, line = 0, position, 0
    for chunk in _chunks(stream, max(size, len(codecs.BOM_UTF8))):
        if isinstance(chunk, CorruptStreamError):
            yield Block(held_offset, b"".join(held), line, 1, ("corrupt_file", str(chunk)))
            line += 1
            held, held_bytes, held_offset = [], 0, position
            continue
        at = position
        position += len(chunk)
        if start == at == 0 and chunk.startswith(codecs.BOM_UTF8):
            chunk, at = chunk[3:], 3
        if skipping:
            newline = chunk.find(b"\n")
            if newline < 0:
                if end is not None and position >= end:
                    return
                continue
            chunk, at, skipping = chunk[newline + 1 :], at + newline + 1, False
        if not held_bytes:
            held_offset = at
            if start and end is not None and at >= end:
                return
        last = False
        if end is not None and position >= end:
            newline = chunk.find(b"\n", max(end - 1 - at, 0))
            if newline >= 0:
                chunk, last = chunk[: newline + 1], True
        if held_bytes > limit:
            newline = chunk.find(b"\n")
            if newline < 0:
                held_bytes += len(chunk)
                continue
            yield Block(held_offset, b"".join(held), line, 1, too_long(held_bytes + newline, limit))
            line += 1
            chunk, at = chunk[newline + 1 :], at + newline + 1
            held, held_bytes, held_offset = [], 0, at
        newline = chunk.rfind(b"\n")
        if newline >= 0:
            count = chunk.count(b"\n")
            held.append(chunk[:newline])
            yield Block(held_offset, b"".join(held), line, count)
            line += count
            chunk, at = chunk[newline + 1 :], at + newline + 1
            held, held_bytes, held_offset = [], 0, at
        if last:
            return
        if chunk:
            held.append(chunk)
            held_bytes += len(chunk)
            if held_bytes > limit:
                held = [b"".join(held)[:KEPT_OF_LONG]]
    if held_bytes > limit:
        yield Block(held_offset, b"".join(held), line, 1, too_long(held_bytes, limit))
    elif held_bytes:
        yield Block(held_offset, b"".join(held), line, 1)


def _chunks(stream: BinaryIO, size: int) -> Iterator[bytes | CorruptStreamError]:
    """Pieces of exactly ``size`` bytes, but for the last and those before a break; each break in its place."""
    while True:
        pieces: list[bytes] = []
        missing = size
        broken: CorruptStreamError | None = None
        while missing:
            try:
                piece = stream.read(missing)
            except CorruptStreamError as error:
                broken = error
                break
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        if pieces:
            yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if broken is not None:
            yield broken
        elif missing:
            return


def too_long(length: int, limit: int) -> tuple[str, str]:
    """Reason and detail of a line over the limit."""
    return "line_too_long", f"{length:,} bytes, the limit is {limit:,}"


class LineNumbers:
    """Line numbers in the file of lines counted within a split.

    The lines before the split are counted when the first number is asked for, which is when something broke.
    """

    def __init__(self, split: Split) -> None:
        self._split = split
        self._before: int | None = None if split.start else 0

    def of(self, index: int) -> int | None:
        """The number, from 1, of the split's line with this index, from 0; None where counting costs too much."""
        if self._before is None:
            if self._split.start > _MOST_BYTES_COUNTED:
                return None
            self._before = count_lines(self._split.file, self._split.start)
        return self._before + index + 1


def count_lines(file: str, start: int) -> int:
    """How many lines of an uncompressed file begin before byte ``start``.

    The split that begins at ``start`` begins with the line after these.
    """
    # A terminator at start - 1 ends the last of them; where there is none, that line ends inside the split
    # but still belongs to the one before.
    count, position, last = 0, 0, b"\n"
    with open_stream(file, None) as stream:
        while position < start and (chunk := stream.read(min(4 << 20, start - position))):
            count += chunk.count(b"\n")
            position += len(chunk)
            last = chunk[-1:]
    return count + (last != b"\n")
