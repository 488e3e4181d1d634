"""The stream of training rows: any row by its number.

Global row i lies in block i // block_rows. The block's quotas say how many rows each language has in it, a
permutation by (seed, block) says in which order they come, and a language's k-th row is the k-th piece of its
own token stream. Nothing depends on who asks: ranks and workers take the rows they want by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError
from sampler import progress, resume
from sampler import state as states
from sampler.batch import Batch, Row
from sampler.block import Laid
from sampler.blocks import Blocks
from sampler.config import SamplerConfig
from sampler.course import BlockQuota, Course
from sampler.index import TokenCorpus
from sampler.pieces import Buffers
from sampler.progress import Realised, StageProgress
from sampler.quota import UNIT, Counts
from sampler.reader import Readers
from sampler.schedule import Part, Schedule
from sampler.sources import Sources
from sampler.tables import Tables

_ITERATED_ROWS = 32


class CurriculumStream:
    """Rows of tokens under a mixture, in an order that is a function of the global row index.

    Rows are of one language each, or hold documents of all languages mixed. After each block every language has its
    share of the rows, in tokens, rounded to a whole row down or up, whatever the schedule of stages, no token is left
    out, and no document comes again before its language's pass is over (in mixed rows packed by best fit, block by
    block: a block that holds the end of a pass may show documents of the next one first).

    ``position`` is the next global row for :meth:`iterate`, :meth:`state` and :meth:`set_mixture`; reading rows
    moves it behind the last one read. Where several ranks read different rows of a step, set it with
    :meth:`seek` so that all agree.

    Args:
        corpus: corpus root, path or URL.
        tokenizer: name of the tokenizer in the snapshot.
        config: the recipe's section.
        seed: of every order.
        snapshot: number that the first stage reads; None takes the current one. A sequence of numbers, one for each
            stage, is what :attr:`snapshots` gives: another process then reads the same, whatever is current.
        tables: of languages under views that filter or order documents, from another stream of the corpus; those that
            are missing are made and added.

    Raises:
        CorpusError: there is no such corpus or tokenizer, or it has no training tokens.
        ConfigurationError: the mixture, its bounds or the languages of a stage do not fit the corpus.
    """

    def __init__(
        self,
        corpus: str,
        *,
        tokenizer: str,
        config: SamplerConfig,
        seed: int,
        snapshot: int | Sequence[int] | None = None,
        tables: Tables | None = None,
    ) -> None:
        self.config = config
        self.seed = seed
        self.position = 0
        self._root, self._tokenizer = corpus, tokenizer
        self._frontier = 0
        first, pinned = (snapshot, ()) if snapshot is None or isinstance(snapshot, int) else (None, tuple(snapshot))
        self._read_from(Sources(corpus, tokenizer, config, seed, first, pinned, tables))
        follows = config.feedback.policy != "none"
        self.decided: int | None = config.feedback.every if follows else None
        """Blocks from this one on wait for a decision of the feedback; None when nothing ever waits."""
        self.gate: Callable[[int], None] | None = None
        """Called with a block that is not decided yet; has to wait until it is."""

    def _read_from(self, sources: Sources) -> None:
        """Begin with these snapshots."""
        self._sources = sources
        self.corpus: TokenCorpus = sources.stages[0].corpus
        """The snapshot that the run begins with."""
        self.languages: tuple[str, ...] = sources.languages
        """Tags; a language keeps its number when a later stage or its snapshot brings others."""
        self.sizes: dict[str, int] = sources.sizes
        """Training tokens of each language that the view keeps, in the last stage whose snapshot has it."""
        local = self.corpus.storage.is_local
        buffers = Buffers(room=None if local else self.config.cache.bytes // 4)
        readers = Readers(sources, buffers, self.seed, self.config.row_tokens, self.config.packing)
        bos = self.corpus.special("bos")
        self._blocks = Blocks(self.config, self.seed, bos, self._quota, readers.view, buffers)
        sizes = [source.sizes for source in sources.stages]
        kept = [source.kept for source in sources.stages]
        schedule = Schedule(self.config, self.languages, sizes, sources.absent, kept)
        schedule.confirm()
        self._course = Course(schedule, sources.views, self.config.row_tokens)

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
        batch = self._blocks.read(_checked(indices))
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
        """Sample under another mixture from the next block on, until the next stage begins.

        The floor and the cap on repeats of the stage hold for it too.

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
        self._confirm_unread(first)
        self._course.change(first, weights, reason)
        self._blocks.forget(first)
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
            self._confirm_unread(block)
            self._course.set(block, weights, reason)
            self._blocks.forget(block)
        if self.decided is not None:
            self.decided = block + self.config.feedback.every

    def weights(self, block: int) -> Counts:
        """The shares asked for in a block, int64 [K] in ``UNIT``."""
        return self._course.weights(block)

    def recipe_weights(self, block: int) -> Counts:
        """The shares that the recipe alone asks for in a block, int64 [K] in ``UNIT``."""
        return self._course.recipe_weights(block)

    def part(self, block: int) -> Part:
        """The stage of a block: its rule, its languages, its length."""
        schedule = self._course.schedule
        return schedule.parts[schedule.stage(block)]

    def served(self, block: int) -> Counts:
        """Rows of each language before a block, int64 [K]."""
        return self._course.served(block)

    def sampled(self, block: int) -> NDArray[np.float64]:
        """Tokens of each language before a block as caps on repeats count them, float64 [K].

        Those of stages with other filters count by the pass: half a pass then is half of what is kept now.
        """
        return self._course.sampled(block) * self.part(block).kept

    def mixture(self, block: int | None = None) -> dict[str, float]:
        """The shares asked for in a block, by default the one that holds ``position``."""
        number = self.position // self.config.block_rows if block is None else block
        weights = self._course.weights(number)
        return {lang: int(weight) / UNIT for lang, weight in zip(self.languages, weights, strict=True)}

    def state(self, row: int | None = None) -> dict[str, Any]:
        """What is needed to go on, as JSON values.

        Args:
            row: next global row; None takes ``position``. With several ranks, the same on all of them.
        """
        return resume.save(self._run, self.position if row is None else row, self.decided)

    def log(self) -> dict[str, Any]:
        """All changes of the mixture that are known, as JSON values for a file of their own.

        A state holds the newest ones that fit into it. With the log, rows before those can be read again too.
        """
        return resume.log(self._run)

    def load_state(self, state: Mapping[str, Any], log: Mapping[str, Any] | None = None) -> None:
        """Go on where a state was taken; ranks and workers may be others than then.

        Stages that have not begun, the budget and the cache may be others than then, too.

        Args:
            state: as :meth:`state` gave it.
            log: as :meth:`log` gave it at that row or later.

        Raises:
            CorpusError: it belongs to another corpus or other settings, or is damaged.
            ConfigurationError: the log is another run's.
        """
        found = states.read(state)
        snapshots = self.snapshots
        pinned = resume.pinned(self._run, found)
        if pinned != list(snapshots[: len(pinned)]):
            tables = self._sources.tables
            self._read_from(Sources(self._root, self._tokenizer, self.config, self.seed, snapshots[0], pinned, tables))
        course = Course(self._course.schedule, self._sources.views, self.config.row_tokens)
        resume.restore(self._run._replace(course=course), found, log)
        if (found.decided is None) != (self.decided is None):
            raise states.damaged("decided: it does not fit sampler.feedback")
        self._course, self.decided = course, found.decided
        self._blocks.forget(0)
        self.seek(found.row)

    def realised(self) -> dict[str, Realised]:
        """What each language got in the rows before ``position``."""
        return progress.whole(self._run, self.position, self._blocks.tokens)

    def stages(self) -> list[StageProgress]:
        """The stages of the run, and what each language got in them in the rows before ``position``."""
        return progress.stages(self._run, self.position, self._blocks.tokens)

    def corpus_of(self, lang: str) -> TokenCorpus:
        """The snapshot that ``sizes`` tells a language's text of: that of the last stage whose snapshot has it."""
        return next(source.corpus for source in reversed(self._sources.stages) if lang in source.available)

    @property
    def snapshots(self) -> tuple[int, ...]:
        """Number of the snapshot that each stage reads."""
        return tuple(source.corpus.snapshot.number for source in self._sources.stages)

    @property
    def _run(self) -> resume.Run:
        return resume.Run(self.config, self._tokenizer, self.seed, self._sources, self._course)

    def lay(self, indices: Sequence[int] | range) -> Laid:
        """The pieces of documents in rows, without reading their tokens or moving ``position``.

        Args:
            indices: as for :meth:`rows`.
        """
        return self._blocks.lay(_checked(indices))

    def _confirm_unread(self, block: int) -> None:
        if block < self._frontier:
            raise ConfigurationError(
                f"the mixture cannot change at block {block}: rows before block {self._frontier} were already read",
                f"Change it at block {self._frontier} or later, or seek back first",
            )

    def _quota(self, block: int) -> BlockQuota:
        """What a block holds of each language, once it is decided."""
        if self.decided is not None and block >= self.decided:
            self._wait(block)
        return self._course.quota(block)

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


def _checked(indices: Sequence[int] | range) -> NDArray[np.int64]:
    if not len(indices) or min(indices) < 0:
        raise ConfigurationError("row indices must be a non-empty list of numbers from 0", "Ask for rows 0 and up")
    return np.asarray(indices, dtype=np.int64)
