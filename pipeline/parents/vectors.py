"""Sketches as short vectors of whole numbers: TF-IDF of their words, projected at random.

A word weighs (1 + log2 of its count in the document) · log2(documents / documents with the word)², which is TF-IDF
(Salton and Buckley 1988) with more weight on what is rare, and adds that to ``PLACES`` of ``DIMENSIONS`` numbers with
signs, both by its hash: a sparse Johnson-Lindenstrauss projection (Kane and Nelson 2014, arXiv 1012.1577), which keeps
angles to about 1 / √DIMENSIONS.

Everything is rounded to whole numbers so small that their products and sums are exact in single precision: a choice
does not depend on the machine, the library of linear algebra or its threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.vectors import mix

Int64s = npt.NDArray[np.int64]
UInt32s = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float32]

DIMENSIONS: Final = 512
"""Noise of the projection drowns topics in 128."""
PLACES: Final = 4
LENGTH: Final = 2_000
"""Of every vector, about. Products of two are below LENGTH², less than the 2^24 up to which single precision counts."""
RAREST: Final = 0.005
"""Share of the documents that must have a word for it to say something of a topic, and two documents in any case: a
rarer one is mostly the document's own, and its large weight would be noise to all others."""
COMMONEST: Final = 0.6
"""… and that it may have at most."""
_STEPS: Final = 16
"""Parts of a bit that weights are rounded to."""
_ROWS: Final = 4_096
"""Documents projected at a time."""


@dataclass(frozen=True, eq=False)
class Weights:
    """How much each word says about the topic of documents of a language."""

    terms: UInt32s
    """Hashes, ascending; [t]. Words of too few or too many documents are not there."""
    weights: Int64s
    """[t]"""

    @classmethod
    def of(cls, sketches: pa.Table) -> Weights:
        """From how many of n documents have each word."""
        terms = pc.list_flatten(sketches.column("terms")).to_numpy()
        found, documents = np.unique(terms, return_counts=True)
        total = sketches.num_rows
        some = (documents >= max(RAREST * total, 2)) & (documents <= max(COMMONEST * total, 2))
        bits = np.log2(total / documents[some])
        return cls(found[some], np.rint(bits * bits * _STEPS).astype(np.int64))


def project(sketches: pa.Table, weights: Weights) -> Floats:
    """The vectors of n documents, whole numbers; a document without a known word has only zeros.

    Args:
        sketches: with ``terms`` and ``counts``.
        weights: of the language.

    Returns:
        [n, DIMENSIONS]
    """
    vectors = np.zeros((sketches.num_rows, DIMENSIONS), np.float32)
    for start in range(0, sketches.num_rows, _ROWS):
        part = sketches.slice(start, _ROWS).combine_chunks()
        vectors[start : start + _ROWS] = _project(part, weights)
    return vectors


def unit(sums: npt.NDArray[np.float64]) -> Floats:
    """Vectors of the same direction and of LENGTH, rounded; [n, d] whole numbers."""
    length = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
    scaled: Floats = np.rint(sums * (LENGTH / np.maximum(length, 1))).astype(np.float32)
    return scaled


class Weighted(NamedTuple):
    """The known words of some documents, document by document; m occurrences."""

    owners: Int64s
    """Document of each, ascending; [m]."""
    words: Int64s
    """Place of each in the weights, [m]."""
    counts: Int64s
    """1 + log2 of the count of each in its document, in parts of a bit; [m]."""


def weighted_terms(sketches: pa.Table, weights: Weights) -> Weighted:
    """The words of n documents that have a weight."""
    terms = pc.list_flatten(sketches.column("terms")).to_numpy()
    counts = pc.list_flatten(sketches.column("counts")).to_numpy()
    sizes = pc.list_value_length(sketches.column("terms")).to_numpy()
    owners = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    if not len(weights.terms):
        nothing = np.empty(0, np.int64)
        return Weighted(nothing, nothing, nothing)
    places = np.minimum(np.searchsorted(weights.terms, terms), len(weights.terms) - 1)
    known = weights.terms[places] == terms
    often = np.rint((1 + np.log2(counts[known])) * _STEPS).astype(np.int64)
    return Weighted(owners[known], places[known], often)


def _project(sketches: pa.Table, weights: Weights) -> Floats:
    found = weighted_terms(sketches, weights)
    sums = np.zeros(sketches.num_rows * DIMENSIONS)
    values = weights.weights[found.words] * found.counts
    bits = mix(weights.terms[found.words].astype(np.uint64) + np.uint64(1))
    for place in range(PLACES):
        taken = bits >> np.uint64(16 * place)
        column = (taken & np.uint64(DIMENSIONS - 1)).astype(np.int64)
        signs = 1 - 2 * ((taken >> np.uint64(15)) & np.uint64(1)).astype(np.int64)
        sums += np.bincount(found.owners * DIMENSIONS + column, signs * values, minlength=len(sums))
    return unit(sums.reshape(-1, DIMENSIONS))
