"""Topics, their vectors, and an order that covers much."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from corpus.errors import CorpusError
from pipeline.parents.config import ParentsConfig
from pipeline.parents.cover import cover
from pipeline.parents.sketch import merge, sketch, term_sketches
from pipeline.parents.topics import find_topics, spread
from pipeline.parents.vectors import DIMENSIONS, LENGTH, Weights, project, weighted_terms
from tests.pipeline.parents.conftest import document

ALL = ParentsConfig(min_bytes=1, min_quality=0)


def sketches(batch: pa.RecordBatch) -> pa.Table:
    return merge([sketch(batch, "x", 0, ALL)], 1000)


def test_words_weigh_by_the_documents_that_have_them(records: Any) -> None:
    table = sketches(records(["wave wave wave wave sail"] * 2 + ["wave"] * 2 + ["deck"] + ["mast"] * 19))
    weights = Weights.of(table)
    # Of 24 documents 4 have "wave", 2 "sail"; "deck" stands in one alone, "mast" in more than 60 %.
    assert sorted(weights.weights.tolist()) == [107, 206]  # 16 · log2(24 / 4)², 16 · log2(24 / 2)²
    found = weighted_terms(table, weights)
    assert Counter(found.counts.tolist()) == {48: 2, 16: 4}  # 1 + log2(4), and 1 for one occurrence


def test_vectors_are_whole_numbers_of_one_length(topical: pa.RecordBatch) -> None:
    table = sketches(topical)
    vectors = project(table, Weights.of(table))
    assert vectors.shape == (100, DIMENSIONS)
    assert (vectors == np.rint(vectors)).all()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(LENGTH, rel=0.02)
    # So that sums of products are exact in single precision.
    assert np.abs(vectors @ vectors.T).max() < 2**24


def test_topics_are_found(topical: pa.RecordBatch) -> None:
    table = sketches(topical)
    topics = find_topics(table, ALL)
    assert topics.count == 14  # √(2 · 100)
    names = [name.rstrip("0123456789") for name in table.column("id").to_pylist()]
    members = Counter(zip(topics.topic.tolist(), names, strict=True))
    largest = Counter({topic: max(members[topic, name] for name in names) for topic in range(14)})
    assert largest.total() == 100  # every topic is of one kind of documents
    assert topics.bytes_by_topic().sum() == sum(table.column("bytes").to_pylist())
    more = term_sketches(pa.array([document("court", 900 + number) for number in range(5)]))
    found = topics.bytes_of(more)
    court = {topic for topic, name in members if name == "court"}
    assert set(np.flatnonzero(found).tolist()) <= court
    assert found.sum() == sum(more.column("bytes").to_pylist())


def test_topics_do_not_depend_on_the_order_of_batches(topical: pa.RecordBatch) -> None:
    whole = sketch(topical, "x", 0, ALL)
    one = find_topics(merge([whole], 80), ALL)
    parts = [whole.slice(start, 7) for start in range(0, 100, 7)]
    other = find_topics(merge(reversed(parts), 80), ALL)
    assert one.sketches == other.sketches
    assert (one.topic == other.topic).all()
    assert (one.rank == other.rank).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_documents_are_few_topics(topical: pa.RecordBatch, count: int) -> None:
    topics = find_topics(sketches(topical.slice(0, count)), ALL)
    assert topics.count == count
    assert sorted(topics.rank.tolist()) == list(range(count))


def test_heldout_text_is_refused(topical: pa.RecordBatch) -> None:
    table = sketches(topical)
    split = pa.array(["heldout", *["train"] * 99])
    with pytest.raises(CorpusError, match="documents of the split 'heldout' must never be parents"):
        find_topics(table.set_column(3, "split", split), ALL)


def test_unlike_documents_come_first_and_copies_last() -> None:
    vectors = np.array([[2000, 0], [2000, 0], [0, 2000], [2000, 0]], np.float32)
    priority = np.arange(4, dtype=np.uint64)
    order = spread(vectors, priority, 4).tolist()
    assert sorted(order) == [0, 1, 2, 3]
    assert 2 in order[:2]


def test_the_order_covers_new_words_first(records: Any) -> None:
    texts = ["wave sail", "wave sail", "sail deck", "mast rope", "mast rope", *["hull"] * 9]
    table = sketch(records(texts), "x", 0, ALL)
    weights = Weights.of(table)
    # "hull" has no weight, nor has "deck" of one document; all have nine bytes. A copy gains √2 - 1 of what its
    # original gained, which is less than the first "sail deck" where "sail" is new, and more where it is not.
    places = cover(table, weights).tolist()
    assert places == [1, 3, 4, 0, 2, *range(5, 14)]
    assert sorted(cover(table, weights, most=2).tolist()) == list(range(14))


def test_a_beginning_covers_more_than_one_by_hash(topical: pa.RecordBatch) -> None:
    table = sketches(topical)
    weights = Weights.of(table)
    found = weighted_terms(table, weights)

    def covered(rows: list[int]) -> float:
        sums = np.bincount(found.words, found.counts * np.isin(found.owners, rows), len(weights.terms))
        return float((weights.weights * np.sqrt(sums)).sum())

    order = np.argsort(cover(table, weights)).tolist()
    sizes = np.array(table.column("bytes").to_pylist())
    best = order[:12]
    by_hash = np.arange(len(sizes))[np.cumsum(sizes) <= sizes[best].sum()].tolist()
    assert covered(best) > 1.05 * covered(by_hash)
