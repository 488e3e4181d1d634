"""What comes more than once in a document: values counted by one sort, n-grams only where they can repeat.

An n-gram comes twice only where each pair of words in it does. So all pairs are counted, and of longer n-grams only
those that lie in a run of repeated pairs: a few in a hundred of prose, and all lengths fit one more sort.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.quality.text import Int64s, UInt64s
from pipeline.script.spans import BASE

LONGEST = 10
"""Words of the longest n-gram counted."""

_GROUP_BITS = 20
"""High bits of a key that hold the group: 60,000 documents by sixteen lengths fit."""
_SHIFT = np.uint64(64 - _GROUP_BITS)
_LENGTHS = 16
_FILTER_BITS = 16


class Repeats(NamedTuple):
    """Counts by group, all of shape (groups,)."""

    different: Int64s
    """How many different values there are."""
    most: Int64s
    """How often the most frequent one comes."""


def keys(hashes: UInt64s, groups: Int64s) -> UInt64s:
    """Sortable keys: the group above, 44 bits of the hash below."""
    return (groups.astype(np.uint64) << _SHIFT) | (hashes >> np.uint64(_GROUP_BITS))


def runs(ordered: UInt64s) -> tuple[UInt64s, Int64s]:
    """The different values of a sorted array and how often each comes."""
    first = np.empty(len(ordered), np.bool_)
    first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    positions = np.flatnonzero(first)
    return ordered[positions], np.diff(positions, append=len(ordered))


def count(values: UInt64s, lengths: Int64s, groups: int) -> Repeats:
    """Different values and the most frequent one by group, of what ``runs`` found."""
    owners = (values >> _SHIFT).astype(np.int64)
    different = np.bincount(owners, minlength=groups)
    most = np.zeros(groups, np.int64)
    present = np.flatnonzero(different)
    if len(present):
        most[present] = np.maximum.reduceat(lengths, np.searchsorted(owners, present))
    return Repeats(different, most)


class Ngrams(NamedTuple):
    """Repeated n-grams of words, each array of shape (documents, LONGEST + 1), by length; 0 and 1 stay empty."""

    most: Int64s
    """How often the most frequent n-gram comes; 0 or 1 where none comes twice."""
    again: Int64s
    """How many n-grams came before in their document; from n = 3 on."""


def ngrams(hashes: UInt64s, owners: Int64s, documents: int) -> Ngrams:
    """Count repeated n-grams of 2 to LONGEST words.

    Args:
        hashes: of all words, document by document.
        owners: the document of each word, ascending.
        documents: how many there are.
    """
    most = np.zeros((documents, LONGEST + 1), np.int64)
    again = np.zeros((documents, LONGEST + 1), np.int64)
    if len(hashes) < 2:
        return Ngrams(most, again)
    across = np.flatnonzero(owners[:-1] != owners[1:])
    pairs = _mix(hashes[:-1] * np.uint64(BASE) + hashes[1:])
    marked = keys(pairs, owners[:-1])
    # Pairs of two documents belong to none: one group more, in which nothing repeats.
    marked[across] = (np.uint64(documents) << _SHIFT) | across.astype(np.uint64)
    values, lengths = runs(np.sort(marked))
    most[:, 2] = count(values, lengths, documents + 1).most[:documents]
    starts = _repeated(marked, across, values[lengths > 1])
    room = _run_lengths(starts)
    groups, found = [], []
    sums = pairs[starts]
    for n in range(3, LONGEST + 1):
        long_enough = room >= n - 1
        starts, room, sums = starts[long_enough], room[long_enough], sums[long_enough]
        if not len(starts):
            break
        sums = sums * np.uint64(BASE) + hashes[starts + n - 1]
        found.append(_mix(sums.copy()))
        groups.append(owners[starts] * _LENGTHS + n)
    if not found:
        return Ngrams(most, again)
    all_groups = np.concatenate(groups)
    values, lengths = runs(np.sort(keys(np.concatenate(found), all_groups)))
    counted = count(values, lengths, documents * _LENGTHS)
    total = np.bincount(all_groups, minlength=documents * _LENGTHS)
    by_length = slice(3, LONGEST + 1)
    most[:, by_length] = counted.most.reshape(documents, _LENGTHS)[:, by_length]
    again[:, by_length] = (total - counted.different).reshape(documents, _LENGTHS)[:, by_length]
    return Ngrams(most, again)


def _repeated(marked: UInt64s, across: Int64s, values: UInt64s) -> Int64s:
    """Places of the keys that are among some values, or share FILTER_BITS bits with one: enough to choose by."""
    mask = np.uint64((1 << _FILTER_BITS) - 1)
    table = np.zeros(1 << _FILTER_BITS, np.bool_)
    table[values & mask] = True
    found = table[marked & mask]
    found[across] = False
    return np.flatnonzero(found)


def _run_lengths(positions: Int64s) -> Int64s:
    """Of ascending positions, how many follow each other without a gap from each on."""
    if not len(positions):
        return positions
    last = np.flatnonzero(np.diff(positions, append=positions[-1] + 2) != 1)
    ends = np.repeat(positions[last], np.diff(last, prepend=-1))
    return ends - positions + 1


def _mix(hashes: UInt64s) -> UInt64s:
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0x94D049BB133111EB)
    return hashes
