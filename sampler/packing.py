"""How documents are laid into rows of L tokens: every row full, every token once, nothing left over.

A packing is a pure function of the documents' lengths. They sum to a whole number of rows, so what does not fit
whole is cut to fill the gaps, and there is no padding.
"""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np
from numpy.typing import NDArray

from sampler.order import permutation
from sampler.pieces import Cuts

Numbers = NDArray[np.int64]
Lengths = NDArray[np.int32] | Numbers


def concatenate(lengths: Lengths, rows: int, row_tokens: int) -> Cuts:
    """Lay items end to end and cut them every L tokens.

    Args:
        lengths: tokens of each item, all positive, of sum rows * L.
        rows: number of rows.
        row_tokens: L.

    Returns:
        the pieces, in the order of the items.
    """
    return cut_at(lengths, np.arange(rows + 1, dtype=np.int64) * row_tokens)


def cut_at(lengths: Lengths, edges: Numbers) -> Cuts:
    """Lay items end to end and cut them at some offsets.

    Args:
        lengths: tokens of each item, all positive.
        edges: ascending offsets, [n + 1], from 0 to the sum of the lengths; consecutive ones bound a row.

    Returns:
        the pieces, in the order of the items.
    """
    stops = np.cumsum(lengths, dtype=np.int64)
    starts = stops - lengths
    cuts = np.concatenate([starts, edges])
    cuts.sort()
    # A place that is both an edge and the start of an item comes twice; the end comes once, as the last edge.
    places = cuts[np.flatnonzero(cuts[1:] != cuts[:-1])]
    items = stops.searchsorted(places, "right")
    sizes = np.empty_like(places)
    np.subtract(places[1:], places[:-1], out=sizes[:-1])
    sizes[-1] = edges[-1] - places[-1]
    return Cuts(items, places - starts[items], sizes, places.searchsorted(edges, "left"))


def best_fit(lengths: Lengths, rows: int, row_tokens: int, *key: object) -> Cuts:
    """Lay items into rows so that few of them are cut: best-fit decreasing, the gaps filled with what is left.

    Items are taken from the longest to the shortest, and each goes into the fullest row that still has room for it
    whole. This is the packing of Ding et al. (2024, "Fewer Truncations Improve Language Modeling"), who cut
    documents longer than a row into whole rows and a rest first, as is done here. They add rows until all items
    are placed and pad the gaps. Here the number of rows is given and the items' tokens just fill it: items for
    which no row has room are cut to fill the gaps, so that there is no padding, and only they are cut.

    Args:
        lengths: tokens of each of n items, all positive, of sum rows * L.
        rows: number of rows.
        row_tokens: L.
        key: what the order of the rows depends on; without it the first would hold the longest items.

    Returns:
        the pieces. In a row they keep the items' order, and of an item that is cut the pieces that come first in
        it come first in the rows.
    """
    full, rests = np.divmod(lengths.astype(np.int64), row_tokens)
    shared = rows - int(full.sum())
    row_of, room = _place(rests, shared, row_tokens)
    order = permutation(shared, *key)
    rank = np.empty_like(order)
    rank[order] = np.arange(shared)
    room = room[order]
    gaps = np.flatnonzero(room)
    whole = np.flatnonzero(row_of >= 0)
    left = np.flatnonzero((row_of < 0) & (rests > 0))
    items, places, sizes, offsets = whole, rank[row_of[whole]], rests[whole], full[whole] * row_tokens
    if len(left):
        filling = cut_at(rests[left], np.concatenate([[0], np.cumsum(room[gaps])]))
        cut_items = left[filling.items]
        items = np.concatenate([items, cut_items])
        places = np.concatenate([places, np.repeat(gaps, np.diff(filling.bounds))])
        sizes = np.concatenate([sizes, filling.lengths])
        offsets = np.concatenate([offsets, filling.offsets + full[cut_items] * row_tokens])
    if shared < rows:
        first = np.arange(len(full)) * shared // len(full)
        first[items[::-1]] = places[::-1]
        long = np.flatnonzero(full)
        long = long[np.argsort(first[long], kind="stable")]
        items, places, sizes, offsets = (
            np.concatenate(columns)
            for columns in zip(
                _full_rows(long, first[long], full[long], row_tokens),
                (items, _behind(places, first[long], full[long]), sizes, offsets),
                strict=True,
            )
        )
    ranked = np.argsort(places * len(full) + items)
    places = places[ranked]
    return Cuts(items[ranked], offsets[ranked], sizes[ranked], places.searchsorted(np.arange(rows + 1), "left"))


def _place(sizes: Numbers, rows: int, row_tokens: int) -> tuple[Numbers, Numbers]:
    """Best-fit decreasing: row of each item, -1 where none has room, [n]; and the room left in each row, [rows]."""
    decreasing = np.argsort(-sizes, kind="stable")
    decreasing = decreasing[: int(np.count_nonzero(sizes))]
    found: list[int] = []
    # Rows with room, from the least to the most, each as room * rows + row.
    open_rows: list[int] = []
    opened = 0
    for size in (sizes[decreasing] * rows).tolist():
        at = bisect_left(open_rows, size)
        if at < len(open_rows):
            left = open_rows.pop(at) - size
        elif opened < rows:
            left = row_tokens * rows + opened - size
            opened += 1
        else:
            found.append(-1)
            continue
        found.append(left % rows)
        if left >= rows:
            insort(open_rows, left)
    row_of = np.full(len(sizes), -1, dtype=np.int64)
    row_of[decreasing] = found
    room = np.zeros(rows, dtype=np.int64)
    if open_rows:
        left_over, row = np.divmod(np.array(open_rows, dtype=np.int64), rows)
        room[row] = left_over
    return row_of, room


def _full_rows(items: Numbers, before: Numbers, counts: Numbers, row_tokens: int) -> tuple[Numbers, ...]:
    """Item, row, length and offset of the pieces that fill rows, laid before some of the other rows.

    Args:
        items: long items, in the order of ``before``.
        before: the row, without counting full ones, before which each item's full rows lie.
        counts: full rows of each item.
        row_tokens: L.
    """
    owner = np.repeat(np.arange(len(items)), counts)
    number = np.arange(len(owner))
    nth = number - (np.cumsum(counts) - counts)[owner]
    return items[owner], number + before[owner], np.full(len(owner), row_tokens), nth * row_tokens


def _behind(places: Numbers, before: Numbers, counts: Numbers) -> Numbers:
    """Rows after full ones are laid before some of them; arguments as for :func:`_full_rows`."""
    total = np.concatenate([[0], np.cumsum(counts)])
    found: Numbers = places + total[before.searchsorted(places, "right")]
    return found
