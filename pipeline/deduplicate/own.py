"""How much of a document would be lost with it: its own text, which another document does not have.

Jaccard similarity does not say. A text of which one word in ten was changed here and there has 0.4 to its original and
a tenth of its own; two pages that share a template and nothing else may have 0.4 as well, and four tenths of their own.
A token (a word, or a letter in scripts without spaces) is shared when some shingle that covers it is.
"""

from __future__ import annotations

import numpy as np

from pipeline.deduplicate.shingles import Int64s, Shingles
from pipeline.deduplicate.similarity import Floats, ShingleSets, contains
from pipeline.vectors import ranges


def own_share(shingles: Shingles, sets: ShingleSets, one: Int64s, other: Int64s) -> Floats:
    """Share of the tokens of ``one`` that are its own beside ``other``, for n pairs of documents; shape (n,).

    A document without shingles has nothing of its own.

    Args:
        shingles: of all documents, in the order of their texts.
        sets: the same as sets.
        one, other: rows of documents.
    """
    sizes, widths = shingles.sizes[one], shingles.widths[one]
    places = ranges(shingles.bounds[one], sizes)
    pairs = np.repeat(np.arange(len(one)), sizes)
    shared = contains(sets, other[pairs], shingles.hashes[places])
    places, pairs = places[shared], pairs[shared]
    # A shared shingle covers its tokens up to where the next one begins.
    reach = widths[pairs]
    adjoining = pairs[1:] == pairs[:-1]
    reach[:-1][adjoining] = np.minimum(reach[:-1], np.diff(places))[adjoining]
    covered = np.bincount(pairs, weights=reach, minlength=len(one))
    tokens = sizes + widths - 1
    share: Floats = np.where(sizes > 0, 1 - covered / np.maximum(tokens, 1), 0.0)
    return share
