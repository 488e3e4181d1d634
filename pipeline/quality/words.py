"""Features of the words of documents: how many, how long, how often the same ones again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.quality.classes import Kind
from pipeline.quality.repeats import LONGEST, count, keys, ngrams, runs
from pipeline.quality.text import Bools, Columns, Int64s, Text, UInt64s
from pipeline.script.spans import BASE

PIECE = 4
"""Mean letters of what stands for a word in an alphabet without spaces."""


class Words(NamedTuple):
    """All words of some documents, each array of shape (words,)."""

    starts: Int64s
    stops: Int64s
    owners: Int64s
    """The document each stands in."""
    hashes: UInt64s
    """Equal for equal words."""


def find_words(text: Text) -> Words:
    """Find the words."""
    starts, stops = word_spans(text)
    return Words(starts, stops, text.owners(starts), text.hash(starts, stops))


def words(text: Text, found: Words) -> Columns:
    """Features of n documents, by name."""
    starts, _, owners, hashes = found
    n_words = text.per_document(owners)
    some = np.maximum(n_words, 1)
    different = count(*runs(np.sort(keys(hashes, owners))), text.documents).different
    diversity = np.log(np.maximum(different, 1)) / np.log(np.maximum(n_words, 2))
    repeated = ngrams(hashes, owners, text.documents)
    numbers = text.per_document(owners[text.kinds[starts] == Kind.NUMBER])
    columns: Columns = {
        "n_words": n_words,
        "mean_word_length": (text.letters + text.counts[:, Kind.NUMBER]) / some,
        "alphabetic_word_share": np.where(n_words > 0, 1 - numbers / some, 0),
        "unique_word_ratio": different / some,
        "lexical_diversity": np.where(n_words > 1, diversity, 1),
    }
    for n, name in ((2, "top_bigram_share"), (3, "top_trigram_share"), (4, "top_4gram_share")):
        most = repeated.most[:, n]
        columns[name] = np.where(most > 2, np.minimum(n * most / some, 1), 0)
    for n in range(5, LONGEST + 1):
        name = "duplicate_ngram_share" if n == 5 else f"duplicate_{n}gram_share"
        columns[name] = repeated.again[:, n] / np.maximum(n_words - n + 1, 1)
    return columns


def word_spans(text: Text) -> tuple[Int64s, Int64s]:
    """Where the words begin and end: runs of letters, marks and numbers, cut where a script writes no spaces."""
    inside = text.kinds - np.uint8(Kind.LETTER) <= Kind.NUMBER - Kind.LETTER
    return text.spans(inside, _cuts(text, inside))


def _cuts(text: Text, inside: Bools) -> Int64s | None:
    """Where words begin besides after what is no part of a word; None where no script here needs it."""
    kinds, values = text.kinds, text.values
    ideographs = np.flatnonzero(kinds == Kind.IDEOGRAPH)
    unspaced = np.flatnonzero(kinds == Kind.UNSPACED)
    found = []
    if len(ideographs):
        # What follows an ideograph begins a word, unless it is a mark on it.
        after = ideographs[ideographs < len(kinds) - 1] + 1
        found += [ideographs, after[inside[after] & (kinds[after] != Kind.MARK)]]
    if len(unspaced):
        unspaced = unspaced[unspaced > 0]
        pairs = (values[unspaced - 1].astype(np.uint64) * np.uint64(BASE) + values[unspaced]) * np.uint64(BASE)
        found.append(unspaced[(pairs >> np.uint64(40)) % np.uint64(PIECE) == 0])
    return np.concatenate(found) if found else None
