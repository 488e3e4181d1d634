"""Exact quotas: how many rows of each language a block holds.

A language asked for the share p is owed p times the rows served so far; the difference to what it got is its
lag. Each block gives every language the whole rows that it is owed, and the places left over go to the
languages whose next row falls due first. This is earliest-deadline-first scheduling of unit tasks with the
release times and deadlines of proportionate fairness (Baruah, Cohen, Plaxton & Varvel 1996, "Proportionate
progress"): on one resource it always finds a feasible order, so that after every block of a constant mixture
every language has its share rounded down or up: it is within one row of it, however many languages there are.
Rows have a fixed number of tokens, so the quotas hold in tokens.

Shares are integers in units of 2**-32 and lags are integers too: nothing drifts and nothing depends on the
machine.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError

UNIT = 1 << 32
"""One row, or the share 1, in the units of shares and lags."""

Counts = NDArray[np.int64]

_CHECKPOINT_BLOCKS = 1024


def units(shares: Mapping[str, float], languages: Sequence[str]) -> Counts:
    """Shares as integers that sum to exactly ``UNIT``, by largest remainder.

    Args:
        shares: non-negative, of any sum; absent languages have none.
        languages: K tags, the order of the result.

    Returns:
        int64 [K]; a positive share never becomes 0.

    Raises:
        ConfigurationError: a share is negative or not finite, none is positive, or a tag is not among the languages.
    """
    unknown = sorted(set(shares) - set(languages))
    if unknown:
        raise ConfigurationError(
            f"the mixture names {unknown[0]}, which has no training tokens here",
            f"Use the tags of the corpus, for example {', '.join(list(languages)[:5])}",
        )
    asked = np.array([shares.get(lang, 0.0) for lang in languages], dtype=np.float64)
    if not np.all(np.isfinite(asked)) or np.any(asked < 0) or not asked.sum() > 0:
        raise ConfigurationError(
            "the shares of a mixture must be finite, none below zero and one above", "Correct sampler.mixture"
        )
    exact = asked / asked.sum() * UNIT
    whole = np.maximum(np.floor(exact), asked > 0).astype(np.int64)
    missing = UNIT - int(whole.sum())
    ranked = np.lexsort((np.arange(len(whole)), -(exact - whole)))
    if missing >= 0:
        positive = ranked[asked[ranked] > 0]
        whole[positive] += missing // len(positive)
        whole[positive[: missing % len(positive)]] += 1
    else:
        # Raising tiny shares to one unit took more than rounding down had left; the largest share can spare it.
        whole[int(np.argmax(whole))] += missing
    return np.asarray(whole, dtype=np.int64)


def allot(lag: Counts, weights: Counts, rows: int) -> Counts:
    """Rows of each language in the next block.

    Args:
        lag: int64 [K], rows owed at the end of the block if it held none of the language, in ``UNIT``.
        weights: int64 [K], shares in ``UNIT``, their sum is ``UNIT``.
        rows: rows in the block.

    Returns:
        int64 [K], not negative, of sum ``rows``.
    """
    given = np.maximum(lag >> 32, 0)
    left = rows - int(given.sum())
    if left > 0:
        fraction = lag & (UNIT - 1)
        due = np.full(len(lag), np.inf)
        eligible = (lag > 0) & (fraction > 0) & (weights > 0)
        due[eligible] = (UNIT - fraction[eligible]) / weights[eligible]
        first = np.argsort(due, kind="stable")[:left]
        first = first[np.isfinite(due[first])]
        given[first] += 1
        left -= len(first)
    # After a change of the mixture the debts of the old one may not fit the new one's blocks: then the most
    # urgent are served first, and the others catch up.
    while left > 0:
        most = np.argsort(-np.where(weights > 0, lag - (given << 32), np.iinfo(np.int64).min), kind="stable")
        most = most[weights[most] > 0][:left]
        given[most] += 1
        left -= len(most)
    while left < 0:
        least = np.argsort(np.where(given > 0, lag - (given << 32), np.iinfo(np.int64).max), kind="stable")
        least = least[given[least] > 0][:-left]
        given[least] -= 1
        left += len(least)
    return np.asarray(given, dtype=np.int64)


class Change(NamedTuple):
    """One entry of the mixture log."""

    block: int
    """First block under these weights."""
    weights: Counts
    """int64 [K], shares in ``UNIT``."""
    reason: str


class Quotas:
    """Rows served of each language before any block, under a log of mixtures.

    Args:
        weights: int64 [K], the first mixture in ``UNIT``.
        block_rows: rows in a block.
        reason: of the first mixture.
    """

    def __init__(self, weights: Counts, block_rows: int, reason: str) -> None:
        self.block_rows = block_rows
        self.log: list[Change] = []
        self._owed: list[Counts] = []
        self._set_log([Change(0, weights, reason)])
        self._blocks = [0]
        self._served = {0: np.zeros(len(weights), dtype=np.int64)}
        self._last = (0, self._served[0])

    def weights(self, block: int) -> Counts:
        """The mixture of a block, int64 [K] in ``UNIT``."""
        return self.log[self._entry(block)].weights

    def change(self, block: int, weights: Counts, reason: str) -> None:
        """Use other weights from a block on; later entries of the log are replaced."""
        self._set_log([entry for entry in self.log if entry.block < block] + [Change(block, weights, reason)])
        self._forget(block)

    def restore(self, log: Sequence[Change], block: int, served: Counts) -> None:
        """Take over a log and the rows served before a block."""
        self._set_log(log)
        self._forget(0)
        self._remember(block, served)

    def owed(self, block: int) -> Counts:
        """Rows asked for before a block, int64 [K] in ``UNIT`` modulo 2**64.

        The remainder is enough: differences to what was served are small.
        """
        index = self._entry(block)
        entry = self.log[index]
        return self._owed[index] + entry.weights * np.int64((block - entry.block) * self.block_rows)

    def asked(self, rows: int) -> NDArray[np.float64]:
        """Share of each language asked for on average over the first rows; the first mixture's when 0."""
        total = np.zeros(len(self.log[0].weights), dtype=np.float64)
        for index, entry in enumerate(self.log):
            start = entry.block * self.block_rows
            end = rows if index + 1 == len(self.log) else min(rows, self.log[index + 1].block * self.block_rows)
            if end > start:
                total += entry.weights / UNIT * (end - start)
        return total / rows if rows else self.log[0].weights / UNIT

    def served(self, block: int) -> Counts:
        """Rows given to each language before a block, int64 [K].

        Costs one :func:`allot` for each block since the nearest one known.
        """
        at, served = self._last
        if not at <= block:
            at = self._blocks[bisect_right(self._blocks, block) - 1]
            served = self._served[at]
        while at < block:
            served = served + self._allot(at, served)
            at += 1
            if at % _CHECKPOINT_BLOCKS == 0:
                self._remember(at, served)
        self._last = (at, served)
        return served

    def given(self, block: int) -> Counts:
        """Rows of each language in a block, int64 [K]."""
        return self._allot(block, self.served(block))

    def _entry(self, block: int) -> int:
        return bisect_right(self.log, block, key=lambda change: change.block) - 1

    def _set_log(self, log: Sequence[Change]) -> None:
        self.log = list(log)
        self._owed = [np.zeros(len(log[0].weights), dtype=np.int64)]
        for entry, after in pairwise(self.log):
            self._owed.append(self._owed[-1] + entry.weights * np.int64((after.block - entry.block) * self.block_rows))

    def _allot(self, block: int, served: Counts) -> Counts:
        return allot(self.owed(block + 1) - (served << 32), self.weights(block), self.block_rows)

    def _remember(self, block: int, served: Counts) -> None:
        if block not in self._served:
            self._blocks.insert(bisect_right(self._blocks, block), block)
        self._served[block] = served
        self._last = (block, served)

    def _forget(self, block: int) -> None:
        self._blocks = [at for at in self._blocks if at <= block]
        self._served = {at: self._served[at] for at in self._blocks}
        self._last = (self._blocks[-1], self._served[self._blocks[-1]])
