"""A corpus of three languages written by hand, and the command line in a process of its own."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.hashing import file_hash, record_id
from corpus.ledger import Ledger
from corpus.manifest import FileKind, LanguageEvidence, ShardFile, Snapshot, commit
from corpus.mixtures import proportional, unimax
from corpus.schema import RECORD_SCHEMA, REJECTED_SCHEMA
from corpus.shards import ShardWriter
from corpus.storage import Storage

ROOT = Path(__file__).resolve().parents[2]

TEXTS = {
    "eng_Latn": [f"English document number {number}, long enough to look at." for number in range(12)],
    "swh_Latn": ["Habari ya asubuhi, karibu nyumbani kwetu.", "Watoto wanacheza nje leo."],
    "heb_Hebr": ["שלום עולם, זה מסמך קצר בעברית."],
}


@pytest.fixture
def evenglot() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real command line: ``evenglot("inspect", "out", env={...})``."""

    def run(
        *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200", **(env or {})}
        environment.pop("EVENGLOT_DEBUG", None)
        environment.update(env or {})
        return subprocess.run(
            [sys.executable, "-m", "evenglot", *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=environment,
            cwd=cwd,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """The same command line in this process, for what needs no process of its own: much faster."""
    from evenglot.cli import main

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        shown = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, shown.out, shown.err)

    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    interrupt = signal.getsignal(signal.SIGINT)
    with warnings.catch_warnings():
        yield run
    signal.signal(signal.SIGINT, interrupt)
    root.handlers[:] = before[0]
    root.setLevel(before[1])


@pytest.fixture(scope="session")
def written_corpus() -> Callable[[Path], Path]:
    """A writer of the corpus below, for tests that share one or need several."""
    return write_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A committed corpus: 15 documents kept, one exact duplicate and one too short rejected, one broken line."""
    return write_corpus(tmp_path / "corpus")


def write_corpus(root: Path) -> Path:
    storage = Storage(root)
    files = []
    for lang, texts in TEXTS.items():
        rows = [
            {
                "id": record_id("made", f"{lang}{index}"),
                "key": f"{lang}{index}",
                "text": text,
                "lang": lang,
                "lang_score": 0.9,
                "declared_lang": lang[:2],
                "source": "made",
                "origin": "natural",
                "copies": 2 if (lang, index) == ("eng_Latn", 0) else 1,
                "split": "train",
                "weight": 1.0,
            }
            for index, text in enumerate(texts)
        ]
        files.append(
            _shard(storage, f"text/{lang}/000001-train-00000.arrow", rows, RECORD_SCHEMA, "text", lang, "train")
        )
    rejected = [
        {
            "id": record_id("made", "copy"),
            "key": "copy",
            "text": TEXTS["eng_Latn"][0],
            "lang": "eng_Latn",
            "source": "made",
            "file": "a.jsonl",
            "offset": 900,
            "stage": "deduplicate",
            "reason": "exact",
            "duplicate_of": record_id("made", "eng_Latn0"),
        },
        {
            "id": record_id("made", "short"),
            "key": "short",
            "text": "ok",
            "source": "made",
            "file": "a.jsonl",
            "offset": 950,
            "stage": "filter",
            "reason": "too_short",
            "detail": "2 characters < 5",
        },
    ]
    files.append(_shard(storage, "rejected/000001-00000.arrow", rejected, REJECTED_SCHEMA, "rejected", None, None))
    broken = {"file": "a.jsonl", "offset": 1000, "line": 17, "reason": "invalid_json", "detail": "line ends too early"}
    line = json.dumps({**broken, "raw_base64": base64.b64encode(b'{"text": "\xff').decode()}) + "\n"
    storage.write_bytes("unreadable/000001-00000.jsonl", line.encode())
    files.append(_described(storage, "unreadable/000001-00000.jsonl", "unreadable", None, None, 1))
    sizes = {lang: float(sum(len(text.encode()) for text in texts)) for lang, texts in TEXTS.items()}
    snapshot = Snapshot(
        number=1,
        made_by="prepare",
        languages={
            lang: LanguageEvidence(
                documents=len(texts),
                bytes=int(sizes[lang]),
                copies=len(texts) + (lang == "eng_Latn"),
                rejected=int(lang == "eng_Latn"),
            )
            for lang, texts in TEXTS.items()
        },
        mixtures={"proportional": proportional(sizes), "unimax": unimax(sizes, 4)},
        mixture="unimax",
        ledger=Ledger(
            read=18,
            kept={lang: len(texts) for lang, texts in TEXTS.items()},
            rejected={"deduplicate/exact": {"eng_Latn": 1}, "filter/too_short": {"und": 1}},
            unreadable={"invalid_json": 1},
        ),
        files=files,
    )
    commit(storage, snapshot, {"wall_seconds": 1.0})
    return root


def _shard(
    storage: Storage,
    name: str,
    rows: list[dict[str, Any]],
    schema: pa.Schema,
    kind: FileKind,
    lang: str | None,
    split: str | None,
) -> ShardFile:
    plain = pa.schema(
        [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema]
    )
    with storage.create(name) as path, ShardWriter(path, schema) as writer:
        writer.write(pa.RecordBatch.from_pylist(rows, schema=plain))
    return _described(storage, name, kind, lang, split, len(rows))


def _described(
    storage: Storage, name: str, kind: FileKind, lang: str | None, split: str | None, rows: int
) -> ShardFile:
    path = Path(storage.path(name))
    return ShardFile(
        path=name, kind=kind, lang=lang, split=split, rows=rows, size=path.stat().st_size, hash=file_hash(path)
    )
