from __future__ import annotations

import bz2
import json
from dataclasses import asdict

import pytest

from pipeline.sources.split import Split, compression_of, describe, format_of


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a.jsonl", ("jsonl", None)),
        ("a.JSONL.GZ", ("jsonl", "gzip")),
        ("dir.txt/a.ndjson.zst", ("jsonl", "zstd")),
        ("c4-train.00000.json.gz", ("jsonl", "gzip")),
        ("a.txt.xz", ("text", "xz")),
        ("a.tsv.bz2", ("tsv", "bz2")),
        ("a.parquet", ("parquet", None)),
        ("a.feather", ("arrow", None)),
        ("CC-MAIN-1.warc.wet.gz", ("warc", "gzip")),
        ("https://example.org/a.csv?version=2", ("csv", None)),
        ("README", (None, None)),
        ("a.gz", (None, "gzip")),
        (".jsonl", (None, None)),
    ],
)
def test_format_of(file: str, expected: tuple[str | None, str | None]) -> None:
    assert format_of(file) == expected


def test_compression_of_first_bytes() -> None:
    assert compression_of(b"\x1f\x8b\x08") == "gzip"
    assert compression_of(b"BZh91AY&SY\x94") == "bz2"
    assert compression_of(bz2.compress(b"")) == "bz2"
    assert compression_of(b"BZh is how this text begins") is None
    assert compression_of(b"\xfd7zXZ\x00") == "xz"
    assert compression_of(b"\x28\xb5\x2f\xfd") == "zstd"
    assert compression_of(b'{"text": 1}') is None


def test_a_split_survives_json() -> None:
    split = Split(0, "web", "a.jsonl", "jsonl", "gzip", 0, None, 10)
    assert Split(**json.loads(json.dumps(asdict(split)))) == split


def test_describe() -> None:
    assert describe(Split(0, "s", "a.csv", "csv")) == "a.csv"
    assert describe(Split(0, "s", "a.jsonl", "jsonl", None, 1 << 20, 3 << 20)) == "a.jsonl [1.0–3.0 MiB]"
    assert describe(Split(0, "s", "a.parquet", "parquet", None, 4, 8)) == "a.parquet [row groups 4–8]"
    assert describe(Split(0, "s", "d", "dataset", None, 0, 9000)) == "d [rows 0–9,000]"
