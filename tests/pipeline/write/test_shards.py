"""Shards: the same bytes however many pieces are handled at once; keys as hexadecimal digits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.shards import open_shard
from pipeline.config import PrepareConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig
from pipeline.write import shards
from pipeline.write.shards import hexadecimal, synthetic_counts

FILES, LINES = 5, 12
WORDS = (
    "apple",
    "boat",
    "candle",
    "door",
    "engine",
    "field",
    "garden",
    "harbour",
    "island",
    "jacket",
    "kettle",
    "lamp",
)


@pytest.fixture
def source(tmp_path: Path) -> str:
    for number in range(FILES):
        rows = [
            {
                "id": f"{number}-{line}",
                "text": f"On day {line} of {WORDS[number]} the old {WORDS[line]} stood by the river in the morning.",
                "url": f"https://{WORDS[line]}.example/{number}",
                "lang": "en",
            }
            | ({"colour": WORDS[line]} if line % 3 else {})
            for line in range(LINES)
        ]
        (tmp_path / f"{number}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(tmp_path / "*.jsonl")


def run(source: str, output: Path) -> dict[str, str]:
    """Digest of every file of the corpus that a run made, but for the account of the run."""
    config = PrepareConfig.model_validate(
        {
            "filter": {"enabled": False, "keep_undetermined": True},
            "deduplicate": {"near": {"jaccard": 0.95}},
            "split": {"heldout_share": 0.2, "heldout_min_documents": 8},
        }
    )
    prepare([InputConfig(path=source)], str(output), config)
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("text", "index", "scores", "rejected")
        for path in sorted((output / folder).rglob("*.arrow"))
    }


def test_pieces_handled_one_by_one_make_the_same_bytes(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = run(source, tmp_path / "together")
    monkeypatch.setattr(shards, "TOGETHER", 1)
    assert run(source, tmp_path / "apart") == together
    text = [name for name in together if name.startswith("text/")]
    readers = [open_shard(tmp_path / "together" / name) for name in text]
    assert {name.split("-")[1] for name in text} == {"train", "heldout"}
    assert sum(reader.read_all().num_rows for reader in readers) == FILES * LINES
    for reader in readers:
        assert reader.num_record_batches > 1  # one for each piece


def test_keys_as_hexadecimal_digits() -> None:
    keys = np.array([b"\x00\x01\xfe\xff", b"0123456789abcdef", b""], dtype="S16")
    assert hexadecimal(keys).to_pylist() == [
        "0001feff000000000000000000000000",
        "30313233343536373839616263646566",
        "00000000000000000000000000000000",
    ]
    assert hexadecimal(keys[:0]).to_pylist() == []


def test_what_is_not_natural_is_counted_and_natural_text_has_no_such_count() -> None:
    rows = [("natural", "abc"), ("back_translation", "h\u00e9"), ("insertion", "wxyz")]
    batch = pa.RecordBatch.from_pylist([{"origin": origin, "text": text} for origin, text in rows])
    assert synthetic_counts([batch, batch]) == {"synthetic_documents": 4, "synthetic_bytes": 14}
    assert synthetic_counts([batch.slice(0, 1)]) == {}
