from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.boilerplate import count as module
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.count import (
    LINES,
    CountLinesStage,
    Counts,
    count,
    deal,
    from_table,
    join,
    sampled,
    to_batch,
    unpack,
)
from pipeline.boilerplate.lines import find_lines


def counts(documents: list[tuple[int, str]]) -> Counts:
    sites = np.array([site for site, _ in documents], np.uint64)
    return count(sites, find_lines(pa.array([text for _, text in documents], pa.string())))


def rows(some: Counts) -> list[tuple[int, int, list[int]]]:
    bounds = np.cumsum(some.documents["lines"].astype(np.int64))
    parts = np.split(some.lines["key"], bounds[:-1]) if len(bounds) else []
    return [
        (int(document["site"]), int(document["content"]), part.tolist())
        for document, part in zip(some.documents, parts, strict=True)
    ]


def test_stage_sets_counts_aside_and_leaves_the_batch_alone() -> None:
    batch = pa.record_batch(
        {
            "text": ["Menu\n\nFirst text", "Menu\nSecond", "no site", "Menu\nSecond", "\n"],
            "url": ["https://a.example/1", "https://a.example/2", None, "https://A.example/3", "https://a.example/4"],
            "source": ["s"] * 5,
        }
    )
    outcome = CountLinesStage(BoilerplateConfig())(batch)
    assert outcome.kept is batch
    assert outcome.rejected is None
    assert outcome.counters == {"boilerplate/documents_without_site": 1}
    table = outcome.side[LINES]
    assert table.num_rows == 2, "the copy, the empty document and the one without a site are left out"
    assert sorted(table.column("bytes").to_pylist()) == [[4, 6], [4, 10]]
    menu = {keys[0] for keys in table.column("keys").to_pylist()}
    assert len(menu) == 1


def test_counts_come_back_from_columns_and_from_packed_bytes() -> None:
    some = counts([(5, "a\nb"), (1 << 63, "a"), (5, "c"), (5, "a\nb")])
    back = from_table(pa.Table.from_batches([to_batch(some)]))
    assert rows(back) == rows(some)
    dealt = dict(deal(some, 4))
    assert set(dealt) == {0, 2}, "partitions are ranges of the site's key"
    assert rows(unpack(dealt[2])) == rows(some)[1:2]
    assert len(rows(unpack(dealt[0]))) == 3
    nothing = some.take(np.empty(0, np.int64))
    assert list(deal(nothing, 4)) == []
    assert rows(from_table(pa.Table.from_batches([to_batch(nothing)]))) == []


def test_sample_of_a_site_is_bounded_and_drops_copies() -> None:
    some = sampled(counts([(1, f"text {number % 50}\nend") for number in range(100)] + [(2, "x")]), 10)
    assert some.documents["site"].tolist() == [1] * 10 + [2]
    assert len(set(some.documents["content"].tolist())) == 11
    assert some.documents["content"][:10].tolist() == sorted(some.documents["content"][:10].tolist())


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 30)), max_size=60),
    st.integers(1, 5),
    st.integers(1, 8),
    st.randoms(use_true_random=False),
)
def test_sample_depends_on_no_cut_and_no_order(documents, pieces, most, random) -> None:  # type: ignore[no-untyped-def]
    texts = [(site, f"text {number}\nend") for site, number in documents]
    whole = rows(sampled(counts(texts), most))
    random.shuffle(texts)
    parts = [sampled(counts(texts[start::pieces]), most) for start in range(pieces)]
    assert rows(join(parts, most)) == whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ENOUGH", 4)
        assert rows(join(parts, most)) == whole, "also when it is cut down on the way"
