"""Inflectional lexicons as UniMorph has them (https://unimorph.github.io; Batsuren et al., LREC 2022).

A line holds a lemma, one of its forms and the features of that form, with tabs between: ``run	ran	V;PST``. A bundle of
features is a cell of a paradigm. Forms are compared as text is counted: case and digits folded. Forms of several words
are left out, as no word of a text is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.errors import InputError
from corpus.hashing import file_hash
from pipeline.curriculum.features import read_features
from pipeline.vectors import ranges

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
UInt64s = npt.NDArray[np.uint64]

NAMED: Final = 20
"""Broken lines whose numbers are kept."""


@dataclass(frozen=True)
class LexiconFacts:
    """What was read and what was not."""

    digest: str
    """XXH3-128 of the file, hexadecimal."""
    lines: int
    """Not empty."""
    broken: int
    """Without three fields that hold something, or not UTF-8."""
    broken_lines: tuple[int, ...]
    """Numbers of the first of them, from 1."""
    several_words: int
    """Entries whose form is not one word."""


@dataclass(frozen=True, eq=False)
class Lexicon:
    """e entries with w different words and c cells."""

    facts: LexiconFacts
    cells: tuple[str, ...]
    """[c] bundles of features, in alphabetical order."""
    words: UInt64s
    """[w] hashes of the folded forms, ascending."""
    forms: pa.Array
    """[e] as written."""
    lemmas: pa.DictionaryArray
    """[e]"""
    cell: Int32s
    """[e] number of the cell of each entry."""
    word: Int64s
    """[e] number of each entry's word."""

    @cached_property
    def _paradigm(self) -> tuple[Int64s, Int32s]:
        """Cells of each word, end to end, and where each word's begin; different ones, ascending."""
        pairs = np.unique(self.word.astype(np.uint64) << np.uint64(32) | self.cell.astype(np.uint64))
        owners = (pairs >> np.uint64(32)).astype(np.int64)
        cells = (pairs & np.uint64(0xFFFFFFFF)).astype(np.int32)
        return np.searchsorted(owners, np.arange(len(self.words) + 1)), cells

    @cached_property
    def sure(self) -> npt.NDArray[np.bool_]:
        """[w] words that can be of one cell only."""
        bounds, _ = self._paradigm
        found: npt.NDArray[np.bool_] = np.diff(bounds) == 1
        return found

    def find(self, hashes: UInt64s) -> Int64s:
        """Numbers of n words by the hashes that ``read_features`` gives them; -1 where the lexicon lacks one."""
        if not len(self.words):
            return np.full(len(hashes), -1, np.int64)
        places = np.minimum(np.searchsorted(self.words, hashes), len(self.words) - 1)
        return np.where(self.words[places] == hashes, places, -1)

    def cells_of(self, words: Int64s) -> tuple[Int64s, Int32s]:
        """The cells of n words given by number: for each pair of word and cell, which of the n it is, and the cell."""
        bounds, cells = self._paradigm
        sizes = bounds[words + 1] - bounds[words]
        return np.repeat(np.arange(len(words)), sizes), cells[ranges(bounds[words], sizes)]


def digests(lexicons: Mapping[str, str]) -> dict[str, str]:
    """Hashes of the files of lexicons, by language: part of what made documents depend on.

    Raises:
        InputError: one cannot be read.
    """
    found = {}
    for lang, path in sorted(lexicons.items()):
        try:
            found[lang] = file_hash(path)
        except OSError as error:
            raise _unreadable(path, error) from error
    return found


def _unreadable(path: str | Path, error: OSError) -> InputError:
    message = f"cannot read the lexicon {path}: {error.strerror}"
    return InputError(message, "correct `phenomena.lexicons` in the recipe")


def read_lexicon(path: str | Path) -> Lexicon:
    """Read a lexicon; a broken line is counted and left out. A file that did not change is read once a process.

    Raises:
        InputError: there is no such file, or nothing in it is an entry.
    """
    try:
        state = Path(path).stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _read(str(path), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> Lexicon:
    columns: tuple[list[str], list[str], list[str]] = ([], [], [])
    lines, broken = 0, []
    with Path(path).open("rb") as handle:
        for number, raw in enumerate(handle, start=1):
            if not raw.strip():
                continue
            lines += 1
            try:
                fields = [field.strip() for field in raw.decode("utf-8-sig" if number == 1 else "utf-8").split("\t")]
            except UnicodeDecodeError:
                fields = []
            if len(fields) < 3 or not all(fields[:3]):
                broken.append(number)
                continue
            for column, field in zip(columns, fields, strict=False):
                column.append(field)
    forms = pa.array(columns[1], pa.large_string())
    hashes, single = _hashes(forms)
    if not single.any():
        raise InputError(
            f"no line of the lexicon {path} is an entry ({lines} lines, the first broken one {broken[:1]})",
            "give a file of lines with lemma, form and features, and tabs between",
        )
    rows = pa.array(np.flatnonzero(single))
    words, word = np.unique(hashes[single], return_inverse=True)
    features = np.array(columns[2], object)[single]
    cells, cell = np.unique(features.astype(str), return_inverse=True)
    facts = LexiconFacts(file_hash(path), lines, len(broken), tuple(broken[:NAMED]), int((~single).sum()))
    return Lexicon(
        facts,
        tuple(cells.tolist()),
        words,
        forms.take(rows),
        pa.array(columns[0], pa.large_string()).take(rows).dictionary_encode(),
        cell.astype(np.int32),
        word.astype(np.int64),
    )


def _hashes(forms: pa.Array) -> tuple[UInt64s, npt.NDArray[np.bool_]]:
    """The hash of each form as a word of a text, and whether it is one word and nothing else."""
    hashes, single = np.zeros(len(forms), np.uint64), np.zeros(len(forms), np.bool_)
    for found in read_features(forms):
        words = found.words
        counts = np.bincount(words.owners, minlength=found.text.documents)
        whole = words.stops - words.starts == found.text.lengths[words.owners]
        alone = (counts[words.owners] == 1) & whole
        rows = found.first + words.owners[alone]
        hashes[rows], single[rows] = words.hashes[alone], True
    return hashes, single
