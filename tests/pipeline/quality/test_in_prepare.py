"""The filter within a whole run: stop words, facts of limits, warnings, the same bytes with more workers."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from corpus.manifest import Snapshot, read_snapshot
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.prepare import prepare
from pipeline.quality.config import StopWordsConfig
from pipeline.quality.scores import scores_of
from pipeline.sources import InputConfig

CLAUSES = [
    "the river rose in the night and the lower meadow lay under water",
    "the farmer led his cows up the hill to the old barn and waited there for the sun",
    "the first people through the door of the bakery are the drivers of the early buses",
    "my grandmother kept all of the letters that she was sent in a box under the stairs",
    "the school on the hill has a garden, a small telescope and a teacher of music",
    "in the evening the children of the village ran to the harbour to look at the boats",
    "the doctor said that the road to the town was closed and that he had come on foot",
    "it was the end of the summer, and the apples in the garden of the inn were ripe",
]
SPAM = "house window kitchen winter doctor teacher letter carpet picture wedding"


def page(number: int) -> str:
    draw = random.Random(number)
    return " ".join(clause.capitalize() + "." for clause in draw.sample(CLAUSES, 6)) + f" This was day {number}."


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spam = random.Random(1).choices(SPAM.split(), k=60)
    rows = [{"url": f"https://www.host{number % 9}.example/{number}", "text": page(number)} for number in range(90)]
    rows.append({"url": "https://spam.example/", "text": " ".join(spam).capitalize() + "."})
    path = tmp_path_factory.mktemp("filter") / "pages.jsonl"
    path.write_text("".join(json.dumps({**row, "lang": "en"}) + "\n" for row in rows))
    return path


LIMITS = {"min_diversity": 0, "min_lang_score": 0, "max_duplicate_ngrams": 1, "min_punctuation": 0}
SETTINGS = {
    "filter": {"stop_words": {"enabled": True}, "keep_undetermined": True, "languages": {"eng_Latn": LIMITS}},
    "batch_bytes": 4096,
    "script": {"enabled": False},
    "deduplicate": {"near": {"enabled": False}},
}


def run(source: Path, output: Path, workers: int = 1, enabled: bool = True, scores: bool = True) -> Snapshot:
    config = PrepareConfig.model_validate(SETTINGS | {"write": {"scores": scores}})
    if not enabled:
        plain = config.filter.model_copy(update={"stop_words": StopWordsConfig()})
        config = config.model_copy(update={"filter": plain})
    return prepare([InputConfig(path=str(source))], str(output), config, workers=workers)


def test_stop_words_of_the_corpus_decide(source: Path, tmp_path: Path) -> None:
    snapshot = run(source, tmp_path / "one")
    facts = snapshot.threshold_facts["eng_Latn"]
    assert {"the", "of", "and", "to"} <= set(facts.stop_words)
    assert not set(facts.stop_words) & set(SPAM.split())
    assert facts.sources == pytest.approx(9, rel=0.15)
    assert facts.origins["min_stop_words"] == "derived"
    assert facts.origins["min_diversity"] == "by_hand"
    assert snapshot.thresholds["eng_Latn"]["min_stop_words"] == 0.05
    rejected = snapshot.ledger.by_reason()
    assert rejected.pop("filter/no_stop_words") == 1
    assert not any(reason.startswith("filter/") for reason in rejected)


@pytest.mark.slow
def test_two_workers_find_the_same(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "two", workers=2)
    assert read_snapshot(str(tmp_path / "two")) == run(source, tmp_path / "one")


def test_without_stop_words_nothing_is_judged_by_them(source: Path, tmp_path: Path) -> None:
    snapshot = run(source, tmp_path / "off", enabled=False)
    assert "filter/no_stop_words" not in snapshot.ledger.by_reason()
    assert snapshot.threshold_facts["eng_Latn"].stop_words == []
    assert "min_stop_words" not in snapshot.thresholds["eng_Latn"]


def test_scores_lie_beside_the_shards(source: Path, tmp_path: Path) -> None:
    snapshot, storage = run(source, tmp_path / "one"), Storage(str(tmp_path / "one"))
    shards = [*snapshot.select("text"), *snapshot.select("rejected")]
    assert [file.path for file in snapshot.select("scores")] == sorted(scores_of(file.path) for file in shards)
    for file in shards:
        scores = read_table(storage.path(scores_of(file.path)))
        texts = read_table(storage.path(file.path)).column("text").to_pylist()
        assert scores.column("n_chars").to_pylist() == [len(text) for text in texts]
        assert None not in scores.column("top_words").to_pylist()
    assert run(source, tmp_path / "none", scores=False).select("scores") == []
