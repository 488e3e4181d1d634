"""Documents as passages of a few sentences: the unit in which natural and synthetic text are compared.

Documents differ in length, and what is counted in them differs with it; passages do not. White space and numbers are
made alike, since a layout is not what makes text natural.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import regex

from corpus.hashing import stable_hash
from pipeline.sentences.split import split

Int64s = npt.NDArray[np.int64]

_NUMBERS: Final = regex.compile(r"\p{Nd}+")


@dataclass(frozen=True, eq=False)
class Passages:
    """p passages of some documents."""

    texts: tuple[str, ...]
    """[p]"""
    groups: tuple[str, ...]
    """[p] what they belong to: passages of one group are never on both sides of a comparison."""
    documents: Int64s
    """[p] number of the document of each."""
    sentence_lengths: Int64s
    """Characters of all sentences."""

    def take(self, rows: Int64s) -> Passages:
        """Some of the passages, with all sentence lengths."""
        chosen = rows.tolist()
        return Passages(
            tuple(self.texts[row] for row in chosen),
            tuple(self.groups[row] for row in chosen),
            self.documents[rows],
            self.sentence_lengths,
        )


def passages(texts: Sequence[str], groups: Sequence[str], lang: str, characters: int, most: int, seed: int) -> Passages:
    """Cut documents into passages of whole sentences.

    Args:
        texts: n documents.
        groups: n names; a synthetic document has that of its parent.
        lang: tag of the language.
        characters: least length of a passage; what is left at the end of a document is dropped, unless it is all.
        most: passages to make; documents are taken by the hash of their group, whole ones.
        seed: another one takes other documents.
    """
    order = sorted(range(len(texts)), key=lambda row: (stable_hash("passages", groups[row], seed=seed), texts[row]))
    found: list[str] = []
    owners: list[int] = []
    lengths: list[int] = []
    for row in order:
        if len(found) >= most:
            break
        sentences = _sentences(texts[row], lang)
        lengths += map(len, sentences)
        pieces = _pieces(sentences, characters)[: most - len(found)]
        found += pieces
        owners += [row] * len(pieces)
    names = tuple(groups[row] for row in owners)
    return Passages(tuple(found), names, np.array(owners, np.int64), np.array(lengths, np.int64))


def pieces_of(text: str, lang: str, characters: int, most: int) -> list[str]:
    """The first passages of one document."""
    return _pieces(_sentences(text, lang), characters)[:most]


def _sentences(text: str, lang: str) -> list[str]:
    return [_NUMBERS.sub("0", " ".join(one.split())) for one in split(text, lang).sentences]


def _pieces(sentences: Sequence[str], characters: int) -> list[str]:
    pieces: list[str] = []
    now: list[str] = []
    size = 0
    for sentence in sentences:
        now.append(sentence)
        size += len(sentence) + 1
        if size > characters:
            pieces.append(" ".join(now))
            now, size = [], 0
    return pieces or ([" ".join(now)] if size else [])
