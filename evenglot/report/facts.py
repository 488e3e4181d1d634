"""What the report knows: plain frozen dataclasses, filled by ``load`` and ``runs``, read by ``sections``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from corpus.manifest import Snapshot
from evenglot.inspect.boilerplate import Boilerplate
from evenglot.inspect.mixed import Mixing
from evenglot.report.added import Added
from evenglot.report.course import Course
from evenglot.report.made import MadeFacts
from evenglot.report.points import Points


@dataclass(frozen=True)
class StageTime:
    """What one stage of a run took."""

    name: str
    seconds: float
    records_in: int
    records_out: int
    documents_per_second: float


@dataclass(frozen=True)
class CorpusRun:
    """The record of the run that made a snapshot; fields it lacks are None."""

    snapshot: int
    made_by: str
    stages: Sequence[StageTime]
    steps: Sequence[tuple[str, float, float]]
    """The large steps of the run: name, seconds on the clock, seconds of processor time."""
    counters: Mapping[str, int]
    wall_seconds: float | None
    cpu_seconds: float | None
    peak_memory_bytes: int | None
    workers: int | None
    version: str
    machine: Mapping[str, str]
    record: Mapping[str, Any] = field(default_factory=dict)
    """The whole record, for what only one section reads."""


@dataclass(frozen=True)
class Sample:
    """A piece of a document."""

    id: str
    lang: str
    text: str
    cut: bool
    """Whether the document goes on after the piece."""
    url: str
    declared: str
    lang_score: float | None
    quality: float | None
    copies: int
    split: str
    stage: str = ""
    """Of a rejected document; empty for a kept one."""
    reason: str = ""
    detail: str = ""
    duplicate_of: str = ""
    place: str = ""
    """File and offset of a rejected document."""


@dataclass(frozen=True)
class Identification:
    """Declared against identified language, over kept and rejected documents."""

    pairs: Mapping[tuple[str, str], int]
    """Documents by (declared tag, identified tag)."""
    undeclared: int
    """Documents without a declared language."""
    unknown_labels: Mapping[str, int]
    """Documents by declared label, where it names no language."""

    @property
    def declared(self) -> int:
        """Documents whose declared label names a language."""
        return sum(self.pairs.values())

    @property
    def disagreeing(self) -> int:
        """Those of them identified as another language."""
        return sum(number for (declared, found), number in self.pairs.items() if declared != found)


SIMILARITY_BINS: Final = 20


@dataclass(frozen=True)
class Duplicates:
    """Copies among the documents."""

    histogram: Mapping[int, int]
    """Kept documents by the number of documents each stands for."""
    clusters: Sequence[Sample]
    """The most copied documents, most copies first."""
    by_language: Mapping[str, int]
    """Documents rejected as duplicates, by language."""
    reasons: Mapping[str, int]
    """Documents rejected as duplicates, by ``stage/reason``."""
    similarity: Mapping[str, Sequence[int]]
    """Near duplicates by the measure that decided (``jaccard``, ``containment``) and its value, in SIMILARITY_BINS
    bins from 0 to 1; empty where none was recorded."""


@dataclass(frozen=True)
class Unreadable:
    """A record that could not be parsed."""

    file: str
    offset: int | None
    line: int | None
    reason: str
    detail: str
    raw: str
    """The first bytes, with escapes where they are no text."""


@dataclass(frozen=True)
class CorpusFacts:
    """Everything the report says about a corpus."""

    url: str
    snapshot: Snapshot
    runs: Sequence[CorpusRun]
    """Of this snapshot and of those that it goes on with, oldest first."""
    identification: Identification
    duplicates: Duplicates
    kept: Mapping[str, Sequence[Sample]]
    """Samples by language."""
    rejected: Mapping[str, Sequence[Sample]]
    """Samples by language, ordered by reason."""
    unreadable: Sequence[Unreadable]
    problems: Sequence[str]
    """What could not be read while gathering."""
    mixing: Mixing
    """Kept documents in several languages."""
    boilerplate: Boilerplate
    """Lines removed from the pages of a site."""
    made: MadeFacts = field(default_factory=MadeFacts)
    """Synthetic documents and rejected candidates."""

    @property
    def counters(self) -> dict[str, int]:
        """What the stages of preparing counted."""
        found: Counter[str] = Counter()
        for run in self.runs:
            if run.made_by == "prepare":
                found.update(run.counters)
        return dict(found)

    @property
    def sizes(self) -> dict[str, int]:
        """Training bytes of every language with text, the largest first."""
        found = {
            lang: evidence.bytes
            for lang, evidence in self.snapshot.languages.items()
            if evidence.documents + evidence.heldout_documents > 0
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class LanguageEvidence:
    """What a training run knows of one language at its end; None where it was not measured."""

    tokens: int | None
    repeats: float | None
    train_bits_per_byte: float | None
    heldout_bits_per_byte: float | None
    gap: float | None
    share_asked: float | None
    share_realised: float | None
    stages: Mapping[str, float] = field(default_factory=dict)
    """Share of the rows in each stage, of a run that has several."""
    best_step: int | None = None
    """Step of the lowest held-out figure, of a run that follows each language to its end."""
    stopped_at: int | None = None
    """Step at which its figure was found to fall no more."""


@dataclass(frozen=True)
class Penalty:
    """A regularizer over the course of training."""

    value: Points
    strength: Points
    share_of_loss: Points = ()
    """Strength times value over all that was minimised."""
    share_of_gradient: Points = ()
    """Norm of its gradient over that of the whole, where that was measured."""


@dataclass(frozen=True)
class TrainingRun:
    """One run directory."""

    name: str
    """Unique among the runs of a report."""
    path: str
    mixture: str
    objective: str
    step: int | None
    tokens: int | None
    wall_seconds: float | None
    parameters: int | None
    tokens_per_second: float | None
    """Median over the log."""
    loss: Points
    """Training loss over all languages, nats per token."""
    losses: Mapping[str, Points]
    """Training loss by language, nats per token."""
    heldout: Mapping[str, Points]
    """Held-out bits per byte by language."""
    macro: Points
    """Mean of the languages' held-out bits per byte."""
    micro: Points
    """Held-out bits per byte of all languages' bytes together."""
    final: Mapping[str, float]
    """Held-out bits per byte by language at the end: of the evaluation, else of the last line in the log."""
    final_from: str
    """Which of the two."""
    final_macro: float | None
    final_micro: float | None
    evidence: Mapping[str, LanguageEvidence]
    penalties: Mapping[str, Penalty]
    recipe: str
    problems: Sequence[str]
    windows: Sequence[tuple[float, Mapping[str, float]]] = ()
    """Tokens read at the end of each stretch of the log, and those of each language in the stretch."""
    changes: Sequence[tuple[float, str]] = ()
    """Tokens at which a stage began or the mixture changed, and the stage or reason."""
    packing: Mapping[str, float] = field(default_factory=dict)
    """What packing did, as the summary has it."""
    added: Added | None = None
    """Languages that it added to another run's, where it did."""
    course: Course = field(default_factory=Course)
    """What else the log tells of its course."""

    @property
    def worst(self) -> tuple[str, float] | None:
        """The language with the most bits per byte at the end."""
        return max(self.final.items(), key=lambda item: (item[1], item[0])) if self.final else None


@dataclass(frozen=True)
class Facts:
    """Everything in a report."""

    corpus: CorpusFacts
    runs: Sequence[TrainingRun]
    """In the order given, the run the report is about first."""

    @property
    def run(self) -> TrainingRun | None:
        """The run the report is about: the first that does not train on the natural proportions."""
        balanced = [run for run in self.runs if run.mixture != "proportional"]
        return next(iter(balanced or self.runs), None)

    @property
    def baseline(self) -> TrainingRun | None:
        """The run it is compared with: a proportional one if there is one, else another one.

        A model that was only trained on masks is measured in another way than all others: such runs are compared
        among themselves alone.
        """
        main = self.run
        others = [
            run
            for run in self.runs
            if main is not None and run is not main and (run.objective == "masked") == (main.objective == "masked")
        ]
        natural = [run for run in others if run.mixture == "proportional"]
        return next(iter(natural or others), None)
