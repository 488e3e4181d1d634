"""Proof that training rows depend on nothing but their number, and that languages get what was asked for.

The first rows are read at once, while the mixture is changed twice by hand, and then again in other ways: gone on
with from states saved in between, dealt to ranks and workers, stopped and gone on with under other numbers of both,
twice in a row. Every way must give the same rows to the last bit. The tokens of each language are counted at the
end of every block and compared with the shares asked for, and passes are counted as :mod:`evenglot.verify.passes`
tells. Around the beginning of each later stage the same is done with rows that are jumped to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from corpus.errors import CorpusError
from corpus.manifest import Snapshot, read_snapshot
from corpus.storage import Storage
from evenglot.verify.corpus_files import Check
from evenglot.verify.passes import PassReport, check_passes
from evenglot.verify.reading import CHUNK, Change, Split, dealt, digests, dump, resumed, saved
from sampler.config import SamplerConfig
from sampler.feedback.config import FeedbackConfig
from sampler.passes import LegCache, Passes
from sampler.view import DocumentsConfig

if TYPE_CHECKING:
    from sampler import CurriculumStream

Progress = Callable[[str, int, int], None]

SPLITS = (Split(1, 1, 8), Split(2, 3, 5), Split(3, 2, 1), Split(4, 1, 7))
"""Ranks, workers and rows that rows are dealt to."""
CHAIN = (Split(2, 2, 3), Split(3, 1, 4), Split(1, 4, 5))
"""Those of the three parts of a run that is stopped twice."""
PASS_TOKENS = 20_000_000
"""Bound on the tokens that are read to check passes."""
_BLOCKS = 6
_MOST_ROWS = 20_000
_AROUND = 32
"""Rows before and behind the beginning of a stage."""
_ROUNDING = 1e-6
"""Rows; shares are integers in units of 2**-32."""


@dataclass(frozen=True)
class OrderReport:
    """What was compared."""

    tokenizer: str
    rows: int
    """Rows from the first on that were read in every way."""
    changed: tuple[int, ...]
    """Rows at which the mixture was changed by hand."""
    resumed: tuple[int, ...]
    """Rows before which reading was stopped and gone on from the saved state."""
    dealt: tuple[str, ...]
    """Ranks, workers and rows that the rows were dealt to."""
    stages: tuple[int, ...]
    """First rows of later stages, around which rows were compared too."""
    blocks: int
    """Blocks at whose ends each language's tokens were compared with its share."""
    furthest: float
    """Largest distance of a language from its share at the end of a block, in rows."""
    languages: int
    """Languages of which two passes were read."""
    pass_tokens: int
    """Tokens of these passes."""
    state_bytes: int
    """The largest state that was saved, as JSON."""
    resume_seconds: float
    """Median time from opening the corpus to the first rows after a state."""
    checks: tuple[Check, ...]

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, in words."""
        return [problem for check in self.checks for problem in check.problems]

    @property
    def ok(self) -> bool:
        """Whether all ways of reading gave the same rows, and all languages got what was asked for."""
        return not self.problems


def verify_order(
    corpus: str,
    config: SamplerConfig,
    seed: int,
    progress: Progress | None = None,
    *,
    tokenizer: str | None = None,
    snapshot: int | None = None,
    rows: int | None = None,
    pass_tokens: int = PASS_TOKENS,
) -> OrderReport:
    """Read rows of a corpus in many ways and compare them.

    Args:
        corpus: corpus root.
        config: how rows are sampled.
        seed: of the order.
        progress: told of the ways done.
        tokenizer: whose tokens; None takes the first of the snapshot by name.
        snapshot: number; None takes the current one.
        rows: how many rows to compare from the first on; None takes six blocks, within reason.
        pass_tokens: bound on the tokens that are read to check passes.

    Raises:
        CorpusError: the snapshot has no token shards, or none of that tokenizer.
    """
    storage = Storage(corpus)
    state = read_snapshot(storage, snapshot)
    if not state.tokenizers:
        raise CorpusError(
            f"snapshot {state.number} of {corpus} has no token shards",
            f"Run `evenglot tokenize --corpus {corpus}`" + ("" if snapshot is None else ", or leave out --snapshot"),
        )
    chosen = tokenizer or sorted(state.tokenizers)[0]
    count = rows or min(_BLOCKS * config.block_rows + config.block_rows // 2 + 1, _MOST_ROWS)
    found = _Verification(storage, state, chosen, config, seed, count, progress or _silent)
    return found.report(pass_tokens)


class _Verification:
    """One run of the comparisons.

    Args:
        storage: of the corpus.
        snapshot: of the corpus.
        tokenizer: whose tokens.
        config: how rows are sampled.
        seed: of the order.
        rows: how many rows to compare from the first on.
        progress: told of what is done.
    """

    def __init__(
        self,
        storage: Storage,
        snapshot: Snapshot,
        tokenizer: str,
        config: SamplerConfig,
        seed: int,
        rows: int,
        progress: Progress,
    ) -> None:
        self.storage, self.snapshot, self.tokenizer = storage, snapshot, tokenizer
        # What feedback would decide follows from losses, which nobody has here; its decisions enter the order as any
        # change does.
        self.config = config.model_copy(update={"feedback": FeedbackConfig()})
        self.seed, self.rows, self.progress = seed, rows, progress
        self.open = partial(self._open, self.config)
        self.expected: dict[int, str] = {}
        self.states: dict[int, str] = {}
        self.state_bytes = 0
        self.seconds: list[float] = []
        self.changes: list[Change] = []

    def report(self, pass_tokens: int) -> OrderReport:
        """Compare everything."""
        size = self.config.block_rows
        points = sorted({1, size - 1, size, size + 1, self.rows // 3, self.rows // 2 + 1, self.rows - 1})
        points = [point for point in points if 0 < point < self.rows]
        blocks, furthest, off = self._at_once([0, *points])
        ways: dict[str, list[str]] = {"resume": [], "dealing": [], "stopped twice": []}
        total = len(points) + len(SPLITS) + 1
        for done, point in enumerate(points):
            self.progress("order", done, total)
            ways["resume"] += self._resume(point)
        for done, split in enumerate(SPLITS, start=len(points)):
            self.progress("order", done, total)
            ways["dealing"] += self._deal(split)
        ways["stopped twice"] += self._chain()
        self.progress("order", total, total)
        stages, wrong = self._stages()
        passes = self._passes(pass_tokens)
        passed = {"resume": len(points), "dealing": len(SPLITS), "stopped twice": 1}
        checks = [Check(name, passed[name] - len(problems), tuple(problems)) for name, problems in ways.items()]
        checks.append(Check("stages", 2 * len(stages) - len(wrong), tuple(wrong)))
        checks.append(Check("shares", blocks - len(off), tuple(off)))
        checks.append(Check("passes", len(passes.languages) * 2 - len(passes.problems), passes.problems))
        return OrderReport(
            tokenizer=self.tokenizer,
            rows=self.rows,
            changed=tuple(change.block * size for change in self.changes),
            resumed=tuple(points),
            dealt=tuple(str(split) for split in SPLITS),
            stages=stages,
            blocks=blocks,
            furthest=furthest,
            languages=len(passes.languages),
            pass_tokens=passes.tokens,
            state_bytes=self.state_bytes,
            resume_seconds=median(self.seconds) if self.seconds else 0.0,
            checks=tuple(checks),
        )

    def _open(self, config: SamplerConfig) -> CurriculumStream:
        from sampler import CurriculumStream

        return CurriculumStream(
            self.storage.url, tokenizer=self.tokenizer, config=config, seed=self.seed, snapshot=self.snapshot.number
        )

    def _passes(self, tokens: int) -> PassReport:
        """Count passes under every view of the documents that a stage takes, the tokens divided among the views."""
        views = [self.config.documents, *(stage.documents or self.config.documents for stage in self.config.stages)]
        views = [view for number, view in enumerate(views) if view not in views[:number]]
        stream = self._open(_alone(self.config, self.config.documents, None))
        found = [
            check_passes(
                partial(self._alone, view),
                stream.sizes,
                lambda lang, view=view: (
                    Passes(  # type: ignore[misc]
                        stream.corpus.documents(lang), self.seed, LegCache(), view
                    ).tokens
                ),
                self.storage,
                self.snapshot,
                self.tokenizer,
                whole=view.is_default,
                budget=tokens // len(views),
                progress=self.progress,
            )
            for view in views
        ]
        return PassReport(
            tuple(sorted({lang for report in found for lang in report.languages})),
            sum(report.tokens for report in found),
            tuple(problem for report in found for problem in report.problems),
        )

    def _alone(self, view: DocumentsConfig, lang: str) -> CurriculumStream:
        return self._open(_alone(self.config, view, lang))

    def _at_once(self, points: list[int]) -> tuple[int, float, list[str]]:
        """Read the first rows, saving states, changing the mixture twice, and comparing shares on the way."""
        size = self.config.block_rows
        stream = self.open()
        edges = [block * size for block in (2, 4) if block * size < self.rows]
        stops = sorted({*points, *edges, *range(size, self.rows + 1, size), self.rows})
        tokens = np.zeros(len(stream.languages), dtype=np.int64)
        asked = np.zeros(len(stream.languages), dtype=np.float64)
        blocks, furthest, off = 0, 0.0, []
        at = 0
        for stop in stops:
            if at in edges and at not in [change.block * size for change in self.changes]:
                self.changes.append(self._change(stream))
            if at in points:
                self.states[at] = dump(stream, at)
                self.state_bytes = max(self.state_bytes, len(self.states[at].encode()))
            for first in range(at, stop, CHUNK):
                batch = stream.rows(range(first, min(first + CHUNK, stop)))
                self.expected.update(digests(batch, first))
                tokens += np.bincount(batch.piece_languages, batch.piece_lengths, len(tokens)).astype(np.int64)
            at = stop
            if at and at % size == 0:
                asked += size * np.array(list(stream.mixture(at // size - 1).values()))
                distance = np.abs(tokens / self.config.row_tokens - asked)
                # A change of the mixture carries debts over, which the new shares may take some blocks to pay.
                bound = 1.0 if not self.changes else 2.0
                blocks, furthest = blocks + 1, max(furthest, float(distance.max()))
                if distance.max() >= bound + _ROUNDING:
                    lang = stream.languages[int(distance.argmax())]
                    off.append(
                        f"at the end of block {at // size - 1} {lang} is {distance.max():.2f} rows off its share"
                    )
        return blocks, furthest, off

    def _change(self, stream: CurriculumStream) -> Change:
        """Give each language another one's share."""
        before = stream.mixture()
        weights = dict(zip(before, [*list(before.values())[1:], next(iter(before.values()))], strict=True))
        block = stream.set_mixture(weights, "verify")
        return Change(block, weights)

    def _resume(self, point: int) -> list[str]:
        begun = time.perf_counter()
        found: dict[int, str] = {}
        for row, digest in resumed(self.open, self.states[point], self.changes, self.rows):
            if not found:
                self.seconds.append(time.perf_counter() - begun)
            found[row] = digest
        return self._differences(f"stopped before row {point} and resumed", range(point, self.rows), found)

    def _deal(self, split: Split) -> list[str]:
        steps = self.rows // split.step
        found = dict(dealt(self.open, self.states[0], self.changes, split, steps))
        return self._differences(f"dealt to {split}", range(steps * split.step), found)

    def _chain(self) -> list[str]:
        state, row = self.states[0], 0
        found: dict[int, str] = {}
        for split in CHAIN:
            steps = self.rows // len(CHAIN) // split.step
            found.update(dealt(self.open, state, self.changes, split, steps))
            row += steps * split.step
            state = saved(self.open, state, self.changes, row)
            self.state_bytes = max(self.state_bytes, len(state.encode()))
        way = "stopped twice and gone on with under other ranks and workers"
        return self._differences(way, range(row), found)

    def _stages(self) -> tuple[tuple[int, ...], list[str]]:
        """Read rows around the beginnings of later stages at once, and gone on with from before and at the edge."""
        edges = [stage.first_row for stage in self.open().stages() if stage.first_row]
        problems = []
        for number, edge in enumerate(edges):
            self.progress("stages", number, len(edges))
            first, stop = max(0, edge - _AROUND), edge + _AROUND
            stream = self.open()
            self.expected.update(digests(stream.rows(range(first, stop)), first))
            begin = dump(self.open(), 0)
            for row in (max(first, edge - 1), edge):
                state = saved(self.open, begin, (), row)
                self.state_bytes = max(self.state_bytes, len(state.encode()))
                found = dict(resumed(self.open, state, (), stop))
                way = f"stopped before row {row}, where a stage begins, and resumed"
                problems += self._differences(way, range(row, stop), found)
        return tuple(edges), problems

    def _differences(self, way: str, rows: range, found: Mapping[int, str]) -> list[str]:
        if found.keys() != set(rows):
            return [f"{way}: {len(found)} rows instead of {len(rows)}"]
        wrong = [row for row in rows if found[row] != self.expected[row]]
        return [f"{way}: {len(wrong)} of {len(rows)} rows differ, the first is row {wrong[0]}"] if wrong else []


def _alone(config: SamplerConfig, documents: DocumentsConfig, lang: str | None) -> SamplerConfig:
    """The same way of sampling and packing for one language alone (None: all), in rows of one language."""
    changes: dict[str, object] = {"stages": (), "documents": documents, "rows": "one_language", "floor": 0.0}
    if lang is not None:
        changes |= {"languages": (lang,), "mixture": {lang: 1.0}, "max_repeats": None}
    return config.model_copy(update=changes)


def _silent(name: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""
