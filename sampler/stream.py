"""The stream of training rows: any row by its number.

Global row i lies in block i // block_rows. The block's quotas say how many rows each language has in it, a
permutation by (seed, block) says in which order they come, and a language's k-th row is the k-th piece of its
own token stream. Nothing depends on who asks: ranks and workers take the rows they want by number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError, CorpusError
from sampler import state as states
from sampler.batch import Batch, Row
from sampler.block import Laid, Plan, join, lay, plan, select
from sampler.config import SamplerConfig
from sampler.index import TokenCorpus
from sampler.mixture import shares
from sampler.passes import LegCache, Passes
from sampler.pieces import Buffers, read
from sampler.quota import UNIT, Counts, Quotas, units
from sampler.windows import LanguageRows, Window, Windows, window_rows

_PLANS = 16
_ITERATED_ROWS = 32


class Realised(NamedTuple):
    """What one language got so far."""

    tokens: int
    """Tokens in its rows."""
    asked: float
    """Share that the mixtures asked for, averaged over the rows so far."""
    share: float
    """Share of the rows so far; 0 before the first."""
    passes: float
    """Passes over its training tokens."""


class CurriculumStream:
    """Rows of tokens under a mixture, in an order that is a function of the global row index.

    Every row is of one language. After each block every language has its share of the rows rounded down or up
    (under a constant mixture), no token is left out, and no document comes again before its language's pass
    is over.

    ``position`` is the next global row for :meth:`iterate`, :meth:`state` and :meth:`set_mixture`; reading rows
    moves it behind the last one read. Where several ranks read different rows of a step, set it with
    :meth:`seek` so that all agree.

    Args:
        corpus: corpus root, path or URL.
        tokenizer: name of the tokenizer in the snapshot.
        config: the recipe's section.
        seed: of every order.
        snapshot: number; None takes the current one.

    Raises:
        CorpusError: there is no such corpus or tokenizer, or it has no training tokens.
        ConfigurationError: the mixture or the languages do not fit the corpus.
    """

    def __init__(
        self, corpus: str, *, tokenizer: str, config: SamplerConfig, seed: int, snapshot: int | None = None
    ) -> None:
        self.config = config
        self.seed = seed
        self.corpus = TokenCorpus(corpus, tokenizer, "train", snapshot, config.cache)
        sizes = self.corpus.sizes()
        if not sizes:
            raise CorpusError(
                f"snapshot {self.corpus.snapshot.number} of {corpus} has no training tokens",
                "Look at the rejected records: `evenglot inspect`",
            )
        if config.languages is not None:
            unknown = sorted(set(config.languages) - set(sizes))
            if unknown:
                raise ConfigurationError(
                    f"sampler.languages names {unknown[0]}, which has no training tokens here",
                    f"Use the tags of the corpus, for example {', '.join(list(sizes)[:5])}",
                )
            sizes = {lang: sizes[lang] for lang in sorted(set(config.languages))}
        self.languages: tuple[str, ...] = tuple(sizes)
        self.sizes: dict[str, int] = sizes
        self.position = 0
        self._bos = self.corpus.special("bos")
        reason = "recipe" if isinstance(config.mixture, dict) else config.mixture
        self._initial = units(shares(config, sizes), self.languages)
        self._quotas = Quotas(self._initial, config.block_rows, reason)
        self._legs = LegCache()
        self._windows = Windows(self._window)
        self._window_rows = window_rows(tuple(sizes.values()), config.row_tokens)
        self._rows: dict[int, LanguageRows] = {}
        room = None if self.corpus.storage.is_local else config.cache.bytes // 4
        self._buffers = Buffers(room=room)
        self._plans: OrderedDict[int, Plan] = OrderedDict()
        self._ahead: tuple[int, Laid] | None = None
        self._expected = 0
        self._frontier = 0
        follows = config.feedback.policy != "none"
        self.decided: int | None = config.feedback.every if follows else None
        """Blocks from this one on wait for a decision of the feedback; None when nothing ever waits."""
        self.gate: Callable[[int], None] | None = None
        """Called with a block that is not decided yet; has to wait until it is."""

    def row(self, index: int) -> Row:
        """One row by its global index."""
        return self.rows([index]).row(0)

    def rows(self, indices: Sequence[int] | range) -> Batch:
        """Rows by their global indices, in the order given.

        Args:
            indices: B non-negative numbers.

        Raises:
            ConfigurationError: there is no index, or a negative one.
            CorpusError: a shard is missing or damaged.
        """
        if not len(indices) or min(indices) < 0:
            raise ConfigurationError("row indices must be a non-empty list of numbers from 0", "Ask for rows 0 and up")
        batch = self._read(np.asarray(indices, dtype=np.int64))
        end = max(indices) + 1
        self.position = max(self.position, end)
        self._frontier = max(self._frontier, -(-end // self.config.block_rows))
        return batch

    def iterate(
        self, start: int | None = None, stop: int | None = None, rank: int = 0, world: int = 1
    ) -> Iterator[Row]:
        """Rows one by one, for plain Python.

        Args:
            start: first global row of all ranks together; None goes on at ``position``.
            stop: global row to end before; None never ends.
            rank: this rank takes rows start + rank, start + rank + world, …
            world: number of ranks.

        Yields:
            rows; ``position`` is moved to the first row of the next round, the same on every rank.
        """
        if not 0 <= rank < world:
            raise ConfigurationError(f"rank {rank} of {world}", "Ranks are counted from 0 and below world")
        base = self.position if start is None else start
        size = self.config.block_rows
        while stop is None or base + rank < stop:
            # As many rows at once as lie in the same block: they all are settled once the first is read.
            first = base + rank
            end = min(
                (first // size + 1) * size, first + world * _ITERATED_ROWS, stop or first + world * _ITERATED_ROWS
            )
            batch = self.rows(range(first, end, world))
            for place in range(len(batch)):
                base += world
                self.position = base
                yield batch.row(place)

    def seek(self, row: int) -> None:
        """Set ``position``, the next global row."""
        if row < 0:
            raise ConfigurationError(f"row {row} is below 0", "Rows are counted from 0")
        self.position = row
        self._frontier = -(-row // self.config.block_rows)

    def set_mixture(self, weights: Mapping[str, float], reason: str, block: int | None = None) -> int:
        """Sample under another mixture from the next block on.

        Args:
            weights: share of each language, of any positive sum; languages not named get none.
            reason: kept in the log.
            block: first block of the new mixture; None takes the first one that begins at or after ``position``.
                With several ranks all must name the same block and do so before any of them reads it.

        Returns:
            the first block of the new mixture.

        Raises:
            ConfigurationError: the weights do not fit, or rows of the block were already read.
        """
        first = -(-self.position // self.config.block_rows) if block is None else block
        if first < self._frontier:
            raise ConfigurationError(
                f"the mixture cannot change at block {first}: rows before block {self._frontier} were already read",
                f"Change it at block {self._frontier} or later, or seek back first",
            )
        self._quotas.change(first, units(weights, self.languages), reason)
        self._forget(first)
        return first

    def decide(self, block: int, weights: Counts | None, reason: str) -> None:
        """Take over a decision of the feedback: :class:`sampler.feedback.decisions.Feedback` makes them.

        Args:
            block: first block that it holds for.
            weights: int64 [K], shares in ``UNIT``; None leaves the mixture as it is.
            reason: kept in the log.

        Raises:
            ConfigurationError: rows of the block were already read.
        """
        if weights is not None:
            shares = {lang: int(weight) / UNIT for lang, weight in zip(self.languages, weights, strict=True)}
            self.set_mixture(shares, reason, block)
        if self.decided is not None:
            self.decided = block + self.config.feedback.every

    def weights(self, block: int) -> Counts:
        """The shares asked for in a block, int64 [K] in ``UNIT``."""
        return self._quotas.weights(block)

    def recipe_weights(self, block: int) -> Counts:
        """The shares that the recipe alone asks for in a block, int64 [K] in ``UNIT``."""
        return self._initial

    def served(self, block: int) -> Counts:
        """Rows of each language before a block, int64 [K]."""
        return self._quotas.served(block)

    def mixture(self, block: int | None = None) -> dict[str, float]:
        """The shares asked for in a block, by default the one that holds ``position``."""
        number = self.position // self.config.block_rows if block is None else block
        weights = self._quotas.weights(number)
        return {lang: int(weight) / UNIT for lang, weight in zip(self.languages, weights, strict=True)}

    def state(self, row: int | None = None) -> dict[str, Any]:
        """What is needed to go on, as JSON values.

        Args:
            row: next global row; None takes ``position``. With several ranks, the same on all of them.
        """
        at = self.position if row is None else row
        block = at // self.config.block_rows
        return {
            "version": states.VERSION,
            "row": at,
            "snapshot": self.corpus.snapshot.number,
            "corpus": self.corpus.fingerprint(self.languages),
            "settings": states.settings(self.config, self.corpus.tokenizer, self.seed),
            "mixtures": states.dump_log(self._quotas.log, self._initial),
            "block": block,
            "served": self._quotas.served(block).tolist(),
            "decided": self.decided,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on where a state was taken; ranks and workers may be others than then.

        Raises:
            CorpusError: it belongs to another corpus or other settings, or is damaged.
        """
        states.check(
            state,
            self.corpus.fingerprint(self.languages),
            self.corpus.snapshot.number,
            states.settings(self.config, self.corpus.tokenizer, self.seed),
        )
        try:
            row, block = int(state["row"]), int(state["block"])
            served = np.array(state["served"], dtype=np.int64)
            log = states.load_log(state["mixtures"], self._initial)
            decided = None if self.decided is None else int(state["decided"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise states.damaged(str(error)) from error
        rows = self.config.block_rows
        if block != row // rows or served.shape != (len(self.languages),) or int(served.sum()) != block * rows:
            raise states.damaged("rows, block and quotas do not agree")
        self._quotas.restore(log, block, served)
        self._forget(0)
        self.decided = decided
        self.seek(row)

    def realised(self) -> dict[str, Realised]:
        """What each language got in the rows before ``position``."""
        block, inside = divmod(self.position, self.config.block_rows)
        served = self._quotas.served(block).copy()
        if inside:
            served += np.bincount(self._plan(block).languages[:inside], minlength=len(served))
        asked = self._quotas.asked(self.position)
        return {
            lang: Realised(
                tokens=int(rows) * self.config.row_tokens,
                asked=float(share),
                share=int(rows) / self.position if self.position else 0.0,
                passes=int(rows) * self.config.row_tokens / self.sizes[lang],
            )
            for lang, rows, share in zip(self.languages, served, asked, strict=True)
        }

    def _read(self, indices: NDArray[np.int64]) -> Batch:
        size = self.config.block_rows
        numbers = indices // size
        heads = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(indices)]
        parts = []
        for first, last in pairwise(heads):
            block = int(numbers[first])
            parts.append(self._lay(block, indices[first:last] - block * size))
        self._expected = int(indices[-1]) + 1
        laid = parts[0] if len(parts) == 1 else join(parts)
        compact = read(laid.pieces, self._buffers, self._bos, self.config.row_tokens)
        return Batch(compact, laid.languages, laid.pieces, laid.bounds)

    def _lay(self, block: int, inside: NDArray[np.int64]) -> Laid:
        """The pieces of some rows of a block."""
        if self._ahead is not None and self._ahead[0] == block:
            return select(self._ahead[1], inside)
        plan = self._plan(block)
        if self._expected != block * self.config.block_rows + int(inside[0]):
            return lay(self._windows, plan.languages[inside], plan.ordinals[inside], self._window_rows)
        # Whoever goes on where he stopped is likely to want the rest of the block too; at once it costs less.
        laid = lay(self._windows, plan.languages, plan.ordinals, self._window_rows)
        self._ahead = (block, laid)
        return select(laid, inside)

    def _window(self, language: int, number: int) -> Window:
        found = self._rows.get(language)
        if found is None:
            found = self._rows[language] = self._open(language)
        return found.window(number)

    def _open(self, language: int) -> LanguageRows:
        lang = self.languages[language]
        documents = self.corpus.documents(lang)
        if documents.tokens != self.sizes[lang]:
            raise CorpusError(
                f"the token shards of {lang} hold {documents.tokens - documents.documents:,} tokens, the snapshot "
                f"says {self.sizes[lang] - documents.documents:,}",
                "Run `evenglot verify` on the corpus to see what is damaged",
            )
        passes = Passes(documents, self.seed, self._legs)
        return LanguageRows(
            passes, language, self._buffers.register(passes), self.config.row_tokens, int(self._window_rows[language])
        )

    def _forget(self, block: int) -> None:
        """Drop what was planned from a block on."""
        self._plans = OrderedDict((number, plan) for number, plan in self._plans.items() if number < block)
        if self._ahead is not None and self._ahead[0] >= block:
            self._ahead = None

    def _wait(self, block: int) -> None:
        if self.gate is not None:
            self.gate(block)
        if self.decided is not None and block >= self.decided:
            feedback = self.config.feedback
            border = (self.decided - feedback.delay) * self.config.block_rows
            raise ConfigurationError(
                f"the mixture of block {block} is not decided: sampler.feedback.policy is {feedback.policy}, and the "
                f"losses of the rows before row {border} were not all reported",
                "Report them (`dataset.observe(batch, losses, tokens)`), or set sampler.feedback.policy to none",
            )

    def _plan(self, block: int) -> Plan:
        found = self._plans.get(block)
        if found is None:
            if self.decided is not None and block >= self.decided:
                self._wait(block)
            served = self._quotas.served(block)
            found = plan(block, self._quotas.given(block), served, np.zeros_like(served), self.seed)
            self._plans[block] = found
            if len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        return found
