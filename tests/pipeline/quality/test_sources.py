"""Where documents come from, and from how many places."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.quality import sources as s


def test_a_source_is_a_host_or_an_input() -> None:
    urls = [
        "https://www.Example.org/a?b=http://other.example/",
        "http://user:secret@example.org:8080/x",
        "HTTPS://EXAMPLE.ORG",
        "https://blog.example.org/",
        "s3://bucket/key",
        "example.org/no-scheme",
        "",
        None,
        "https://пример.example/страница",
        "https://[2001:db8::1]/",
    ]
    batch = pa.record_batch({"url": pa.array(urls), "source": pa.array(["web"] * 9 + ["books"]).dictionary_encode()})
    assert s.sources(batch).to_pylist() == [
        "example.org",
        "example.org",
        "example.org",
        "blog.example.org",
        "bucket",
        "/web",
        "/web",
        "/web",
        "пример.example",
        "[2001:db8::1]",
    ]


def test_no_column_at_all_is_one_source() -> None:
    assert s.sources(pa.record_batch({"text": ["a", "b"]})).to_pylist() == ["", ""]
    assert s.effective(s.count(s.hashes(s.sources(pa.record_batch({"text": ["a", "b"]}))))) == 1
    assert s.hashes(s.sources(pa.record_batch({"url": pa.array([], pa.string())}))).tolist() == []


def places(counts: list[int]) -> s.SourceCounts:
    batch = pa.record_batch({"url": [f"http://h{n}.example" for n, count in enumerate(counts) for _ in range(count)]})
    return s.count(s.hashes(s.sources(batch)))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([7], 1), ([50, 50], 2), ([90, 10], 1 / 0.82), ([960] + [1] * 40, 1000**2 / (960**2 + 40)), ([5] * 20, 20)],
)
def test_effective_number_is_the_inverse_simpson_index(counts: list[int], expected: float) -> None:
    assert s.effective(places(counts)) == pytest.approx(expected, rel=0.02)


def test_error_of_many_sources_is_as_stated() -> None:
    # 300 sources in 1,024 buckets: about 44 pairs share one. Seventeen such sets, each with hashes of its own.
    found = [
        s.effective(s.count(np.random.default_rng(seed).integers(0, 2**63, 300).repeat(4).astype(np.uint64)))
        for seed in range(17)
    ]
    assert np.mean(found) == pytest.approx(300, rel=0.03)
    assert np.std(found) / 300 == pytest.approx((2 / s.BUCKETS) ** 0.5, rel=0.6)


def test_bounds() -> None:
    assert s.effective(places([])) == 0
    assert s.effective(places([1])) == 1
    assert 1 <= s.effective(places([1] * 60)) <= 60
