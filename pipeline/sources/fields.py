"""From a record's own fields to the columns of the pipeline."""

from __future__ import annotations

import base64
from typing import Any, Final

import orjson
import regex

from pipeline.sources.batch import BatchBuilder, Row
from pipeline.sources.config import InputConfig

MISSING_TEXT: Final = "missing_text"
EMPTY_TEXT: Final = "empty_text"
NON_STRING_TEXT: Final = "non_string_text"

# White space, format characters (zero width, soft hyphen, byte-order mark) and control characters show
# nothing on a page: a text of these alone is empty. The search stops at the first character that shows.
_VISIBLE = regex.compile(r"[^\s\p{Cf}\p{Cc}]")
ABSENT: Final = object()
"""Stands for a field that is not there, which is not the same as null."""


def has_visible(text: str) -> bool:
    """Whether a text holds a single character that would show."""
    return _VISIBLE.search(text) is not None


class Mapper:
    """Maps records, given as dictionaries, under the field names of an input.

    Args:
        config: the input.
        null_is_missing: whether a null text means that there is none (columnar formats) or that it has the
            wrong type (JSON, where a field can be left out).
    """

    def __init__(self, config: InputConfig, *, null_is_missing: bool = False) -> None:
        fields = config.fields
        self._text, self._lang, self._id, self._url = fields.text, fields.lang, fields.id, fields.url
        self._constant_lang = config.lang
        self._null_is_missing = null_is_missing

    def add(self, builder: BatchBuilder, record: dict[str, Any], offset: int) -> None:
        """Add a record to the batch, as a row or as a rejected one; the dictionary is used up."""
        text = take(record, self._text)
        key = self._string(record, self._id)
        lang = self._string(record, self._lang)
        if lang is None:
            lang = self._constant_lang
        url = self._string(record, self._url)
        meta = to_json(record) if record else None
        if type(text) is str:
            row: Row = (key or None, text, lang, url, meta, offset)
            builder.size += len(text)
            if has_visible(text):
                builder.rows.append(row)
            else:
                builder.rejected.append((row, EMPTY_TEXT, None))
            return
        row = (key or None, None, lang, url, meta, offset)
        if text is ABSENT or (text is None and self._null_is_missing):
            builder.rejected.append((row, MISSING_TEXT, f"no field '{self._text}'"))
        else:
            builder.rejected.append((row, NON_STRING_TEXT, to_json(text)))

    @staticmethod
    def _string(record: dict[str, Any], path: str | None) -> str | None:
        """The field as a string. Any other value but null stays in the record, so that ``meta`` shows it."""
        if path is None:
            return None
        value = peek(record, path)
        if isinstance(value, str):
            take(record, path)
            return value
        if value is None:
            take(record, path)
            return None
        return str(value) if type(value) in (int, float) else None


def peek(record: dict[str, Any], path: str) -> Any:
    """A field of a record; ``ABSENT`` when it is not there.

    A dotted path reaches into nested objects, unless a field has exactly that name.
    """
    value = record.get(path, ABSENT)
    if value is not ABSENT or "." not in path:
        return value
    first, _, rest = path.partition(".")
    inner = record.get(first)
    return peek(inner, rest) if isinstance(inner, dict) else ABSENT


def take(record: dict[str, Any], path: str) -> Any:
    """Take the field that ``peek`` finds out of a record; an object that becomes empty goes too."""
    value = record.pop(path, ABSENT)
    if value is not ABSENT or "." not in path:
        return value
    first, _, rest = path.partition(".")
    inner = record.get(first)
    if not isinstance(inner, dict):
        return ABSENT
    value = take(inner, rest)
    if not inner:
        del record[first]
    return value


def to_json(value: Any) -> str:
    """JSON of anything a format can hold: dates as ISO 8601, bytes as text or base64, the rest as its string.

    Not-a-number and infinities become null, keys that are no strings become strings.
    """
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates, very deep nesting
        return orjson.dumps(repr(value).encode("utf-8", "backslashreplace").decode()).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return base64.b64encode(data).decode()
    return str(value)
