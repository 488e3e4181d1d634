"""Sketches of documents."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.hashing import stable_hash
from pipeline.parents.config import ParentsConfig
from pipeline.parents.sketch import SKETCH_SCHEMA, TERMS, merge, sketch, term_sketches
from tests.pipeline.parents.conftest import batch_of

ALL = ParentsConfig(min_bytes=1, min_quality=0)


def test_a_sketch_says_where_a_document_is_and_which_words_it_has(records: Any) -> None:
    found = sketch(records(["Sail sail SAIL wave 1984", "wave wave"]), "text/eng/000001-train-00000.arrow", 70, ALL)
    assert found.schema == SKETCH_SCHEMA
    assert found.select(["id", "path", "row", "split", "bytes"]).to_pylist() == [
        {"id": "id0000", "path": "text/eng/000001-train-00000.arrow", "row": 70, "split": "train", "bytes": 24},
        {"id": "id0001", "path": "text/eng/000001-train-00000.arrow", "row": 71, "split": "train", "bytes": 9},
    ]
    first, second = (dict(zip(row["terms"], row["counts"], strict=True)) for row in found.to_pylist())
    (wave,) = second
    assert second == {wave: 2}
    assert first.pop(wave) == 1
    assert list(first.values()) == [3]  # sail; numbers are no topic


def test_only_natural_training_documents_of_quality_and_length_may_be_parents(records: Any) -> None:
    batch = records(
        ["a fine text", "held out text", "made by a model", "bad quality", "no quality", "s", "much too long a text"],
        split=["train", "heldout", "train", "train", "train", "train", "train"],
        origin=["natural", "natural", "back_translation", "natural", "natural", "natural", "natural"],
        quality=[0.9, 0.9, 0.9, 0.3, None, 0.9, 0.9],
    )
    found = sketch(batch, "x", 0, ParentsConfig(min_bytes=2, max_bytes=15))
    assert found.column("row").to_pylist() == [0, 4]


def test_a_share_is_taken_by_hash_of_the_id(records: Any) -> None:
    batch = records(["word"] * 400)
    found = sketch(batch, "x", 0, ALL, seed=3, share=0.25).column("id").to_pylist()
    hashes = {name: stable_hash("parent", name, seed=3) for name in batch.column("id").to_pylist()}
    assert found == [name for name, number in hashes.items() if number < 2**62]
    assert 60 < len(found) < 140
    assert sketch(batch, "x", 0, ALL, seed=4, share=0.25).column("id").to_pylist() != found


def test_long_documents_leave_out_the_same_words(records: Any) -> None:
    words = [f"w{first}{second}{third}" for first in "abcdefghi" for second in "abcdefghij" for third in "abcdefghij"]
    found = sketch(records([" ".join(words), " ".join(reversed(words[:800]))]), "x", 0, ALL).column("terms").to_pylist()
    assert [len(terms) for terms in found] == [TERMS, TERMS]
    assert len(set(found[0]) & set(found[1])) > 0.75 * TERMS


def test_nothing_to_sketch(records: Any) -> None:
    assert sketch(records([]), "x", 0, ALL).num_rows == 0
    assert sketch(records(["", "12 34"]), "x", 0, ParentsConfig(min_bytes=2)).column("terms").to_pylist() == [[]]
    assert merge([], 5).num_rows == 0


def test_translations_are_sketched_like_documents(records: Any) -> None:
    texts = ["wave and sail", "", "sail"]
    whole, one = sketch(records(texts), "x", 0, ALL).select(["bytes", "terms", "counts"]).to_pylist()
    nothing = {"bytes": 0, "terms": [], "counts": []}
    assert term_sketches(pa.array(texts)).to_pylist() == [whole, nothing, one]


@settings(max_examples=25)
@given(st.permutations(range(10)), st.integers(1, 60))
def test_the_merge_is_the_same_in_any_order(order: list[int], limit: int) -> None:
    batches = [batch_of(["word"] * 5, id=[f"{number}-{row}" for row in range(5)]) for number in range(10)]
    tables = [sketch(batch, "x", 0, ALL) for batch in batches]
    whole = merge([pa.concat_tables(tables)], limit)
    assert merge([tables[number] for number in order], limit) == whole
    assert whole.num_rows == min(limit, 50)
    assert whole.column("priority").to_pylist() == sorted(whole.column("priority").to_pylist())
