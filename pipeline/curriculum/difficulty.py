"""Difficulty: bits per character of a document under what its language's other documents let one expect.

The model is the simplest that knows words, their neighbours and how words are spelt. With counts c of the
language's sample, those of the document itself taken away,

    spelt(w)  = product of the shares of w's characters among the characters in words, and of the share of word ends
    p(w)      = (c(w) + T · spelt(w)) / (C + T)             C running words, T different ones (Witten & Bell 1991)
    p(w | v)  = (c(v w) + PRIOR · p(w)) / (c(v) + PRIOR)    (MacKay & Peto 1995)

and the difficulty is the sum of -log2 p(w | v) over the document's words, divided by the characters in them. It
grows with rare words (as the rarity that Platanios et al. 2019, arXiv 1903.09848, order sentences by), with unusual
sequences of words, and with unknown words by how they are spelt. Being a mean, it does not grow with length.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.curriculum.features import Bools, Features, Int64s, UInt32s
from pipeline.curriculum.statistics import Statistics, bucket

Floats = npt.NDArray[np.float64]

PRIOR: Final = 10.0
"""Occurrences of a word from which on its followers count for more than words at large."""


def bits(found: Features, statistics: Statistics, own: Bools) -> Floats:
    """Bits of each of n documents, in all.

    Args:
        found: the documents.
        statistics: of their language.
        own: which of them are in the sample, [n].
    """
    words = found.words
    if not len(words.starts) or not statistics.running_words:
        return np.zeros(found.text.documents)
    mine = own[words.owners]
    alone = _occurrences(found.word_keys, statistics.frequencies, words.owners, mine)
    pair_keys = found.pair_keys()
    together = _occurrences(pair_keys, statistics.pairs, words.owners, mine)
    others = statistics.running_words - np.where(own, found.text.per_document(words.owners), 0)[words.owners]
    # In logarithms: what is spelt in hundreds of characters is less likely than the least number there is.
    with np.errstate(divide="ignore"):
        known = np.log(alone)
    single = np.logaddexp(known, np.log(statistics.types) + _spelt(found, statistics)) - np.log(
        others + statistics.types
    )
    before = np.zeros(len(alone))
    before[1:] = np.where(pair_keys[1:] != 0, alone[:-1], 0)
    # What is unknown may share a bucket with a known pair: no pair comes more often than its first word.
    together = np.where(pair_keys != 0, np.minimum(together, before), 0)
    with np.errstate(divide="ignore"):
        paired = np.log(together)
    logarithms = np.logaddexp(paired, np.log(PRIOR) + single) - np.log(before + PRIOR)
    total: Floats = found.text.per_document(words.owners, -logarithms / np.log(2))
    return total


def _occurrences(keys: UInt32s, table: UInt32s, owners: Int64s, mine: Bools) -> Floats:
    """How often each feature occurs in the sample's other documents."""
    places = bucket(keys, table)
    counts = table[places].astype(np.float64)
    inside = np.flatnonzero(mine)
    if len(inside):
        grouped = (owners[inside].astype(np.uint64) << np.uint64(32)) | places[inside]
        _, inverse, times = np.unique(grouped, return_inverse=True, return_counts=True)
        counts[inside] -= times[inverse]
    return counts


def _spelt(found: Features, statistics: Statistics) -> Floats:
    """The natural logarithm of the probability of each word by its characters alone."""
    counts = statistics.characters.astype(np.float64)
    # One half for what was never seen; the table ends at the largest code point that was.
    shares = np.append((counts + 0.5) / (counts.sum() + 0.5 * (len(counts) + 1)), 0.5 / (counts.sum() + 0.5))
    logarithms = np.log(shares)
    values = np.minimum(found.text.values, len(counts))
    sums = np.zeros(len(values) + 1)
    np.cumsum(logarithms[values], out=sums[1:])
    spelt: Floats = sums[found.words.stops] - sums[found.words.starts] + logarithms[0]
    return spelt
