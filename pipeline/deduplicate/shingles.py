"""Shingles of texts: hashes of runs of words, or of characters in scripts without spaces, for a batch at once.

A text is folded first, so that a copy stays a copy when its surface changes: letters to lower case, every number
to one zero, punctuation and white space to word ends, apostrophes away. Combining marks stay: tones of Yoruba and
vowels of Devanagari are what tells words apart. In scripts without spaces a letter with its marks stands for a
word; a text mostly of such letters is cut into runs of characters. Broder 1997, "On the resemblance and
containment of documents", names the runs shingles and measures texts by the sets of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.quality.classes import Kind, kind_table
from pipeline.script.codepoints import CodePoints, chunks
from pipeline.script.spans import prefix_sums, span_values
from pipeline.script.unicode import property_ranges
from pipeline.vectors import mix, ranges

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
UInt32s = npt.NDArray[np.uint32]
Bools = npt.NDArray[np.bool_]

_END: Final = 0
_NUMBER: Final = ord("0")
_NOTHING: Final = 0x3FFFFFFF
_ALONE: Final = np.uint32(1 << 31)
_MARK: Final = np.uint32(1 << 30)
_APOSTROPHES: Final = "'’‘ʼ`´＇"

_TOKENS: Final = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class Lengths:
    """How long a shingle is."""

    words: int = 5
    """Words, in a text with spaces."""
    characters: int = 5
    """Letters with their marks, in a text without."""


@dataclass(frozen=True)
class Shingles:
    """The shingles of consecutive documents, in the order of the text, with repetitions."""

    hashes: UInt64s
    """Uniform 64-bit hashes of all documents, end to end."""
    bounds: Int64s
    """Document d has ``hashes[bounds[d]:bounds[d + 1]]``; shape (documents + 1,)."""
    widths: Int64s
    """Tokens in a shingle of each document; 0 where a text has none. A text of n tokens has n - width + 1 shingles."""

    @property
    def documents(self) -> int:
        """Number of documents."""
        return len(self.bounds) - 1

    @property
    def sizes(self) -> Int64s:
        """Shingles of each document; 0 where a text has no letter and no number."""
        return np.diff(self.bounds)


def shingles(column: pa.Array, lengths: Lengths) -> Shingles:
    """The shingles of n texts; of one longer than 4 MiB, those of its beginning.

    Args:
        column: string or large_string of n rows, nulls count as empty.
        lengths: of a shingle.
    """
    parts = list(shingle_chunks(column, lengths))
    sizes = np.concatenate([np.zeros(1, np.int64), *(part.sizes for _, part in parts)])
    hashes = np.concatenate([np.zeros(0, np.uint64), *(part.hashes for _, part in parts)])
    widths = np.concatenate([np.zeros(0, np.int64), *(part.widths for _, part in parts)])
    return Shingles(hashes, np.cumsum(sizes), widths)


def shingle_chunks(column: pa.Array, lengths: Lengths) -> Iterator[tuple[int, Shingles]]:
    """The same, a few documents at a time, each time with the row of the first: no more than that is in memory."""
    for chunk in chunks(column):
        yield chunk.first, shingle(chunk, lengths)


def shingle(chunk: CodePoints, lengths: Lengths) -> Shingles:
    """The shingles of some documents given as code points.

    A document of fewer tokens than a shingle has is one shingle.
    """
    letters, bounds = _folded(chunk)
    starts, stops = _tokens(letters, bounds)
    edges = np.searchsorted(starts, bounds)
    counts = np.diff(edges)
    alone = np.concatenate([[0], np.cumsum(letters[starts] >= _ALONE)])
    by_character = np.diff(alone[edges]) * 2 > counts
    asked = np.minimum(np.where(by_character, lengths.characters, lengths.words), counts)
    sizes = np.where(counts > 0, counts - asked + 1, 0)
    result = np.concatenate([[0], np.cumsum(sizes)])
    hashes = np.empty(result[-1], np.uint64)
    words = span_hashes(letters, starts, stops)
    runs = words.copy()
    length = 1
    for wanted in np.unique(asked[asked > 0]).tolist():
        while length < wanted:
            # Horner's rule; what runs over the end of a document is never taken.
            runs = runs[:-1]
            runs *= _TOKENS
            runs += words[length:]
            length += 1
        chosen = np.flatnonzero(asked == wanted)
        if len(chosen) == len(asked):
            hashes[:] = runs[ranges(edges[:-1], sizes)]
        else:
            hashes[ranges(result[chosen], sizes[chosen])] = runs[ranges(edges[chosen], sizes[chosen])]
    return Shingles(mix(hashes), result, asked)


@cache
def _fold_table() -> UInt32s:
    """What each code point becomes: a letter, its class in the two highest bits; the end of a word; or nothing."""
    kinds = kind_table()
    table = np.zeros(len(kinds), np.uint32)
    inside = np.flatnonzero((kinds >= Kind.LETTER) & (kinds <= Kind.MARK)).astype(np.uint32)
    table[inside] = inside
    for name in ("Lu", "Lt"):
        for start, stop in property_ranges(name):
            for point in range(start, stop):
                lower = chr(point).lower()
                table[point] = ord(lower) if len(lower) == 1 else ord(lower[0])
    table[kinds == Kind.NUMBER] = _NUMBER
    table[(kinds == Kind.IDEOGRAPH) | (kinds == Kind.UNSPACED)] |= _ALONE
    table[kinds == Kind.MARK] |= _MARK
    for character in _APOSTROPHES:
        table[ord(character)] = _NOTHING
    for start, stop in property_ranges("Cf"):
        table[start:stop] = _NOTHING
    table.flags.writeable = False
    return table


def _folded(chunk: CodePoints) -> tuple[UInt32s, Int64s]:
    """Code points folded, those that vanish left out, and the bounds of the documents in what is left."""
    letters = _fold_table()[chunk.values]
    numbers = letters == _NUMBER
    vanish = numbers.copy()
    vanish[1:] &= numbers[:-1]
    first = chunk.bounds[:-1][np.diff(chunk.bounds) > 0]
    vanish[first] = False
    vanish |= letters == _NOTHING
    if not vanish.any():
        return letters, chunk.bounds
    gone = np.concatenate([[0], np.cumsum(vanish)])
    return letters[~vanish], chunk.bounds - gone[chunk.bounds]


def _tokens(letters: UInt32s, bounds: Int64s) -> tuple[Int64s, Int64s]:
    """Where tokens begin and end: words, and in scripts without spaces each letter with the marks on it."""
    inside = letters != _END
    alone = letters >= _ALONE
    joined = inside.copy()  # to what stands before
    joined[1:] &= inside[:-1] & (~alone[:-1] | ((letters[1:] & _MARK) != 0))
    joined &= ~alone
    edges = bounds[:-1][np.diff(bounds) > 0]
    joined[edges] = False
    begins = inside & ~joined
    ends = inside
    ends[:-1] &= ~joined[1:]
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1


def span_hashes(letters: UInt32s, starts: Int64s, stops: Int64s) -> UInt64s:
    """64-bit hashes of spans, equal for equal letters."""
    return mix(span_values(prefix_sums(letters), starts, stops))
