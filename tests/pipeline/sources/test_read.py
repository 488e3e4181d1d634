"""The whole reader against text with planted defects, of which the truth is known."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from pipeline.sources import InputConfig

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "corpus"

REASONS = {
    "blank_line": "blank_line",
    "invalid_utf8": "invalid_utf8",
    "truncated_json": "truncated_json",
    "unescaped_quote": "invalid_json",
    "not_json_record": "not_a_record",
    "lone_surrogate": "lone_surrogate",
    "missing_text": "missing_text",
    "empty_text": "empty_text",
    "non_string_text": "non_string_text",
}
"""The one reason for each kind of planted defect that makes a line no record, or a record without text."""


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus with ground truth is not at ../shared/data/corpus")
def test_every_planted_defect_has_its_reason(everything: Callable[..., Any]) -> None:
    packed = (CORPUS / "ground_truth.jsonl.zst").read_bytes()
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)) as stream:
        truth = [orjson.loads(line) for line in stream.read().splitlines()]
    expected: Counter[tuple[str, str]] = Counter()
    lines: set[tuple[str, int, str]] = set()
    kept: Counter[str] = Counter()
    for record in truth:
        reason = next((REASONS[defect["kind"]] for defect in record["planted"] if defect["kind"] in REASONS), None)
        if reason is None:
            kept[record["shard"]] += 1
            continue
        expected[record["shard"], reason] += 1
        if reason not in ("missing_text", "empty_text", "non_string_text"):
            lines.add((record["shard"], record["line"], reason))

    found = everything(InputConfig(path=str(CORPUS / "shard-*.jsonl.zst")))

    def shard(file: str) -> str:
        return Path(file).name.removesuffix(".zst")

    assert found.read == len(truth) == 16_779
    assert {(shard(piece.file), piece.line, piece.reason) for piece in found.unreadable} == lines
    reasons = Counter((shard(piece.file), piece.reason) for piece in found.unreadable)
    reasons.update((shard(row["file"]), row["reason"]) for row in found.rejected)
    assert reasons == expected
    assert Counter(shard(row["file"]) for row in found.rows) == kept
