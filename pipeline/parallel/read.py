"""Records of parallel text from JSON lines and TSV; a broken line costs that line only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import orjson

from corpus.errors import InputError
from corpus.tags import to_tag_or_none
from pipeline.parallel.config import ParallelInput
from pipeline.sources.fields import ABSENT, peek
from pipeline.sources.files import find, head, open_stream
from pipeline.sources.jsonl import examine
from pipeline.sources.lines import KEPT_OF_LONG, blocks
from pipeline.sources.split import Compression, FileFormat, compression_of, format_of


class Side(NamedTuple):
    """One sentence of a record, as it was read."""

    declared: str
    """What the source calls its language."""
    text: str


class Record(NamedTuple):
    """A record with two sentences or more."""

    line: int
    key: str | None
    """Its own id."""
    document: str | None
    split: str | None
    """As the source says."""
    sides: tuple[Side, ...]


class Broken(NamedTuple):
    """A line that gives no record."""

    line: int
    reason: str
    """As of JSON lines (``pipeline.sources.jsonl.examine``), ``wrong_field_count``, ``line_too_long``,
    ``corrupt_file``, or ``no_sentences``: there are not two of them."""
    detail: str | None
    raw: str


@dataclass(frozen=True)
class ParallelFile:
    """One file of an input; small and picklable."""

    path: str
    source: str
    format: FileFormat
    compression: Compression | None
    config: ParallelInput


def find_files(inputs: tuple[ParallelInput, ...]) -> list[ParallelFile]:
    """The files of all inputs, in the order of the recipe and of their paths.

    Raises:
        InputError: a file is missing, a pattern matches nothing, or a file's format is not known.
    """
    files: list[ParallelFile] = []
    for config in inputs:
        for found in find(config.path):
            by_name, compression = format_of(found.file)
            kind: FileFormat | None = by_name if config.format == "auto" else config.format
            if kind not in ("jsonl", "tsv"):
                raise InputError(
                    f"{found.file} is neither JSON lines nor TSV by its name",
                    "Set `format` of this entry of parallel.inputs to jsonl or tsv",
                )
            compression = compression or compression_of(head(found.file, None, 16))
            source = config.name or PurePosixPath(found.file).name.split(".")[0]
            files.append(ParallelFile(found.file, source, kind, compression, config))
    twice = {file.path for file in files if sum(other.path == file.path for other in files) > 1}
    if twice:
        raise InputError(f"{min(twice)} is listed twice under parallel.inputs", "Remove one of the entries")
    return files


def read_records(file: ParallelFile) -> Iterator[Record | Broken]:
    """The lines of a file, in order.

    Raises:
        InputError: the file cannot be read, or its header names no two sentences.
    """
    with open_stream(file.path, file.compression) as stream:
        parse = _Table(file) if file.format == "tsv" else _JsonLines(file)
        for block in blocks(stream):
            if block.fault is not None:
                yield Broken(block.line + 1, *block.fault, block.data[:KEPT_OF_LONG].decode(errors="replace"))
                continue
            for number, line in enumerate(block.data.split(b"\n"), block.line + 1):
                found = parse(number, line)
                if found is not None:
                    yield found


class _JsonLines:
    """Reads objects."""

    def __init__(self, file: ParallelFile) -> None:
        self._config = file.config

    def __call__(self, number: int, line: bytes) -> Record | Broken | None:
        try:
            record = orjson.loads(line)
        except ValueError:
            record = None
        if type(record) is not dict or not record:
            record, reason, detail = examine(line)
            if record is None:
                return Broken(number, reason, detail, line[:KEPT_OF_LONG].decode(errors="replace"))
        return _record(number, record, self._sides(record), self._config, line)

    def _sides(self, record: dict[str, Any]) -> list[Side] | str:
        config = self._config
        if config.sides:
            return _named_sides(record, config)
        texts = peek(record, config.texts)
        if not isinstance(texts, dict):
            return f"field '{config.texts}' maps no languages to sentences"
        wrong = next((str(lang) for lang, text in texts.items() if not isinstance(text, str)), None)
        return [Side(str(lang), text) for lang, text in texts.items()] if wrong is None else f"{wrong} has no text"


class _Table:
    """Reads lines of a table; the first names the columns unless the recipe does. There is no quoting."""

    def __init__(self, file: ParallelFile) -> None:
        self._file = file
        self._names = file.config.columns
        self._languages: list[str] = []
        if self._names is not None:
            self._begin(self._names)

    def __call__(self, number: int, line: bytes) -> Record | Broken | None:
        raw = line.removesuffix(b"\r")
        try:
            fields = raw.decode().split("\t")
        except UnicodeDecodeError as error:
            detail = f"byte 0x{raw[error.start]:02x} at {error.start} of the line: {error.reason}"
            return Broken(number, "invalid_utf8", detail, raw[:KEPT_OF_LONG].decode(errors="replace"))
        if self._names is None:
            self._begin(tuple(name.strip() for name in fields))
            return None
        if not raw.strip():
            return Broken(number, "blank_line", None, "")
        if len(fields) != len(self._names):
            detail = f"{len(fields)} fields, the header has {len(self._names)}"
            return Broken(number, "wrong_field_count", detail, raw[:KEPT_OF_LONG].decode())
        record = dict(zip(self._names, fields, strict=True))
        config = self._file.config
        sides = _named_sides(record, config) if config.sides else [Side(n, record[n]) for n in self._languages]
        return _record(number, record, sides, config, raw)

    def _begin(self, names: tuple[str, ...]) -> None:
        self._names = names
        own = {self._file.config.id, self._file.config.document, self._file.config.split}
        self._languages = [name for name in names if name not in own and to_tag_or_none(name) is not None]
        missing = [side.text for side in self._file.config.sides if side.text not in names]
        if missing:
            raise InputError(
                f"{self._file.path} has no column '{missing[0]}'; it has: {', '.join(names)}",
                "Correct `sides` of this entry of parallel.inputs",
            )
        if not self._file.config.sides and len(self._languages) < 2:
            raise InputError(
                f"{self._file.path} has no two columns named by languages; it has: {', '.join(names)}",
                "Name the columns with `sides` of this entry of parallel.inputs, for example "
                "`sides: [{text: source, language: eng_Latn}, {text: target, language: swh_Latn}]`",
            )


def _named_sides(record: dict[str, Any], config: ParallelInput) -> list[Side] | str:
    """The sentences in fields of their own, or what is wrong."""
    sides = []
    for side in config.sides:
        text = peek(record, side.text)
        if not isinstance(text, str):
            return f"field '{side.text}' holds no text"
        declared = side.language if side.lang is None else peek(record, side.lang)
        if not isinstance(declared, str):
            return f"field '{side.lang}' holds no language"
        sides.append(Side(declared, text))
    return sides


def _record(
    number: int, record: dict[str, Any], sides: list[Side] | str, config: ParallelInput, raw: bytes
) -> Record | Broken:
    if isinstance(sides, str) or len(sides) < 2:
        detail = sides if isinstance(sides, str) else f"{len(sides)} sentences"
        return Broken(number, "no_sentences", detail, raw[:KEPT_OF_LONG].decode(errors="replace"))
    key, document, split = (_string(peek(record, name)) for name in (config.id, config.document, config.split))
    return Record(number, key, document, split, tuple(sides))


def _string(value: Any) -> str | None:
    if value is ABSENT or value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)
