"""Names of corpora to compare with."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import CorpusError
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.earlier.find import earlier_corpora, parse_place
from pipeline.earlier.index import fits, index_schema


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("corpus", ("corpus", None)),
        ("../a/corpus/@12", ("../a/corpus", 12)),
        ("s3://user@bucket/corpus", ("s3://user@bucket/corpus", None)),
        ("s3://user@bucket/corpus@3", ("s3://user@bucket/corpus", 3)),
        ("@7", ("@7", None)),
    ],
)
def test_a_snapshot_is_named_behind_an_at_sign(name: str, expected: tuple[str, int | None]) -> None:
    assert parse_place(name) == expected


def test_what_is_no_corpus_is_said(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no corpus"):
        earlier_corpora("out", None, [str(tmp_path)])


def test_keys_fit_where_what_they_follow_from_is_the_same() -> None:
    usual = NearDuplicateConfig()
    metadata = index_schema(usual).metadata
    assert fits(metadata, usual)
    assert fits(metadata, usual.model_copy(update={"containment": 0.8})), "thresholds are no part of keys"
    assert not fits(metadata, usual.model_copy(update={"words": 4}))
    assert fits(metadata, usual.model_copy(update={"enabled": False})), "more than is needed does no harm"
    without = index_schema(NearDuplicateConfig(enabled=False)).metadata
    assert not fits(without, usual)
    assert not fits(None, usual)
