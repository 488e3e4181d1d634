"""The words of many short texts as arrays, for measures that compare words with words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.quality.classes import Kind
from pipeline.quality.text import Text
from pipeline.quality.words import find_words
from pipeline.script.codepoints import chunks
from pipeline.script.spans import BASE
from pipeline.script.unicode import SIZE

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class WordTable:
    """The w words of n texts, text by text."""

    texts: int
    hashes: UInt64s
    """[w] equal for equal words."""
    owners: Int64s
    """[w] the text each stands in."""
    sizes: Int64s
    """[w] characters."""
    names: Bools
    """[w] begins with a capital or is a number: a translation may keep it."""

    def count(self, where: Bools | None = None) -> Floats:
        """[n] words of each text, or those that are marked."""
        owners = self.owners if where is None else self.owners[where]
        return np.bincount(owners, minlength=self.texts).astype(np.float64)


def column(texts: Sequence[str]) -> pa.Array:
    """Texts as an Arrow column; a lone surrogate, which UTF-8 cannot hold, becomes a replacement character."""
    try:
        return pa.array(texts, pa.large_string())
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return pa.array([_SURROGATE.sub("\ufffd", text) for text in texts], pa.large_string())


def words_of(texts: Sequence[str]) -> WordTable:
    """Find the words of n texts; an ideograph is one, in other scripts without spaces a piece of a word's length."""
    hashes, owners, lengths, capital = [], [], [], []
    for chunk in chunks(column(texts)):
        if not len(chunk.values):
            continue
        text = Text(chunk)
        found = find_words(text)
        names = _capitals()[chunk.values[found.starts]] | (text.kinds[found.starts] == Kind.NUMBER)
        hashes.append(found.hashes)
        owners.append(found.owners + chunk.first)
        lengths.append(found.stops - found.starts)
        capital.append(names)
    if not hashes:
        none = np.empty(0, np.int64)
        return WordTable(len(texts), np.empty(0, np.uint64), none, none, np.empty(0, np.bool_))
    return WordTable(
        len(texts), np.concatenate(hashes), np.concatenate(owners), np.concatenate(lengths), np.concatenate(capital)
    )


def in_ngrams(words: WordTable, others: WordTable, n: int) -> Bools:
    """[w] whether a word stands in a sequence of n words that the other text of the same number holds, too."""
    keys, places = _ngrams(words, n)
    known, _ = _ngrams(others, n)
    hits = places[np.isin(keys, known)]
    found = np.zeros(len(words.hashes), np.bool_)
    for step in range(n):
        found[hits + step] = True
    return found


def _ngrams(words: WordTable, n: int) -> tuple[UInt64s, Int64s]:
    """Keys that hold text and n-gram, and the word each begins with."""
    places = np.arange(max(len(words.hashes) - n + 1, 0))
    places = places[words.owners[places] == words.owners[places + n - 1]]
    keys = words.owners[places].astype(np.uint64)
    for step in range(n):
        keys = (keys ^ (keys >> np.uint64(29))) * np.uint64(BASE) + words.hashes[places + step]
    return keys, places


@lru_cache(maxsize=1)
def _capitals() -> Bools:
    """By code point, whether it is a capital letter."""
    table = np.zeros(SIZE, np.bool_)
    table[[code for code in range(0x20000) if (letter := chr(code)).isupper() or letter.istitle()]] = True
    return table
