"""Documents as arrays of code points, with what all features share: kinds, spans, hashes of spans."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.quality.classes import KINDS, Kind, kind_table
from pipeline.script.codepoints import CodePoints
from pipeline.script.spans import prefix_sums, span_values

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

Column = npt.NDArray[Any]
Columns = dict[str, Column]
"""Features by name, one value for each document."""


class Text:
    """Some whole documents, end to end."""

    def __init__(self, chunk: CodePoints) -> None:
        self.values, self.bounds, self.documents = chunk.values, chunk.bounds, chunk.documents
        self.lengths = np.diff(chunk.bounds)
        self.kinds = kind_table()[chunk.values]
        self.sums = prefix_sums(chunk.values)
        # A byte that wraps around compares both ends at once.
        self.marks = np.flatnonzero(self.kinds - np.uint8(Kind.LETTER) > Kind.MARK - Kind.LETTER)
        """Positions of all that is no letter: a fifth of a text, so that what it counts costs a fifth."""
        self.mark_kinds = self.kinds[self.marks]
        self.mark_values = self.values[self.marks]
        self.mark_owners = self.owners(self.marks)

    @cached_property
    def counts(self) -> Int64s:
        """Characters of each kind but letters, shape (documents, KINDS)."""
        flat: Int64s = np.bincount(self.mark_owners * KINDS + self.mark_kinds, minlength=self.documents * KINDS)
        return flat.reshape(-1, KINDS)

    @cached_property
    def letters(self) -> Int64s:
        """Letters and marks of each document."""
        letters: Int64s = self.lengths - self.counts.sum(axis=1)
        return letters

    @cached_property
    def visible(self) -> Int64s:
        """Characters of each document that are no space; at least 1."""
        visible: Int64s = np.maximum(self.lengths - self.counts[:, Kind.SPACE] - self.counts[:, Kind.NEWLINE], 1)
        return visible

    @cached_property
    def spaces(self) -> Int64s:
        """Positions of white space, line ends among them."""
        found: Int64s = self.marks[(self.mark_kinds == Kind.SPACE) | (self.mark_kinds == Kind.NEWLINE)]
        return found

    @cached_property
    def newlines(self) -> Int64s:
        """Positions of line ends."""
        found: Int64s = self.marks[self.mark_kinds == Kind.NEWLINE]
        return found

    def owners(self, starts: Int64s) -> Int64s:
        """The document of each of some ascending positions."""
        counts = np.diff(np.searchsorted(starts, self.bounds))
        return np.repeat(np.arange(self.documents), counts)

    def per_document(self, owners: Int64s, weights: Column | None = None) -> Column:
        """How many of some things each document has, or the sum of their weights."""
        counts: Column = np.bincount(owners, weights=weights, minlength=self.documents)
        return counts

    def between(self, gaps: Int64s) -> tuple[Int64s, Int64s]:
        """The spans between some ascending positions, divided where documents are; empty ones are left out."""
        starts = np.sort(np.concatenate((self.bounds[:-1], gaps + 1)), kind="stable")
        stops = np.sort(np.concatenate((gaps, self.bounds[1:])), kind="stable")
        filled = starts < stops
        return starts[filled], stops[filled]

    def spans(self, inside: Bools, cuts: Int64s | None = None) -> tuple[Int64s, Int64s]:
        """Maximal runs of true within documents, begun anew at ``cuts``."""
        breaks = self.bounds if cuts is None else np.concatenate((self.bounds, cuts))
        breaks = breaks[(breaks > 0) & (breaks < len(inside))]
        breaks = breaks[inside[breaks] & inside[breaks - 1]]
        edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        # What begins with a run, or ends with one, has an edge there; a run that is cut ends and begins.
        outer = [position for position, there in ((0, inside[0]), (len(inside), inside[-1])) if there]
        if len(breaks) or outer:
            breaks = np.unique(breaks)  # a cut, or the end of an empty document, may be where another one is
            edges = np.sort(np.concatenate((edges, breaks, breaks, np.array(outer, np.int64))), kind="stable")
        return edges[::2], edges[1::2]

    def hash(self, starts: Int64s, stops: Int64s) -> UInt64s:
        """64-bit hashes of spans, equal for equal text."""
        hashes = span_values(self.sums, starts, stops)
        hashes ^= hashes >> np.uint64(29)
        hashes *= np.uint64(0xBF58476D1CE4E5B9)
        hashes ^= hashes >> np.uint64(32)
        return hashes


def members(characters: str) -> Bools:
    """A table of the first 65,536 code points, true for some."""
    table = np.zeros(0x10000, np.bool_)
    table[[ord(character) for character in characters]] = True
    return table
