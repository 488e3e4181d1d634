"""Batches as code points."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.script import codepoints
from pipeline.script.codepoints import chunks, utf8


@given(st.lists(st.text(max_size=30), max_size=12), st.integers(0, 4), st.integers(1, 60))
def test_round_trip_through_chunks(texts: list[str], skip: int, size: int) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    column = pa.array(texts, pa.string())[skip:]
    seen = []
    for chunk in chunks(column, size):
        assert chunk.first == len(seen)
        seen += ["".join(map(chr, chunk.values[a:b])) for a, b in pairwise(chunk.bounds.tolist())]
    assert seen == texts[skip:]


def test_large_string_nulls_and_broken_bytes() -> None:
    assert utf8(pa.array(["é", None, "b"], pa.large_string()))[1].tolist() == [0, 2, 2, 3]
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a\xff", b"c"], pa.binary()).buffers())
    (chunk,) = chunks(broken)
    assert "".join(map(chr, chunk.values)) == "a\ufffdc"
    assert chunk.bounds.tolist() == [0, 2, 3]


def test_document_beyond_the_limit_ends_at_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codepoints, "LONGEST", 10)
    (first, second, third) = chunks(pa.array(["a", "é" * 8 + "x", "bé" * 6]), 8)
    assert first.documents == second.documents == third.documents == 1
    assert "".join(map(chr, second.values)) == "ééééé"
    assert "".join(map(chr, third.values)) == "bébébéb"
