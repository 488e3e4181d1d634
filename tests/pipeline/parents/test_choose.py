"""The choice of parents."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.parents.choose import Choice, Pool, choose, fill
from pipeline.parents.config import ParentsConfig
from pipeline.parents.sketch import merge, sketch, term_sketches
from pipeline.parents.topics import Topics, find_topics
from tests.pipeline.parents.conftest import document

CONFIG = ParentsConfig(min_bytes=1, uses=2)


@pytest.fixture(scope="module")
def topics(topical: pa.RecordBatch) -> Topics:
    return find_topics(merge([sketch(topical, "text/eng/1.arrow", 0, CONFIG)], 1000), CONFIG)


def kinds(choice: Choice) -> Counter[str]:
    return Counter(name.rstrip("0123456789") for name in choice.parents.column("id").to_pylist())


def test_topics_are_filled_to_a_common_level() -> None:
    goal = np.array([0.5, 0.3, 0.2])
    present = np.array([40.0, 0.0, 20.0])
    supply = np.array([1000.0, 1000.0, 1000.0])
    # The second is the emptiest: 30 of 100 fill it to the level 100, at which 10 more go to the first and none else.
    assert fill(goal, present, supply, 40).tolist() == pytest.approx([10, 30, 0])
    assert fill(goal, present, supply, 140).tolist() == pytest.approx([60, 60, 20])
    # What one topic cannot give goes to the others: 0.5 λ - 40 + 0.2 λ - 20 = 128.
    scarce = fill(goal, present, np.array([1000.0, 12.0, 1000.0]), 140)
    assert scarce.tolist() == pytest.approx([94.2857, 12, 33.7143], abs=1e-3)
    assert fill(goal, present, np.array([5.0, 6.0, 7.0]), 140).tolist() == [5, 6, 7]


def test_parents_say_where_they_lie(topics: Topics) -> None:
    choice = choose(Pool.of(topics), 600, CONFIG)
    assert choice.parents.column_names == ["id", "path", "row", "bytes", "quality", "topic"]
    for row in choice.parents.to_pylist():
        assert row["path"] == "text/eng/1.arrow"
        assert row["id"].endswith(str(row["row"]))
    assert choice.bytes == sum(choice.parents.column("bytes").to_pylist()) <= 600
    assert choice.note == (
        "diversity alone, from 100 documents in 14 topics: nothing translates the language's own documents"
    )


def test_evenness_is_between_the_shares_found_and_equal_ones(topics: Topics) -> None:
    found = topics.bytes_by_topic()
    for evenness, goal in ((0.0, found), (0.5, np.sqrt(found)), (1.0, np.ones(topics.count))):
        config = CONFIG.model_copy(update={"evenness": evenness})
        choice = choose(Pool.of(topics), 700, config)
        assert choice.wanted == pytest.approx(700 * goal / goal.sum(), rel=1e-6)


def test_topics_that_the_language_lacks_come_first(topics: Topics) -> None:
    own = term_sketches(pa.array([document("sea", 500 + number) for number in range(30)]))
    config = CONFIG.model_copy(update={"evenness": 0.0})
    alone = kinds(choose(Pool.of(topics), 3_000, config))
    found = choose(Pool.of(topics), 3_000, config, translated=own, natural=20_000)
    assert alone["sea"] >= 5
    assert kinds(found)["sea"] <= 1  # the first of a topic may be one too many
    assert {"field", "court", "code"} <= kinds(found).keys()
    assert found.note == "topics it lacks, by 30 of its documents in translation, from 100 documents in 14 topics"
    assert found.present.sum() == pytest.approx(20_000)


def test_a_parent_is_used_so_often_and_the_unused_come_first(topics: Topics) -> None:
    pool = Pool.of(topics)
    total = sum(topics.sketches.column("bytes").to_pylist())
    as_found = CONFIG.model_copy(update={"evenness": 0.0})
    first = choose(pool, total // 2, as_found)
    second = choose(pool, total // 2, as_found)
    both = set(first.parents.column("id").to_pylist()) & set(second.parents.column("id").to_pylist())
    assert len(both) < 0.2 * first.parents.num_rows
    assert pool.used.sum() == first.parents.num_rows + second.parents.num_rows
    for _ in range(3):
        choose(pool, total, CONFIG)
    assert pool.used.tolist() == [2] * 100
    assert choose(pool, total, CONFIG).parents.num_rows == 0


def test_uses_by_others_count(topics: Topics) -> None:
    pool = Pool.of(topics)
    pool.use(["sea3", "sea3", "code99", "unknown"])
    pool.use(["code99"], times=2)
    chosen = choose(pool, 10**9, CONFIG).parents.column("id").to_pylist()
    assert len(chosen) == 98
    assert not {"sea3", "code99"} & set(chosen)
    assert choose(Pool.of(topics), 10**9, CONFIG, times=3).parents.num_rows == 0
    twice = Pool.of(topics)
    choose(twice, 10**9, CONFIG, times=2)
    assert twice.used.tolist() == [2] * 100


def test_documents_too_large_for_the_rest_are_passed_over(topics: Topics) -> None:
    smallest = min(topics.sketches.column("bytes").to_pylist())
    assert choose(Pool.of(topics), smallest - 1, CONFIG).parents.num_rows == 0
    assert choose(Pool.of(topics), 0, CONFIG).bytes == 0


def test_no_document_to_choose_from(topics: Topics) -> None:
    nothing = find_topics(topics.sketches.slice(0, 0), CONFIG)
    assert choose(Pool.of(nothing), 1_000, CONFIG).parents.num_rows == 0


AMOUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=12)


@given(AMOUNTS, st.data(), st.integers(0, 10**8))
def test_amounts_add_up_and_never_exceed_the_supply(supply: list[int], data: st.DataObject, size: int) -> None:
    count = len(supply)
    present = data.draw(st.lists(st.integers(0, 10**7), min_size=count, max_size=count))
    weights = np.array(data.draw(st.lists(st.integers(1, 1000), min_size=count, max_size=count)), np.float64)
    amounts = fill(weights / weights.sum(), np.array(present, np.float64), np.array(supply, np.float64), size)
    assert (amounts >= 0).all()
    assert (amounts <= supply).all()
    assert amounts.sum() == pytest.approx(min(size, sum(supply)), rel=1e-6, abs=1e-3)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 2)), max_size=5), st.integers(1, 4))
def test_no_choice_exceeds_bytes_or_uses(topics: Topics, choices: list[tuple[int, int]], uses: int) -> None:
    pool = Pool.of(topics)
    config = CONFIG.model_copy(update={"uses": uses})
    count: Counter[str] = Counter()
    for size, times in choices:
        found = choose(pool, size, config, times=times)
        assert found.bytes <= size
        ids = found.parents.column("id").to_pylist()
        assert len(ids) == len(set(ids))
        count.update(dict.fromkeys(ids, times))
    assert max(count.values(), default=0) <= uses
    assert pool.used.sum() == count.total()
