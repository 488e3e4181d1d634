"""Surveys of parts add up to the survey of the whole, in any order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.config import FilterConfig
from pipeline.quality.histograms import Histogram
from pipeline.quality.rules import MEASURES
from pipeline.quality.survey import Survey, merge, survey

Row = tuple[str | None, str | None, float]
ROWS = st.lists(
    st.tuples(st.sampled_from(["eng_Latn", "zho_Hans", None]), st.sampled_from(["a", "b", None]), st.floats(0, 1)),
    max_size=15,
)


def batch(rows: list[Row]) -> pa.RecordBatch:
    columns = {"lang": pa.array([lang for lang, _, _ in rows], pa.string())}
    columns["url"] = pa.array([host and f"https://{host}.example/" for _, host, _ in rows], pa.string())
    columns["source"] = pa.array(["files"] * len(rows), pa.string())
    columns |= {measure: pa.array([value for _, _, value in rows], pa.float32()) for measure in MEASURES}
    return pa.record_batch(columns)


def same_counts(one: Histogram, other: Histogram) -> bool:
    return list(one) == list(other) and all(np.array_equal(one[measure], other[measure]) for measure in one)


def same(one: dict[str, Survey], other: dict[str, Survey]) -> bool:
    return list(one) == list(other) and all(
        same_counts(one[tag].histogram, other[tag].histogram) and np.array_equal(one[tag].sources, other[tag].sources)
        for tag in one
    )


@settings(max_examples=30, deadline=None)
@given(ROWS, ROWS, ROWS)
def test_merging_is_associative_and_commutative(a: list[Row], b: list[Row], c: list[Row]) -> None:
    x, y, z = (survey(batch(rows), FilterConfig()) for rows in (a, b, c))
    expected = merge([survey(batch(a + b + c), FilterConfig())])
    assert same(merge([x, merge([y, z])]), expected)
    assert same(merge([merge([z, x]), y]), expected)


def test_each_language_has_its_own_sources() -> None:
    rows: list[Row] = [("eng_Latn", "a", 0.1), ("eng_Latn", "b", 0.1), ("zho_Hans", "a", 0.1), (None, "a", 0.1)]
    found = survey(batch(rows), FilterConfig())
    assert {tag: (one.documents, np.count_nonzero(one.sources)) for tag, one in found.items()} == {
        "eng_Latn": (2, 2),
        "zho_Hans": (1, 1),
    }
