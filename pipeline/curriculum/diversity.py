"""Feature diversity: how much of what is rare in its language a document carries, relative to other documents.

Three kinds of features are counted: character n-grams of words (spelling, prefixes and endings), words, and
constructions (function words and marks in their order, other words left open). A feature that d other documents of
the language's sample have weighs

    w(d) = 1 / (d + 1) for 1 <= d < COMMON, else 0

which is the document's share of the feature if all documents that have it share it evenly: its Shapley value (1953) in
the game that pays for the number of different features covered. What no other document has weighs nothing: it is as
likely noise as it is news. Each feature counts once in SEGMENT characters, so that a document does not gain by
repeating itself or by being long.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curriculum.features import ORDERS, Bools, Features, Occurrences
from pipeline.curriculum.statistics import Counts, Statistics, bucket, flat_scripts

Floats = npt.NDArray[np.float64]

COMMON: Final = 50
"""Other documents from which on a feature weighs nothing: it is too small to be worth the time."""
USUAL_SCRIPT: Final = 0.1
"""Share of a language's documents from which on a script is usual in it."""
ATTESTED: Final = 5
"""Length of the n-grams that tell text of the language from noise."""
SEGMENT: Final = 1 << 10
"""Characters in which a feature counts once."""


class Rare(NamedTuple):
    """What is rare in n documents, [n] each."""

    ngrams: Floats
    """Sum of the weights of character n-grams; the next two likewise."""
    words: Floats
    constructions: Floats
    attested: Floats
    """Character n-grams of ATTESTED characters that some other document has, of all of them."""
    attestable: Floats


def rare(found: Features, statistics: Statistics, own: Bools) -> Rare:
    """What is rare in n documents.

    Args:
        found: the documents.
        statistics: of their language.
        own: which of them are in the sample, [n].
    """
    weights = feature_weights()
    ngrams, attested, attestable = (np.zeros(found.text.documents) for _ in range(3))
    for order in ORDERS:
        occurrences = found.ngrams(order)
        ngrams += _summed(found, occurrences, statistics.ngrams, weights, own)
        if order == ATTESTED:
            owners = found.owners_of(occurrences.starts)
            counts = statistics.ngrams[bucket(occurrences.keys, statistics.ngrams)]
            attested = found.text.per_document(owners[counts > own[owners]]).astype(np.float64)
            attestable = found.text.per_document(owners).astype(np.float64)
    words = Occurrences(found.word_keys, found.words.starts)
    constructions = found.constructions(statistics.function_words(found.word_keys))
    word_sums = _summed(found, words, statistics.words, weights, own)
    construction_sums = _summed(found, constructions, statistics.constructions, weights, own)
    return Rare(ngrams, word_sums, construction_sums, attested, attestable)


def feature_weights() -> Floats:
    """The weight of a feature by the number of other documents that have it, to COMMON; [COMMON + 1]."""
    others = np.arange(COMMON + 1, dtype=np.float64)
    weights: Floats = np.where((others > 0) & (others < COMMON), 1 / (others + 1), 0)
    return weights


def mixing(scripts: pa.Array, code_switching: pa.Array, statistics: Statistics) -> Floats:
    """How much of each of n documents is in other languages or in scripts rare in its language, 0 to 1.

    Args:
        scripts: of type ``corpus.schema.SCRIPT_SHARES``.
        code_switching: share of the letters in other languages, null where unknown.
        statistics: of the language.
    """
    codes, shares, owners = flat_scripts(scripts)
    rarity = np.clip(1 - statistics.scripts / max(statistics.documents * USUAL_SCRIPT, 1), 0, 1)
    if not statistics.scripts.any():
        rarity[:] = 0  # the sample does not say what is usual
    foreign = np.bincount(owners, weights=shares * rarity[codes], minlength=len(scripts))
    switched = code_switching.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    mixed: Floats = np.clip(foreign + switched, 0, 1)
    return mixed


def _summed(found: Features, occurrences: Occurrences, table: Counts, weights: Floats, own: Bools) -> Floats:
    """Sum of the weights of features by document, each once in a segment.

    Args:
        found: the documents.
        occurrences: of the features.
        table: documents that have each feature.
        weights: by number of other documents.
        own: which documents are in the sample.
    """
    text = found.text
    places = bucket(occurrences.keys, table)
    few = np.flatnonzero(table[places] < len(weights))
    places, starts = places[few], occurrences.starts[few]
    before, owners = found.segments(SEGMENT)
    document = found.owners_of(starts)
    segments = before[document] + (starts - text.bounds[document]) // SEGMENT
    keys = (segments.astype(np.uint64) << np.uint64(32)) | places
    keys.sort()
    first = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    keys = keys[first]
    document = owners[(keys >> np.uint64(32)).astype(np.int64)]
    counts = table[keys & np.uint64(0xFFFFFFFF)].astype(np.int64)
    total: Floats = text.per_document(document, weights[counts - (own[document] & (counts > 0))])
    return total
