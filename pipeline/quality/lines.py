"""Features of the lines and paragraphs of documents: how they begin and end, which come again."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pipeline.quality.classes import BULLETS, CLOSERS, Kind
from pipeline.quality.text import Bools, Column, Columns, Int64s, Text, members

SHORT_LINE = 30
"""Characters; ideographs and kana count three."""

_HASH_BITS = np.uint64(48)
"""Low bits of a key that hold the hash of a line; the document stands above."""
_ELLIPSIS = ord("…")


def lines(text: Text) -> Columns:
    """Features of n documents, by name; of documents without a line all are 0."""
    starts, stops = _trim(text, *text.between(text.newlines))
    owners = text.owners(starts)
    n_lines = text.per_document(owners)
    some = np.maximum(n_lines, 1)
    widths = stops - starts
    last = _last_significant(text, starts, stops)
    ending = text.kinds[last]
    terminal = ending == Kind.TERMINAL
    masks = {
        "short_line_share": (_weights(text, starts, stops) < SHORT_LINE) & ~terminal & (ending != Kind.PUNCTUATION),
        "bullet_line_share": _bullets()[np.minimum(text.values[starts], 0xFFFF)] & (widths > 1),
        "terminal_line_share": terminal,
        "code_line_share": _code_ends()[np.minimum(text.values[stops - 1], 0xFFFF)],
        "ellipsis_line_share": _ellipses(text, starts, stops),
    }
    found: Columns = {"n_lines": n_lines}
    found |= {name: text.per_document(owners[mask]) / some for name, mask in masks.items()}
    found["duplicate_line_ratio"], found["duplicate_line_share"] = _repeated(text, starts, stops, owners)
    first = _begin_paragraphs(text, starts, owners)
    closing = np.append(first[1:], np.ones(min(len(first), 1), np.bool_))
    blocks = _repeated(text, starts[first], stops[closing], owners[first])
    found["duplicate_paragraph_ratio"], found["duplicate_paragraph_share"] = blocks
    return found


def _weights(text: Text, starts: Int64s, stops: Int64s) -> Int64s:
    """Characters of each line, ideographs and kana as three."""
    widths = stops - starts
    ideographs = text.kinds == Kind.IDEOGRAPH
    if not ideographs.any():
        return widths
    wide = np.zeros(len(ideographs) + 1, np.int32)
    np.cumsum(ideographs, out=wide[1:])
    return widths + 2 * (wide[stops] - wide[starts])


def _repeated(text: Text, starts: Int64s, stops: Int64s, owners: Int64s) -> tuple[Column, Column]:
    """The share of the spans of each document that came before in it, and of the characters in them."""
    keys = owners.astype(np.uint64) << _HASH_BITS
    keys |= text.hash(starts, stops) >> (np.uint64(64) - _HASH_BITS)
    _, originals = np.unique(keys, return_index=True)
    again = np.ones(len(keys), np.bool_)
    again[originals] = False
    widths = stops - starts
    number, size = text.per_document(owners), text.per_document(owners, widths)
    ratio = text.per_document(owners[again]) / np.maximum(number, 1)
    share = text.per_document(owners[again], widths[again]) / np.maximum(size, 1)
    return ratio, share


def _begin_paragraphs(text: Text, starts: Int64s, owners: Int64s) -> Bools:
    """Which lines begin a document or follow an empty line."""
    before = np.searchsorted(text.newlines, starts)
    first = np.ones(len(starts), np.bool_)
    first[1:] = (owners[1:] != owners[:-1]) | (np.diff(before) > 1)
    return first


def _trim(text: Text, starts: Int64s, stops: Int64s) -> tuple[Int64s, Int64s]:
    """Spans without the space at their ends; those of nothing but space are left out."""
    indented = np.flatnonzero(text.kinds[starts] == Kind.SPACE)
    trailing = np.flatnonzero(text.kinds[stops - 1] == Kind.SPACE)
    if not len(indented) and not len(trailing):
        return starts, stops
    spaces = text.spaces
    runs = np.flatnonzero(np.diff(spaces, prepend=-2) != 1)
    run_stops = spaces[np.append(runs[1:], len(spaces)) - 1] + 1
    starts, stops = starts.copy(), stops.copy()
    where = np.searchsorted(spaces, starts[indented])
    starts[indented] = run_stops[np.searchsorted(runs, where, side="right") - 1]
    where = np.searchsorted(spaces, stops[trailing] - 1)
    stops[trailing] = spaces[runs[np.searchsorted(runs, where, side="right") - 1]]
    filled = starts < stops
    return starts[filled], stops[filled]


def _last_significant(text: Text, starts: Int64s, stops: Int64s) -> Int64s:
    """Position of each line's last character, up to two closing quotes or brackets after it left aside."""
    last = stops - 1
    for _ in range(2):
        closing = _closers()[np.minimum(text.values[last], 0xFFFF)] & (last > starts)
        last = last - closing
    return last


def _ellipses(text: Text, starts: Int64s, stops: Int64s) -> Bools:
    """Which lines end with an ellipsis, as one character or as three dots."""
    dots = stops - starts >= 3
    for back in (1, 2, 3):
        dots &= text.values[np.maximum(stops - back, 0)] == ord(".")
    found: Bools = dots | (text.values[stops - 1] == _ELLIPSIS)
    return found


@lru_cache(maxsize=1)
def _bullets() -> Bools:
    return members(BULLETS)


@lru_cache(maxsize=1)
def _closers() -> Bools:
    return members(CLOSERS)


@lru_cache(maxsize=1)
def _code_ends() -> Bools:
    return members("{};")
