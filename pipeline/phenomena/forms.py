"""A word of a sentence replaced by another lexeme's form of the same cell, in the same written shape."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curriculum.features import read_features
from pipeline.phenomena.lexicon import Lexicon

Int64s = npt.NDArray[np.int64]


class Replaced(NamedTuple):
    """A sentence with one word replaced."""

    sentence: str
    word: str
    form: str
    cell: str


def replace(
    sentence: str, cells: Collection[int], lexicon: Lexicon, forms: frozenset[int], pick: int
) -> Replaced | None:
    """Put a rare form in the place of the first word that can only be of one of some cells.

    Args:
        sentence: of the language.
        cells: by number.
        lexicon: of the language.
        forms: words of the lexicon that may be put in, by number.
        pick: a hash that says which of them.

    Returns:
        None where no word is of the cells, or no form has its cell, another lemma and its shape.
    """
    for found in read_features(pa.array([sentence], pa.large_string())):
        starts, stops = found.words.starts.tolist(), found.words.stops.tolist()
        for start, stop, number in zip(starts, stops, lexicon.find(found.words.hashes).tolist(), strict=True):
            if number < 0 or not lexicon.sure[number]:
                continue
            _, (cell, *_) = lexicon.cells_of(np.array([number]))
            if int(cell) not in cells:
                continue
            word = sentence[start:stop]
            lemmas = set(_column(lexicon).lemma[_entries(lexicon, number)].tolist())
            usable = _usable(lexicon, int(cell), forms)
            for step in range(len(usable)):
                entry = int(usable[(pick + step) % len(usable)])
                form = shaped(lexicon.forms[entry].as_py(), word)
                if form is not None and _column(lexicon).lemma[entry] not in lemmas:
                    return Replaced(sentence[:start] + form + sentence[stop:], word, form, lexicon.cells[int(cell)])
    return None


def shaped(form: str, word: str) -> str | None:
    """A form written as a word is: small, with a capital first, or in capitals; None where that would change what is
    always capital or be a shape of its own."""
    small = form == form.lower()
    if word == word.lower():
        return form if small else None
    if len(word) > 1 and word == word.upper():
        return form.upper()
    if word[1:] == word[1:].lower() and form[1:] == form[1:].lower():
        return form[0].upper() + form[1:]
    return None


class _Columns(NamedTuple):
    lemma: npt.NDArray[Any]
    by_word: Int64s
    bounds: Int64s
    by_cell: Int64s
    cell_bounds: Int64s


@lru_cache(maxsize=4)
def _column(lexicon: Lexicon) -> _Columns:
    """Numbers of the entries' lemmas, and the entries of each word and of each cell."""
    by_word, by_cell = np.argsort(lexicon.word, kind="stable"), np.argsort(lexicon.cell, kind="stable")
    return _Columns(
        lexicon.lemmas.indices.to_numpy(),
        by_word,
        np.searchsorted(lexicon.word[by_word], np.arange(len(lexicon.words) + 1)),
        by_cell,
        np.searchsorted(lexicon.cell[by_cell], np.arange(len(lexicon.cells) + 1)),
    )


def _entries(lexicon: Lexicon, word: int) -> Int64s:
    columns = _column(lexicon)
    return columns.by_word[columns.bounds[word] : columns.bounds[word + 1]]


@lru_cache(maxsize=1024)
def _usable(lexicon: Lexicon, cell: int, forms: frozenset[int]) -> Int64s:
    """Entries of a cell whose word may be put in."""
    columns = _column(lexicon)
    entries = columns.by_cell[columns.cell_bounds[cell] : columns.cell_bounds[cell + 1]]
    return entries[[int(word) in forms for word in lexicon.word[entries]]]
