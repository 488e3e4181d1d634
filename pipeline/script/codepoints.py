"""Text columns as arrays of code points: one decoding for a batch, none for each document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Int64s = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

CHUNK = 1 << 17
"""Code points worked on at once: large enough that calls cost nothing, small enough for the caches."""

LONGEST = 1 << 22
"""Bytes of a document that are looked at; what is counted in the first 4 MiB holds for the rest."""


@dataclass(frozen=True)
class CodePoints:
    """Consecutive documents as one array of code points."""

    first: int
    """Row of the first document in its batch."""
    values: npt.NDArray[np.uint32]
    """Code points of all documents, end to end; shape (n,)."""
    bounds: Int64s
    """Document d spans ``values[bounds[d]:bounds[d + 1]]``; shape (documents + 1,)."""

    @property
    def documents(self) -> int:
        """Number of documents."""
        return len(self.bounds) - 1


def utf8(column: pa.Array) -> tuple[Bytes, Int64s]:
    """The bytes of a text column without copying them, and where each row begins and ends.

    Args:
        column: string or large_string of n rows, nulls count as empty.

    Returns:
        bytes of shape (b,) and bounds of shape (n + 1,), in bytes.
    """
    if not pa.types.is_large_string(column.type):
        width: type[np.signedinteger] = np.int32
    else:
        width = np.int64
    if column.null_count:
        column = column.fill_null("")
    _, offsets, data = column.buffers()
    if len(column) == 0 or offsets is None:
        return np.empty(0, np.uint8), np.zeros(len(column) + 1, np.int64)
    rows = slice(column.offset, column.offset + len(column) + 1)
    bounds = np.frombuffer(offsets, dtype=width)[rows].astype(np.int64)
    raw = np.empty(0, np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)[bounds[0] : bounds[-1]]
    return raw, bounds - bounds[0]


def chunks(column: pa.Array, size: int = CHUNK) -> Iterator[CodePoints]:
    """A text column in runs of whole documents of about ``size`` bytes; a longer document is alone in its run.

    What is found for a document must not depend on its neighbours, so none is ever divided. One of more than
    ``LONGEST`` bytes ends there, at a character's end.
    """
    raw, bounds = utf8(column)
    start, rows = 0, len(bounds) - 1
    while start < rows:
        stop = int(np.searchsorted(bounds, bounds[start] + size, side="right")) - 1
        stop = min(max(stop, start + 1), rows, start + _MOST_DOCUMENTS)
        inside = bounds[start : stop + 1] - bounds[start]
        if inside[-1] > LONGEST:  # then it is one document
            end = int(bounds[start]) + LONGEST
            while raw[end] & 0xC0 == 0x80:
                end -= 1
            inside = np.array([0, end - bounds[start]])
        yield decode(raw[bounds[start] : bounds[start] + inside[-1]], inside, first=start)
        start = stop


def decode(raw: Bytes, bounds: Int64s, first: int = 0) -> CodePoints:
    """Code points of consecutive UTF-8 documents; bytes that are not UTF-8 become U+FFFD.

    Args:
        raw: shape (b,).
        bounds: byte bounds of the documents, shape (documents + 1,), from 0 to b.
        first: row of the first document.
    """
    try:
        text = str(raw.data, "utf-8")
    except UnicodeDecodeError:
        texts = [bytes(raw[a:b]).decode("utf-8", "replace") for a, b in pairwise(bounds)]
        lengths = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return CodePoints(first, _code_points("".join(texts)), lengths)
    if len(text) == len(raw):
        return CodePoints(first, raw.astype(np.uint32), bounds)
    begins = np.empty(len(raw) + 1, np.int32 if len(raw) < 1 << 31 else np.int64)
    begins[0] = 0
    np.cumsum((raw & 0xC0) != 0x80, out=begins[1:])
    return CodePoints(first, _code_points(text), begins[bounds].astype(np.int64))


_MOST_DOCUMENTS = 60_000
"""In one run, so that the number of a document in it fits 16 bits."""


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
