"""Held-out rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from sampler import PADDING, HeldoutRows

BOS, PAD = 2, 0


def open_rows(root: str, row_tokens: int, max_rows: int | None = None) -> HeldoutRows:
    return HeldoutRows(root, tokenizer="spm", row_tokens=row_tokens, max_rows=max_rows)


def scored_documents(rows: HeldoutRows, lang: str, size: int) -> list[tuple[int, ...]]:
    """The scored tokens, cut behind each end of a document, after checking every row's layout."""
    found: list[int] = []
    for batch in rows.batches(lang, size):
        for tokens, segments, positions, scored in zip(*batch, strict=True):
            held = segments != PADDING
            assert np.all(tokens[~held] == PAD)
            assert not scored[~held].any()
            # The first of a segment gives context and is not scored; every other is, from a token before it.
            first = np.diff(segments, prepend=PADDING) != 0
            assert np.array_equal(scored[held], ~first[held])
            assert np.all(positions[held & first] == 0)
            assert np.array_equal(positions[scored], positions[np.flatnonzero(scored) - 1] + 1)
            context = tokens[held & first].tolist()
            if found and found[-1] != 3:
                assert context[0] == found[-1]  # the cut document's last token is repeated
                context = context[1:]
            assert context == [BOS] * len(context)
            found.extend(tokens[scored].tolist())
    documents: list[tuple[int, ...]] = []
    begin = 0
    for end, token in enumerate(found, 1):
        if token == 3:
            documents.append(tuple(found[begin:end]))
            begin = end
    assert begin == len(found)
    return documents


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    row=st.integers(2, 40),
    size=st.integers(1, 7),
    batch=st.integers(1, 30),
)
def test_every_token_is_scored_once(
    made_up: Any, tmp_path_factory: pytest.TempPathFactory, lengths: list[int], row: int, size: int, batch: int
) -> None:
    root = made_up.corpus(tmp_path_factory.mktemp("c"), {}, {"aaa_Latn": lengths}, batch=batch)
    rows = open_rows(root, row)
    expected = sorted(tuple(made_up.document(0, index, length)) for index, length in enumerate(lengths))
    assert sorted(scored_documents(rows, "aaa_Latn", size)) == expected
    count = sum(len(batch.tokens) for batch in rows.batches("aaa_Latn", size))
    assert rows.size("aaa_Latn") == (len(lengths), 3 * sum(lengths), sum(lengths), count)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    row=st.integers(2, 40),
    limit=st.integers(1, 6),
)
def test_a_limit_takes_whole_documents_that_fit(
    made_up: Any, tmp_path_factory: pytest.TempPathFactory, lengths: list[int], row: int, limit: int
) -> None:
    root = made_up.corpus(tmp_path_factory.mktemp("c"), {}, {"aaa_Latn": lengths})
    rows = open_rows(root, row, limit)
    documents = scored_documents(rows, "aaa_Latn", 3)
    size = rows.size("aaa_Latn")
    whole = {tuple(made_up.document(0, index, length)) for index, length in enumerate(lengths)}
    assert set(documents) <= whole
    assert size.documents == len(documents) >= 1
    assert size.bytes == 3 * sum(map(len, documents))
    assert size.tokens == sum(map(len, documents))
    assert size.rows == sum(len(batch.tokens) for batch in rows.batches("aaa_Latn", 3))
    if size.rows > limit:
        assert [len(text) for text in documents] == [min(lengths)]


def test_languages_and_impossible_requests(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [5]}, {"bbb_Latn": [6], "ccc_Latn": [4]})
    assert open_rows(root, 8).languages == ("bbb_Latn", "ccc_Latn")
    assert HeldoutRows(root, tokenizer="spm", row_tokens=8, languages=["ccc_Latn"]).languages == ("ccc_Latn",)
    with pytest.raises(ConfigurationError, match="aaa_Latn has no held-out text"):
        HeldoutRows(root, tokenizer="spm", row_tokens=8, languages=["aaa_Latn"])
    with pytest.raises(ConfigurationError, match="at least 2 tokens"):
        open_rows(root, 1)
    with pytest.raises(ConfigurationError, match="0 rows"):
        next(open_rows(root, 8).batches("bbb_Latn", 0))
