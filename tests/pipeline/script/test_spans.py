from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.script.codepoints import CHUNK
from pipeline.script.spans import BASE, powers, prefix_sums, span_values


def test_powers_of_the_base_and_of_its_inverse() -> None:
    factors, inverses = powers()
    assert factors[:3].tolist() == [1, BASE, BASE**2 % 2**64]
    assert (factors * inverses == 1).all()
    assert len(factors) == len(inverses) == 2 * CHUNK
    assert powers() is powers()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.data())
def test_spans_have_one_value_exactly_when_they_are_equal(values: list[int], data: st.DataObject) -> None:
    places = st.integers(0, len(values))
    (a, b), (c, d) = (sorted(data.draw(st.tuples(places, places))) for _ in range(2))
    letters = np.array(values, np.uint32) + np.uint32(1)
    one, two = span_values(prefix_sums(letters), np.array([a, c]), np.array([b, d])).tolist()
    assert (one == two) == (values[a:b] == values[c:d])


def test_spans_far_behind_the_table_have_the_same_values() -> None:
    text = np.tile(np.arange(1, 101, dtype=np.uint32), 3 * CHUNK // 100)
    sums = prefix_sums(text)
    starts = np.array([0, 2 * CHUNK // 100 * 100 + 100, len(text) - 100])
    assert len(set(span_values(sums, starts, starts + 100).tolist())) == 1
    assert len(sums) == len(text) + 1
