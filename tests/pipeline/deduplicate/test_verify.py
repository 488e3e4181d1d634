from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

import pipeline.deduplicate.verify as module
from pipeline.deduplicate.cluster import settle_clusters, unique_links
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.resolve import LINK, MEMBER
from pipeline.deduplicate.verify import batches, verify

ALPHABET = [f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(200)]
WHOLE = " ".join(ALPHABET[:104])  # 100 shingles
HALF = " ".join(ALPHABET[:54])  # 50 of them
VERSION = " ".join([*ALPHABET[:84], *ALPHABET[180:200]])  # 80 of them, 20 of its own
OTHER = " ".join(ALPHABET[120:200])


@dataclass
class Texts:
    """Documents by number, from a list."""

    values: list[str]
    read: list[list[int]] = field(default_factory=list)

    def texts(self, numbers: np.ndarray) -> pa.Array:
        self.read.append(numbers.tolist())
        return pa.array([self.values[int(number)] for number in numbers], pa.large_string())

    def sizes(self, numbers: np.ndarray) -> np.ndarray:
        return np.array([len(self.values[int(number)]) for number in numbers], np.int64)

    def members(self, numbers: np.ndarray) -> np.ndarray:
        raise AssertionError("not asked for")


def compare(texts: list[str], pairs: list[tuple[int, int]], **settings: float) -> list[tuple[float, ...]]:
    first, second = (np.array([pair[side] for pair in pairs], np.uint64) for side in (0, 1))
    found = verify(first, second, Texts(texts), NearDuplicateConfig(**settings))
    return [tuple(round(float(value), 4) for value in link) for link in found.tolist()]


def test_links_have_the_true_numbers() -> None:
    texts = [WHOLE, HALF, VERSION, OTHER, ""]
    pairs = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2)]
    assert compare(texts, pairs) == [
        (0, 1, 0.5, 0.5, 1.0, 0.4808, 0.0),
        (0, 2, 0.6667, 0.8, 0.8, 0.1923, 0.1923),
        (1, 2, 0.5, 1.0, 0.5, 0.0, 0.4808),
    ]
    assert compare(texts, pairs, jaccard=0.6, containment=1.0) == [
        (0, 1, 0.5, 0.5, 1.0, 0.4808, 0.0),  # as a part
        (0, 2, 0.6667, 0.8, 0.8, 0.1923, 0.1923),
        (1, 2, 0.5, 1.0, 0.5, 0.0, 0.4808),
    ]
    assert compare(texts, pairs, jaccard=0.7, containment=1.0) == [
        (0, 1, 0.5, 0.5, 1.0, 0.4808, 0.0),
        (1, 2, 0.5, 1.0, 0.5, 0.0, 0.4808),
    ]
    assert compare(texts, []) == []


def test_texts_are_read_in_batches_and_links_do_not_depend_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [WHOLE, HALF, VERSION, OTHER] * 5
    pairs = [(one, two) for one in range(20) for two in range(one + 1, 20)]
    whole = compare(values, pairs)
    monkeypatch.setattr(module, "BATCH_BYTES", 3 * len(WHOLE))
    assert compare(values, pairs) == whole
    first, second = (np.array([pair[side] for pair in pairs], np.uint64) for side in (0, 1))
    runs = list(batches(first, second, Texts(values)))
    assert [run.start for run in runs] == [0, *(run.stop for run in runs[:-1])]
    assert runs[-1].stop == len(pairs)
    assert len(runs) > 60


def members(count: int) -> np.ndarray:
    rows = np.zeros(count, dtype=MEMBER)
    for number in range(count):
        key = f"k{number}".encode().rjust(16, b".")
        rows[number] = (number, key, key, 0, 0, 7, 1 - number / 10, 100, 1)
    return rows


def test_kept_documents_that_were_never_compared_are_compared_before_the_last_word() -> None:
    # 1 is like 0 and like 2; keys brought 0 and 2 never together, and 2 would stay.
    texts = Texts([WHOLE, VERSION, WHOLE.upper()])
    links = np.array([(0, 1, 0.67, 0.8, 0.8, 0.1, 0.1), (1, 2, 0.67, 0.8, 0.8, 0.1, 0.1)], dtype=LINK)
    found, account = settle_clusters(members(3), links, np.zeros(3, np.uint64), texts, NearDuplicateConfig())
    assert found["kept"].tolist() == [1, 0, 0]
    assert found["jaccard"].tolist() == pytest.approx([0, 0.67, 1.0])
    assert found["copies"].tolist() == [3, 0, 0]
    assert account == {"clusters": 1, "documents": 3, "removed": 2, "largest": 3, "checked_again": 1}
    assert texts.read == [[0, 2]]


def test_end_of_a_chain_stays_when_it_is_like_nothing_that_stays() -> None:
    links = np.array([(0, 1, 0.67, 0.8, 0.8, 0.1, 0.1), (1, 2, 0.67, 0.8, 0.8, 0.1, 0.1)], dtype=LINK)
    repeated = np.concatenate([links, links])
    texts = Texts([WHOLE, VERSION, OTHER])
    roots = np.array([0, 0, 0, 0, 0, 0], np.uint64)
    twice = np.concatenate([members(3), members(3)])
    found, account = settle_clusters(twice, repeated, roots, texts, NearDuplicateConfig())
    assert found["document"].tolist() == [0, 1, 2]
    assert found["kept"].tolist() == [1, 0, 1]
    assert len(set(found["cluster"].tolist())) == 1
    assert account["removed"] == 1
    assert len(unique_links(repeated)) == 2


def test_nothing_to_settle() -> None:
    found, account = settle_clusters(
        members(0), np.zeros(0, LINK), np.zeros(0, np.uint64), Texts([]), NearDuplicateConfig()
    )
    assert len(found) == 0
    assert account == {"clusters": 0, "documents": 0, "removed": 0, "largest": 0, "checked_again": 0}
