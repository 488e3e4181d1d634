"""The stage, and the whole of ``prepare`` with evaluation files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.manifest import read_snapshot
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.decontaminate.config import DecontaminateConfig
from pipeline.decontaminate.index import build_index
from pipeline.decontaminate.stage import DecontaminateStage, load_lookup
from pipeline.prepare import prepare
from pipeline.sources import InputConfig

QUESTION = "Which of the two old rivers that meet below the town carries more water in a dry summer?"
SENTENCE = (
    "After the long strike the miners went back to the pit on a grey morning in March, and nobody in the whole "
    "valley spoke of it again."
)
SHORT = "the lamp above the door was never lit"
CLEAN = (
    "My grandmother kept every letter she was ever sent, tied in bundles with blue string, and on winter evenings she "
    "would read one or two of them aloud to whoever happened to be there."
)
GERMAN = (
    "Am Samstag fahren wir mit dem ersten Zug in die Stadt, kaufen auf dem Markt Gemüse und Käse und sitzen danach "
    "noch eine Stunde in der Sonne vor der kleinen Kirche."
)


def stage(folder: Path, action: str = "reject") -> DecontaminateStage:
    config = DecontaminateConfig.model_validate({"files": [{"path": "quiz.jsonl"}], "action": action})
    items = pa.RecordBatch.from_pydict(
        {
            "file": pa.array([0, 0, 0], pa.int32()),
            "id": ["q1", "q2", "q3"],
            "text": [QUESTION, SENTENCE, SHORT],
            "lang": ["eng_Latn"] * 3,
        }
    )
    build_index(items, config).write(Storage(folder))
    load_lookup.cache_clear()
    return DecontaminateStage(config, str(folder))


def batch(*texts: str) -> pa.RecordBatch:
    metas = pa.array([None, '{"tag":1}'] + [None] * (len(texts) - 2), pa.string())
    return pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string()), "meta": metas})


def test_documents_with_an_items_text_are_rejected_with_what_matched(tmp_path: Path) -> None:
    document = f"{CLEAN} {SENTENCE.upper()} {QUESTION}"
    outcome = stage(tmp_path)(batch(CLEAN, document, f"It was said that {SHORT}.", SHORT[:-4]))
    assert outcome.kept.column("text").to_pylist() == [CLEAN, SHORT[:-4]]
    assert outcome.rejected is not None
    assert outcome.rejected.column("reason").to_pylist() == ["overlap", "overlap"]
    assert outcome.rejected.column("detail").to_pylist() == [
        "quiz.jsonl item q2: 15 of 15 n-grams, and 1 more items: "
        '"AFTER THE LONG STRIKE THE MINERS WENT BACK TO THE PIT ON A"',
        'quiz.jsonl item q3: 1 of 1 n-grams: "the lamp above the door was never lit"',
    ]
    assert outcome.counters == {"decontaminate/ngrams": 16, "decontaminate/item/1": 1, "decontaminate/item/2": 1}


def test_documents_are_marked_by_choice(tmp_path: Path) -> None:
    outcome = stage(tmp_path, "mark")(batch(QUESTION, f"{CLEAN} {QUESTION}", CLEAN))
    assert outcome.rejected is None
    marked = '"decontaminate":{"file":"quiz.jsonl","item":"q1","ngrams":6}}'
    assert outcome.kept.column("meta").to_pylist() == ["{" + marked, '{"tag":1,' + marked, None]
    assert outcome.counters == {"decontaminate/ngrams": 12, "decontaminate/item/0": 2, "decontaminate/marked": 2}


def run(folder: Path, decontaminate: Mapping[str, object], workers: int = 1) -> tuple[Path, dict[str, Any]]:
    texts = [CLEAN, f"{CLEAN} {QUESTION}", GERMAN]
    source = folder / "in.jsonl"
    if not source.exists():
        lines = [json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)]
        source.write_text("".join(lines), encoding="utf-8")
    corpus = folder / f"corpus{workers if workers > 1 else ''}"
    config = PrepareConfig(decontaminate=DecontaminateConfig.model_validate(decontaminate))
    prepare([InputConfig(path=str(source))], str(corpus), config, workers=workers)
    return corpus, json.loads((corpus / "runs" / "000001.json").read_text())


def test_a_run_rejects_reports_and_warns(tmp_path: Path) -> None:
    quiz, empty, absent = tmp_path / "quiz.jsonl", tmp_path / "short.txt", tmp_path / "swahili.txt"
    quiz.write_text(json.dumps({"id": "q1", "text": QUESTION}) + "\n" + json.dumps({"id": "q2", "text": "Why?"}) + "\n")
    empty.write_text("two words\n")
    absent.write_text("Bibi yangu alinifundisha kupika wali wa nazi nikiwa mdogo sana nyumbani kwetu\n")
    corpus, account = run(
        tmp_path,
        {"files": [{"path": str(quiz)}, {"path": str(empty)}, {"path": str(absent), "lang": "swh"}]},
    )
    snapshot = read_snapshot(str(corpus))
    assert snapshot.ledger.kept == {"deu_Latn": 1, "eng_Latn": 1}
    assert snapshot.ledger.rejected == {"decontaminate/overlap": {"eng_Latn": 1}}
    assert snapshot.warnings == [
        "decontamination: no item of short.txt can be looked for (1 records, 0 without text, 1 too short): check its "
        "`fields`, or lower `prepare.decontaminate.min_words`",
        "decontamination: no item of swahili.txt can match: the corpus has no document in swh_Latn",
    ]
    report = account["decontamination"]
    quiz_row = report["files"][0]
    assert {k: quiz_row[k] for k in ("label", "records", "items", "too_short", "too_short_items", "ngrams")} == {
        "label": "quiz.jsonl",
        "records": 2,
        "items": 1,
        "too_short": 1,
        "too_short_items": ["q2"],
        "ngrams": 6,
    }
    assert [(row["documents"], row["items_found"]) for row in report["files"]] == [(1, 1), (0, 0), (0, 0)]
    assert report["items"] == [{"file": "quiz.jsonl", "item": "q1", "lang": "eng_Latn", "documents": 1}]
    assert report["items_left_off"] == 0
    counters = account["counters"]
    assert counters["decontaminate/ngrams"] == 6
    assert not any(name.startswith("decontaminate/item/") for name in counters)
    (file,) = snapshot.select("rejected")
    (row,) = read_table(corpus / file.path).to_pylist()
    assert row["detail"].startswith('quiz.jsonl item q1: 6 of 6 n-grams: "Which of the two old rivers')


def test_nothing_found_is_said_and_another_evaluation_file_makes_another_run(tmp_path: Path) -> None:
    quiz = tmp_path / "quiz.jsonl"
    quiz.write_text(json.dumps({"id": "q1", "text": SENTENCE}) + "\n")
    files = {"files": [{"path": str(quiz), "lang": "eng"}]}
    corpus, _ = run(tmp_path, files)
    first = read_snapshot(str(corpus))
    assert first.warnings == [
        "decontamination: no document holds text of an evaluation item; if that surprises you, check that the files "
        "hold what their `fields` say"
    ]
    run(tmp_path, files)
    assert read_snapshot(str(corpus)).number == 1
    quiz.write_text(json.dumps({"id": "q1", "text": QUESTION}) + "\n")
    run(tmp_path, files)
    second = read_snapshot(str(corpus))
    assert (second.number, second.ledger.rejected) == (2, {"decontaminate/overlap": {"eng_Latn": 1}})


@pytest.mark.slow
def test_two_workers_find_the_same(tmp_path: Path) -> None:
    quiz = tmp_path / "quiz.jsonl"
    quiz.write_text(json.dumps({"id": "q1", "text": QUESTION}) + "\n")
    files = {"files": [{"path": str(quiz)}]}
    one, _ = run(tmp_path, files)
    two, _ = run(tmp_path, files, workers=2)
    snapshots = [(root / "snapshots" / "000001.json").read_bytes() for root in (one, two)]
    assert snapshots[0] == snapshots[1]
