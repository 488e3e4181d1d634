"""A block of rows: which language each row is of, and the pieces of documents in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler import packing
from sampler.batch import MIXED
from sampler.config import Packing
from sampler.order import permutation
from sampler.pieces import LANGUAGE, LENGTH, Table, cut, places
from sampler.quota import Counts
from sampler.windows import Windows


class Plan(NamedTuple):
    """Whose rows the rows of a block are; n of them."""

    languages: NDArray[np.int32]
    """Language of each row, [n]."""
    ordinals: NDArray[np.int64]
    """Which row of its language it is, from 0 at the beginning of the language's passes, [n]."""


class Laid(NamedTuple):
    """n rows, not read yet."""

    languages: NDArray[np.int32]
    """Language of each row; ``MIXED`` where it holds several, [n]."""
    pieces: Table
    """The pieces of the rows, row after row, [5, P]."""
    bounds: NDArray[np.int64]
    """First piece of each row, and P, [n + 1]."""


def plan(block: int, given: Counts, served: Counts, base: Counts, seed: int) -> Plan:
    """Whose rows the rows of a block are.

    The languages' places are permuted, but the rows of each keep their order: else a language that is passed over
    within a block would show documents of the next pass before the last ones of this pass.

    Args:
        block: its number.
        given: rows of each language in the block, int64 [K].
        served: rows of each language before the block, int64 [K].
        base: those of them that lie before the language's passes began, int64 [K].
        seed: of the order.
    """
    languages = np.repeat(np.arange(len(given), dtype=np.int32), given)
    within = np.arange(len(languages)) - np.repeat(np.cumsum(given) - given, given)
    chosen = languages[permutation(len(languages), "block", block, seed)]
    ordinals = np.empty_like(within)
    ordinals[np.argsort(chosen, kind="stable")] = (served - base)[languages] + within
    return Plan(chosen, ordinals)


def lay(windows: Windows, rows: Plan) -> Laid:
    """The pieces in rows of one language each.

    Args:
        windows: of all languages.
        rows: n of them, in any order.
    """
    return Laid(rows.languages, *windows.take(rows.languages, rows.ordinals))


def mix(tables: Sequence[Table], block: int, rows: int, row_tokens: int, kind: Packing, seed: int) -> Laid:
    """The rows of a block in which documents of all languages lie mixed.

    Args:
        tables: documents of each language in the block, of rows * L tokens together.
        block: its number.
        rows: B.
        row_tokens: L.
        kind: of packing.
        seed: of the order.
    """
    pool = np.concatenate(tables, axis=1)
    # As with whole rows: the languages' places are permuted, the documents of each keep their order.
    chosen = pool[LANGUAGE][permutation(pool.shape[1], "documents", block, seed)]
    order = np.empty(pool.shape[1], dtype=np.int64)
    order[np.argsort(chosen, kind="stable")] = np.arange(pool.shape[1])
    pool = pool.take(order, axis=1)
    if kind == "concatenate":
        cuts = packing.concatenate(pool[LENGTH], rows, row_tokens)
    else:
        cuts = packing.best_fit(pool[LENGTH], rows, row_tokens, "mixed", block, seed)
    pieces = cut(pool, cuts)
    least = np.minimum.reduceat(pieces[LANGUAGE], cuts.bounds[:-1])
    most = np.maximum.reduceat(pieces[LANGUAGE], cuts.bounds[:-1])
    return Laid(np.where(least == most, least, np.int32(MIXED)), pieces, cuts.bounds)


def select(laid: Laid, rows: NDArray[np.int64]) -> Laid:
    """Some of the rows, in the order given."""
    first, last = int(rows[0]), int(rows[-1]) + 1
    if last - first == len(rows) and (len(rows) < 2 or bool((rows[1:] > rows[:-1]).all())):
        bounds = laid.bounds[first : last + 1]
        return Laid(laid.languages[first:last], laid.pieces[:, bounds[0] : bounds[-1]], bounds - bounds[0])
    chosen, bounds = places(laid.bounds[rows], np.diff(laid.bounds)[rows])
    return Laid(laid.languages[rows], laid.pieces.take(chosen, axis=1), bounds)


def join(parts: Sequence[Laid]) -> Laid:
    """Rows of several blocks."""
    before = list(accumulate((part.pieces.shape[1] for part in parts), initial=0))
    bounds = [part.bounds[:-1] + start for part, start in zip(parts, before, strict=False)]
    return Laid(
        np.concatenate([part.languages for part in parts]),
        np.concatenate([part.pieces for part in parts], axis=1),
        np.append(np.concatenate(bounds), before[-1]),
    )
