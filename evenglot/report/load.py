"""Gather the facts about a corpus from its snapshot, its shards and the records of its runs.

Cost: one pass over the small columns (labels, copies, reasons), and the text of the few documents that are
quoted. Shards are memory-mapped, so the text of the others is never touched.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.hashing import stable_hash
from corpus.manifest import ShardFile, Snapshot, read_snapshot
from corpus.schema import UNDETERMINED
from corpus.shards import read_table
from corpus.storage import Storage
from corpus.tags import to_tag_or_none
from evenglot.inspect.boilerplate import Boilerplate, boilerplate
from evenglot.inspect.mixed import Mixing
from evenglot.report.config import ReportConfig
from evenglot.report.facts import (
    SIMILARITY_BINS,
    CorpusFacts,
    CorpusRun,
    Duplicates,
    Identification,
    Sample,
    StageTime,
    Unreadable,
)
from evenglot.report.made import load_made

_SIMILARITY = r"^(?P<measure>jaccard|containment) (?P<value>[01](?:\.\d+)?)"
"""How the detail of a near duplicate begins."""
_RUNS = 50
"""Runs of a corpus that is gone on with that are looked at, the latest ones."""
_RAW_SHOWN = 160
"""Bytes quoted of an unreadable record."""


def load_corpus(corpus: str, config: ReportConfig) -> CorpusFacts:
    """Everything the report says about a corpus.

    Args:
        corpus: folder or object-store URL of the corpus.
        config: how much to quote.

    Raises:
        CorpusError: there is no corpus there, or its manifest or snapshot is damaged. A damaged shard is no
            error: the report names it and shows the rest.
    """
    storage = Storage(corpus)
    snapshot = read_snapshot(storage)
    problems: list[str] = []
    labels = _Labels()
    mixing = Mixing()
    copies = _Copies(config)
    kept_limit, rejected_limit = _sample_limits(snapshot, config)
    kept: dict[str, list[Sample]] = defaultdict(list)
    for file, table in _tables(storage, snapshot.select("text"), problems):
        labels.add_kept(file.lang or UNDETERMINED, table)
        mixing.add(file.lang or UNDETERMINED, table)
        copies.add(file, table)
        chosen = _choose(table.num_rows, kept_limit - len(kept[file.lang or UNDETERMINED]), file, config.seed)
        kept[file.lang or UNDETERMINED].extend(_samples(table, chosen, file.lang, config))
    rejected = _Rejected(config, rejected_limit)
    for file, table in _tables(storage, snapshot.select("rejected"), problems):
        labels.add_rejected(table)
        rejected.add(file, table)
    return CorpusFacts(
        url=corpus,
        snapshot=snapshot,
        runs=_corpus_runs(storage, snapshot, problems),
        identification=labels.result(),
        duplicates=Duplicates(
            dict(sorted(copies.histogram.items())),
            copies.clusters(),
            dict(rejected.duplicates_by_language),
            dict(rejected.duplicates_by_reason),
            {measure: counts.tolist() for measure, counts in sorted(rejected.similarity.items())},
        ),
        kept={lang: samples for lang, samples in kept.items() if samples},
        rejected=_within(rejected.samples(), config.samples_total - sum(map(len, kept.values()))),
        unreadable=_unreadable(storage, snapshot.select("unreadable"), config.unreadable, problems),
        problems=problems,
        mixing=mixing,
        boilerplate=_boilerplate(storage, snapshot, config, problems),
        made=load_made(storage, snapshot, config, problems),
    )


def _boilerplate(storage: Storage, snapshot: Snapshot, config: ReportConfig, problems: list[str]) -> Boilerplate:
    try:
        return boilerplate(storage, snapshot, sites=config.sites, lines=config.site_lines)
    except CorpusError as error:
        problems.append(f"the removed lines could not be read and are left out of this report: {error.message}")
        return Boilerplate(0, 0, 0, [])


def _tables(storage: Storage, files: Sequence[ShardFile], problems: list[str]) -> Iterator[tuple[ShardFile, pa.Table]]:
    for file in files:
        try:
            with storage.local_copy(file.path) as path:
                yield file, read_table(path)
        except CorpusError as error:
            problems.append(f"{file.path} could not be read and is left out of this report: {error.message}")


def _sample_limits(snapshot: Snapshot, config: ReportConfig) -> tuple[int, int]:
    """How many documents to quote per language, and per language and reason, within the total."""
    languages = max(1, sum(1 for number in snapshot.ledger.kept.values() if number))
    pairs = max(1, sum(len(by_language) for by_language in snapshot.ledger.rejected.values()))
    wanted = languages * config.samples_kept + pairs * config.samples_rejected
    shrink = min(1.0, config.samples_total / wanted) if wanted else 1.0
    kept = math.ceil(config.samples_kept * shrink) if config.samples_total else 0
    rejected = math.ceil(config.samples_rejected * shrink) if config.samples_total else 0
    return kept, rejected


def _within(samples: Mapping[str, Sequence[Sample]], total: int) -> dict[str, list[Sample]]:
    """At most about ``total`` samples, every language keeping one of each reason before two of any."""
    if sum(map(len, samples.values())) <= total or not samples:
        return {lang: list(found) for lang, found in samples.items()}
    allowed = max(1, total // len(samples))
    result = {}
    for number, (lang, found) in enumerate(sorted(samples.items())):
        seen: Counter[str] = Counter()
        ranked = []
        for place, sample in enumerate(found):
            # Reasons start at another place for every language, so that together they show all of them.
            ranked.append((seen[sample.reason], (place + number) % len(found), place))
            seen[sample.reason] += 1
        chosen = sorted(place for _, _, place in sorted(ranked)[:allowed])
        result[lang] = [found[place] for place in chosen]
    return result


def _choose(rows: int, limit: int, file: ShardFile, seed: int) -> list[int]:
    """Rows to quote, the same ones for the same corpus: row numbers by hash, not the first, not at random."""
    if limit <= 0 or rows == 0:
        return []
    if rows <= limit:
        return list(range(rows))
    chosen: dict[int, None] = {}
    draw = 0
    while len(chosen) < limit:
        chosen[stable_hash(file.path, draw, seed=seed) % rows] = None
        draw += 1
    return sorted(chosen)


def _samples(table: pa.Table, rows: Sequence[int], lang: str | None, config: ReportConfig) -> list[Sample]:
    return [_sample(row, lang, config) for row in table.take(pa.array(rows, pa.int64())).to_pylist()]


def _sample(row: Mapping[str, Any], lang: str | None, config: ReportConfig) -> Sample:
    text = row.get("text") or ""
    place = f"{row['file']} @ {row['offset']}" if row.get("file") else ""
    return Sample(
        id=row["id"],
        lang=row.get("lang") or lang or UNDETERMINED,
        text=text[: config.sample_characters],
        cut=len(text) > config.sample_characters,
        url=row.get("url") or "",
        declared=row.get("declared_lang") or "",
        lang_score=row.get("lang_score"),
        quality=row.get("quality"),
        copies=row.get("copies") or 1,
        split=row.get("split") or "",
        stage=row.get("stage") or "",
        reason=row.get("reason") or "",
        detail=row.get("detail") or "",
        duplicate_of=row.get("duplicate_of") or "",
        place=place,
    )


class _Labels:
    """Counts declared against identified languages."""

    def __init__(self) -> None:
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._unknown: Counter[str] = Counter()
        self._undeclared = 0

    def add_kept(self, lang: str, table: pa.Table) -> None:
        for label, number in _value_counts(table.column("declared_lang")):
            self._count(label, lang, number)

    def add_rejected(self, table: pa.Table) -> None:
        plain = pa.table({name: _strings(table.column(name)) for name in ("declared_lang", "lang")})
        for row in plain.group_by(["declared_lang", "lang"]).aggregate([([], "count_all")]).to_pylist():
            if row["lang"] is not None:
                self._count(row["declared_lang"], row["lang"], row["count_all"])

    def _count(self, label: str | None, lang: str, number: int) -> None:
        if label is None or not label.strip():
            self._undeclared += number
            return
        declared = to_tag_or_none(label)
        if declared is None:
            self._unknown[label] += number
        else:
            self._pairs[declared, lang] += number

    def result(self) -> Identification:
        return Identification(dict(self._pairs), self._undeclared, dict(self._unknown.most_common()))


class _Copies:
    """Counts copies and keeps the most copied documents."""

    def __init__(self, config: ReportConfig) -> None:
        self.histogram: Counter[int] = Counter()
        self._config = config
        self._top: list[tuple[int, str, Sample]] = []

    def add(self, file: ShardFile, table: pa.Table) -> None:
        copies = table.column("copies").to_numpy()
        values, numbers = np.unique(copies, return_counts=True)
        self.histogram.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
        limit = self._config.clusters
        if limit == 0:
            return
        most = np.argsort(-copies, kind="stable")[:limit]
        rows = [int(row) for row in most if copies[row] > 1]
        for sample in _samples(table, rows, file.lang, self._config):
            entry = (sample.copies, sample.id, sample)
            if len(self._top) < limit:
                heapq.heappush(self._top, entry)
            elif entry[:2] > self._top[0][:2]:
                heapq.heapreplace(self._top, entry)

    def clusters(self) -> list[Sample]:
        return [sample for _, _, sample in sorted(self._top, key=lambda entry: (-entry[0], entry[1]))]


class _Rejected:
    """Samples and duplicate counts of rejected documents."""

    def __init__(self, config: ReportConfig, limit: int) -> None:
        self.duplicates_by_language: Counter[str] = Counter()
        self.duplicates_by_reason: Counter[str] = Counter()
        self.similarity: dict[str, npt.NDArray[np.int64]] = {}
        self._config = config
        self._limit = limit
        self._found: dict[tuple[str, str, str], list[Sample]] = defaultdict(list)

    def add(self, file: ShardFile, table: pa.Table) -> None:
        plain = pa.table({name: _strings(table.column(name)) for name in ("lang", "stage", "reason")})
        plain = plain.append_column("duplicate", table.column("duplicate_of").is_valid())
        plain = plain.append_column("row", pa.array(np.arange(table.num_rows)))
        groups = plain.group_by(["lang", "stage", "reason"]).aggregate([("duplicate", "sum"), ("row", "list")])
        for group in groups.to_pylist():
            lang = group["lang"] or UNDETERMINED
            if group["duplicate_sum"]:
                self.duplicates_by_language[lang] += group["duplicate_sum"]
                self.duplicates_by_reason[f"{group['stage']}/{group['reason']}"] += group["duplicate_sum"]
            found = self._found[lang, group["stage"], group["reason"]]
            rows = group["row_list"]
            chosen = _choose(len(rows), self._limit - len(found), file, self._config.seed)
            found.extend(_samples(table, [rows[index] for index in chosen], lang, self._config))

        self._add_similarity(table)

    def _add_similarity(self, table: pa.Table) -> None:
        """Count how alike near duplicates are, by the number in what was written of them."""
        details = table.column("detail").filter(table.column("duplicate_of").is_valid())
        found = pc.drop_null(pc.extract_regex(details, _SIMILARITY)).combine_chunks()
        for measure in ("jaccard", "containment"):
            mine = pc.equal(pc.struct_field(found, "measure"), measure)
            values = pc.cast(pc.struct_field(found, "value").filter(mine), pa.float64()).to_numpy(zero_copy_only=False)
            if len(values):
                bins = np.clip((values * SIMILARITY_BINS + 1e-9).astype(np.int64), 0, SIMILARITY_BINS - 1)
                counts = np.bincount(bins, minlength=SIMILARITY_BINS)
                self.similarity[measure] = self.similarity.get(measure, np.zeros(SIMILARITY_BINS, np.int64)) + counts

    def samples(self) -> dict[str, list[Sample]]:
        by_language: dict[str, list[Sample]] = defaultdict(list)
        for lang, stage, reason in sorted(self._found):
            by_language[lang].extend(self._found[lang, stage, reason])
        return {lang: found for lang, found in by_language.items() if found}


def _strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as plain strings: dictionaries may differ between the batches of a file."""
    return column.cast(pa.string())


def _value_counts(column: pa.ChunkedArray) -> list[tuple[str | None, int]]:
    return [(entry["values"], entry["counts"]) for entry in _strings(column).value_counts().to_pylist()]


def _corpus_runs(storage: Storage, snapshot: Snapshot, problems: list[str]) -> list[CorpusRun]:
    """The runs whose documents or tokens the snapshot holds, the oldest first."""
    chain: list[Snapshot] = [snapshot]
    while len(chain) < _RUNS:
        last = chain[-1]
        before = last.parent if last.made_by == "tokenize" else last.goes_on_with
        if before is None:
            break
        try:
            chain.append(read_snapshot(storage, before))
        except CorpusError as error:
            problems.append(f"the history of the corpus is incomplete: {error.message}")
            break
    runs = []
    for state in reversed(chain):
        name = f"runs/{state.number:06d}.json"
        if not storage.exists(name):
            problems.append(f"{name} is missing: times and machine of that run are unknown")
            continue
        try:
            record = json.loads(storage.read_bytes(name))
            runs.append(_corpus_run(state, record))
        except (ValueError, TypeError, AttributeError) as error:
            problems.append(f"{name} is damaged and left out: {error}")
    return runs


def _corpus_run(snapshot: Snapshot, record: Mapping[str, Any]) -> CorpusRun:
    stages = [
        StageTime(
            name=str(stage["name"]),
            seconds=float(stage.get("seconds") or 0.0),
            records_in=int(stage.get("records_in") or 0),
            records_out=int(stage.get("records_out") or 0),
            documents_per_second=float(stage.get("documents_per_second") or 0.0),
        )
        for stage in record.get("stages") or []
        if isinstance(stage, dict) and "name" in stage
    ]
    machine = record.get("machine") or {}
    return CorpusRun(
        snapshot=snapshot.number,
        made_by=snapshot.made_by,
        stages=stages,
        steps=[
            (str(step["name"]), float(step.get("wall_seconds") or 0.0), float(step.get("cpu_seconds") or 0.0))
            for step in record.get("steps") or []
        ],
        counters={str(name): int(number) for name, number in (record.get("counters") or {}).items()},
        wall_seconds=record.get("wall_seconds"),
        cpu_seconds=record.get("cpu_seconds"),
        peak_memory_bytes=record.get("peak_memory_bytes"),
        workers=record.get("workers"),
        version=str(record.get("evenglot_version") or ""),
        machine={str(name): str(value) for name, value in machine.items()},
        record=record,
    )


def _unreadable(storage: Storage, files: Sequence[ShardFile], limit: int, problems: list[str]) -> list[Unreadable]:
    found: list[Unreadable] = []
    for file in files:
        if len(found) >= limit:
            break
        try:
            lines = storage.read_bytes(file.path).splitlines()
            found.extend(_broken(json.loads(line)) for line in lines[: limit - len(found)] if line.strip())
        except (CorpusError, ValueError, TypeError, AttributeError) as error:
            problems.append(f"{file.path} could not be read and is left out of this report: {error}")
    return found


def _broken(record: Mapping[str, Any]) -> Unreadable:
    try:
        raw = base64.b64decode(record.get("raw_base64") or "", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    shown = raw[:_RAW_SHOWN].decode("utf-8", "backslashreplace") + (" …" if len(raw) > _RAW_SHOWN else "")
    return Unreadable(
        file=str(record.get("file") or ""),
        offset=record.get("offset"),
        line=record.get("line"),
        reason=str(record.get("reason") or ""),
        detail=str(record.get("detail") or ""),
        raw=shown,
    )
