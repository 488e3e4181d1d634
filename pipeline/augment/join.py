"""Candidates to a layer of the corpus: judged as new text that goes on with a natural snapshot, cut, written.

The jobs are those of ``prepare --append``: candidates come in as pieces that were read, pass the stages that natural
text passed, and are compared by id, text and near likeness with each other and with every natural document, held-out
ones included, which always stay. Limits, stop words and held-out documents are the natural snapshot's; synthetic text
sets none of them, gets into no index, and adds no copies to natural documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import EvenglotError
from corpus.hashing import fingerprint
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot
from corpus.mixtures import relative_weights
from pipeline.augment.stages import GATES
from pipeline.balance.mixtures import stored_mixtures
from pipeline.config import PrepareConfig
from pipeline.deduplicate.exact import KEPT, REFUSED
from pipeline.earlier.documents import EarlierPart
from pipeline.earlier.merge import EarlierLimits, go_on
from pipeline.match import REFUSED_SCHEMA, read_decisions, write_decisions
from pipeline.prepare.context import Context
from pipeline.prepare.counts import evidence, ledger_of
from pipeline.prepare.decisions import Decisions
from pipeline.prepare.match import Matched, match
from pipeline.prepare.read import Reading
from pipeline.prepare.write import write, write_task
from pipeline.quality.thresholds import Derived, Thresholds, stop_words_of
from pipeline.stage import Stage, with_column
from pipeline.work import piece_account, read_staged, single_batch

LIKE_HELDOUT = "like_heldout"
"""Reason of a candidate that is like held-out text, though not so like it that it is a duplicate."""


class NaturalLimits(EarlierLimits):
    """The limits of a natural snapshot as they are, whatever the candidates would say."""

    def carry(self, now: Derived) -> Derived:
        """These limits; those that candidates give are left aside."""
        facts = dict(self.facts)
        return Derived(Thresholds({lang: dict(of) for lang, of in self.limits.items()}, stop_words_of(facts)), facts)


@dataclass(frozen=True)
class Survivors:
    """The candidates that passed all stages and comparisons, in the order of pieces and rows."""

    piece: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    id: npt.NDArray[np.str_]
    lang: npt.NDArray[np.str_]
    origin: npt.NDArray[np.str_]
    bytes: npt.NDArray[np.int64]
    score: npt.NDArray[np.float32]
    like_heldout: npt.NDArray[np.bool_]
    """Whether it would have to be held out, for the sake of natural documents that it is like."""


@dataclass(frozen=True)
class Refusal:
    """Why a candidate that passed everything else does not stay."""

    reason: str
    detail: str


def join_config(config: PrepareConfig) -> PrepareConfig:
    """The settings under which candidates are judged: those of the natural text, but nothing is held out or indexed."""
    return config.model_copy(
        update={
            "split": config.split.model_copy(update={"heldout_share": 0.0, "heldout_min_documents": 0}),
            "deduplicate": config.deduplicate.model_copy(update={"index": False}),
        }
    )


def stage_candidates(
    context: Context, files: Sequence[str], rows: Mapping[str, int], stages: Sequence[Stage]
) -> Reading:
    """Pass candidates through their stages.

    Args:
        context: of the run.
        files: of candidates in the work folder, whose names say what is in them.
        rows: of each.
        stages: that they pass.
    """
    from pipeline.graphs.candidates import CandidateTask, candidates_job

    work = context.work
    groups = grouped(files, rows)
    tasks = [CandidateTask(f"{number:06d}-{fingerprint(group)[:16]}", group) for number, group in enumerate(groups)]
    waiting = [task for task in tasks if piece_account(work, task.piece) is None]

    def done() -> tuple[int, int]:
        return sum(piece_account(work, task.piece) is not None for task in tasks), len(tasks)

    if waiting:
        with context.jobs.step("judge candidates (pieces)", done):
            context.jobs.run(candidates_job(waiting, context.work_url, stages))
    accounts = [piece_account(work, task.piece) for task in tasks]
    found = [account for account in accounts if account is not None]
    if len(found) < len(tasks):
        raise EvenglotError(
            f"{len(tasks) - len(found)} pieces were not judged", "Run the same command again; it resumes"
        )
    return Reading([sum(rows[name] for name in task.files) for task in tasks], found)


def grouped(files: Sequence[str], rows: Mapping[str, int], together: int = 2000) -> list[tuple[str, ...]]:
    """Consecutive files in groups of about so many candidates."""
    groups: list[tuple[str, ...]] = []
    group: list[str] = []
    size = 0
    for name in files:
        group.append(name)
        size += rows[name]
        if size >= together:
            groups.append(tuple(group))
            group, size = [], 0
    return [*groups, tuple(group)] if group else groups


def compare(context: Context, natural: Snapshot, reading: Reading, earlier: Sequence[EarlierPart]) -> Matched:
    """Apply the natural snapshot's limits; compare candidates with each other and with all natural text."""
    return match(context, reading, earlier, NaturalLimits.of(natural))


def survivors(context: Context, reading: Reading, matched: Matched) -> Survivors:
    """What is left to choose from."""
    names = ("id", "lang", "origin", "n_bytes", "quality")
    parts: list[pa.Table] = []
    for number, piece in enumerate(reading.pieces):
        decisions = read_decisions(context.work, matched.decisions.final, piece.name)
        kept = decisions.filter(pc.equal(decisions.column("verdict"), KEPT))
        if not kept.num_rows:
            continue
        rows = kept.column("row").combine_chunks()
        table = read_staged(context.work, piece.name, names).take(rows)
        table = pa.table({name: table.column(name).combine_chunks() for name in names})
        table = table.append_column("piece", pa.array(np.full(len(rows), number, np.int64)))
        table = table.append_column("row", rows.cast(pa.int64()))
        parts.append(table.append_column("heldout", kept.column("heldout").fill_null(False).combine_chunks()))
    if not parts:
        empty = np.zeros(0, np.int64)
        text = np.zeros(0, np.str_)
        return Survivors(empty, empty, text, text, text, empty, empty.astype(np.float32), empty.astype(bool))
    whole = pa.concat_tables([part.cast(_survivor_schema()) for part in parts])
    columns = {name: whole.column(name).combine_chunks() for name in whole.schema.names}

    def strings(name: str) -> npt.NDArray[np.str_]:
        return np.array(columns[name].to_pylist(), dtype=np.str_)

    return Survivors(
        piece=columns["piece"].to_numpy(),
        row=columns["row"].to_numpy(),
        id=strings("id"),
        lang=strings("lang"),
        origin=strings("origin"),
        bytes=columns["n_bytes"].to_numpy(),
        score=columns["quality"].to_numpy(),
        like_heldout=columns["heldout"].to_numpy(zero_copy_only=False),
    )


def _survivor_schema() -> pa.Schema:
    kinds = {"n_bytes": pa.int64(), "quality": pa.float32(), "piece": pa.int64(), "row": pa.int64()}
    names = ("id", "lang", "origin", "n_bytes", "quality", "piece", "row", "heldout")
    return pa.schema([(name, pa.bool_() if name == "heldout" else kinds.get(name, pa.string())) for name in names])


def refuse(
    context: Context, reading: Reading, matched: Matched, found: Survivors, refused: Mapping[int, Refusal]
) -> Matched:
    """The decisions with some survivors refused; mixtures and weights over natural text and what is left.

    Args:
        context: of the run.
        reading: its pieces.
        matched: what the comparisons decided.
        found: what survived them.
        refused: survivors by number that do not stay after all.
    """
    said = fingerprint([[int(number), one.reason, one.detail] for number, one in sorted(refused.items())])
    decisions = Decisions(context.work_url, f"{matched.decisions.folder}/cut-{said[:16]}")
    if not decisions.is_done("cut"):
        by_piece: dict[int, dict[int, Refusal]] = {}
        for number, refusal in refused.items():
            by_piece.setdefault(int(found.piece[number]), {})[int(found.row[number])] = refusal
        for number, piece in enumerate(reading.pieces):
            table = read_decisions(context.work, matched.decisions.final, piece.name)
            batch = refused_batch(single_batch(table), by_piece.get(number, {}))
            write_decisions(context.work, f"{decisions.final}/{piece.name}", batch, REFUSED_SCHEMA)
        decisions.mark_done("cut")
    stays = np.ones(len(found.id), dtype=bool)
    stays[list(refused)] = False
    base = {} if context.base is None else context.base.languages
    sizes = {lang: known.bytes for lang, known in base.items()}
    for lang in sorted(set(found.lang[stays].tolist())):
        sizes[lang] = sizes.get(lang, 0) + int(found.bytes[stays & (found.lang == lang)].sum())
    balance = context.config.balance
    mixtures = stored_mixtures({lang: sizes[lang] for lang in sorted(sizes)}, balance)
    present = {lang: size for lang, size in sizes.items() if size > 0}
    weights = relative_weights(mixtures[balance.mixture], present) if mixtures else {}
    return replace(matched, decisions=decisions, bounds={}, mixtures=mixtures, weights=weights)


def refused_batch(decisions: pa.RecordBatch, refused: Mapping[int, Refusal]) -> pa.RecordBatch:
    """The decisions on one piece, some of its kept rows refused; none of the others has to be in a split.

    Args:
        decisions: ``MATCH_SCHEMA``.
        refused: by row of the piece.
    """
    reasons = [refused.get(row) for row in decisions.column("row").to_pylist()]
    verdict = decisions.column("verdict").to_numpy().copy()
    verdict[[number for number, refusal in enumerate(reasons) if refusal is not None]] = REFUSED
    columns = {
        "verdict": pa.array(verdict),
        "heldout": pa.nulls(len(reasons), pa.bool_()),
        "stage": pa.array([None if one is None else GATES for one in reasons], pa.string()),
        "reason": pa.array([None if one is None else one.reason for one in reasons], pa.string()),
        "detail": pa.array([None if one is None else one.detail for one in reasons], pa.string()),
    }
    for name, column in columns.items():
        decisions = with_column(decisions, name, column)
    return decisions


def heldout_refusals(found: Survivors) -> dict[int, Refusal]:
    """Refusals of all survivors that are like held-out text."""
    refusal = Refusal(LIKE_HELDOUT, "shares too much with a held-out document to be trained on")
    return {int(number): refusal for number in np.flatnonzero(found.like_heldout)}


def write_layer(context: Context, reading: Reading, matched: Matched) -> list[dict[str, Any]]:
    """Write the shards of what stays and of what does not; their accounts."""
    return write(context, reading, write_task(context, reading, matched))


@dataclass(frozen=True)
class Layer:
    """The synthetic text by itself."""

    ledger: Ledger
    languages: dict[str, LanguageEvidence]
    files: list[ShardFile]

    @classmethod
    def of(cls, context: Context, reading: Reading, accounts: Sequence[Mapping[str, Any]]) -> Layer:
        """From the accounts of what was written."""
        files = [ShardFile(**file) for account in accounts for file in account["files"]]
        ledger = ledger_of(sum(reading.records), reading.pieces, accounts, files, context.corpus)
        return cls(ledger, evidence(accounts, ledger), files)


def over_natural(natural: Snapshot, layer: Snapshot) -> Snapshot:
    """The snapshot of a layer together with the natural one below it."""
    return go_on(natural, layer, {})
