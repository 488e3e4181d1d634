"""A language of four topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from corpus.hashing import stable_hash

WORDS = {
    "sea": ["ship", "harbour", "sail", "wave", "captain", "tide", "fish", "net", "storm", "deck", "mast"],
    "field": ["farmer", "plough", "seed", "harvest", "cow", "barn", "soil", "wheat", "fence", "goat", "hoe"],
    "court": ["judge", "law", "witness", "verdict", "appeal", "statute", "lawyer", "crime", "trial", "oath", "bail"],
    "code": [
        "server",
        "module",
        "function",
        "compile",
        "thread",
        "cache",
        "debug",
        "parser",
        "string",
        "loop",
        "stack",
    ],
}
COMMON = ["the", "and", "of", "to", "in", "a", "is", "it"]

Records = Callable[..., pa.RecordBatch]


def document(topic: str, number: int, words: int = 40) -> str:
    """Words of a topic and common ones in turns, chosen by hash."""
    own = WORDS[topic]
    pairs = (
        f"{COMMON[stable_hash(topic, number, place) % 8]} {own[stable_hash(number, topic, place) % 11]}"
        for place in range(words // 2)
    )
    return " ".join(pairs)


def batch_of(texts: Sequence[str], **columns: Sequence[object]) -> pa.RecordBatch:
    """Rows as a text shard has them, as far as the choice needs them."""
    count = len(texts)
    found = {
        "id": [f"id{number:04d}" for number in range(count)],
        "text": list(texts),
        "split": ["train"] * count,
        "origin": ["natural"] * count,
        "quality": [0.9] * count,
    } | {name: list(values) for name, values in columns.items()}
    category = pa.dictionary(pa.int32(), pa.string())
    types = {"split": category, "origin": category, "quality": pa.float32()}
    return pa.record_batch(
        {name: pa.array(values).cast(types.get(name, pa.string())) for name, values in found.items()}
    )


@pytest.fixture(scope="session")
def records() -> Records:
    """A maker of batches."""
    return batch_of


@pytest.fixture(scope="session")
def topical() -> pa.RecordBatch:
    """A hundred documents: 55 of the sea, 25 of the field, 15 of the court, 5 of code; the topic stands in the id."""
    names = ["sea"] * 55 + ["field"] * 25 + ["court"] * 15 + ["code"] * 5
    texts = [document(name, number, 30 + number % 3 * 10) for number, name in enumerate(names)]
    return batch_of(texts, id=[f"{name}{number}" for number, name in enumerate(names)])
