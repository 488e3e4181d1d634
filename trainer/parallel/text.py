"""The parallel text of a corpus, as pairs of sentences of two languages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.hashing import fingerprint
from corpus.manifest import Snapshot
from corpus.parallel import Groups, groups_of, pair_name, parallel_schema
from corpus.shards import read_table
from corpus.storage import Storage

_KEPT: Final = 256
"""Pairs of languages whose lists are in memory at once."""


class Pair(NamedTuple):
    """Two sentences that say the same."""

    group: int
    first: int
    second: int
    """Numbers of the sentences."""


class ParallelText:
    """Groups of one split, in memory (two or four bytes a token).

    Args:
        storage: the corpus.
        snapshot: one of its snapshots.
        tokenizer: its name.
        split: ``train`` or ``heldout``.
        languages: tags, in the order of the model's indices; other languages are left out.
        pivot: only pairs with this language are listed; None for all.

    Raises:
        CorpusError: a shard is missing or damaged.
    """

    def __init__(
        self,
        storage: Storage,
        snapshot: Snapshot,
        tokenizer: str,
        split: str,
        languages: Sequence[str],
        pivot: str | None = None,
    ) -> None:
        files = snapshot.select("parallel", split=split, tokenizer=tokenizer)
        self.fingerprint = fingerprint([[file.path, file.hash] for file in files])
        vocabulary = int(snapshot.tokenizers[tokenizer]["vocabulary"])
        tables = [parallel_schema(vocabulary).empty_table()]
        with ExitStack() as stack:
            for file in files:
                table = read_table(stack.enter_context(storage.local_copy(file.path)))
                tables.append(table.select(["langs", "tokens"]))
            joined = pa.concat_tables([table.select(["langs", "tokens"]) for table in tables])
            self.groups: Groups = groups_of(joined, tuple(languages))
        owners = np.repeat(np.arange(len(self.groups)), np.diff(self.groups.bounds))
        order = np.argsort(self.groups.langs, kind="stable")
        ends = np.searchsorted(self.groups.langs[order], np.arange(len(languages) + 1))
        self._sentences = {lang: order[ends[n] : ends[n + 1]] for n, lang in enumerate(languages)}
        self._owners = owners
        self._pivot = pivot
        self._lists: OrderedDict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = OrderedDict()
        self.sizes: dict[str, int] = self._sizes(languages)
        """Pairs of each two languages that have any, by their name."""

    def pair(self, name: str, number: int) -> Pair:
        """One of two languages' pairs; its first sentence is in the language that comes first in the alphabet."""
        first, second = self.sides(name)
        return Pair(int(self._owners[first[number]]), int(first[number]), int(second[number]))

    def sides(self, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The numbers of the sentences of all of two languages' pairs, in the order of the groups, [P] each."""
        found = self._lists.get(name)
        if found is None:
            own = [self._sentences[lang] for lang in name.split("-")]
            _, left, right = np.intersect1d(
                self._owners[own[0]], self._owners[own[1]], assume_unique=True, return_indices=True
            )
            found = own[0][left], own[1][right]
            self._lists[name] = found
            if len(self._lists) > _KEPT:
                self._lists.popitem(last=False)
        else:
            self._lists.move_to_end(name)
        return found

    def _sizes(self, languages: Sequence[str]) -> dict[str, int]:
        groups, langs, bounds = len(self.groups), self.groups.langs, self.groups.bounds
        counts = np.zeros((len(languages), len(languages)), np.int64)
        sides = np.diff(bounds)
        for left, right in combinations(range(int(sides.max(initial=0))), 2):
            having = np.flatnonzero(sides > right) if groups else np.zeros(0, np.int64)
            np.add.at(counts, (langs[bounds[having] + left], langs[bounds[having] + right]), 1)
        counts += counts.T
        found = {
            pair_name(languages[a], languages[b]): int(counts[a, b])
            for a, b in combinations(range(len(languages)), 2)
            if counts[a, b] and (self._pivot is None or self._pivot in (languages[a], languages[b]))
        }
        return dict(sorted(found.items()))
