"""Every file of a snapshot against what the snapshot says of it, and the ledger against the files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError, LedgerError
from corpus.hashing import file_hash
from corpus.ledger import Ledger
from corpus.manifest import ShardFile, Snapshot, current_number, read_snapshot
from corpus.parallel import PARALLEL_REJECTED_SCHEMA, parallel_schema
from corpus.schema import LATER_COLUMNS, RECORD_SCHEMA, REJECTED_SCHEMA, UNDETERMINED, token_schema
from corpus.shards import read_batches, run_tokens
from corpus.storage import Storage
from evenglot.verify.synthetic import synthetic_problems

Progress = Callable[[str, int, int], None]

_FOLDERS: Final = (
    "text",
    "tokens",
    "rejected",
    "unreadable",
    "tokenizers",
    "index",
    "boilerplate",
    "scores",
    "parallel",
)
"""Where files of snapshots live; anything there that no snapshot names is an orphan."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class CorpusReport:
    """What verification found."""

    snapshot: int
    files: int
    bytes: int
    checks: tuple[Check, ...]
    orphans: tuple[str, ...] = field(default=())
    """Files that no snapshot names: left by an interrupted run; harmless."""

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, in words."""
        return [problem for check in self.checks for problem in check.problems]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass
class _Counts:
    kept: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, Counter[str]] = field(default_factory=dict)
    unreadable: Counter[str] = field(default_factory=Counter)
    parallel: dict[str, _Counts] = field(default_factory=dict)
    """Of parallel text, by tokenizer."""


def verify_corpus(root: str, number: int | None = None, progress: Progress | None = None) -> CorpusReport:
    """Read every file of a snapshot and compare it with what the snapshot says.

    Args:
        root: the corpus.
        number: the snapshot; None takes the current one.
        progress: told of the files done.

    Raises:
        CorpusError: there is no corpus, or its manifest or snapshot cannot be read.
    """
    storage = Storage(root)
    snapshot = read_snapshot(storage, number)
    wrong: dict[str, list[str]] = {name: [] for name in ("present", "hash", "rows", "schema", "contents", "ledger")}
    passed: Counter[str] = Counter()
    counts = _Counts()

    def note(check: str, problem: str | None) -> None:
        if problem is None:
            passed[check] += 1
        else:
            wrong[check].append(problem)

    for done, file in enumerate(snapshot.files):
        if progress is not None:
            progress("files", done, len(snapshot.files))
        try:
            _check_file(storage, snapshot, file, note, counts)
        except CorpusError as error:
            note("contents", f"{file.path}: {error.message}")
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            note("contents", f"{file.path}: cannot be read: {' '.join(str(error).split())}")
    if progress is not None:
        progress("files", len(snapshot.files), len(snapshot.files))
    if not any(wrong.values()):
        for problem in ledger_problems(snapshot.ledger, counts.kept, counts.rejected, counts.unreadable):
            note("ledger", problem)
        for name, text in snapshot.parallel.items():
            own = counts.parallel.get(name, _Counts())
            for problem in ledger_problems(text.ledger, own.kept, own.rejected, own.unreadable):
                note("ledger", f"parallel text under '{name}': {problem}")
        if not wrong["ledger"]:
            note("ledger", None)
        if snapshot.augmentation is not None:
            wrong["synthetic"] = list(synthetic_problems(storage, snapshot))
            passed["synthetic"] = not wrong["synthetic"]
    else:
        try:
            snapshot.ledger.check()
        except LedgerError as error:
            note("ledger", error.message)
    return CorpusReport(
        snapshot=snapshot.number,
        files=len(snapshot.files),
        bytes=sum(file.size for file in snapshot.files),
        checks=tuple(Check(name, passed[name], tuple(problems)) for name, problems in wrong.items()),
        orphans=tuple(_orphans(storage)),
    )


def ledger_problems(
    ledger: Ledger, kept: Counter[str], rejected: dict[str, Counter[str]], unreadable: Counter[str]
) -> Iterator[str]:
    """Where a ledger differs from the rows counted in the files.

    Args:
        ledger: what the snapshot says.
        kept: rows of the text shards by language.
        rejected: rows of the rejected shards by ``stage/reason`` and language.
        unreadable: lines of the unreadable files by reason.
    """
    try:
        ledger.check()
    except LedgerError as error:
        yield error.message
    for lang in sorted({*ledger.kept, *kept}):
        if ledger.kept.get(lang, 0) != kept[lang]:
            said = ledger.kept.get(lang, 0)
            yield f"ledger says {said:,} documents of {lang} were kept, the files hold {kept[lang]:,}"
    for reason in sorted({*ledger.rejected, *rejected}):
        stated, found = ledger.rejected.get(reason, {}), rejected.get(reason, Counter())
        for lang in sorted({*stated, *found}):
            if stated.get(lang, 0) != found[lang]:
                yield (
                    f"ledger says {stated.get(lang, 0):,} records of {lang} were rejected for {reason}, "
                    f"the files hold {found[lang]:,}"
                )
    for reason in sorted({*ledger.unreadable, *unreadable}):
        if ledger.unreadable.get(reason, 0) != unreadable[reason]:
            yield (
                f"ledger says {ledger.unreadable.get(reason, 0):,} records were unreadable for {reason}, "
                f"the files hold {unreadable[reason]:,}"
            )


def _check_file(
    storage: Storage,
    snapshot: Snapshot,
    file: ShardFile,
    note: Callable[[str, str | None], None],
    counts: _Counts,
) -> None:
    if not storage.exists(file.path):
        note("present", f"{file.path} is missing")
        return
    note("present", None)
    with storage.local_copy(file.path) as path:
        size, digest = path.stat().st_size, file_hash(path)
        if size != file.size:
            note("hash", f"{file.path} has {size:,} bytes, the snapshot says {file.size:,}")
            return
        if digest != file.hash:
            note("hash", f"{file.path} has hash {digest}, the snapshot says {file.hash}")
            return
        note("hash", None)
        if file.kind == "unreadable":
            lines = path.read_bytes().splitlines()
            counts.unreadable.update(json.loads(line)["reason"] for line in lines)
            rows = len(lines)
        elif file.kind in ("text", "rejected", "tokens", "parallel", "parallel_rejected"):
            expected = _schema_of(snapshot, file)
            batches = list(read_batches(path))
            rows = sum(batch.num_rows for batch in batches)
            note("schema", next((p for b in batches for p in _schema_problems(file, b.schema, expected)), None))
            note("contents", _count(file, batches, counts))
        else:
            return
    said = f"{file.path} has {rows:,} rows, the snapshot says {file.rows:,}"
    note("rows", None if rows == file.rows else said)


def _schema_of(snapshot: Snapshot, file: ShardFile) -> pa.Schema:
    if file.kind == "text":
        return RECORD_SCHEMA
    if file.kind == "rejected":
        return REJECTED_SCHEMA
    if file.kind == "parallel_rejected":
        return PARALLEL_REJECTED_SCHEMA
    known = snapshot.tokenizers.get(file.tokenizer or "", {})
    vocabulary = int(known.get("vocabulary", known.get("vocabulary_size", 0)))
    return parallel_schema(vocabulary) if file.kind == "parallel" else token_schema(vocabulary)


def _schema_problems(file: ShardFile, found: pa.Schema, expected: pa.Schema) -> Iterator[str]:
    for column in expected:
        index = found.get_field_index(column.name)
        if index < 0 and column.name in LATER_COLUMNS:
            continue
        if index < 0:
            yield f"{file.path} lacks the column '{column.name}'"
        elif found.field(index).type != column.type:
            yield f"{file.path}: column '{column.name}' is {found.field(index).type}, not {column.type}"


def _count(file: ShardFile, batches: list[pa.RecordBatch], counts: _Counts) -> str | None:
    """Add a file's rows to the counts; what is wrong with its contents, if anything."""
    for batch in batches:
        if file.kind == "text":
            langs = Counter(pc.cast(batch.column("lang"), pa.string()).to_pylist())
            counts.kept.update(langs)
            strangers = sorted(str(lang) for lang in langs if lang != file.lang)
            splits = sorted(str(split) for split in pc.unique(pc.cast(batch.column("split"), pa.string())).to_pylist())
            if file.lang is not None and strangers:
                return f"{file.path} is of {file.lang} but holds {', '.join(strangers)}"
            if file.split is not None and splits != [file.split]:
                return f"{file.path} is of split {file.split} but holds {', '.join(splits)}"
        elif file.kind == "rejected":
            for stage, reason, lang in _decisions(batch):
                counts.rejected.setdefault(f"{stage}/{reason}", Counter())[lang or UNDETERMINED] += 1
        elif file.kind in ("parallel", "parallel_rejected"):
            _count_parallel(batch, file, counts.parallel.setdefault(str(file.tokenizer), _Counts()))
    if file.kind == "tokens" and file.run_tokens is not None and file.run_tokens != run_tokens(batches):
        return f"{file.path} has other numbers of tokens in its runs of documents than the snapshot says"
    return None


def _count_parallel(batch: pa.RecordBatch, file: ShardFile, counts: _Counts) -> None:
    """Add the sentences, or the decisions, of a batch of parallel text."""
    if file.kind == "parallel":
        counts.kept.update(batch.column("langs").flatten().to_pylist())
        return
    for stage, reason, lang in _decisions(batch):
        if stage == "read":
            counts.unreadable[str(reason)] += 1
        else:
            counts.rejected.setdefault(f"{stage}/{reason}", Counter())[lang or UNDETERMINED] += 1


def _decisions(batch: pa.RecordBatch) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Stage, reason and language of each row."""
    columns = (pc.cast(batch.column(name), pa.string()).to_pylist() for name in ("stage", "reason", "lang"))
    return zip(*columns, strict=True)


def _orphans(storage: Storage) -> Iterator[str]:
    """Files in the corpus's folders that no snapshot up to the current one names."""
    named: set[str] = set()
    current = current_number(storage)
    for name in storage.list("snapshots"):
        number = PurePosixPath(name).stem
        if name.endswith(".json") and number.isdigit() and (current is None or int(number) <= current):
            named.update(file.path for file in read_snapshot(storage, int(number)).files)
    for folder in _FOLDERS:
        if not storage.exists(folder):
            continue
        for path in sorted(storage.filesystem.find(storage.path(folder))):
            name = str(path).removeprefix(storage.root.rstrip("/") + "/")
            if name not in named:
                yield name
