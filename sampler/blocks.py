"""Rows of any block: planned, laid out and read, with what is worth keeping kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sampler.batch import Batch
from sampler.block import Laid, Plan, join, lay, mix, plan, select
from sampler.config import SamplerConfig
from sampler.course import BlockQuota
from sampler.pieces import LANGUAGE, LENGTH, Buffers, documents_in, read
from sampler.quota import Counts
from sampler.reader import View

_PLANS = 16


class Blocks:
    """The blocks of a run.

    Args:
        config: the recipe's section.
        seed: of every order.
        bos: id of the piece that begins each document.
        quota: what a block holds of each language.
        view: the rows of the languages in a stage.
        buffers: that these are read through.
    """

    def __init__(
        self,
        config: SamplerConfig,
        seed: int,
        bos: int,
        quota: Callable[[int], BlockQuota],
        view: Callable[[int], View],
        buffers: Buffers,
    ) -> None:
        self._config = config
        self._seed = seed
        self._bos = bos
        self._quota = quota
        self._view = view
        self._buffers = buffers
        self._plans: OrderedDict[int, tuple[Plan, View]] = OrderedDict()
        self._whole: tuple[int, Laid] | None = None
        # Nobody goes on with the first rows that are read: they alone are laid, so that a start is quick.
        self._expected = -1

    def read(self, indices: NDArray[np.int64]) -> Batch:
        """Rows by their global indices, int64 [B], in the order given."""
        laid = self.lay(indices)
        compact = read(laid.pieces, self._buffers, self._bos, self._config.row_tokens)
        return Batch(compact, laid.languages, laid.pieces, laid.bounds)

    def lay(self, indices: NDArray[np.int64]) -> Laid:
        """The pieces of documents in rows, without their tokens; arguments as for :meth:`read`."""
        size = self._config.block_rows
        numbers = indices // size
        heads = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(indices)]
        parts = []
        for first, last in pairwise(heads):
            block = int(numbers[first])
            parts.append(self._part(block, indices[first:last] - block * size))
        self._expected = int(indices[-1]) + 1
        return parts[0] if len(parts) == 1 else join(parts)

    def tokens(self, block: int, rows: int) -> Counts:
        """Tokens of each language among the first rows of a block, int64 [K]."""
        if self._config.rows == "one_language":
            planned, view = self._plan(block)
            return np.bincount(planned.languages[:rows], minlength=len(view.rows)) * self._config.row_tokens
        laid = self._mixed(block)
        pieces = laid.pieces[:, : laid.bounds[rows]]
        found = np.zeros(len(self._quota(block).given), dtype=np.int64)
        np.add.at(found, pieces[LANGUAGE], pieces[LENGTH])
        return found

    def forget(self, block: int) -> None:
        """Drop what was planned from a block on, because its quotas change."""
        self._plans = OrderedDict((number, plan) for number, plan in self._plans.items() if number < block)
        if self._whole is not None and self._whole[0] >= block:
            self._whole = None

    def _part(self, block: int, inside: NDArray[np.int64]) -> Laid:
        """Some rows of a block."""
        if self._whole is not None and self._whole[0] == block:
            return select(self._whole[1], inside)
        if self._config.rows == "mixed":
            return select(self._mixed(block), inside)
        planned, view = self._plan(block)
        if self._expected != block * self._config.block_rows + int(inside[0]):
            return lay(view.windows, Plan(planned.languages[inside], planned.ordinals[inside]))
        # Whoever goes on where he stopped is likely to want the rest of the block too; at once it costs less.
        laid = lay(view.windows, planned)
        self._whole = (block, laid)
        return select(laid, inside)

    def _mixed(self, block: int) -> Laid:
        if self._whole is None or self._whole[0] != block:
            quota, config = self._quota(block), self._config
            view = self._view(quota.stage)
            first = quota.served - quota.base
            last = first + quota.given
            stretches = [
                view.language(language).stretch(int(first[language]), int(last[language]))
                for language in np.flatnonzero(quota.given).tolist()
            ]
            documents = [documents_in(stretches)]
            laid = mix(documents, block, config.block_rows, config.row_tokens, config.packing, self._seed)
            self._whole = (block, laid)
        return self._whole[1]

    def _plan(self, block: int) -> tuple[Plan, View]:
        found = self._plans.get(block)
        if found is None:
            quota = self._quota(block)
            planned = plan(block, quota.given, quota.served, quota.base, self._seed)
            found = self._plans[block] = (planned, self._view(quota.stage))
            if len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        return found
