"""What a classifier sees of passages, as rows of a sparse matrix: all character n-grams, or style without topic.

Style is what remains when every word that is not frequent in the language is made an open slot: function words,
punctuation and their order ("the _ of _ , and"). Volansky, Ordan and Wintner 2015, "On the features of translationese",
tell translations from originals by such features, because words of content tell topics apart instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.quality.classes import Kind
from pipeline.quality.text import Text
from pipeline.quality.words import find_words
from pipeline.script.codepoints import chunks
from pipeline.script.spans import BASE, powers
from pipeline.vectors import mix

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

BITS: Final = 16
"""Of the number of columns."""
CHARACTERS: Final = (1, 2, 3, 4)
"""Lengths of character n-grams."""
SYMBOLS: Final = (1, 2, 3)
"""Lengths of runs of words and marks."""
_SLOT: Final = np.uint64(0x5107)


def character_ngrams(texts: Sequence[str], orders: Sequence[int] = CHARACTERS) -> Any:
    """Counts of character n-grams by bucket of their hash.

    Returns:
        scipy sparse matrix [n, 2^BITS]
    """
    rows, columns = [], []
    for chunk in chunks(pa.array(texts, pa.string())):
        text = Text(chunk)
        _, inverses = powers()
        for order in orders:
            count = len(text.values) - order + 1
            if count <= 0:
                continue
            starts = np.arange(count)
            hashes = (text.sums[order:] - text.sums[:-order]) * inverses[starts % len(inverses)]
            owners = np.repeat(np.arange(text.documents), text.lengths)[:count]
            inside = starts + order <= text.bounds[1:][owners]
            rows.append(owners[inside] + chunk.first)
            columns.append(_bucket(hashes[inside] + np.uint64(order)))
    return _matrix(rows, columns, len(texts))


class Words:
    """The words and marks of n passages, in order."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = len(texts)
        owners, symbols, is_word = [], [], []
        for chunk in chunks(pa.array([text.lower() for text in texts], pa.string())):
            text = Text(chunk)
            words = find_words(text)
            marks = text.marks[text.mark_kinds >= Kind.TERMINAL]
            starts = np.concatenate((words.starts, marks))
            hashes = np.concatenate((words.hashes, mix(text.values[marks].astype(np.uint64))))
            order = np.argsort(starts, kind="stable")
            owners.append(text.owners(starts[order]) + chunk.first)
            symbols.append(hashes[order])
            is_word.append(np.arange(len(starts))[order] < len(words.starts))
        self.owners: Int64s = np.concatenate(owners or [np.empty(0, np.int64)])
        """[m] passage of each."""
        self.symbols: UInt64s = np.concatenate(symbols or [np.empty(0, np.uint64)])
        """[m] hash of each."""
        self.is_word: npt.NDArray[np.bool_] = np.concatenate(is_word or [np.empty(0, np.bool_)])
        """[m]"""

    def widespread(self, share: float) -> UInt64s:
        """Words in so large a share of the passages, ascending."""
        pairs = np.unique(np.stack((self.symbols[self.is_word], self.owners[self.is_word].astype(np.uint64))), axis=1)
        words, counts = np.unique(pairs[0], return_counts=True)
        found: UInt64s = words[counts >= max(share * self.texts, 2)]
        return found

    def style(self, frequent: UInt64s, orders: Sequence[int] = SYMBOLS) -> Any:
        """Counts of runs of frequent words, marks and open slots.

        Args:
            frequent: hashes, ascending.
            orders: lengths of the runs.

        Returns:
            scipy sparse matrix [n, 2^BITS]
        """
        symbols = np.where(self.is_word & ~np.isin(self.symbols, frequent), _SLOT, self.symbols)
        rows, columns = [], []
        runs = symbols.copy()
        for order in range(1, max(orders) + 1):
            if order > 1:
                runs = runs[:-1] * np.uint64(BASE) + symbols[order - 1 :]
            if order in orders and len(runs):
                inside = self.owners[: len(runs)] == self.owners[order - 1 :]
                rows.append(self.owners[: len(runs)][inside])
                columns.append(_bucket(runs[inside] + np.uint64(order)))
        return _matrix(rows, columns, self.texts)


def _bucket(hashes: UInt64s) -> Int64s:
    found: Int64s = (mix(hashes.copy()) >> np.uint64(64 - BITS)).astype(np.int64)
    return found


def _matrix(rows: list[Int64s], columns: list[Int64s], count: int) -> Any:
    from scipy.sparse import csr_matrix

    row = np.concatenate(rows) if rows else np.empty(0, np.int64)
    column = np.concatenate(columns) if columns else np.empty(0, np.int64)
    matrix = csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(count, 1 << BITS))
    matrix.sum_duplicates()
    return matrix
