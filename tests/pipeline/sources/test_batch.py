from __future__ import annotations

from pipeline.records import RAW_SCHEMA
from pipeline.sources.batch import READ_REJECTED_SCHEMA, BatchBuilder, Unreadable


def test_build_gives_all_three_and_starts_anew() -> None:
    builder = BatchBuilder("f.jsonl", read=3)
    builder.rows.append(("k", "text", "en", None, None, 0))
    builder.rejected.append((("r", None, None, "u", None, 9), "missing_text", "no field"))
    builder.spoil(20, 3, "invalid_json", "why", b"{")
    batch = builder.build()
    assert batch.records.to_pylist() == [
        {"key": "k", "text": "text", "declared_lang": "en", "url": None, "meta": None, "file": "f.jsonl", "offset": 0}
    ]
    assert batch.rejected.to_pylist() == [
        {
            "key": "r",
            "text": None,
            "declared_lang": None,
            "url": "u",
            "meta": None,
            "file": "f.jsonl",
            "offset": 9,
            "stage": "read",
            "reason": "missing_text",
            "detail": "no field",
        }
    ]
    assert batch.unreadable == [Unreadable("f.jsonl", 20, 3, "invalid_json", "why", b"{")]
    assert batch.read == 3

    empty = builder.build()
    assert (empty.records.num_rows, empty.rejected.num_rows, empty.unreadable, empty.read) == (0, 0, [], 0)
    assert empty.records.schema == RAW_SCHEMA
    assert empty.rejected.schema == READ_REJECTED_SCHEMA
