"""Passes under a view: what they hold, in which order, from any place."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError, CorpusError
from corpus.manifest import ScoreQuantiles, ShardFile
from corpus.schema import token_schema
from sampler import cells as cells_module
from sampler.index import Documents
from sampler.passes import LegCache, Passes
from sampler.runs import RunCache
from sampler.view import DocumentsConfig

SCHEMA = token_schema(1 << 16, attributes=True)


class Made:
    """A language of made-up documents in memory; document i is i + 1 times the token i."""

    ahead = False

    def __init__(
        self,
        lengths: list[int],
        *,
        copies: list[int] | None = None,
        synthetic: list[bool] | None = None,
        difficulty: list[float | None] | None = None,
        diversity: list[float | None] | None = None,
        batch: int = 1024,
        attributes: bool = True,
        scores: ScoreQuantiles | None = None,
    ) -> None:
        count = len(lengths)
        columns: list[Any] = [
            [str(index) for index in range(count)],
            pa.array([[index] * length for index, length in enumerate(lengths)], SCHEMA.field("tokens").type),
            [3 * length for length in lengths],
            copies or [1] * count,
            synthetic or [False] * count,
            difficulty or [None] * count,
            diversity or [None] * count,
        ]
        table = pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
        if not attributes:
            table = table.select(["id", "tokens", "bytes"])
        self._batches = [table.slice(s, batch).combine_chunks().to_batches()[0] for s in range(0, count, batch)]
        self.lengths = lengths
        self.documents = Documents(
            "aaa_Latn", [ShardFile(path="s", kind="tokens", rows=count)], self, RunCache(5), scores
        )

    def count(self, file: ShardFile) -> int:
        """Record batches."""
        return len(self._batches)

    def batch(self, file: ShardFile, index: int) -> pa.RecordBatch:
        """One of them."""
        return self._batches[index]

    def prefetch(self, file: ShardFile, index: int) -> None:
        """Nothing to do."""

    def passes(self, cache: int = 1 << 20, seed: int = 0, **view: Any) -> Passes:
        """Passes under a view."""
        return Passes(self.documents, seed, LegCache(cache), DocumentsConfig.model_validate(view))


def order(passes: Passes, number: int) -> list[int]:
    """The documents of a pass, in their order, read leg by leg; each has its token everywhere."""
    found: list[int] = []
    offset = number * passes.tokens
    while offset < (number + 1) * passes.tokens:
        leg, inside = passes.locate(offset)
        # Where documents are few, a leg is several passes.
        first, last = leg.bounds.searchsorted([inside, inside + (number + 1) * passes.tokens - offset])
        last = min(int(last), len(leg.runs))
        assert leg.bounds[first] == inside
        bounds = leg.bounds[first : last + 1]
        for start, run, length in zip(leg.starts[first:last], leg.runs[first:last], np.diff(bounds), strict=True):
            tokens = set(passes.run(int(run))[start : start + length - 1].tolist())
            assert len(tokens) == 1
            found.append(tokens.pop())
        offset += int(bounds[-1] - bounds[0])
    assert offset == (number + 1) * passes.tokens
    return found


scored = st.one_of(st.none(), st.floats(0, 1, width=32))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 40), st.booleans(), scored, scored), min_size=3, max_size=80
    ),
    view=st.fixed_dictionaries(
        {
            "order": st.sampled_from(["random", "easy_first", "hard_first", "diverse_first"]),
            "difficulty": st.sampled_from([(0, 1), (0, 0.5), (0.25, 1)]),
            "repeat_diverse": st.integers(1, 3),
            "rehydrate": st.sampled_from(["none", "middle", {2: 2, 10: 5, 30: 1}]),
            "max_times": st.integers(1, 6),
            "max_synthetic_share": st.sampled_from([1.0, 0.5, 0.1]),
        }
    ),
    batch=st.integers(1, 30),
    small=st.booleans(),
)
def test_each_pass_is_a_permutation_of_what_the_view_asks_for(
    rows: list[tuple[int, int, bool, float | None, float | None]], view: dict[str, Any], batch: int, small: bool
) -> None:
    lengths, copies, synthetic, difficulty, diversity = map(list, zip(*rows, strict=True))
    # One natural document of middling scores is always left.
    difficulty[0], diversity[0], synthetic[0] = None, 0.5, False
    difficulty[1] = 0.5
    made = Made(lengths, copies=copies, synthetic=synthetic, difficulty=difficulty, diversity=diversity, batch=batch)
    with pytest.MonkeyPatch.context() as patch:
        if not small:
            patch.setattr(cells_module, "SMALL_DOCUMENTS", 0)
        passes = made.passes(**view)
    first, second = order(passes, 0), order(passes, 1)
    held = Counter(first)
    assert held == Counter(second)
    assert sum((lengths[index] + 1) * times for index, times in held.items()) == passes.tokens
    assert (held.total(), len(held)) == passes.contents[1:3]
    assert sum(lengths[index] + 1 for index in held) == passes.contents.distinct_tokens

    limits = {name: quantiles(column) for name, column in (("difficulty", difficulty), ("diversity", diversity))}
    low, high = (limits["difficulty"](level) for level in view["difficulty"])
    for index in range(len(rows)):
        hardness = limits["difficulty"](0.5)[1] if difficulty[index] is None else difficulty[index]
        variety = limits["diversity"](0.5)[1] if diversity[index] is None else diversity[index]
        top = limits["diversity"](0.9)
        # The sampler interpolates between 1,024 levels: who lies at a limit may be on either side of it.
        at_limit = any(least <= hardness <= most for least, _, most in (low, high) if least != most)
        if at_limit or top[0] <= variety <= top[2]:
            continue
        times = TIMES[str(view["rehydrate"])](copies[index], view["max_times"])
        times = min(times * (view["repeat_diverse"] if variety > top[1] else 1), view["max_times"])
        times = times if low[1] <= hardness <= high[1] else 0
        assert held[index] in ((0, times) if synthetic[index] and view["max_synthetic_share"] < 1 else (times,))
    machine = sum((lengths[i] + 1) * times for i, times in held.items() if synthetic[i])
    if view["max_synthetic_share"] < 1:
        assert machine == passes.contents.synthetic_tokens
        assert machine <= view["max_synthetic_share"] * passes.tokens


TIMES = {
    "none": lambda copies, cap: 1,
    "middle": lambda copies, cap: 1 + int((cap - 1) * max(0.0, 1 - abs(np.log2(copies) - 4) / 4)),
    "{2: 2, 10: 5, 30: 1}": lambda copies, cap: {1: 1, 2: 2, 10: 5, 30: 1}[
        max(c for c in (1, 2, 10, 30) if c <= copies)
    ],
}


def quantiles(column: list[float | None]) -> Any:
    """The quantile of a level, and the least and most that an interpolation next to it may give."""
    known = [x for x in column if x is not None]

    def at(level: float) -> tuple[float, float, float]:
        if level in (0, 1):
            return (float("inf") * (2 * level - 1),) * 3
        found = np.quantile(known, [level - 0.002, level, level + 0.002])
        return (found[0] - 1e-6, found[1], found[2] + 1e-6)

    return at


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize(("name", "sign"), [("easy_first", 1), ("hard_first", -1)])
def test_an_ordered_pass_goes_through_sixteen_bands(
    monkeypatch: pytest.MonkeyPatch, small: bool, name: str, sign: int
) -> None:
    if not small:
        monkeypatch.setattr(cells_module, "SMALL_DOCUMENTS", 0)
    # The document i has the difficulty (7 i mod 640) / 640: forty to each band.
    made = Made([3] * 640, difficulty=[7 * i % 640 / 640 for i in range(640)], batch=10)
    passes = made.passes(order=name)
    first = order(passes, 0)
    bands = [sorted(7 * i % 640 // 40 for i in first[start : start + 40]) for start in range(0, 640, 40)]
    assert bands == [[band] * 40 for band in range(16)][::sign]
    second = order(passes, 1)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(640))
    assert first[:40] != sorted(first[:40], key=lambda i: sign * (7 * i % 640))


@pytest.mark.parametrize("small", [True, False])
def test_copies_of_a_document_are_spread_over_the_pass(monkeypatch: pytest.MonkeyPatch, small: bool) -> None:
    if not small:
        monkeypatch.setattr(cells_module, "SMALL_DOCUMENTS", 0)
    copies = [100 if i % 10 == 0 else 1 for i in range(1000)]
    made = Made([3] * 1000, copies=copies, batch=10)
    passes = made.passes(rehydrate={100: 4})
    held = order(passes, 0)
    assert Counter(held) == {i: 4 if i % 10 == 0 else 1 for i in range(1000)}
    places = {i: [place for place, other in enumerate(held) if other == i] for i in range(0, 1000, 10)}
    quarter = [[place * 4 // len(held) for place in found] for found in places.values()]
    # The parts are not of exactly the same number of documents, so that some lie beyond a quarter's end.
    assert sum(found == [0, 1, 2, 3] for found in quarter) > 85
    if not small:
        offset = 0
        while offset < passes.tokens:
            leg, _ = passes.locate(offset)
            assert len({*zip(leg.starts.tolist(), leg.runs.tolist(), strict=True)}) == len(leg.runs)
            offset += int(leg.bounds[-1])


def test_the_cap_on_synthetic_text_is_met_closely() -> None:
    made = Made([9] * 4000, synthetic=[i % 2 == 1 for i in range(4000)])
    contents = made.passes(max_synthetic_share=0.2).contents
    assert contents.synthetic_tokens == 5000
    assert contents.tokens == 25_000
    assert contents.left_out_tokens == 15_000
    assert made.passes(max_synthetic_share=0).contents == (20_000, 2000, 2000, 0, 20_000, 20_000)
    assert made.passes(max_synthetic_share=0.5).contents == (40_000, 4000, 4000, 20_000, 0, 40_000)


@settings(max_examples=20, deadline=None)
@given(offsets=st.lists(st.integers(0, 20_000), max_size=20), small=st.booleans(), seed=st.integers(0, 5))
def test_any_place_is_found_by_itself(offsets: list[int], small: bool, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not small:
            patch.setattr(cells_module, "SMALL_DOCUMENTS", 0)
        made = Made([1 + i % 9 for i in range(300)], copies=list(range(1, 301)), batch=7)
        view = {"rehydrate": "middle", "max_times": 4}
        steady, fresh = made.passes(seed=seed, **view), made.passes(seed=seed, **view)
        wanted = [place(steady, offset) for offset in sorted(offsets)]
        assert [place(fresh, offset) for offset in sorted(offsets, reverse=True)] == wanted[::-1]
        assert [place(made.passes(cache=1, seed=seed, **view), offset) for offset in sorted(offsets)] == wanted


def place(passes: Passes, offset: int) -> tuple[int, int, int]:
    """Run and start of the document at an offset, and the token's place in it."""
    leg, inside = passes.locate(offset)
    document = int(leg.bounds.searchsorted(inside, "right")) - 1
    return int(leg.runs[document]), int(leg.starts[document]), inside - int(leg.bounds[document])


def test_the_default_view_changes_nothing_and_needs_no_column() -> None:
    plain = Made([1 + i % 5 for i in range(500)], batch=20, attributes=False)
    assert order(plain.passes(), 0) == order(Passes(plain.documents, 0, LegCache()), 0)
    assert plain.passes().contents == (2000, 500, 500, 0, 0, 2000)


@pytest.mark.parametrize("view", [{}, {"max_times": 7}])
def test_each_turn_has_orders_of_its_own_of_the_same_documents(view: dict[str, Any]) -> None:
    made = Made([1 + i % 5 for i in range(400)], batch=20)
    chosen = DocumentsConfig.model_validate(view)
    first, again, second = (Passes(made.documents, 3, LegCache(), chosen, turn=turn) for turn in (0, 0, 1))
    assert order(first, 0) == order(again, 0) == order(made.passes(seed=3, **view), 0)
    assert sorted(order(second, 0)) == list(range(400))
    common = len(set(order(first, 0)[:200]) & set(order(second, 0)[:200]))
    assert 70 < common < 130  # 100 by chance
    assert second.contents == first.contents


def test_which_copies_come_does_not_depend_on_the_turn() -> None:
    made = Made([3] * 60, copies=[1 + i % 9 for i in range(60)])
    view = DocumentsConfig.model_validate({"rehydrate": "middle", "max_times": 4})
    first, second = (Passes(made.documents, 3, LegCache(), view, turn=turn) for turn in (0, 1))
    assert sorted(order(first, 0)) == sorted(order(second, 0))
    assert order(first, 0) != order(second, 0)


def test_a_view_of_what_is_not_there_is_an_error() -> None:
    with pytest.raises(CorpusError, match=r"s has no column 'copies'.*evenglot tokenize"):
        Made([3, 4], attributes=False).passes(rehydrate="middle")
    with pytest.raises(CorpusError, match="no document of aaa_Latn has a difficulty"):
        Made([3, 4]).passes(order="easy_first")
    with pytest.raises(ConfigurationError, match="leave no document of aaa_Latn"):
        Made([3, 4], synthetic=[True, True]).passes(max_synthetic_share=0.5)


def test_quantiles_of_the_snapshot_are_taken_where_it_has_them() -> None:
    column: list[float | None] = [i / 100 for i in range(101)]
    plain, told = (Made([3] * 101, difficulty=column, scores=s) for s in (None, ScoreQuantiles(difficulty=(0, 0.2, 1))))
    assert sorted(order(plain.passes(difficulty=(0, 0.5)), 0)) == list(range(51))
    assert sorted(order(told.passes(difficulty=(0, 0.5)), 0)) == list(range(21))
