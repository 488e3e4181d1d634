"""Exact quotas: how many rows of each language a block holds.

A language asked for the share p is owed p times the rows served so far; the difference to what it got is its
lag. The j-th row of a language may come from the block on at whose end more than j rows of it are owed, and must
have come by the block at whose end j + 1 are. These are the windows of proportionate fairness (Baruah, Cohen, Plaxton
& Varvel 1996, "Proportionate progress"); serving the earliest deadline first keeps every language within one row of
what it is owed at the end of every block, however many languages there are, because one row each within its window
is a feasible flow and earliest deadline first finds it. Where shares change on a schedule the deadlines are those
of the cumulative asked rows over the whole schedule (Tijdeman 1980, "The chairman assignment problem": such an
assignment exists for any sequence of shares). Rows have a fixed number of tokens, so the quotas hold in tokens.

Shares are integers in units of 2**-32 and lags are integers too: nothing drifts and nothing depends on the
machine.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError

UNIT = 1 << 32
"""One row, or the share 1, in the units of shares and lags."""

Counts = NDArray[np.int64]
Times = NDArray[np.float64]

_CHECKPOINT_BLOCKS = 1024
_MANY = 64
_LATER = 1e270
_NEVER = 1e280
_NO_SHARE = 1e-290
"""Divides a part of a row to a deadline beyond ``_NEVER``."""


def units(shares: Mapping[str, float], languages: Sequence[str], quantum: int = 1) -> Counts:
    """Shares as integers that sum to exactly ``UNIT``, by largest remainder.

    Args:
        shares: non-negative, of any sum; absent languages have none.
        languages: K tags, the order of the result.
        quantum: the integers are multiples of it, a power of two.

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
    return whole_shares(asked, quantum)


def whole_shares(asked: NDArray[np.float64], quantum: int = 1) -> Counts:
    """As :func:`units`, of non-negative numbers [K] with a positive sum."""
    parts = UNIT // quantum
    exact = asked / asked.sum() * parts
    whole = np.maximum(np.floor(exact), asked > 0).astype(np.int64)
    missing = parts - int(whole.sum())
    ranked = np.lexsort((np.arange(len(whole)), -(exact - whole)))
    if missing >= 0:
        positive = ranked[asked[ranked] > 0]
        whole[positive] += missing // len(positive)
        whole[positive[: missing % len(positive)]] += 1
    while missing < 0:
        # Raising tiny shares to one part took more than rounding down had left; the largest shares can spare it.
        largest = int(np.argmax(whole))
        take = min(-missing, int(whole[largest]) - 1)
        whole[largest] -= take
        missing += take
    return np.asarray(whole * quantum, dtype=np.int64)


def allot(lag: Counts, weights: Counts, rows: int) -> Counts:
    """Rows of each language in the next block of a mixture that does not change.

    Args:
        lag: int64 [K], rows owed at the end of the block if it held none of the language, in ``UNIT``.
        weights: int64 [K], shares in ``UNIT``, their sum is ``UNIT``; who has none gets nothing.
        rows: rows in the block.

    Returns:
        int64 [K], not negative, of sum ``rows``.
    """
    live = weights > 0
    given, due = _windows(lag, np.where(live, weights, _NO_SHARE))
    given *= live
    left = rows - int(given.sum())
    if left > 0:
        left -= _serve(given, due, left)
    if left:
        _settle(given, lag, weights, left)
    return given


def _windows(lag: Counts, rates: Times) -> tuple[Counts, Times]:
    """Rows that must be in the block, and how many rows after its end the next one of each language is due.

    Args:
        lag: as for :func:`allot`.
        rates: shares in ``UNIT``, ``_NO_SHARE`` where there is none, float64 [K].
    """
    whole = lag >> 32
    fraction = lag & (UNIT - 1)
    due = (UNIT - fraction) / rates
    due[(whole < 0) | (fraction == 0)] = np.inf
    return np.maximum(whole, 0), due


def _serve(given: Counts, due: Times, left: int) -> int:
    """Give one row each to those that are due first; returns how many there were, at most ``left``."""
    if len(due) <= _MANY or left >= len(due):
        first = due.argsort(kind="stable")[:left]
        if due[first[-1]] >= _NEVER:
            first = first[due[first] < _NEVER]
        given[first] += 1
        return len(first)
    last = np.partition(due, left - 1)[left - 1]
    if last >= _NEVER:
        chosen = due < _NEVER
        given += chosen
        return int(np.count_nonzero(chosen))
    sooner = due < last
    given += sooner
    given[np.flatnonzero(due == last)[: left - np.count_nonzero(sooner)]] += 1
    return left


def _settle(given: Counts, lag: Counts, weights: Counts, left: int) -> None:
    """Fill or clear places where the debts of an earlier mixture do not fit the blocks of this one.

    The most urgent are served first, and the others catch up.
    """
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


class Span(NamedTuple):
    """Blocks under constant shares."""

    block: int
    """The first."""
    end: int | None
    """The first one behind it; None where it never ends."""
    weights: Counts
    """int64 [K], shares in ``UNIT``."""


class Outlook:
    """The shares from a block on as they are known there: what is in force, and what is scheduled.

    Args:
        block: the first.
        served: int64 [K], rows given before it.
        lag: int64 [K], rows owed and not given before it, in ``UNIT``; of sum 0.
        spans: constant shares one after the other, the first of them from ``block`` on, the last without an end.
            They are asked for when they are needed.
        rows: rows in a block.
    """

    def __init__(self, block: int, served: Counts, lag: Counts, spans: Iterable[Span], rows: int) -> None:
        self.block = block
        self.served = served
        self.lag = lag
        self.rows = rows
        self._coming: Iterator[Span] = iter(spans)
        self._spans = [next(self._coming)]
        self._owed = [lag + (served << 32)]
        self._rates: dict[int, tuple[Times, NDArray[np.bool_] | None]] = {}
        self._recent = 0
        self._last: dict[int, NDArray[np.bool_]] = {}

    def index(self, block: int) -> int:
        """The span of a block."""
        span = self._spans[self._recent]
        if span.block <= block and (span.end is None or block < span.end):
            return self._recent
        while self._extend(block):
            pass
        index = len(self._spans) - 1
        while index and self._spans[index].block > block:
            index -= 1
        self._recent = index
        return index

    def span(self, index: int) -> Span | None:
        """A span by its number, None behind the last."""
        while index >= len(self._spans):
            if not self._append():
                return None
        return self._spans[index]

    def weights(self, block: int) -> Counts:
        """The shares of a block, int64 [K] in ``UNIT``."""
        return self._spans[self.index(block)].weights

    def owed(self, block: int) -> Counts:
        """Rows asked for before a block, int64 [K] in ``UNIT`` modulo 2**64.

        The remainder is enough: differences to what was given are small.
        """
        index = self.index(block)
        span = self._spans[index]
        owed: Counts = self._owed[index] + span.weights * np.int64((block - span.block) * self.rows)
        return owed

    def rates(self, index: int) -> tuple[Times, NDArray[np.bool_] | None]:
        """The shares of a span to divide by, float64 [K], and who has one, bool [K]; None where all have."""
        found = self._rates.get(index)
        if found is None:
            weights = self._spans[index].weights
            live = weights > 0
            found = np.where(live, weights, _NO_SHARE), None if live.all() else live
            self._rates[index] = found
        return found

    def asked(self, row: int) -> NDArray[np.float64]:
        """Rows asked for of each language over the whole run before a row of the outlook, float64 [K]."""
        index = self.index(row // self.rows)
        total = self.served + self.lag / UNIT
        for span in self._spans[:index]:
            assert span.end is not None
            total = total + span.weights / UNIT * ((span.end - span.block) * self.rows)
        return total + self._spans[index].weights / UNIT * (row - self._spans[index].block * self.rows)

    def due(self, due: Times, lag: Counts, block: int, left: int) -> Times:
        """Deadlines that lie behind the end of the block's span, from the spans that follow.

        Args:
            due: float64 [K], rows after the end of the block at which the next row of each language is due if the
                shares stay as they are; infinite where none may be given now.
            lag: int64 [K], as for :func:`allot`.
            block: the block.
            left: places to be filled; deadlines later than those of as many languages are not looked for.

        Returns:
            float64 [K]; infinite, too, where a language leaves with a part of a row owed that goes to another.
        """
        index = self.index(block)
        span = self._spans[index]
        if span.end is None:
            return due
        at = (span.end - block - 1) * self.rows
        if np.count_nonzero(due <= at) >= left:
            return due
        due = due.copy()
        pending = np.flatnonzero((due > at) & (due < _NEVER))
        need = (UNIT - (lag[pending] & (UNIT - 1))) - span.weights[pending] * np.int64(at)
        due[pending] = _LATER
        while len(pending) and np.count_nonzero(due <= at) < left:
            index += 1
            following = self.span(index)
            if following is None:
                break
            weights = following.weights[pending]
            gone = weights == 0
            if gone.any():
                due[pending[gone]] = np.where(self._rounded_up(index)[pending[gone]], float(at), np.inf)
                pending, need, weights = pending[~gone], need[~gone], weights[~gone]
            if following.end is None:
                due[pending] = at + need / weights
                break
            length = (following.end - following.block) * self.rows
            reached = need <= weights * np.int64(length)
            due[pending[reached]] = at + need[reached] / weights[reached]
            need = need - weights * np.int64(length)
            pending, need = pending[~reached], need[~reached]
            at += length
        return due

    def _rounded_up(self, index: int) -> NDArray[np.bool_]:
        """Of the languages that leave where a span begins, those whose last part of a row becomes a row, bool [K].

        The parts of rows owed to those that leave together are whole rows but for one, and these go to those whose
        part was owed first. Else the languages that stay could be owed more or less than they can be given.
        """
        found = self._last.get(index)
        if found is None:
            before, after = self._spans[index - 1], self._spans[index]
            fraction = self.owed(after.block) & (UNIT - 1)
            leaving = np.flatnonzero((before.weights > 0) & (after.weights == 0) & (fraction > 0))
            need, age = fraction[leaving], np.zeros(len(leaving))
            open_ = np.ones(len(leaving), dtype=np.bool_)
            for span in reversed(self._spans[:index]):
                assert span.end is not None
                weights, length = span.weights[leaving], (span.end - span.block) * self.rows
                within = open_ & (weights > 0) & (need <= weights * np.int64(length))
                age[within] += need[within] / weights[within]
                open_ &= ~within
                age[open_] += length
                need = need - np.where(open_, weights * np.int64(length), 0)
            rows = int((int(fraction[leaving].sum()) + UNIT // 2) // UNIT)
            found = np.zeros(len(fraction), dtype=np.bool_)
            found[leaving[np.argsort(-age, kind="stable")[:rows]]] = True
            self._last[index] = found
        return found

    def _extend(self, block: int) -> bool:
        end = self._spans[-1].end
        return end is not None and end <= block and self._append()

    def _append(self) -> bool:
        following = next(self._coming, None)
        if following is None:
            return False
        last = self._spans[-1]
        assert last.end == following.block
        self._owed.append(self._owed[-1] + last.weights * np.int64((last.end - last.block) * self.rows))
        self._spans.append(following)
        return True


class Quotas:
    """Rows of each language in any block.

    What a block holds depends on the outlook in force there alone: on the schedule, and on the changes of the
    mixture up to that block.

    Args:
        first: the outlook of the first block that can be asked for.
    """

    def __init__(self, first: Outlook) -> None:
        self.outlooks = [first]
        self._starts = [first.block]
        self._blocks = [first.block]
        self._served = {first.block: first.served}
        self._last = (first.block, first.served)
        self._given: tuple[int, Counts] | None = None

    @property
    def first(self) -> int:
        """The first block that can be asked for."""
        return self._starts[0]

    def outlook(self, block: int) -> Outlook:
        """The outlook in force in a block."""
        return self.outlooks[max(bisect_right(self._starts, block) - 1, 0)]

    def weights(self, block: int) -> Counts:
        """The shares of a block, int64 [K] in ``UNIT``."""
        return self.outlook(block).weights(block)

    def change(self, outlook: Outlook) -> None:
        """Follow another outlook from its block on; those of this block and later ones are replaced."""
        while self.outlooks and self._starts[-1] >= outlook.block:
            self.outlooks.pop()
            self._starts.pop()
        self.outlooks.append(outlook)
        self._starts.append(outlook.block)
        while self._blocks and self._blocks[-1] > outlook.block:
            del self._served[self._blocks.pop()]
        self._given = None
        self.remember(outlook.block, outlook.served)

    def forget(self, outlooks: int) -> None:
        """Keep only so many of the newest outlooks; blocks before them can no longer be asked for."""
        if len(self.outlooks) > outlooks:
            self.outlooks, self._starts = self.outlooks[-outlooks:], self._starts[-outlooks:]
            kept = bisect_left(self._blocks, self.first)
            for block in self._blocks[:kept]:
                del self._served[block]
            self._blocks = self._blocks[kept:]

    def remember(self, block: int, served: Counts) -> None:
        """Take over the rows served before a block, to start from there."""
        if block not in self._served:
            self._blocks.insert(bisect_right(self._blocks, block), block)
        self._served[block] = served
        self._last = (block, served)
        self._given = None

    def lag(self, block: int) -> Counts:
        """Rows owed and not given before a block, int64 [K] in ``UNIT``."""
        served = self.served(block)
        outlook = self.outlook(block)
        return outlook.owed(block) - (served << 32)

    def served(self, block: int) -> Counts:
        """Rows given to each language before a block, int64 [K].

        Costs one allotment for each block since the nearest one known.
        """
        at, served = self._last
        if not at <= block:
            at = self._blocks[bisect_right(self._blocks, block) - 1]
            served = self._served[at]
        while at < block:
            served = served + self._allot(at, served)
            at += 1
            if at % _CHECKPOINT_BLOCKS == 0:
                self.remember(at, served)
        self._last = (at, served)
        return served

    def given(self, block: int) -> Counts:
        """Rows of each language in a block, int64 [K]."""
        return self._allot(block, self.served(block))

    def _allot(self, block: int, served: Counts) -> Counts:
        if self._given is not None and self._given[0] == block:
            return self._given[1]
        outlook = self.outlook(block)
        rates, live = outlook.rates(outlook.index(block))
        lag = outlook.owed(block + 1) - (served << 32)
        given, due = _windows(lag, rates)
        if live is not None:
            given *= live
        left = outlook.rows - int(given.sum())
        if left > 0:
            left -= _serve(given, outlook.due(due, lag, block, left), left)
        if left:
            _settle(given, lag, outlook.weights(block), left)
        self._given = (block, given)
        return given
