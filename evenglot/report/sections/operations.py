"""Time, broken records, provenance."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from corpus.schema import FORMAT_VERSION
from evenglot.inspect.stages import stage_place
from evenglot.report import rows
from evenglot.report.blocks import Block, Cell, Column, Facts, Group, Section, Source, Table
from evenglot.report.facts import CorpusRun, StageTime
from evenglot.report.numbers import compact, count, duration, percent, plural, size
from evenglot.report.sections.context import Context, words
from evenglot.report.sections.funnel import stage_losses
from evenglot.report.svg import linear


def times(context: Context) -> Section | None:
    """What every step and stage took."""
    runs = [run for run in context.facts.corpus.runs if run.stages or run.wall_seconds]
    if not runs:
        return None
    tables = [table for table in (_on_the_clock(runs), _within(context, runs)) if table is not None]
    total = sum(run.wall_seconds or 0 for run in runs)
    finding = f"The corpus took {duration(total)} to make."
    prepared = [run for run in runs if run.made_by == "prepare" and run.wall_seconds]
    wall = sum(run.wall_seconds or 0 for run in prepared)
    if wall:
        read = _read(context, prepared)
        finding += f" Preparing went at {compact(read / wall)} documents a second"
        cpu = sum(run.cpu_seconds or 0 for run in prepared)
        finding += f", {compact(read / cpu)} per second of processor time." if cpu else "."
        finding += _engine(prepared)
    return Section("times", "Time per stage", "Time", finding, tables)


def _on_the_clock(runs: Sequence[CorpusRun]) -> Table | None:
    """The large steps of every run; its stages where it has no steps."""
    parts: dict[int, Sequence[tuple[str, float, float | None]]] = {
        run.snapshot: run.steps or [(words(stage.name), stage.seconds, None) for stage in run.stages] for run in runs
    }
    scale = linear((wall for steps in parts.values() for _, wall, _ in steps), zero=True)
    groups = []
    for run in runs:
        lines: list[list[Cell]] = [
            [
                name,
                duration(wall),
                percent(wall / run.wall_seconds) if run.wall_seconds else "",
                rows.bar(scale, wall, f"{name}: {duration(wall)}"),
                duration(cpu) if cpu is not None else "",
            ]
            for name, wall, cpu in parts[run.snapshot]
        ]
        groups.append(Group(_summary(run), lines))
    return Table(
        [
            Column("Step", "name"),
            Column("Time", hint="On the clock"),
            Column("Share", minor=True),
            Column("", "chart", axis=rows.axis(scale, duration)),
            Column("Processor time", minor=True),
        ],
        groups,
    )


def _read(context: Context, prepared: Sequence[CorpusRun]) -> int:
    """Documents that some runs read, by their own account; by the ledger where they keep none."""
    counted = [stage.records_in for run in prepared for stage in run.stages if stage.name == "read"]
    return sum(counted) if len(counted) == len(prepared) else context.facts.corpus.snapshot.ledger.read


def _engine(prepared: Sequence[CorpusRun]) -> str:
    """Which part of the processor time the stages took, and which all else did."""
    inside = sum(stage.seconds for run in prepared for stage in run.stages)
    whole = sum(run.cpu_seconds or 0 for run in prepared)
    if not whole or not all(run.steps for run in prepared) or not 0 < inside <= whole:
        return ""
    return (
        f" The stages took {duration(inside)} of {duration(whole)} of processor time; the other "
        f"{percent((whole - inside) / whole)} went to the engine, comparing documents, writing shards and starting up."
    )


def _within(context: Context, runs: Sequence[CorpusRun]) -> Table | None:
    """The stages inside the steps, by processor time, with what each removed."""
    found = [stage for run in runs if run.steps for stage in run.stages]
    if not found:
        return None
    stages = _together(found)
    whole = sum(stage.seconds for stage in stages)
    lost = {stage: sum(reasons.values()) for stage, reasons in stage_losses(context).items()}
    scale = linear((stage.seconds for stage in stages), zero=True)
    lines: list[list[Cell]] = [
        [
            words(stage.name),
            duration(stage.seconds),
            percent(stage.seconds / whole) if whole else "",
            rows.bar(scale, stage.seconds, f"{words(stage.name)}: {duration(stage.seconds)}"),
            count(stage.records_in),
            count(stage.records_out),
            compact(stage.documents_per_second) if stage.documents_per_second else "",
            percent(lost[stage.name] / stage.records_in) if lost.get(stage.name) and stage.records_in else "",
        ]
        for stage in sorted(stages, key=lambda stage: (stage_place(stage.name), stage.name))
    ]
    return Table(
        [
            Column("Stage", "name"),
            Column("Time", hint="Processor time over all workers"),
            Column("Share", minor=True),
            Column("", "chart", axis=rows.axis(scale, duration)),
            Column("In", minor=True),
            Column("Out", minor=True),
            Column("Documents / s", hint="Per second of processor time"),
            Column("Removed", hint="Share of the documents it was given that were rejected in its name", minor=True),
        ],
        [Group("", lines)],
        caption="The stages inside the steps of preparing, by processor time. Most stages only measure: what their "
        "measures mean is decided when the whole corpus is known, so their rejections fall later.",
    )


def _together(stages: Sequence[StageTime]) -> list[StageTime]:
    """The stages of several runs, those of one name as one."""
    by_name: dict[str, list[StageTime]] = {}
    for stage in stages:
        by_name.setdefault(stage.name, []).append(stage)
    found = []
    for name, several in by_name.items():
        seconds, records = sum(one.seconds for one in several), sum(one.records_in for one in several)
        rate = records / seconds if seconds else 0.0
        found.append(StageTime(name, seconds, records, sum(one.records_out for one in several), rate))
    return found


def _summary(run: CorpusRun) -> str:
    parts = [f"{run.made_by} · snapshot {run.snapshot}"]
    if run.wall_seconds is not None:
        parts.append(f"{duration(run.wall_seconds)} on the clock")
    if run.cpu_seconds is not None:
        parts.append(f"{duration(run.cpu_seconds)} of processor time")
    if run.workers:
        parts.append(plural(run.workers, "worker"))
    if run.peak_memory_bytes:
        parts.append(f"at most {size(run.peak_memory_bytes)} of memory")
    return " · ".join(parts)


def unreadable(context: Context) -> Section | None:
    """The records that could not be parsed."""
    ledger = context.facts.corpus.snapshot.ledger
    found = context.facts.corpus.unreadable
    if not ledger.unreadable_total:
        return None
    lines: list[list[Cell]] = [
        [
            one.file,
            count(one.line) if one.line is not None else "",
            count(one.offset) if one.offset is not None else "",
            words(one.reason),
            one.detail,
            one.raw,
        ]
        for one in found
    ]
    table = Table(
        [
            Column("File", "text"),
            Column("Line"),
            Column("Byte", minor=True),
            Column("Reason", "text"),
            Column("Detail", "text", minor=True),
            Column("First bytes", "text"),
        ],
        [Group("", lines)],
        folded=f"{plural(len(found), 'record')} of {count(ledger.unreadable_total)}",
    )
    kinds = ", ".join(
        f"{words(reason)} ({count(number)})"
        for reason, number in sorted(ledger.unreadable.items(), key=lambda item: (-item[1], item[0]))
    )
    finding = f"{plural(ledger.unreadable_total, 'record')} could not be parsed: {kinds}."
    finding += " Their bytes are kept under unreadable/."
    blocks: list[Block] = [table] if found else []
    return Section("unreadable", "Unreadable records", "Unreadable", finding, blocks)


def provenance(context: Context, version: str) -> Section:
    """Recipe, fingerprints, versions, machine."""
    corpus = context.facts.corpus
    snapshot = corpus.snapshot
    named: list[tuple[str, str]] = [
        ("corpus", corpus.url),
        ("snapshot", f"{snapshot.number}, made by {snapshot.made_by}"),
        ("fingerprint", snapshot.fingerprint or "none"),
        ("corpus format", f"{snapshot.format_version} (this version reads up to {FORMAT_VERSION})"),
        ("files", f"{count(len(snapshot.files))}, {size(sum(file.size for file in snapshot.files))}"),
        ("report written by", f"evenglot {version}, Python {platform.python_version()}"),
    ]
    for run in corpus.runs:
        made = f"snapshot {run.snapshot} ({run.made_by})"
        if run.version:
            named.append((f"{made} written by", f"evenglot {run.version}"))
        if run.machine:
            named.append((f"{made} on", ", ".join(f"{name}: {value}" for name, value in run.machine.items())))
    for name, tokenizer in sorted(snapshot.tokenizers.items()):
        plain = {field: value for field, value in tokenizer.items() if isinstance(value, str | int | float)}
        named.append((f"tokenizer {name}", ", ".join(f"{field}: {value}" for field, value in plain.items())))
    named += [
        (f"run {trained.name}", f"{trained.path}; end measured by {trained.final_from or 'nothing yet'}")
        for trained in context.facts.runs
    ]
    blocks: list[Block] = [Facts(named)]
    if snapshot.recipe:
        blocks.append(Source("Recipe of the corpus", _yaml(snapshot.recipe)))
    blocks += [Source(f"Recipe of the run {run.name}", run.recipe) for run in context.facts.runs if run.recipe]
    return Section("provenance", "Provenance", "Provenance", "", blocks)


def _yaml(value: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(value), allow_unicode=True, sort_keys=False, width=100))
