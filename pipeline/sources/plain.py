"""Plain text in UTF-8: one document a line, a paragraph or a file."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.sources.batch import BatchBuilder, SourceBatch
from pipeline.sources.compression import CorruptStreamError
from pipeline.sources.config import InputConfig
from pipeline.sources.fields import EMPTY_TEXT, has_visible
from pipeline.sources.files import open_stream
from pipeline.sources.lines import KEPT_OF_LONG, LineNumbers, blocks, too_long
from pipeline.sources.split import Split


def read(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The documents of a split."""
    with open_stream(split.file, split.compression, max(split.start - 1, 0)) as stream:
        if config.document == "line":
            yield from _lines(stream, split, config)
        elif config.document == "paragraph":
            yield from _paragraphs(stream, split, config)
        else:
            yield _whole(stream, split, config)


def _lines(stream: BinaryIO, split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """Each line is a document; a blank one is set aside as ``blank_line``."""
    numbers = LineNumbers(split)
    builder = BatchBuilder(split.file)
    limit = config.max_document_bytes
    for block in blocks(stream, start=split.start, end=split.end, size=config.batch_bytes, limit=limit):
        builder.read = block.count
        if block.fault is not None:
            builder.spoil(block.offset, numbers.of(block.line), *block.fault, block.data)
            yield builder.build()
            continue
        offset = block.offset
        for index, line in enumerate(block.data.split(b"\n"), block.line):
            if not line.strip():
                builder.spoil(offset, numbers.of(index), "blank_line", None, line)
            elif len(line) > limit:
                builder.spoil(offset, numbers.of(index), *too_long(len(line), limit), line[:KEPT_OF_LONG])
            else:
                document = line[:-1] if line.endswith(b"\r") else line
                problem = _add(builder, config, document, offset)
                if problem is not None:
                    builder.spoil(offset, numbers.of(index), "invalid_utf8", problem, line)
            offset += len(line) + 1
        yield builder.build()


def _paragraphs(stream: BinaryIO, split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """Each run of lines without a blank one is a document; blank lines only divide and are not counted."""
    builder = BatchBuilder(split.file)
    limit = config.max_document_bytes
    held: list[bytes] = []
    held_bytes, held_offset, held_line = 0, 0, 0

    def close() -> None:
        nonlocal held, held_bytes
        if not held:
            return
        builder.read += 1
        data = b"\n".join(held)
        if held_bytes > limit:
            detail = too_long(held_bytes, limit)[1]
            builder.spoil(held_offset, held_line, "document_too_long", detail, data[:KEPT_OF_LONG])
        else:
            document = data.replace(b"\r\n", b"\n").removesuffix(b"\r")
            problem = _add(builder, config, document, held_offset)
            if problem is not None:
                builder.spoil(held_offset, held_line, "invalid_utf8", problem, data)
        held, held_bytes = [], 0

    for block in blocks(stream, size=config.batch_bytes, limit=limit):
        if block.fault is not None:
            reason, detail = block.fault
            if reason == "corrupt_file":
                # The paragraph that the break cuts short is part of what is lost.
                lost = b"\n".join([*held, block.data])
                offset, number = (held_offset, held_line) if held else (block.offset, block.line + 1)
                held = []
                builder.read += 1
                builder.spoil(offset, number, reason, detail, lost[:KEPT_OF_LONG])
            else:
                if not held:
                    held_offset, held_line = block.offset, block.line + 1
                held.append(block.data)
                held_bytes = limit + 1
            continue
        offset = block.offset
        for index, line in enumerate(block.data.split(b"\n"), block.line):
            if line.strip():
                if not held:
                    held_offset, held_line = offset, index + 1
                if held_bytes <= limit:
                    held.append(line)
                held_bytes += len(line) + 1
            else:
                close()
            offset += len(line) + 1
        if builder.read:
            yield builder.build()
    close()
    if builder.read:
        yield builder.build()


def _whole(stream: BinaryIO, split: Split, config: InputConfig) -> SourceBatch:
    """The file is one document."""
    builder = BatchBuilder(split.file, read=1)
    limit = config.max_document_bytes
    data = bytearray()
    try:
        while len(data) <= limit and (piece := stream.read(min(1 << 20, limit + 1 - len(data)))):
            data += piece
    except CorruptStreamError as error:
        builder.spoil(0, None, "corrupt_file", str(error), bytes(data))
        return builder.build()
    if len(data) > limit:
        detail = f"more than {limit:,} bytes"
        builder.spoil(0, None, "document_too_long", detail, bytes(data[:KEPT_OF_LONG]))
        return builder.build()
    document = bytes(data).removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    problem = _add(builder, config, document, 0)
    if problem is not None:
        builder.spoil(0, None, "invalid_utf8", problem, bytes(data))
    return builder.build()


def _add(builder: BatchBuilder, config: InputConfig, document: bytes, offset: int) -> str | None:
    """Add a document; what is wrong with its encoding, or None."""
    try:
        text = document.decode()
    except UnicodeDecodeError as error:
        return f"byte 0x{document[error.start]:02x} at {error.start}: {error.reason}"
    row = (None, text, config.lang, None, None, offset)
    if has_visible(text):
        builder.rows.append(row)
    else:
        builder.rejected.append((row, EMPTY_TEXT, None))
    builder.size += len(document)
    return None
