"""Counts of a language, and what is rare in it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorpusError
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.counts import Counts, count
from pipeline.phenomena.plan import plan

CONFIG = PhenomenaConfig(ngrams=False, max_share=0.3)


def test_only_natural_text_for_training_is_counted(batch: Any) -> None:
    texts = ["One ç.", "Two ç.", "Three ç. And more.", "Four ç."]
    found = count(
        batch(
            texts,
            splits=["train", "heldout", "train", "train"],
            origins=["natural", "natural", "natural", "back_translation"],
        ),
        "eng_Latn",
        CONFIG,
    )
    assert (found.documents, found.sentences, found.bytes) == (2, 3, 26)
    characters = found.tallies["characters"]
    place = characters.keys.tolist().index(ord("ç"))
    assert (int(characters.sentences[place]), int(characters.documents[place])) == (2, 2)
    assert count(batch(texts, splits=["heldout"] * 4), "eng_Latn", CONFIG) == Counts("eng_Latn")


def test_a_batch_that_does_not_tell_its_split_is_an_error(batch: Any) -> None:
    with pytest.raises(CorpusError, match="lacks the columns split, origin"):
        count(batch(["x"]).select(["id", "text", "lang"]), "eng_Latn", CONFIG)


def test_counts_of_two_languages_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="eng_Latn and swh_Latn"):
        Counts("eng_Latn").merge(Counts("swh_Latn"), CONFIG)


def test_documents_in_other_languages_without_segments_are_counted(batch: Any) -> None:
    parts = [{"lang": "eng_Latn", "start": 0, "end": 4}, {"lang": "swh_Latn", "start": 5, "end": 9}]
    whole = batch(["One. Two.", "Three."], segments=[parts, None])
    shares = pa.array([0.4, 0.2], pa.float32())
    whole = whole.set_column(whole.schema.get_field_index("code_switching"), "code_switching", shares)
    found = count(whole, "eng_Latn", CONFIG)
    assert found.unsegmented == 1
    assert list(found.names.values()) == ["eng_Latn > swh_Latn"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 29), max_size=4, unique=True), st.booleans())
def test_batches_and_their_order_make_no_difference(
    batch: Any, texts: list[str], cuts: list[int], turned: bool
) -> None:
    config = PhenomenaConfig(table=1000)
    whole = batch(texts)
    bounds = [0, *sorted(cuts), 30]
    parts = [count(whole.slice(start, stop - start), "eng_Latn", config) for start, stop in pairwise(bounds)]
    total = Counts("eng_Latn")
    for part in reversed(parts) if turned else parts:
        total = part.merge(total, config)
    assert total == Counts("eng_Latn").merge(count(whole, "eng_Latn", config), config)


def test_what_is_rare_and_attested_is_wanted(batch: Any, texts: list[str]) -> None:
    # The cedilla is in three sentences of three documents on two sites; é in two documents, ñ in three of one site.
    some = [*texts, "Café.", "Café.", *["Señor."] * 3]
    urls = [f"https://site{number % 2}.example/" for number in range(32)] + ["https://one.example/"] * 3
    counts = count(batch(some, urls=urls), "eng_Latn", CONFIG)
    found = plan(counts, CONFIG)
    wanted = found.wanted["characters"]
    assert [chr(key) for key in wanted.keys.tolist()] == ["ç"]
    assert (wanted.natural.tolist(), wanted.documents.tolist(), wanted.sources.tolist()) == ([3], [3], [2])
    assert (wanted.target.tolist(), wanted.most.tolist()) == ([10], [12])
    census = found.census["characters"]
    assert (census.counted, census.common, census.unattested, census.rare, census.planned) == (26, 23, 2, 1, 1)
    assert (found.sentences, found.bound) == (188, 10)
    assert (found.byte_budget, found.sentence_budget) == (int(0.3 * counts.bytes), 56)


def test_a_rate_and_a_multiple_bound_the_target(batch: Any, texts: list[str]) -> None:
    counts = count(batch(texts), "eng_Latn", CONFIG)
    rate = plan(counts, CONFIG.model_copy(update={"per_million": 25_000.0}))
    assert rate.wanted["characters"].target.tolist() == [5]  # 183 sentences
    twice = plan(counts, CONFIG.model_copy(update={"multiple": 2.0}))
    assert twice.wanted["characters"].target.tolist() == [6]
    assert twice.wanted["characters"].most.tolist() == [6]
    assert plan(counts, CONFIG.model_copy(update={"multiple": 1.0})).wanted == {}


def test_a_language_of_one_source_needs_only_that(batch: Any, texts: list[str]) -> None:
    counts = count(batch(texts, urls=["https://one.example/"] * 30), "eng_Latn", CONFIG)
    assert plan(counts, CONFIG).wanted["characters"].sources.tolist() == [1]


def test_cells_that_do_not_occur_are_counted(batch: Any, texts: list[str], lexicon: Path) -> None:
    config = CONFIG.model_copy(update={"lexicons": {"eng_Latn": str(lexicon)}})
    found = plan(count(batch(texts), "eng_Latn", config), config)
    assert found.absent_cells == 3  # N;SG and V;PRS;3;SG occur
    assert found.rare_forms == frozenset()
