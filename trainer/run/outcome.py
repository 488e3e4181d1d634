"""What is written when a run ends or stops: its summary, and the evidence on each language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sampler.stream import CurriculumStream
from trainer.heldout.recent import recent_rows
from trainer.heldout.rows import HeldoutLanguage
from trainer.run.evidence import training_evidence
from trainer.run.files import write_json
from trainer.run.sampled import stage_shares
from trainer.steps.tally import Tally

EVIDENCE = "evidence.json"
SUMMARY = "summary.json"

Score = Callable[[Mapping[str, HeldoutLanguage]], Mapping[str, Any]]


@dataclass(frozen=True)
class Summary:
    """What ``summary.json`` holds."""

    step: int
    """Optimiser steps done."""
    tokens: int
    """Tokens read, padding left out."""
    wall_seconds: float
    """Time spent training, earlier parts of a resumed run included."""
    parameters: int
    """Trained values of the model."""
    mixture: str
    """Name of the sampler's mixture, ``custom`` where shares were given."""
    objective: str
    """What was learnt: causal, masked or mixed."""
    finished: bool
    """Whether the whole budget is spent, or all languages have stopped; false after a stop by signal or by
    ``stop_after``."""
    skipped: int
    """Steps left out because loss or gradient was not finite."""
    early_stop: dict[str, dict[str, Any]] | None
    """Of each language its best step and figure, when it stopped, and whether its rows of then were taken; None unless
    ``train.early_stop`` is set."""
    final: dict[str, Any]
    """The held-out figures of the last step, as a line of the metrics."""
    packing: dict[str, float]
    """What packing did in the run's last rows: shares of documents and tokens cut, places that hold no token."""


def write_summary(folder: Path, summary: Summary) -> None:
    """Write ``summary.json``."""
    write_json(folder, SUMMARY, asdict(summary))


def evidence(
    stream: CurriculumStream,
    tally: Tally,
    heldout: Mapping[str, Any],
    score: Score,
    *,
    end: int,
    rows: int,
    stops: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, dict[str, Any]]:
    """The content of ``evidence.json``; the training loss is that of the last rows under the weights as they are.

    All processes must call it.

    Args:
        stream: of the rows; its position is moved to the end.
        tally: what training counted.
        heldout: the last held-out line.
        score: gives figures of some rows under the weights as they are.
        end: the next global row.
        rows: of each language that the training loss is measured on.
        stops: what became of each language that was followed to its end; None where none was.
    """
    known = {lang: stream.corpus_of(lang).snapshot.languages[lang] for lang in stream.languages}
    ratios = {lang: known[lang].bytes / known[lang].tokens[stream.corpus.tokenizer] for lang in stream.languages}
    trained = score(recent_rows(stream, ratios, end=end, rows=rows))
    stream.seek(end)
    realised = stream.realised()
    result: dict[str, dict[str, Any]] = training_evidence(
        {lang: int(count) for lang, count in zip(stream.languages, tally.seen, strict=True)},
        stream.sizes,
        trained["languages"],
        heldout["languages"],
        {lang: (got.asked, got.share) for lang, got in realised.items()},
        stream.mixture((end - 1) // stream.config.block_rows),
        stage_shares(stream, end),
    )
    for lang, end_of_it in (stops or {}).items():
        result[lang]["early_stop"] = dict(end_of_it)
    return result
