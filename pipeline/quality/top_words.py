"""The most frequent words of each document: all that is kept of its words for finding stop words later."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from pipeline.quality.classes import Kind
from pipeline.quality.repeats import keys
from pipeline.quality.text import Int64s, Text
from pipeline.quality.words import Words

TOP: Final = 16
"""Words kept of a document."""

_OWNER_BITS: Final = 20
_COUNT_BITS: Final = 22
_HASH_BITS: Final = 64 - _OWNER_BITS - _COUNT_BITS


def top_words(text: Text, found: Words) -> list[str]:
    """The words that come at least twice in each document, the most frequent first, joined by spaces.

    At most TOP of them; of equally frequent ones those with the smaller hashes. Numbers are no words here.

    Returns:
        one string for each document.
    """
    chosen = np.flatnonzero(text.kinds[found.starts] != Kind.NUMBER)
    marked = keys(found.hashes[chosen], found.owners[chosen])
    order = np.argsort(marked)
    ordered = marked[order]
    first = np.flatnonzero(np.diff(ordered, prepend=~ordered[:1]) != 0)
    counts = np.diff(first, append=len(ordered))
    repeated = counts > 1
    words, counts = chosen[order[first[repeated]]], counts[repeated]
    words = words[_ranked(found, words, counts)]
    owners = found.owners[words]
    place = np.arange(len(words)) - np.searchsorted(owners, owners)
    words = words[place < TOP]
    return _join(text, found.starts[words], found.stops[words], found.owners[words])


def _ranked(found: Words, words: Int64s, counts: Int64s) -> Int64s:
    """The order by document, then count downwards, then hash."""
    most = np.uint64((1 << _COUNT_BITS) - 1)
    ranks = most - np.minimum(counts.astype(np.uint64), most)
    key = (found.owners[words].astype(np.uint64) << np.uint64(64 - _OWNER_BITS)) | (ranks << np.uint64(_HASH_BITS))
    order: Int64s = np.argsort(key | (found.hashes[words] >> np.uint64(64 - _HASH_BITS)))
    return order


def _join(text: Text, starts: Int64s, stops: Int64s, owners: Int64s) -> list[str]:
    """Spans of each document as one string, a space after each."""
    widths = stops - starts + 1
    ends = np.cumsum(widths)
    letters = np.full(int(ends[-1]) if len(ends) else 0, ord(" "), np.uint32)
    inside = np.ones(len(letters), np.bool_)
    inside[ends - 1] = False
    sources = np.arange(len(letters)) + np.repeat(starts - ends + widths, widths)
    letters[inside] = text.values[sources[inside]]
    joined = str(letters.astype("<u4").data, "utf-32-le")
    bounds = np.concatenate(([0], ends))[np.searchsorted(owners, np.arange(text.documents + 1))].tolist()
    return [joined[start : max(stop - 1, start)] for start, stop in pairwise(bounds)]
