"""What is usual in a language."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import CorpusError
from pipeline.curriculum.features import read_features
from pipeline.curriculum.score import measure
from pipeline.curriculum.statistics import FEWEST_BITS, Statistics, bucket, collect, flat_scripts

TEXTS = ["the sea, the sea", "The SEA and 7 ships", "a ship", ""]


def test_documents_and_occurrences_are_counted(batch: Any) -> None:
    found = collect([batch(TEXTS)], 40, measure)
    (features,) = read_features(batch(["the sea and ship"]).column("text"))
    assert (found.documents, found.running_words, found.types) == (4, 11, 7)
    assert found.words[bucket(features.word_keys, found.words)].tolist() == [2, 2, 1, 1]
    assert found.frequencies[bucket(features.word_keys, found.frequencies)].tolist() == [3, 3, 1, 1]
    assert found.pairs[bucket(features.pair_keys()[1:], found.pairs)].tolist() == [3, 1, 0]
    assert found.characters[ord("s")] == 3 + 2 + 1  # sea thrice, ships twice, ship once
    assert found.characters[0] == 11
    assert len(found.characters) == ord("t") + 1
    assert len(found.ngrams) == 1 << FEWEST_BITS


def test_the_order_and_the_cut_of_batches_do_not_matter(batch: Any, language: list[str]) -> None:
    whole = collect([batch(language)], 5_000, measure)
    parts = collect([batch(language[30:]), batch(language[:7]), batch(language[7:30])], 5_000, measure)
    for name in ("ngrams", "words", "constructions", "frequencies", "pairs", "characters", "scripts"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    assert astuple(parts.means) == pytest.approx(astuple(whole.means))


def test_tables_grow_with_the_sample(batch: Any) -> None:
    sizes = [len(collect([batch(TEXTS)], size, measure).ngrams) for size in (1_000, 1_000_000, 10**12)]
    assert sizes == [1 << 14, 1 << 18, 1 << 21]


def test_function_words_are_the_most_frequent(statistics: Statistics, batch: Any) -> None:
    (features,) = read_features(batch(["the house wherryman and unknown"]).column("text"))
    assert statistics.function_words(features.word_keys).tolist() == [True, True, True, True, False]
    tiny = collect([batch(["the sea the sea"])], 15, measure)
    assert not tiny.function_words(features.word_keys).any()


def test_scripts_are_counted_by_document_from_one_per_cent_on(batch: Any) -> None:
    shares = [
        [{"script": "Latn", "share": 0.9}, {"script": "Cyrl", "share": 0.1}],
        None,
        [{"script": "Latn", "share": 0.995}, {"script": "Cyrl", "share": 0.005}, {"script": "Qaaa", "share": 0.5}],
        [],
    ]
    documents = batch(["a"] * 4, scripts=shares)
    codes, values, owners = flat_scripts(documents.column("scripts"))
    assert owners.tolist() == [0, 0, 2, 2]
    assert values == pytest.approx([0.9, 0.1, 0.995, 0.005])
    counts = collect([documents], 4, measure).scripts
    assert counts[codes[:2]].tolist() == [2, 1]
    assert counts.sum() == 3


def test_what_is_saved_is_loaded(statistics: Statistics, tmp_path: Path) -> None:
    statistics.save(tmp_path / "eng")
    loaded = Statistics.load(tmp_path / "eng")
    assert loaded.digest == statistics.digest
    assert loaded.means == statistics.means
    assert (loaded.documents, loaded.types) == (statistics.documents, statistics.types)
    (tmp_path / "eng/pairs.npy").unlink()
    with pytest.raises(CorpusError, match="statistics"):
        Statistics.load(tmp_path / "eng")


def test_the_digest_follows_the_contents(batch: Any) -> None:
    one, same, other = (collect([batch(texts)], 40, measure) for texts in (TEXTS, TEXTS, TEXTS[:3]))
    assert one.digest == same.digest != other.digest


def test_a_language_without_text(batch: Any) -> None:
    empty = collect([], 0, measure)
    assert (empty.documents, empty.running_words, empty.types, len(empty.characters)) == (0, 0, 0, 1)
