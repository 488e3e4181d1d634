"""How documents are laid into rows of L tokens: every row full, every token once, nothing left over.

A packing is a pure function of the documents' lengths. They sum to a whole number of rows, so what does not fit
whole is cut to fill the gaps, and there is no padding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sampler.pieces import Cuts

Lengths = NDArray[np.int32] | NDArray[np.int64]


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


def cut_at(lengths: Lengths, edges: NDArray[np.int64]) -> Cuts:
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
