"""The course of a run: its schedule, the changes made to it on the way, and what every block holds of each language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError, CorpusError
from sampler.quota import UNIT, Counts, Outlook, Quotas, units
from sampler.schedule import Schedule

WEIGHT_QUANTUM = 1 << 8
"""Shares of a change are multiples of this many units, 2**-24: states stay short, and no share is off by a token in
ten million."""
LAG_QUANTUM = 1 << 20
"""At a change, rows owed are rounded to multiples of this many units, 2**-12 of a row."""

_OUTLOOKS = 128
"""Newest changes that are kept at hand; blocks before are gone through again when they are asked for."""


class Change(NamedTuple):
    """One entry of the mixture log."""

    block: int
    """First block under these shares; they hold until the next stage begins."""
    weights: Counts
    """int64 [K], shares in ``UNIT``."""
    reason: str


class Anchor(NamedTuple):
    """Where the rows stood at a block."""

    block: int
    served: Counts
    """Rows given before it, int64 [K]."""
    lag: Counts
    """Rows owed and not given before it, multiples of ``LAG_QUANTUM`` of sum 0, int64 [K]."""


class BlockQuota(NamedTuple):
    """What a block holds of each language; K languages."""

    stage: int
    """Number of its stage."""
    served: Counts
    """Rows given before the block, int64 [K]."""
    given: Counts
    """Rows in the block, int64 [K]."""
    base: Counts
    """Rows given before the block from other views of the language than the stage's, int64 [K]: the language's next
    row is number ``served - base`` of its view."""


class Course:
    """Quotas under a schedule and its changes.

    Args:
        schedule: of the recipe.
        views: for each stage, int64 [K]: which view of its documents each language is read from. Languages go on
            in a view where they left it.
        row_tokens: L.
    """

    def __init__(self, schedule: Schedule, views: Sequence[Counts], row_tokens: int) -> None:
        self.schedule = schedule
        self.row_tokens = row_tokens
        self.log: list[Change] = []
        """The changes known, oldest first."""
        self.folded = 0
        """Number of earlier changes that are no longer known."""
        self._views = views
        self._nothing = np.zeros(len(schedule.languages), dtype=np.int64)
        self._start = Anchor(0, self._nothing, self._nothing)
        """Where the known log begins."""
        self._marks: dict[int, Counts] = {}
        self._bases: dict[int, Counts] = {0: self._nothing}
        self._partial: BlockQuota | None = None
        self._recipe = self._first()
        self._quotas = Quotas(self._recipe)

    @property
    def first(self) -> int:
        """The first block that can be asked for; above 0 after changes that are no longer known."""
        return self._start.block

    def quota(self, block: int) -> BlockQuota:
        """What a block holds of each language.

        Raises:
            ConfigurationError: the changes of the mixture before the block are no longer known.
        """
        if self._partial is not None and block == self._start.block - 1:
            return self._partial
        quotas = self._reach(block)
        stage = self.schedule.stage(block)
        return BlockQuota(stage, quotas.served(block), quotas.given(block), self.base(stage))

    def weights(self, block: int) -> Counts:
        """The shares of a block, int64 [K] in ``UNIT``."""
        if self._partial is not None:
            block = max(block, self._start.block)
        return self._reach(block).weights(block)

    def served(self, block: int) -> Counts:
        """Rows given to each language before a block, int64 [K]."""
        if self._partial is not None and block == self._start.block - 1:
            return self._partial.served
        return self._reach(block).served(block)

    def sampled(self, block: int) -> NDArray[np.float64]:
        """Tokens of each language before a block, in the measure of its whole text, float64 [K].

        See :class:`sampler.schedule.Schedule`: those of a stage count for more where its view keeps only a part.
        """
        return self._whole(block, self.served(block), self.served) * self.row_tokens

    def sampled_before(self, block: int, served: Counts) -> NDArray[np.float64]:
        """The same from rows given before a block that the course does not know yet; the stages' marks are known."""
        return self._whole(block, served, self._marked) * self.row_tokens

    def asked(self, row: int) -> NDArray[np.float64]:
        """Rows asked for of each language before a row, float64 [K]; at a known change rounded to 2**-12 of a row."""
        block = row // self.schedule.rows
        if self._partial is not None:
            block = max(block, self._start.block)
        return self._reach(block).outlook(block).asked(row)

    def mark(self, stage: int) -> Counts:
        """Rows given to each language before a stage, int64 [K]."""
        found = self._marks.get(stage)
        if found is None:
            found = self._marks[stage] = self.served(self.schedule.parts[stage].first)
        return found

    def asked_before_stage(self, stage: int) -> NDArray[np.float64]:
        """As :meth:`asked`, before a stage; within a row of it where changes before it were not gone through."""
        first = self.schedule.parts[stage].first
        if first < self._quotas.first:
            return self.mark(stage).astype(np.float64)
        return self._quotas.outlook(first).asked(first * self.schedule.rows)

    def recipe_weights(self, block: int) -> Counts:
        """The shares that the recipe alone asks for in a block, int64 [K] in ``UNIT``."""
        return self._recipe.weights(block)

    def set(self, block: int, weights: Counts, reason: str) -> None:
        """Sample under exactly these shares, int64 [K] in ``UNIT``, from a block on; later changes are dropped."""
        self._apply(Change(block, weights, reason))

    def change(self, block: int, weights: Mapping[str, float], reason: str) -> None:
        """Sample under other shares from a block on, within the stage's floor and caps; later changes are dropped.

        Raises:
            ConfigurationError: the shares do not fit.
        """
        chosen = self.schedule.bounded(block, weights, self.sampled(block))
        self._apply(Change(block, units(chosen, self.schedule.languages, WEIGHT_QUANTUM), reason))

    def anchor(self, block: int) -> Anchor:
        """Where the rows stand at a block."""
        quotas = self._reach(block)
        outlook = quotas.outlook(block)
        if outlook.block == block:
            return Anchor(block, outlook.served, outlook.lag)
        return Anchor(block, quotas.served(block), rounded(quotas.lag(block)))

    def start(self) -> Anchor | None:
        """Where the known log begins, if earlier changes are not known."""
        return self._start if self._start.block else None

    def known(self) -> int:
        """The number of the first change whose anchor is known without going through the blocks before it."""
        return next(
            (index for index, change in enumerate(self.log) if change.block >= self._quotas.first), len(self.log)
        )

    def restore(
        self,
        start: Anchor | None,
        log: Sequence[Change],
        folded: int,
        last: Anchor | None,
        block: int,
        served: Counts,
        partial: BlockQuota | None = None,
    ) -> None:
        """Take over a log, and go on behind it without going through the blocks before.

        Args:
            start: where it begins, if earlier changes are not known; then the first entry is of its block.
            log: changes in order.
            folded: number of earlier changes.
            last: where the rows stood at the newest change that is not behind ``block``.
            block: where to go on.
            served: rows of each language before it, int64 [K].
            partial: the block before ``start``, if some of its rows are still to come.
        """
        self.log, self.folded = list(log), folded
        self._start = start or Anchor(0, self._nothing, self._nothing)
        self._partial = partial
        # Rows before earlier stages are needed at once, where views keep parts of the text.
        self._marks = {stage: rows for stage, rows in self._marks.items() if self.schedule.parts[stage].first <= block}
        self._bases = {0: self._nothing}
        done = [change for change in log if change.block <= block]
        self._quotas = Quotas(self._first() if last is None else self._outlook(done[-1], last, self._marked))
        self._quotas.remember(block, served)
        for change in log[len(done) :]:
            self._follow(self._quotas, change)

    def begin(self, start: Anchor, weights: Counts, reason: str, folded: int, partial: BlockQuota | None) -> None:
        """Go on from a block under another schedule; what was before it is not known.

        Args:
            start: where the rows stand.
            weights: int64 [K], from there until the next stage begins.
            reason: kept in the log.
            folded: number of changes before.
            partial: the block before, if some of its rows are still to come.
        """
        change = Change(start.block, weights, reason)
        self.restore(start, [change], folded, start, start.block, start.served, partial)

    def mark_stages(self, marks: Mapping[int, Counts]) -> None:
        """Take over the rows given before stages."""
        self._marks.update(marks)

    def base(self, stage: int) -> Counts:
        """Rows given of each language before a stage from other views than the stage's, int64 [K]."""
        found = self._bases.get(stage)
        if found is None:
            seen = np.zeros_like(self._nothing)
            for earlier in range(stage):
                rows = self.mark(earlier + 1) - (self.mark(earlier) if earlier else self._nothing)
                seen += np.where(self._views[earlier] == self._views[stage], rows, 0)
            found = self._bases[stage] = self.mark(stage) - seen
        return found

    def _reach(self, block: int) -> Quotas:
        """The quotas, with the changes before a block gone through if need be."""
        if block < self._quotas.first:
            if block < self._start.block:
                raise ConfigurationError(
                    f"rows before {self._start.block * self.schedule.rows} cannot be read: this state no longer holds "
                    f"the {self.folded} changes of the mixture before them",
                    "Load the state together with the run's full log of changes, or read later rows",
                )
            self._quotas = self._replay()
        return self._quotas

    def _replay(self) -> Quotas:
        """Quotas of the whole known course."""
        known = list(self.log)
        first = self._outlook(known.pop(0), self._start, self._marked) if self._start.block else self._first()
        quotas = Quotas(first)
        for change in known:
            self._follow(quotas, change)
        return quotas

    def _follow(self, quotas: Quotas, change: Change) -> None:
        anchor = Anchor(change.block, quotas.served(change.block), rounded(quotas.lag(change.block)))
        quotas.change(self._outlook(change, anchor, quotas.served))

    def _apply(self, change: Change) -> None:
        if self.schedule.filtered:
            for stage in range(1, self.schedule.stage(change.block) + 1):
                self.mark(stage)  # may go through earlier blocks, and so comes first
        quotas = self._reach(change.block)
        self._follow(quotas, change)
        while self.log and self.log[-1].block >= change.block:
            self.log.pop()
        self.log.append(change)
        later = [stage for stage, part in enumerate(self.schedule.parts) if part.first > change.block]
        for stage in later:
            self._marks.pop(stage, None)
            self._bases.pop(stage, None)
        if len(quotas.outlooks) > 2 * _OUTLOOKS:
            for stage, part in enumerate(self.schedule.parts):
                if stage and part.first < change.block:
                    self.mark(stage)
            quotas.forget(_OUTLOOKS)

    def _first(self) -> Outlook:
        return Outlook(0, self._nothing, self._nothing, self.schedule.spans(), self.schedule.rows)

    def _outlook(self, change: Change, anchor: Anchor, served: Callable[[int], Counts]) -> Outlook:
        """What is to come from a change on; ``served`` gives the rows before a block that is not behind it."""
        asked = self._whole(change.block, anchor.served + anchor.lag / UNIT, served)
        spans = self.schedule.after(change.block, change.weights, asked)
        return Outlook(anchor.block, anchor.served, anchor.lag, spans, self.schedule.rows)

    def _marked(self, block: int) -> Counts:
        """Rows before a stage that a state has to tell."""
        raise CorpusError(
            f"the sampler's state is damaged: the rows before block {block} are missing",
            "Resume from an earlier checkpoint",
        )

    def _whole(
        self, block: int, rows: Counts | NDArray[np.float64], served: Callable[[int], Counts]
    ) -> NDArray[np.float64]:
        """Rows before a block in the measure of each language's whole text, float64 [K].

        Args:
            block: the block.
            rows: before it, [K].
            served: rows before the blocks where earlier stages begin.
        """
        if not self.schedule.filtered:
            return rows.astype(np.float64)
        found, before = np.zeros(len(rows)), self._nothing.astype(np.float64)
        stage = self.schedule.stage(block)
        for number, part in enumerate(self.schedule.parts[: stage + 1]):
            until = rows.astype(np.float64)
            if number < stage and self.schedule.parts[number + 1].first < block:
                mark = self._marks.get(number + 1)
                until = (served(self.schedule.parts[number + 1].first) if mark is None else mark).astype(np.float64)
            found += (until - before) / part.kept
            before = until
        return found


def rounded(lag: Counts) -> Counts:
    """Rows owed, rounded to multiples of ``LAG_QUANTUM`` of the same sum, 0, by largest remainder."""
    whole = lag // LAG_QUANTUM
    short = -int(whole.sum())
    whole[np.argsort(-(lag - whole * LAG_QUANTUM), kind="stable")[:short]] += 1
    return np.asarray(whole * LAG_QUANTUM, dtype=np.int64)
