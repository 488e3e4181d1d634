"""Gather the facts about training runs from what their directories log."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import yaml

from corpus.errors import CorpusError, InputError
from corpus.storage import Storage
from evenglot.report.added import added
from evenglot.report.config import ReportConfig
from evenglot.report.course import KINDS, course
from evenglot.report.facts import LanguageEvidence, Penalty, TrainingRun
from evenglot.report.points import Row, curve, curves, mapping, number

METRICS = "metrics.jsonl"
_KINDS = ("train", "heldout", "sampler", "mixture", *KINDS)
"""Of the lines of the log."""
_EVENTS = ("mixture", "retrieval")
"""Those told by the step alone."""


def load_runs(paths: Sequence[str], config: ReportConfig) -> list[TrainingRun]:
    """The training runs in these directories, each with a name of its own.

    A run is named by its directory, by the whole path where directories of one name meet.

    Raises:
        InputError: a directory holds no run.
    """
    runs = [load_run(path, config) for path in paths]
    labels = [PurePosixPath(run.path.rstrip("/")).name or run.path for run in runs]
    if len(set(labels)) < len(labels):
        labels = [run.path for run in runs]
    if len(set(labels)) < len(labels):
        labels = [f"{label} ({number})" for number, label in enumerate(labels, start=1)]
    return [replace(run, name=label) for run, label in zip(runs, labels, strict=True)]


def load_run(path: str, config: ReportConfig) -> TrainingRun:
    """One training run; files it has not written yet leave their facts empty.

    Raises:
        InputError: the directory has neither a log nor a summary.
    """
    storage = Storage(path)
    if not any(storage.exists(name) for name in (METRICS, "summary.json", "evaluation.json")):
        raise InputError(
            f"{path} holds no training run (no {METRICS})",
            "Name the directory that `evenglot train` wrote, or leave it out",
        )
    problems: list[str] = []
    log = _metrics(storage, problems)
    train, heldout = log["train"], log["heldout"]
    summary = _json(storage, "summary.json", problems)
    evaluation = _json(storage, "evaluation.json", problems)
    recipe = storage.read_bytes("recipe.yaml").decode("utf-8", "replace") if storage.exists("recipe.yaml") else ""
    measured, origin = (evaluation, "evaluation.json") if evaluation.get("languages") else ({}, "")
    evaluated, last_step = _evaluated_step(evaluation), heldout[-1]["step"] if heldout else None
    if measured and evaluated is not None and last_step is not None and evaluated < last_step:
        problems.append(
            f"{storage.path('evaluation.json')} is of step {evaluated}, the run went on to step {last_step}: "
            "the log is shown instead; run `evenglot evaluate` again"
        )
        measured = {}
    if not measured:
        measured = heldout[-1] if heldout else mapping(summary.get("final"))
        origin = f"step {measured.get('step')} of the log" if measured else ""
    last = (train or heldout or [{}])[-1]
    speeds = [row["tokens_per_second"] for row in train if number(row.get("tokens_per_second")) is not None]
    thin = config.curve_points
    return TrainingRun(
        name=path,
        path=path,
        mixture=_mixture(summary, recipe),
        objective=str(summary.get("objective") or measured.get("objective") or ""),
        step=_whole(summary.get("step", last.get("step"))),
        tokens=_whole(summary.get("tokens", last.get("tokens"))),
        wall_seconds=number(summary.get("wall_seconds")),
        parameters=_whole(summary.get("parameters")),
        tokens_per_second=statistics.median(speeds) if speeds else None,
        loss=curve(train, "loss", thin),
        losses=curves(train, "languages", "loss", thin),
        heldout=curves(heldout, "languages", "bits_per_byte", thin),
        macro=curve(heldout, "macro_bits_per_byte", thin),
        micro=curve(heldout, "micro_bits_per_byte", thin),
        final=_final(measured),
        final_from=origin,
        final_macro=number(measured.get("macro_bits_per_byte")),
        final_micro=number(measured.get("micro_bits_per_byte")),
        evidence=_evidence(_json(storage, "evidence.json", problems)),
        penalties=_penalties(train, thin),
        recipe=recipe,
        problems=problems,
        windows=_windows(train, thin),
        changes=_changes(log["mixture"], log["sampler"]),
        packing=_packing(summary),
        added=added(_json(storage, "continual.json", problems)),
        course=course(log, thin),
    )


def _evaluated_step(evaluation: Mapping[str, Any]) -> int | None:
    """The step of the checkpoint that was evaluated, by its folder's name; None where that tells none."""
    name = PurePosixPath(str(evaluation.get("checkpoint", ""))).name
    return int(name) if name.isdecimal() else None


def _metrics(storage: Storage, problems: list[str]) -> dict[str, list[Row]]:
    """The log's lines by kind, in the order of their steps; a step logged again after a resume counts once."""
    if not storage.exists(METRICS):
        return {kind: [] for kind in _KINDS}
    rows: dict[str, dict[int, Row]] = {kind: {} for kind in _KINDS}
    broken = 0
    for line in storage.read_bytes(METRICS).splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row["kind"] in _EVENTS:
                rows[row["kind"]][int(row["step"])] = row
            elif row["kind"] in rows:
                rows[row["kind"]][int(row["step"])] = row | {"tokens": float(row["tokens"])}
        except (ValueError, KeyError, TypeError):
            broken += 1
    if broken:
        problems.append(
            f"{storage.path(METRICS)}: {broken} lines could not be read (a run that was cut off leaves one)"
        )
    return {kind: [found[step] for step in sorted(found)] for kind, found in rows.items()}


def _windows(rows: Sequence[Row], limit: int) -> list[tuple[float, dict[str, float]]]:
    """Tokens at the end of each of at most about ``limit`` stretches, and those of each language in it."""
    together = max(1, -(-len(rows) // limit))
    found = []
    for first in range(0, len(rows), together):
        part = rows[first : first + together]
        tokens: dict[str, float] = defaultdict(float)
        for row in part:
            for lang, values in mapping(row.get("languages")).items():
                tokens[lang] += number(mapping(values).get("tokens")) or 0.0
        if tokens:
            found.append((part[-1]["tokens"], dict(tokens)))
    return found


def _changes(mixtures: Sequence[Row], sampled: Sequence[Row]) -> list[tuple[float, str]]:
    """Tokens at which stages began, and at which the mixture was changed by hand or by feedback."""
    if not sampled or not sampled[-1]["step"] or not number(sampled[-1].get("row")):
        return []
    last = sampled[-1]
    stages = {name: number(row) for name, row in mapping(last.get("stages")).items()}
    found = [(last["tokens"] * row / last["row"], name) for name, row in stages.items() if row]
    steps = [(row["step"], str(row.get("reason") or "")) for row in mixtures if row.get("changed")]
    found += [(last["tokens"] * step / last["step"], reason) for step, reason in steps]
    return sorted(found)


def _packing(summary: Mapping[str, Any]) -> dict[str, float]:
    """The figures on packing of the summary; none where one is missing."""
    names = ("rows", "documents", "documents_cut_share", "tokens_cut_share", "waste")
    found = {name: number(mapping(summary.get("packing")).get(name)) for name in names}
    known = {name: value for name, value in found.items() if value is not None}
    return known if len(known) == len(names) else {}


def _json(storage: Storage, name: str, problems: list[str]) -> Row:
    if not storage.exists(name):
        return {}
    try:
        return mapping(json.loads(storage.read_bytes(name)))
    except (ValueError, CorpusError) as error:
        problems.append(f"{storage.path(name)} could not be read: {error}")
        return {}


def _whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None else round(found)


def _final(measured: Mapping[str, Any]) -> dict[str, float]:
    found = {
        lang: number(mapping(values).get("bits_per_byte"))
        for lang, values in mapping(measured.get("languages")).items()
    }
    return {lang: value for lang, value in found.items() if value is not None}


def _penalties(rows: Sequence[Row], limit: int) -> dict[str, Penalty]:
    found = {
        field: curves(rows, "penalties", field, limit)
        for field in ("value", "strength", "share_of_loss", "share_of_gradient")
    }
    names = dict.fromkeys(name for row in rows for name in mapping(row.get("penalties")))
    return {name: Penalty(**{field: by_name.get(name, []) for field, by_name in found.items()}) for name in names}


def _evidence(record: Mapping[str, Any]) -> dict[str, LanguageEvidence]:
    return {
        lang: LanguageEvidence(
            tokens=_whole(values.get("train_tokens_seen")),
            repeats=number(values.get("repeats")),
            train_bits_per_byte=number(values.get("train_bits_per_byte")),
            heldout_bits_per_byte=number(values.get("heldout_bits_per_byte")),
            gap=number(values.get("gap_bits_per_byte")),
            share_asked=number(values.get("share_asked")),
            share_realised=number(values.get("share_realised")),
            best_step=_whole(mapping(values.get("early_stop")).get("best_step")),
            stopped_at=_whole(mapping(values.get("early_stop")).get("stopped_at")),
            stages={
                name: share
                for name, found in mapping(values.get("stages")).items()
                if (share := number(mapping(found).get("share_realised"))) is not None
            },
        )
        for lang, values in record.items()
        if isinstance(values, dict)
    }


def _mixture(summary: Mapping[str, Any], recipe: str) -> str:
    """The mixture's name as the summary or the resolved recipe has it; empty where neither does."""
    if isinstance(summary.get("mixture"), str):
        return str(summary["mixture"])
    try:
        sampler = mapping(mapping(yaml.safe_load(recipe)).get("sampler"))
    except yaml.YAMLError:
        return ""
    mixture = sampler.get("mixture")
    return mixture if isinstance(mixture, str) else ""
