"""The lines of a whole batch and a 64-bit key for each, without making a string of any.

A line's bytes are read as 64-bit words; every word is mixed with its position by the finaliser of SplitMix64
(Steele, Lea and Flood 2014, https://doi.org/10.1145/2660193.2660195) and the words are added up. Two different lines
share a key with probability about 2**-64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.script.codepoints import Bytes, Int64s, utf8
from pipeline.vectors import mix

UInt64s = npt.NDArray[np.uint64]
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_BLOCK: Final = 1 << 18
"""Bytes worked on at once, about; whole documents."""


@dataclass(frozen=True)
class Lines:
    """The lines of n documents that hold more than blanks, in order; all arrays have shape (m,)."""

    document: Int64s
    """Row of the document."""
    number: Int64s
    """Number of the line in its document, from 0, blank ones counted."""
    bytes: Int64s
    """Length without blanks at the ends."""
    key: UInt64s


def find_lines(column: pa.Array, *, fold_digits: bool = False) -> Lines:
    """The lines of n texts, divided at line feeds, blanks at their ends left out.

    Args:
        column: string or large_string of n rows.
        fold_digits: take the digits 0 to 9 for one.
    """
    raw, bounds = utf8(column)
    parts, start = [], 0
    while start < len(bounds) - 1:
        stop = max(start + 1, int(np.searchsorted(bounds, bounds[start] + _BLOCK, side="right")) - 1)
        block = raw[bounds[start] : bounds[stop]]
        if fold_digits:
            block = np.where((block >= ord("1")) & (block <= ord("9")), np.uint8(ord("0")), block)
        parts.append(_block_lines(block, bounds[start : stop + 1] - bounds[start], start))
        start = stop
    if not parts:
        none = np.empty(0, np.int64)
        return Lines(none, none, none, none.astype(np.uint64))
    return Lines(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


_FIELDS = ("document", "number", "bytes", "key")


def combine(left: UInt64s, right: UInt64s) -> UInt64s:
    """One key of two, in which their order counts."""
    return mix(left * _GOLDEN + right)


def sum_runs(values: UInt64s, starts: Int64s) -> UInt64s:
    """Sums modulo 2**64 of the runs that begin at ``starts``; every run must have a value."""
    result: UInt64s = np.add.reduceat(values, starts) if len(starts) else np.empty(0, np.uint64)
    return result


def _block_lines(raw: Bytes, bounds: Int64s, first: int) -> Lines:
    breaks = np.flatnonzero(raw == 0x0A)
    documents = len(bounds) - 1
    lines = np.bincount(np.searchsorted(bounds, breaks, side="right") - 1, minlength=documents) + 1
    last = np.cumsum(lines) - 1
    opening, closing = last - lines + 1, last
    starts = _interleave(bounds[:-1], opening, breaks + 1)
    stops = _interleave(bounds[1:], closing, breaks)
    document = np.repeat(np.arange(documents), lines)
    number = np.arange(len(starts)) - np.repeat(opening, lines)
    padded = np.concatenate((raw, np.zeros(8, np.uint8)))
    starts, stops = _trim(padded, starts, stops)
    filled = stops > starts
    starts, sizes = starts[filled], (stops - starts)[filled]
    return Lines(document[filled] + first, number[filled], sizes, _keys(padded, starts, sizes))


def _interleave(own: Int64s, places: Int64s, others: Int64s) -> Int64s:
    """``own`` at ``places``, the others in order between them."""
    result = np.empty(len(own) + len(others), np.int64)
    rest = np.ones(len(result), np.bool_)
    rest[places] = False
    result[places], result[rest] = own, others
    return result


def _trim(raw: Bytes, starts: Int64s, stops: Int64s) -> tuple[Int64s, Int64s]:
    """Bounds without the blanks at both ends."""
    for edges, step, inside in ((starts, 1, 0), (stops, -1, -1)):
        waiting = np.flatnonzero(starts < stops)
        while len(waiting):
            byte = raw[edges[waiting] + inside]
            waiting = waiting[(byte == 0x20) | (byte == 0x09)]
            edges[waiting] += step
            waiting = waiting[starts[waiting] < stops[waiting]]
    return starts, stops


def _keys(padded: Bytes, starts: Int64s, sizes: Int64s) -> UInt64s:
    """A key for each line; ``padded`` has eight bytes more than the last line needs."""
    if len(starts) == 0:
        return np.empty(0, np.uint64)
    words = (sizes + 7) >> 3
    ends = np.cumsum(words)
    begins = ends - words
    position = np.arange(ends[-1]) - np.repeat(begins, words)
    unaligned = np.ndarray(len(padded) - 7, "<u8", padded.data, strides=(1,))
    values = unaligned[np.repeat(starts, words) + 8 * position]
    unused = ((8 - (sizes & 7)) & 7).astype(np.uint64) << np.uint64(3)
    values[ends - 1] &= np.uint64(0xFFFFFFFFFFFFFFFF) >> unused
    mixed = mix(values + (position.astype(np.uint64) + np.uint64(1)) * _GOLDEN)
    return mix(sum_runs(mixed, begins) + sizes.astype(np.uint64) * _GOLDEN)
