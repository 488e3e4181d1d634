"""Pairs and sentences laid into rows of at most L tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


class Sentence(NamedTuple):
    """A sentence of some language."""

    tokens: IntArray
    """Its end included."""
    language: int
    """Index."""


class PairRows(NamedTuple):
    """R rows of L tokens that hold several languages; fulfils ``trainer.steps.rows.MixedRows``."""

    tokens: IntArray
    """Token ids, [R, L]."""
    segments: npt.NDArray[np.int32]
    """Who sees whom, [R, L]; -1 for padding."""
    positions: npt.NDArray[np.int32]
    """[R, L]."""
    languages: npt.NDArray[np.int32]
    """-1: what a row's language is, its tokens say, [R]."""
    token_languages: npt.NDArray[np.int32]
    """Language index of each token, -1 for padding, [R, L]."""
    sentences: IntArray
    """Number of the sentence that each token is of, -1 for padding, [R, L]."""
    begins: npt.NDArray[np.bool_]
    """The pieces that begin sentences, which nothing is to be learnt from, [R, L]."""

    def take(self, rows: IntArray) -> PairRows:
        """Some of the rows, cut to the longest of them; -1 gives an empty row."""
        used = (self.segments >= 0).sum(axis=1)
        columns = max(2, int(used[rows[rows >= 0]].max(initial=0)))
        chosen = PairRows._make(array[rows] for array in self)
        for number in np.flatnonzero(rows < 0).tolist():
            chosen.segments[number] = chosen.token_languages[number] = chosen.sentences[number] = -1
            chosen.begins[number] = False
        return PairRows._make(array if array.ndim == 1 else array[:, :columns] for array in chosen)


def pair_rows(
    pairs: Sequence[tuple[Sentence, Sentence]], length: int, *, begin: int, pad: int, restart: bool
) -> PairRows:
    """Rows in which each pair is one segment: both its sentences are seen from everywhere in it.

    Args:
        pairs: sentences 2 i and 2 i + 1 are the i-th.
        length: L, at least 4; of pairs that are longer the ends of the longer sentence are cut, or of both.
        begin: piece put before each sentence.
        pad: piece for what is left of a row.
        restart: whether the positions of the second sentence begin at 0 again.
    """
    cut = [_cut(first, second, length) for first, second in pairs]
    rows = pack([len(first.tokens) + len(second.tokens) + 2 for first, second in cut], length)
    blank = _blank(len(rows), length, pad)
    for row, members in enumerate(rows):
        at = 0
        for segment, number in enumerate(members):
            first, second = cut[number]
            _put(blank, row, at, first, segment, 2 * number, begin, 0)
            middle = at + len(first.tokens) + 1
            _put(blank, row, middle, second, segment, 2 * number + 1, begin, 0 if restart else middle - at)
            at = middle + len(second.tokens) + 1
    return blank


def sentence_rows(sentences: Sequence[Sentence], length: int, *, begin: int, pad: int) -> PairRows:
    """Rows in which each sentence is a segment of its own.

    Args:
        sentences: in the order of their numbers.
        length: L, at least 2; the ends of longer sentences are cut.
        begin: piece put before each sentence.
        pad: piece for what is left of a row.
    """
    cut = [Sentence(one.tokens[: length - 1], one.language) for one in sentences]
    rows = pack([len(one.tokens) + 1 for one in cut], length)
    blank = _blank(len(rows), length, pad)
    for row, members in enumerate(rows):
        at = 0
        for segment, number in enumerate(members):
            _put(blank, row, at, cut[number], segment, number, begin, 0)
            at += len(cut[number].tokens) + 1
    return blank


def pack(lengths: Sequence[int], length: int) -> list[list[int]]:
    """Which items share a row: the longest first, each into the first row with room (first-fit decreasing).

    Args:
        lengths: of the items, at most L each.
        length: L.

    Returns:
        the items of each row, ascending.
    """
    rows: list[list[int]] = []
    room: list[int] = []
    for item in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        row = next((number for number, left in enumerate(room) if left >= lengths[item]), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(length)
        rows[row].append(item)
        room[row] -= lengths[item]
    return [sorted(row) for row in rows]


def _cut(first: Sentence, second: Sentence, length: int) -> tuple[Sentence, Sentence]:
    room = length - 2
    half = room // 2
    left = max(half, room - len(second.tokens))
    right = max(room - half, room - len(first.tokens))
    return Sentence(first.tokens[:left], first.language), Sentence(second.tokens[:right], second.language)


def _blank(rows: int, length: int, pad: int) -> PairRows:
    shape = (rows, length)
    return PairRows(
        tokens=np.full(shape, pad, np.int64),
        segments=np.full(shape, -1, np.int32),
        positions=np.zeros(shape, np.int32),
        languages=np.full(rows, -1, np.int32),
        token_languages=np.full(shape, -1, np.int32),
        sentences=np.full(shape, -1, np.int64),
        begins=np.zeros(shape, bool),
    )


def _put(
    rows: PairRows, row: int, at: int, sentence: Sentence, segment: int, number: int, begin: int, position: int
) -> None:
    stop = at + len(sentence.tokens) + 1
    rows.tokens[row, at] = begin
    rows.tokens[row, at + 1 : stop] = sentence.tokens
    rows.segments[row, at:stop] = segment
    rows.positions[row, at:stop] = np.arange(position, position + stop - at)
    rows.token_languages[row, at:stop] = sentence.language
    rows.sentences[row, at:stop] = number
    rows.begins[row, at] = True
