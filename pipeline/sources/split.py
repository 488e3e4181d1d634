"""A split: the piece of an input that one worker reads in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FileFormat = Literal["jsonl", "text", "parquet", "arrow", "csv", "tsv", "warc", "dataset"]
Compression = Literal["gzip", "bz2", "xz", "zstd"]

_FORMATS: dict[str, FileFormat] = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",
    "txt": "text",
    "text": "text",
    "parquet": "parquet",
    "pq": "parquet",
    "arrow": "arrow",
    "ipc": "arrow",
    "feather": "arrow",
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "warc": "warc",
    "wet": "warc",
}
_COMPRESSIONS: dict[str, Compression] = {"gz": "gzip", "bz2": "bz2", "xz": "xz", "zst": "zstd", "zstd": "zstd"}
_MAGIC: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)

_BZ2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")


@dataclass(frozen=True)
class Split:
    """A piece of an input; plain values only, so that it survives JSON.

    What ``start`` and ``end`` count depends on the format: bytes for JSON lines and text, row groups for
    Parquet, record batches for Arrow files, rows or shards for datasets. Other formats are never cut.
    """

    input: int
    """Position of its input in the recipe."""
    source: str
    """Name of its source in the corpus."""
    file: str
    """Path or URL."""
    format: FileFormat
    compression: Compression | None = None
    start: int = 0
    end: int | None = None
    """First unit that is no longer part of the split; None is the end of the file."""
    place: str = ""
    """The file's path below the part of the input's path that holds no wildcard. It tells the files of a source
    apart and does not change when the data moves elsewhere, so ids are made of it."""
    bytes: int = 0
    """About how much is read from disk; for progress and for giving out work."""
    problem: str | None = None
    """Why the file cannot be read as its format at all; then it counts as one unreadable record."""


def format_of(file: str) -> tuple[FileFormat | None, Compression | None]:
    """What a file's name says of its format and compression.

    ``web.warc.wet.gz`` is a gzipped WET file; a name that says nothing gives None.
    """
    name = file.split("?")[0].rstrip("/").rsplit("/", 1)[-1].lower()
    stem, _, extension = name.rpartition(".")
    compression = _COMPRESSIONS.get(extension) if stem else None
    if compression is not None:
        stem, _, extension = stem.rpartition(".")
    return (_FORMATS.get(extension) if stem else None), compression


def compression_of(head: bytes) -> Compression | None:
    """What a file's first bytes say of its compression."""
    for magic, compression in _MAGIC:
        if head.startswith(magic):
            # "BZh" could also begin a text; the digit and the mark of the first block or of the end could not.
            return None if compression == "bz2" and head[4:10] not in _BZ2_BLOCKS else compression
    return None


def known_extensions() -> str:
    """The file name extensions that ``auto`` recognises, for messages."""
    return ", ".join(f".{extension}" for extension in _FORMATS)


def describe(split: Split) -> str:
    """The split in words, for progress and messages."""
    if split.start == 0 and split.end is None:
        return split.file
    if split.format in ("jsonl", "text"):
        end = "end" if split.end is None else f"{split.end / 2**20:,.1f}"
        return f"{split.file} [{split.start / 2**20:,.1f}–{end} MiB]"
    unit = {"parquet": "row groups", "arrow": "record batches"}.get(split.format, "rows")
    end = "end" if split.end is None else f"{split.end:,}"
    return f"{split.file} [{unit} {split.start:,}–{end}]"
