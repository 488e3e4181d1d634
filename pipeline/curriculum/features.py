"""What is counted in documents: character n-grams, words, pairs of words and constructions, as hashes.

Case and digits are folded first, so that the beginning of a sentence or another year is nothing rare. All features
are 32-bit numbers of which a table takes the highest bits; no string is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.quality.classes import Kind
from pipeline.quality.text import Text
from pipeline.quality.words import Words, find_words
from pipeline.script.codepoints import CodePoints, chunks
from pipeline.script.spans import BASE, powers
from pipeline.script.unicode import SIZE, property_ranges

Int64s = npt.NDArray[np.int64]
UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

ORDERS: Final = (3, 5)
"""Lengths of the character n-grams."""
SHARE_OF_NGRAMS: Final = 4
"""One of so many n-grams is looked at, a power of two: a sum over a quarter of them ranks documents as well."""
CONSTRUCTION: Final = 4
"""Words and marks in a construction."""

_SLOT: Final = np.uint64(0x5107)
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)


class Occurrences(NamedTuple):
    """Where one kind of feature occurs; n occurrences, document by document."""

    keys: UInt32s
    """Hashes of the features, [n]."""
    starts: Int64s
    """First character of each, [n]."""


NOTHING: Final = Occurrences(np.empty(0, np.uint32), np.empty(0, np.int64))


@dataclass(frozen=True)
class Features:
    """Some whole documents and what is counted in them."""

    first: int
    """Row of the first document in its batch."""
    text: Text
    """Folded."""
    words: Words

    @cached_property
    def sizes(self) -> Int64s:
        """Characters in words of each document."""
        found: Int64s = self.text.per_document(
            self.words.owners, (self.words.stops - self.words.starts).astype(np.float64)
        ).astype(np.int64)
        return found

    @cached_property
    def word_keys(self) -> UInt32s:
        """One number for each word."""
        return _high(self.words.hashes)

    def pair_keys(self) -> UInt32s:
        """One number for each word and the word before it; 0 for the first word of a document."""
        hashes, owners = self.words.hashes, self.words.owners
        keys = np.zeros(len(hashes), np.uint32)
        keys[1:] = _high(_mixed(hashes[:-1] * np.uint64(BASE) + hashes[1:]))
        keys[1:][owners[1:] != owners[:-1]] = 0
        return keys

    def ngrams(self, order: int) -> Occurrences:
        """A quarter of the character n-grams, chosen by their hash: the same ones in every document.

        One counts that lies in a word, with at most one character before and one after it: so beginnings and ends
        of words, where inflection is, are features of their own, and neighbouring words are not.
        """
        text = self.text
        count = len(text.values) - order + 1
        if count <= 0:
            return NOTHING
        keys = _high(_mixed((text.sums[order:] - text.sums[:-order]) * _inverses(len(text.values))[:count]))
        chosen = keys & np.uint32(SHARE_OF_NGRAMS - 1) == 0
        chosen &= self._outside[order - 1 : order - 1 + count] == self._outside[1 : 1 + count]
        for back in range(1, order):
            ends = text.bounds[1:-1] - back
            chosen[ends[(ends >= 0) & (ends < count)]] = False
        starts = np.flatnonzero(chosen)
        return Occurrences(keys[starts], starts)

    def owners_of(self, starts: Int64s) -> Int64s:
        """The document of each of some ascending places."""
        return self.text.owners(starts)

    def segments(self, size: int) -> tuple[Int64s, Int64s]:
        """Documents cut into segments of ``size`` characters.

        Returns:
            the number of the first segment of each document, and the document of each segment.
        """
        counts = -(-self.text.lengths // size)
        return np.cumsum(counts) - counts, np.repeat(np.arange(self.text.documents), counts)

    def constructions(self, is_function_word: Bools) -> Occurrences:
        """Sequences of words and marks in which all but function words are open slots: "the _ of _", "_ , _ and".

        Args:
            is_function_word: of each word.
        """
        text, words = self.text, self.words
        marks = text.marks[text.mark_kinds >= Kind.TERMINAL]
        starts = np.concatenate((words.starts, marks))
        symbols = np.concatenate(
            (np.where(is_function_word, words.hashes, _SLOT), _mixed(text.values[marks].astype(np.uint64)))
        )
        order = np.argsort(starts, kind="stable")
        starts, symbols = starts[order], symbols[order]
        count = len(starts) - CONSTRUCTION + 1
        if count <= 0:
            return NOTHING
        sums = symbols[:count].copy()
        for place in range(1, CONSTRUCTION):
            sums = sums * np.uint64(BASE) + symbols[place : place + count]
        owners = text.owners(starts)
        whole = owners[:count] == owners[CONSTRUCTION - 1 :]
        return Occurrences(_high(_mixed(sums[whole])), starts[:count][whole])

    @cached_property
    def inside(self) -> Bools:
        """Which characters are part of a word."""
        kinds = self.text.kinds
        found: Bools = (kinds >= Kind.LETTER) & (kinds <= Kind.NUMBER)
        return found

    @cached_property
    def _outside(self) -> npt.NDArray[np.int32]:
        """Characters that are not part of a word before each place, [characters + 1]."""
        counts = np.zeros(len(self.inside) + 1, np.int32)
        np.cumsum(~self.inside, out=counts[1:])
        return counts


def read_features(texts: pa.Array) -> Iterator[Features]:
    """The features of a text column, some whole documents at a time; nulls count as empty.

    Where all of them are empty they are left out.
    """
    for chunk in chunks(texts):
        if not len(chunk.values):
            continue
        folded = Text(CodePoints(chunk.first, fold_table()[chunk.values], chunk.bounds))
        yield Features(chunk.first, folded, find_words(folded))


@cache
def fold_table() -> UInt32s:
    """Each code point with case and digits folded: a letter to its lower case if it is one, a digit to 0."""
    table = np.arange(SIZE, dtype=np.uint32)
    for name in ("Lu", "Lt"):
        for start, stop in property_ranges(name):
            for point in range(start, stop):
                lower = chr(point).lower()
                if len(lower) == 1:
                    table[point] = ord(lower)
    for start, stop in property_ranges("Nd"):
        table[start:stop] = ord("0")
    table.flags.writeable = False
    return table


def _mixed(hashes: UInt64s) -> UInt64s:
    hashes = hashes ^ (hashes >> np.uint64(29))
    hashes *= _MIX
    return hashes


def _high(hashes: UInt64s) -> UInt32s:
    return (hashes >> np.uint64(32)).astype(np.uint32)


def _inverses(count: int) -> UInt64s:
    _, inverses = powers()
    return np.resize(inverses, count) if count > len(inverses) else inverses
