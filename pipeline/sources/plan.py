"""Looking at the inputs before any work starts, and cutting them into splits."""

from __future__ import annotations

import codecs
import difflib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from corpus.errors import ConfigurationError, InputError
from pipeline.sources.config import WILDCARDS, FieldsConfig, InputConfig
from pipeline.sources.files import Found, UnusableFileError, find, head, is_remote, open_stream
from pipeline.sources.split import Compression, FileFormat, Split, compression_of, format_of, known_extensions

SPLIT_BYTES: Final = 64 << 20
"""Size of the pieces that large files are cut into, unless told otherwise."""

_HEAD: Final = 256 << 10
_RECORDS: Final = 100
"""Records at the start of a file that are looked at."""
_THREADS: Final = 8

# Names under which data sets commonly keep their text, for a suggestion when the mapping is wrong.
_USUAL_TEXT: Final = ("text", "content", "raw_content", "body", "document", "article", "sentence", "markdown")

_DELIMITERS: Final = (";", "\t", "|")

Units = list[tuple[int, int | None, int]]
"""First unit, unit behind the last and bytes of each split of a file."""


@dataclass(frozen=True)
class _Look:
    """What a first look into a file has shown."""

    format: FileFormat
    compression: Compression | None
    units: Units
    fields: list[str] | None = None
    """Names of the fields; None where the file shows none (it is empty, damaged, or has no fields)."""
    has_text: bool = True
    problem: str | None = None
    """Why the file does not look like its format; counts only when all files of the input have one."""
    fault: UnusableFileError | None = None
    """Why the file cannot be read at all; raised only when all files of the input have one."""


def plan(inputs: Sequence[InputConfig], split_bytes: int = SPLIT_BYTES) -> list[Split]:
    """Find the files of all inputs, look into each, and cut the large ones.

    Args:
        inputs: in the order of the recipe.
        split_bytes: about how much a split holds; JSON lines and text are cut there when they are not
            compressed, Parquet between row groups, Arrow files between record batches.

    Returns:
        Splits in the order of the inputs, of the files' sorted paths, and of their place in the file; the same
        on every machine.

    Raises:
        ConfigurationError: there are no inputs, or ``split_bytes`` is not positive.
        InputError: a file is missing or may not be read, a pattern matches nothing, a format cannot be told or
            is not what it was said to be, or no record has the field that should hold the text. Where only some
            files of an input are not what they should be, their splits have a ``problem`` and nothing is raised.
    """
    if not inputs:
        raise ConfigurationError("there are no inputs", "Name files with --input or under `inputs` in the recipe")
    if split_bytes < 1:
        raise ConfigurationError(f"split size is {split_bytes} bytes", "Choose a positive number")
    splits: list[Split] = []
    for index, config in enumerate(inputs):
        plan_input = _plan_dataset if config.format == "dataset" else _plan_files
        splits += plan_input(index, config, split_bytes)
    return _with_places(inputs, splits)


def _with_places(inputs: Sequence[InputConfig], splits: list[Split]) -> list[Split]:
    """Give each file its place within its source.

    Raises:
        InputError: a file would be read twice into the same source.
    """
    owners: dict[tuple[str, str], int] = {}
    files: dict[tuple[str, str], str] = {}
    shared: set[tuple[str, str]] = set()
    for split in splits:
        owner = owners.setdefault((split.source, split.file), split.input)
        if owner != split.input:
            raise InputError(
                f"{split.file} belongs to inputs {owner + 1} and {split.input + 1}, both named '{split.source}'",
                "Narrow one of the patterns, or give one of the inputs another `name`",
            )
        key = (split.source, place_of(inputs[split.input].path, split.file))
        if files.setdefault(key, split.file) != split.file:
            shared.add(key)
    placed = []
    for split in splits:
        place = place_of(inputs[split.input].path, split.file)
        # Files of two inputs under one name may have the same place; only their whole paths tell them apart.
        placed.append(replace(split, place=split.file if (split.source, place) in shared else place))
    return placed


def place_of(path: str, file: str) -> str:
    """A file's path below the folders of a pattern that hold no wildcard; its bare name for a single file.

    Args:
        path: file, folder or pattern of the input.
        file: a file found under it.
    """
    fixed = path.rstrip("/") if is_remote(path) else str(Path(path).expanduser())
    if WILDCARDS & set(fixed):
        first = min(fixed.index(wildcard) for wildcard in WILDCARDS & set(fixed))
        fixed = fixed[:first].rpartition("/")[0]
    # Remote files come back under a normalised URL; the fixed part is found inside it.
    fixed = fixed.rpartition("://")[2].strip("/")
    if fixed in ("", "."):
        return file.rpartition("://")[2].lstrip("/")
    _, found, below = f"/{file}".partition(f"/{fixed}/")
    return below if found else file.rpartition("/")[2]


def _plan_dataset(index: int, config: InputConfig, split_bytes: int) -> list[Split]:
    from pipeline.sources.hub import plan_dataset

    units, names, files = plan_dataset(config, split_bytes)
    if names is not None and not _names_field(names, config.fields.text):
        raise _no_text(config.path, names, config.fields)
    return [
        Split(index, config.source, file, "dataset", None, start, end, bytes=size)
        for file, (start, end, size) in zip(files, units, strict=True)
    ]


def _plan_files(index: int, config: InputConfig, split_bytes: int) -> list[Split]:
    files = find(config.path)
    with ThreadPoolExecutor(_THREADS) as pool:
        looks = list(pool.map(lambda found: _look_or_fault(found, config, split_bytes), files))
    faults = [look.fault for look in looks if look.fault is not None]
    if len(faults) == len(files):
        raise faults[0]
    with_problem = [(found, look) for found, look in zip(files, looks, strict=True) if look.problem]
    if with_problem and len(with_problem) == len(files):
        raise InputError(f"{files[0].file} {with_problem[0][1].problem}", "Set the `format` of the input")
    shown = [(found, look) for found, look in zip(files, looks, strict=True) if look.fields is not None]
    if shown and not any(look.has_text for _, look in shown):
        raise _no_text(shown[0][0].file, shown[0][1].fields or [], config.fields)
    return [
        Split(index, config.source, found.file, look.format, look.compression, start, end, bytes=size, problem=problem)
        for found, look in zip(files, looks, strict=True)
        for problem in [None if look.fault is None else str(look.fault).replace(found.file, "the file")]
        for start, end, size in look.units
    ]


def _look_or_fault(found: Found, config: InputConfig, split_bytes: int) -> _Look:
    """One file that is unusable must not stop the others."""
    try:
        return _look(found, config, split_bytes)
    except UnusableFileError as error:
        return _Look("text", None, [(0, None, found.size or 0)], fault=error)


def _look(found: Found, config: InputConfig, split_bytes: int) -> _Look:
    by_name, compression = format_of(found.file)
    kind = by_name if config.format == "auto" else config.format
    if kind is None:
        raise InputError(
            f"cannot tell the format of {found.file}",
            f"Set the `format` of the input, or narrow its path to a pattern; known names end in {known_extensions()}",
        )
    size = found.size or 0
    start = head(found.file, None, _HEAD)
    if kind in ("parquet", "arrow"):
        if compression is not None:
            raise UnusableFileError(
                f"{found.file} is compressed as a whole", "Decompress it; the format compresses inside"
            )
        return _look_columnar(found.file, kind, size, split_bytes, config)
    compression = compression or compression_of(start)
    whole: Units = [(0, None, size)] if start or size else []
    if kind == "warc":
        return _Look(kind, compression, whole)
    content = head(found.file, compression, _HEAD) if compression is not None else start
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnusableFileError(
            f"{found.file} is UTF-16", "Convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8"
        )
    cuttable = kind == "jsonl" or (kind == "text" and config.document == "line")
    units = _ranges(found.size, split_bytes) if cuttable and compression is None and found.size else whole
    if kind == "jsonl":
        return _look_jsonl(found.file, compression, units, content, config)
    if kind in ("csv", "tsv"):
        from pipeline.sources.delimited import column_names

        with open_stream(found.file, compression) as stream:
            names = list(column_names(found.file, stream, kind, config))
        return _Look(kind, compression, units, names or None, config.fields.text in names)
    return _Look(kind, compression, units)


def _ranges(size: int, split_bytes: int) -> Units:
    count = -(-size // split_bytes)
    if count == 1:
        return [(0, None, size)]
    return [
        (start, min(start + split_bytes, size), min(split_bytes, size - start)) for start in range(0, size, split_bytes)
    ]


def _look_columnar(file: str, kind: FileFormat, size: int, split_bytes: int, config: InputConfig) -> _Look:
    from pipeline.sources import columnar

    units, names = (columnar.plan_parquet if kind == "parquet" else columnar.plan_arrow)(file, size, split_bytes)
    if names is None:
        return _Look(kind, None, units)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnusableFileError(f"{file} has several columns '{twice[0]}'", "Rename one of them")
    return _Look(kind, None, units, names, _names_field(names, config.fields.text))


def _look_jsonl(
    file: str,
    compression: Compression | None,
    units: Units,
    content: bytes,
    config: InputConfig,
) -> _Look:
    import orjson

    from pipeline.sources.fields import ABSENT, peek

    content = content.removeprefix(codecs.BOM_UTF8)
    lines = [line for line in content.split(b"\n")[: _RECORDS + 1] if line.strip()]
    names: dict[str, None] = {}
    records, has_text = 0, False
    for line in lines:
        try:
            record: Any = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record:
            records += 1
            names.update(dict.fromkeys(record))
            has_text = has_text or peek(record, config.fields.text) is not ABSENT
    if content.lstrip().startswith(b"[") and not (records and _is_json(lines[0])):
        raise UnusableFileError(
            f"{file} is a JSON array, not one object a line", "Convert it, for example with jq -c '.[]'"
        )
    if records:
        return _Look("jsonl", compression, units, list(names), has_text)
    # The last line may only be cut off by this look; a few broken lines are no reason to refuse a file.
    problem = "is not JSON lines: none of its first lines is an object" if len(lines) > 20 else None
    return _Look("jsonl", compression, units, problem=problem)


def _is_json(line: bytes) -> bool:
    import orjson

    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True


def _names_field(names: Sequence[str], path: str) -> bool:
    return path in names or ("." in path and path.partition(".")[0] in names)


def _no_text(file: str, names: Sequence[str], fields: FieldsConfig) -> InputError:
    usual = [name for name in _USUAL_TEXT if name in names]
    if len(names) == 1 and (other := next((mark for mark in _DELIMITERS if mark in names[0]), None)):
        return InputError(
            f"{file} has one column, '{names[0]}', and none '{fields.text}'",
            f"Set the input's `delimiter`, for example `delimiter: {json.dumps(other)}`",
        )
    close = usual or difflib.get_close_matches(fields.text, names, 1) or [names[0] if names else "FIELD"]
    return InputError(
        f"no record of {file} has a field '{fields.text}'; it has: {', '.join(names)}",
        f"Name the field that holds the text, for example `fields: {{text: {close[0]}}}`",
    )
