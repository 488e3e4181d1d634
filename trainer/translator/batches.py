"""Which pairs train in which step: a function of the pairs, the seed and the step's number alone.

The pairs of a group, such as those of a direction, come in passes, each in an order of its own that hashes give. An
epoch takes from each group its number, cuts them into pools in the order of hashes, sorts each pool by length and cuts
it into batches of about equally many tokens, padding included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash
from trainer.translator.vocabulary import Ids

Ints = npt.NDArray[np.int64]

_POOL_BATCHES: Final = 32
"""Batches' worth of pairs that are sorted by length together: enough to save padding, few enough that batches differ
from epoch to epoch."""


def shares(counts: Ints, temperature: float) -> npt.NDArray[np.float64]:
    """Share of each direction in training, [D]: its pairs to the power of 1/temperature."""
    powers = np.power(counts.astype(np.float64), 1.0 / temperature)
    return np.asarray(powers / powers.sum(), dtype=np.float64)


def takes(counts: Ints, temperature: float) -> Ints:
    """Pairs of each direction that an epoch takes, [D]: as many in all as there are, and of each at least one.

    Args:
        counts: pairs of each direction.
        temperature: see :func:`shares`.
    """
    # Whole numbers that do not depend on rounding elsewhere.
    found = np.maximum(1, np.round(shares(counts, temperature) * int(counts.sum())).astype(np.int64))
    found[counts == 0] = 0
    return found


class Batches:
    """Batches of all epochs.

    Args:
        keys: a number for each pair that does not depend on the others, [N].
        groups: number of each pair's group, [N].
        sources: tokens of each source, [N].
        targets: tokens of each target, [N].
        batch_tokens: of a batch, both sides and padding.
        takes: pairs of each group that an epoch takes, [G].
        seed: of the order.
    """

    def __init__(
        self,
        keys: Sequence[int],
        groups: Ints,
        sources: Ints,
        targets: Ints,
        *,
        batch_tokens: int,
        takes: Ints,
        seed: int,
    ) -> None:
        self._keys = list(keys)
        self._sources, self._targets = sources, targets
        self._batch_tokens = batch_tokens
        self._seed = seed
        self._members = [np.flatnonzero(groups == number) for number in range(len(takes))]
        self._takes = np.where([len(members) > 0 for members in self._members], takes, 0)

    def epoch(self, number: int) -> list[Ints]:
        """Indices of the pairs of each batch of an epoch, in order."""
        chosen = np.concatenate([self._take(group, number) for group in range(len(self._members))])
        ranks = [stable_hash("pool", self._keys[index], place, number, seed=self._seed)
                 for place, index in enumerate(chosen.tolist())]  # fmt: skip
        chosen = chosen[np.argsort(np.array(ranks, np.uint64), kind="stable")]
        sizes = self._sources[chosen] + self._targets[chosen]
        pools = np.cumsum(sizes) // (self._batch_tokens * _POOL_BATCHES)
        found: list[Ints] = []
        for pool in range(int(pools[-1]) + 1):
            found += self._cut(chosen[pools == pool])
        order = [stable_hash("batch", number, place, seed=self._seed) for place in range(len(found))]
        return [found[place] for place in np.argsort(np.array(order, np.uint64), kind="stable").tolist()]

    def steps(self, first: int) -> Iterator[tuple[int, Ints]]:
        """(epoch, indices) of every step from ``first`` on, without end."""
        epoch, before = 0, 0
        while True:
            batches = self.epoch(epoch)
            for batch in batches[max(0, first - before) :]:
                yield epoch, batch
            before += len(batches)
            epoch += 1

    def _take(self, group: int, epoch: int) -> Ints:
        """The pairs of a group that an epoch takes: its passes are one endless row, cut into equal parts."""
        members, take = self._members[group], int(self._takes[group])
        if not take:
            return members
        begin = epoch * take
        first, last = begin // len(members), (begin + take - 1) // len(members)
        row = np.concatenate([self._pass(group, number) for number in range(first, last + 1)])
        return np.asarray(row[begin - first * len(members) :][:take], dtype=np.int64)

    def _pass(self, group: int, number: int) -> Ints:
        members = self._members[group]
        ranks = [stable_hash("pass", self._keys[index], number, seed=self._seed) for index in members.tolist()]
        return np.asarray(members[np.argsort(np.array(ranks, np.uint64), kind="stable")], dtype=np.int64)

    def _cut(self, pool: Ints) -> list[Ints]:
        order = np.lexsort((self._sources[pool], self._targets[pool]))
        pool = pool[order]
        found, start, widest_source, widest_target = [], 0, 0, 0
        for place, index in enumerate(pool.tolist()):
            source = max(widest_source, int(self._sources[index]))
            target = max(widest_target, int(self._targets[index]))
            if place > start and (source + target) * (place - start + 1) > self._batch_tokens:
                found.append(pool[start:place])
                start, source, target = place, int(self._sources[index]), int(self._targets[index])
            widest_source, widest_target = source, target
        found.append(pool[start:])
        return found


def padded(rows: Sequence[Ids], pad: int) -> npt.NDArray[np.int64]:
    """Rows of one length, [N, longest], filled up with ``pad``."""
    table = np.full((len(rows), max(len(row) for row in rows)), pad, np.int64)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table
