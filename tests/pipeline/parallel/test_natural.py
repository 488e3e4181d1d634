from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from corpus.manifest import read_snapshot
from corpus.storage import Storage
from pipeline.parallel.natural import natural_sentences

ENG = "eng_Latn"
TEXTS = [
    "The cat sat on the mat. It slept there all day long.",
    "Yes. The river was wide and cold, and nobody crossed it before spring came.\n\nIt slept there all day long.",
]
HELDOUT = ["A sentence that is held out of all training."]


def test_sentences_of_training_text_once_each_without_short_and_unwanted_ones(
    tmp_path: Path, write_corpus: Callable[..., str]
) -> None:
    storage = Storage(write_corpus(tmp_path / "corpus", {ENG: TEXTS}, {ENG: HELDOUT}))
    snapshot = read_snapshot(storage)
    found = natural_sentences(storage, snapshot, ENG, [], words=8)
    assert sorted(found) == [
        "It slept there all day long.",
        "The cat sat on the mat.",
        "The river was wide and cold, and nobody crossed it before spring came.",
    ]
    unwanted = ["They say the river was wide and cold, and nobody crossed it."]
    assert sorted(natural_sentences(storage, snapshot, ENG, unwanted, words=8)) == [
        "It slept there all day long.",
        "The cat sat on the mat.",
    ]
    assert natural_sentences(storage, snapshot, "swh_Latn", [], words=8) == []


def test_no_more_is_read_than_asked_for(tmp_path: Path, write_corpus: Callable[..., str]) -> None:
    texts = [f"Sentence number {n} of the corpus stands alone here." for n in range(200)]
    storage = Storage(write_corpus(tmp_path / "corpus", {ENG: texts}, {ENG: HELDOUT}))
    snapshot = read_snapshot(storage)
    few = natural_sentences(storage, snapshot, ENG, [], words=8, most_bytes=1000)
    assert 15 < len(few) < 25
    assert few == natural_sentences(storage, snapshot, ENG, [], words=8, most_bytes=1000)
    assert few != natural_sentences(storage, snapshot, ENG, [], words=8, most_bytes=1000, seed=1)
