"""Words and n-grams of whole batches, for every script, with the same folding for documents and evaluation items.

A unit is a word (a run of letters, marks and numbers), or one letter with its marks in scripts without spaces. Case and
compatibility forms are folded, marks are kept, what stands between units is left out. Units have weights: a word
four, an ideograph or kana two, a letter of an alphabet such as Thai one; in 1,997 news sentences in 122 languages
(NTREX-128) an English word is 1.6 Chinese, 2.3 Japanese and 3.0 to 3.9 Thai, Lao, Khmer or Burmese letters. An n-gram
of n words is the shortest run of units that weighs at least 4 n, so where it ends depends on its own text alone, also
where scripts meet.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.deduplicate.shingles import Int64s, UInt64s, span_hashes
from pipeline.quality.classes import Kind, kind_table
from pipeline.script.codepoints import CHUNK, LONGEST, CodePoints, chunks, decode, utf8
from pipeline.script.spans import prefix_sums, span_values
from pipeline.script.unicode import SIZE
from pipeline.vectors import mix

WORD: Final = 4
"""Weight of a word; n words weigh ``WORD * n``."""
IDEOGRAPH: Final = 2
LETTER: Final = 1

OVERLAP: Final = 1 << 14
"""Code points that parts of a long document have in common, so that n-grams at their ends are found."""

_NO_LETTERS: Final = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0x20000, SIZE))
"""Ideographs and hangul: no case, and no compatibility forms but those outside these ranges."""


@cache
def fold_table() -> npt.NDArray[np.uint32]:
    """What each code point is compared as: compatibility forms and case folded where that gives one code point."""
    table = np.arange(SIZE, dtype=np.uint32)
    kinds = kind_table()
    inside = (kinds >= Kind.LETTER) & (kinds <= Kind.NUMBER)
    for start, stop in _NO_LETTERS:
        inside[start:stop] = False
    for value in np.flatnonzero(inside).tolist():
        plain = unicodedata.normalize("NFKC", chr(value))
        plain = plain if len(plain) == 1 else chr(value)
        folded = plain.casefold()
        table[value] = ord(folded) if len(folded) == 1 else ord(plain.lower()[0])
    table.flags.writeable = False
    return table


@cache
def _weight_table() -> npt.NDArray[np.int32]:
    weights = np.full(len(Kind), WORD, np.int32)
    weights[Kind.IDEOGRAPH] = IDEOGRAPH
    weights[Kind.UNSPACED] = LETTER
    return weights


def parts(column: pa.Array) -> Iterator[CodePoints]:
    """A text column in runs of whole documents; a long document comes in several parts that overlap."""
    raw, bounds = utf8(column)
    for chunk in chunks(column):
        if len(chunk.values) <= CHUNK + OVERLAP:
            yield chunk
            continue
        size = int(bounds[chunk.first + 1] - bounds[chunk.first])
        values = chunk.values
        if size > LONGEST:  # ``chunks`` ends there
            document = raw[bounds[chunk.first] : bounds[chunk.first + 1]]
            values = decode(document, np.array([0, size])).values
        for start in range(0, len(values) - OVERLAP, CHUNK):
            part = values[start : start + CHUNK + OVERLAP]
            yield CodePoints(chunk.first, part, np.array([0, len(part)]))


class Units:
    """The units of some consecutive documents, as arrays.

    Attributes:
        starts, stops: spans of u units in the code points, shape (u,).
        bounds: document d has the units ``bounds[d]`` to ``bounds[d + 1]``; shape (documents + 1,).
        owners: the document of each unit, counted from the first of the part; shape (u,).
        weights: cumulated weights, shape (u + 1,).
    """

    def __init__(self, chunk: CodePoints) -> None:
        self.chunk = chunk
        places = chunk.values.astype(np.intp)
        self.folded = fold_table().take(places)
        kinds = kind_table().take(places)
        inside = (kinds - np.uint8(Kind.LETTER)) <= Kind.NUMBER - Kind.LETTER
        begins = inside.copy()
        begins[1:] &= ~inside[:-1]
        edges = chunk.bounds[:-1][np.diff(chunk.bounds) > 0]
        begins[edges] = inside[edges]
        alone = np.flatnonzero((kinds == Kind.IDEOGRAPH) | (kinds == Kind.UNSPACED))
        if len(alone):
            begins[alone] = True
            # What follows such a letter begins a unit; marks belong to the letter before them.
            after = alone[alone < len(kinds) - 1] + 1
            if (kinds[after] == Kind.MARK).any():
                bare = kinds != Kind.MARK
                bare[edges] = True
                bases = np.flatnonzero(bare)
                after = bases[np.minimum(np.searchsorted(bases, alone, side="right"), len(bases) - 1)]
            begins[after] |= inside[after]
        ends = inside.copy()
        ends[:-1] &= ~inside[1:] | begins[1:]
        if len(edges):
            lasts = chunk.bounds[1:][np.diff(chunk.bounds) > 0] - 1
            ends[lasts] = inside[lasts]
        self.starts = np.flatnonzero(begins)
        self.stops = np.flatnonzero(ends) + 1
        self.bounds = np.searchsorted(self.starts, chunk.bounds)
        self.owners = np.repeat(np.arange(chunk.documents), np.diff(self.bounds))
        self.weights = np.zeros(len(self.starts) + 1, np.int32)
        np.cumsum(_weight_table()[kinds[self.starts]], out=self.weights[1:])
        self._sums = prefix_sums(span_hashes(self.folded, self.starts, self.stops))

    def __len__(self) -> int:
        return len(self.starts)

    def ends(self, weight: int, begins: Int64s | None = None) -> Int64s:
        """Where the shortest run of units that weighs ``weight`` ends, for each first unit.

        Args:
            weight: at least 1.
            begins: first units, all of them by default; shape (k,).

        Returns:
            one past the last unit, shape (k,); 0 where the document ends before.
        """
        count = len(self)
        begins = np.arange(count) if begins is None else begins
        if not count:
            return begins
        found = np.zeros(len(begins), np.int64)
        waiting = np.arange(len(begins))
        # Nearly every run is all of one kind, and then its length is known; the others are searched for.
        for unit in (WORD, IDEOGRAPH, LETTER):
            first = begins[waiting]
            stop = np.minimum(first + -(-weight // unit), count)
            base = self.weights[first]
            right = (self.weights[stop] - base >= weight) & (self.weights[stop - 1] - base < weight)
            found[waiting[right]] = stop[right]
            waiting = waiting[~right]
            if not len(waiting):
                break
        else:
            stop = np.searchsorted(self.weights, self.weights[begins[waiting]] + weight)
            found[waiting] = np.where(stop <= count, stop, 0)
        found[found > self.bounds[1:][self.owners[begins]]] = 0
        return found

    def hashes(self, starts: Int64s, stops: Int64s) -> UInt64s:
        """64-bit hashes of runs of units, equal for equal runs wherever they stand."""
        return mix(span_values(self._sums, starts, stops))

    def words(self, start: int, stop: int) -> list[str]:
        """Units as they are compared."""
        spans = zip(self.starts[start:stop].tolist(), self.stops[start:stop].tolist(), strict=True)
        return [_text(self.folded[a:b]) for a, b in spans]

    def passage(self, start: int, stop: int) -> str:
        """The text from one unit to another as it stands in the document."""
        return _text(self.chunk.values[self.starts[start] : self.stops[stop - 1]])


def _text(values: npt.NDArray[np.uint32]) -> str:
    return values.tobytes().decode("utf-32-le", "replace")
