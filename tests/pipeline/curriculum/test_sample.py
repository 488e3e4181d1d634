"""The documents that statistics rest on."""

from __future__ import annotations

import pytest

from corpus.hashing import record_id
from pipeline.curriculum.sample import chosen, share

IDS = [record_id("web", str(number)) for number in range(2000)]


@pytest.mark.parametrize(
    ("size", "documents", "expected"),
    [(1_000, 10, 1.0), (40_000_000, 10_000, 0.1), (40_000_000, 128, 0.5), (0, 0, 1.0)],
)
def test_the_share_follows_the_bytes_but_is_never_few_documents(size: int, documents: int, expected: float) -> None:
    assert share(size, documents, 4_000_000) == expected


def test_a_larger_share_holds_the_smaller_one() -> None:
    small, large = chosen(IDS, 0.1), chosen(IDS, 0.4)
    assert 150 < small.sum() < 250
    assert 700 < large.sum() < 900
    assert not (small & ~large).any()
    assert chosen(IDS, 1.0).all()
    assert not chosen(IDS, 0.0).any()


def test_the_choice_follows_the_id_alone() -> None:
    assert chosen(IDS[::-1], 0.3)[::-1].tolist() == chosen(IDS, 0.3).tolist()
