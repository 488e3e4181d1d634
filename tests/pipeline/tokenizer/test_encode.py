"""Text shards to token shards."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.schema import token_schema
from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.encode import encode_batch, words
from pipeline.tokenizer.model import Tokenizer
from pipeline.tokenizer.train import train

LINES = ["the rain in the plain", "a rose is a rose", "дождь на равнине"] * 2


def test_a_batch_and_its_counts() -> None:
    tokenizer = Tokenizer(train(lambda: LINES, TokenizerConfig(vocabulary=320)))
    texts = ["the rain", "", "дождь\n"]
    columns = {
        "id": ["1", "2", "3"],
        "text": texts,
        "copies": pa.array([1, 7, 1], pa.int32()),
        "origin": ["natural", "natural", "paraphrase"],
    }
    batch, counts = encode_batch(tokenizer, pa.RecordBatch.from_pydict(columns), "eng_Latn")
    assert batch.schema.equals(token_schema(320, attributes=True))
    assert batch.column("id").to_pylist() == ["1", "2", "3"]
    assert batch.column("bytes").to_pylist() == [8, 0, 11]
    assert batch.column("copies").to_pylist() == [1, 7, 1]
    assert batch.column("synthetic").to_pylist() == [False, False, True]
    rows = batch.column("tokens").to_pylist()
    assert [tokenizer.decode(row) for row in rows] == texts
    assert all(row[-1] == 3 for row in rows)
    assert counts == {
        "documents": 3,
        "tokens": sum(map(len, rows)),
        "synthetic_tokens": len(rows[2]),
        "bytes": 19,
        "words": 3,
    }


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [("two words", "eng_Latn", 2), (" 広い 海\n", "jpn_Jpan", 3), ("น้ำ", "tha_Thai", 3), ("", "zho_Hans", 0)],
)
def test_words_or_characters(text: str, lang: str, expected: int) -> None:
    assert words(text, lang) == expected
