"""JSON lines: one object a line (https://jsonlines.org). A broken line costs that line only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import regex

from pipeline.sources.batch import BatchBuilder, SourceBatch
from pipeline.sources.config import InputConfig
from pipeline.sources.fields import Mapper
from pipeline.sources.files import open_stream
from pipeline.sources.lines import KEPT_OF_LONG, LineNumbers, blocks, too_long
from pipeline.sources.split import Split

_FIRST_KEY = regex.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*+"\s*:\s*')
# What may be left of a literal, a number or an escape when a line is cut off in it.
_CUT_OFF = regex.compile(
    r"(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|N(?:aN?)?|-?I\w{0,7}|-|\.|[eE][+-]?|\.\d+[eE][+-]?)\s*"
)


def read(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The records of a split, a batch for each block of lines."""
    mapper = Mapper(config)
    numbers = LineNumbers(split)
    limit = config.max_document_bytes
    loads, add = orjson.loads, mapper.add
    builder = BatchBuilder(split.file)
    with open_stream(split.file, split.compression, max(split.start - 1, 0)) as stream:
        for block in blocks(stream, start=split.start, end=split.end, size=config.batch_bytes, limit=limit):
            builder.read = block.count
            if block.fault is not None:
                builder.spoil(block.offset, numbers.of(block.line), *block.fault, block.data)
                yield builder.build()
                continue
            offset = block.offset
            for index, line in enumerate(block.data.split(b"\n"), block.line):
                try:
                    record = loads(line)
                except ValueError:
                    record = None
                if type(record) is dict and record and len(line) <= limit:
                    add(builder, record, offset)
                elif len(line) > limit:
                    fault = too_long(len(line), limit)
                    builder.spoil(offset, numbers.of(index), *fault, line[:KEPT_OF_LONG])
                else:
                    record, reason, detail = examine(line)
                    if record is not None:
                        add(builder, record, offset)
                    else:
                        builder.spoil(offset, numbers.of(index), reason, detail, line)
                offset += len(line) + 1
            yield builder.build()


def examine(line: bytes) -> tuple[dict[str, Any] | None, str, str | None]:
    """Why a line is no record.

    The reasons, the first that holds:

    - ``blank_line``: nothing but white space
    - ``truncated_json``: an object that stops before its end, perhaps within a character
    - ``invalid_utf8``: bytes that are no UTF-8
    - ``not_a_record``: no JSON object, an object without fields, or one whose first field already fails
    - ``lone_surrogate``: sound JSON with half of a surrogate pair, which is no character
    - ``invalid_json``: an object with a mistake in it, such as a quote that is not escaped

    Returns:
        The record where the line is one after all (Python writes NaN and Infinity, which strict JSON lacks),
        else None; then the reason and a detail.
    """
    if not line.strip():
        return None, "blank_line", None
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            cut = line[: error.start].decode()
            if _failure(cut)[1] == "truncated_json":
                return None, "truncated_json", "the line ends within a character"
        byte = line[error.start]
        return None, "invalid_utf8", f"byte 0x{byte:02x} at {error.start} of the line: {error.reason}"
    return _failure(text)


def _failure(text: str) -> tuple[dict[str, Any] | None, str, str | None]:
    if not text.lstrip().startswith("{"):
        return None, "not_a_record", "the line is no JSON object"
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        detail = f"{error.msg} at character {error.pos} of the line"
        if _is_truncated(text, error):
            return None, "truncated_json", detail
        if not _first_field_holds(text):
            return None, "not_a_record", detail
        return None, "invalid_json", detail
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of brackets
        return None, "invalid_json", str(error)
    if not record:
        return None, "not_a_record", "the object has no fields"
    try:
        orjson.dumps(record)
    except TypeError:
        if _has_surrogate(record):
            return None, "lone_surrogate", None
    return record, "", None


def _is_truncated(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the parser failed because the text ended, not because of what it says."""
    if error.msg.startswith("Unterminated string"):
        return True
    rest = text[error.pos :]
    if not rest.strip():
        return True
    if error.msg.startswith("Invalid \\uXXXX escape"):
        return len(rest) <= 5
    return _CUT_OFF.fullmatch(rest) is not None


def _first_field_holds(text: str) -> bool:
    key = _FIRST_KEY.match(text)
    if key is None:
        return False
    try:
        json.JSONDecoder().raw_decode(text, key.end())
    except (ValueError, RecursionError):
        return False
    return True


def _has_surrogate(value: Any) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in json.dumps(value, ensure_ascii=False))
