"""Quotas of blocks."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from sampler.course import rounded
from sampler.quota import UNIT, Counts, Outlook, Quotas, Span, allot, units, whole_shares

SHARES = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=40)


def known(spans: list[tuple[int, Counts]], rows: int) -> Outlook:
    """Shares that are known from the first block on, each from a block on."""
    nothing = np.zeros(len(spans[0][1]), dtype=np.int64)
    ends = [block for block, _ in spans[1:]] + [None]
    chain = [Span(block, end, weights) for (block, weights), end in zip(spans, ends, strict=True)]
    return Outlook(0, nothing, nothing, chain, rows)


def change(quotas: Quotas, block: int, weights: Counts) -> None:
    """A change that nobody knew of before its block."""
    lag = rounded(quotas.lag(block))
    spans = [Span(block, None, weights)]
    quotas.change(Outlook(block, quotas.served(block), lag, spans, quotas.outlooks[0].rows))


def names(count: int) -> list[str]:
    return [f"l{number:04d}" for number in range(count)]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200).filter(lambda shares: sum(shares) > 1e-9))
def test_units_sum_to_one_and_keep_every_positive_share(shares: list[float]) -> None:
    languages = names(len(shares))
    weights = units(dict(zip(languages, shares, strict=True)), languages)
    assert int(weights.sum()) == UNIT
    assert all((weight > 0) == (share > 0) for weight, share in zip(weights, shares, strict=True))


@given(SHARES)
def test_units_are_within_one_unit_for_each_language_of_the_share(shares: list[float]) -> None:
    languages = names(len(shares))
    weights = units(dict(zip(languages, shares, strict=True)), languages)
    assert np.abs(weights - np.array(shares) / sum(shares) * UNIT).max() <= len(shares) + 1


@pytest.mark.parametrize("shares", [{"a": -1.0, "b": 2.0}, {"a": 0.0}, {"a": float("nan")}, {"z": 1.0}])
def test_units_refuse_what_is_no_mixture(shares: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        units(shares, ["a", "b"])


def test_allot_gives_whole_rows_first_and_then_the_earliest_due() -> None:
    weights = np.array([UNIT // 8, UNIT // 2, UNIT // 4, UNIT // 8])
    lag = np.array([UNIT // 2, 2 * UNIT + UNIT // 4, UNIT // 2, -UNIT // 4])
    # Two whole rows for the second. The next rows fall due after 4, 1.5 and 2 rows; the last is ahead of its share.
    assert allot(lag, weights, 3).tolist() == [0, 3, 0, 0]
    assert allot(lag, weights, 4).tolist() == [0, 3, 1, 0]
    assert allot(lag, weights, 5).tolist() == [1, 3, 1, 0]


@settings(max_examples=150, deadline=None)
@given(SHARES, st.integers(1, 300), st.integers(1, 60))
def test_every_prefix_of_blocks_is_within_one_row(shares: list[float], rows: int, blocks: int) -> None:
    languages = names(len(shares))
    weights = units(dict(zip(languages, shares, strict=True)), languages)
    quotas = Quotas(known([(0, weights)], rows))
    total = np.zeros(len(shares), dtype=np.int64)
    for block in range(blocks):
        given_rows = quotas.given(block)
        assert given_rows.min() >= 0
        assert int(given_rows.sum()) == rows
        total += given_rows
        assert np.array_equal(total, quotas.served(block + 1))
        assert np.abs(total * UNIT - weights * rows * (block + 1)).max() < UNIT


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_two_thousand_languages_are_within_one_row_and_none_is_starved(alpha: float) -> None:
    languages = names(2000)
    sizes = np.array([1.0 / (rank + 1) for rank in range(2000)]) ** alpha
    weights = units(dict(zip(languages, sizes.tolist(), strict=True)), languages)
    quotas = Quotas(known([(0, weights)], 256))
    for block in range(1, 401):
        served = quotas.served(block)
        assert np.abs(served * UNIT - weights * 256 * block).max() < UNIT
    assert served.min() >= int((weights.min() * 256 * 400) // UNIT)
    # Everyone is served at the latest when its share amounts to one row.
    assert np.all(served[weights * 256 * 400 >= UNIT] > 0)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_changed_mixtures_fill_every_block_and_stay_close(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 30))
    languages = names(count)
    mixture = st.lists(st.floats(0.01, 1.0), min_size=count, max_size=count)
    first = units(dict(zip(languages, data.draw(mixture), strict=True)), languages)
    quotas = Quotas(known([(0, first)], 16))
    owed = np.zeros(count)
    served = np.zeros(count, dtype=np.int64)
    for block in range(40):
        if block % 7 == 3:
            change(quotas, block, units(dict(zip(languages, data.draw(mixture), strict=True)), languages))
        given_rows = quotas.given(block)
        assert int(given_rows.sum()) == 16
        owed += quotas.weights(block) * 16 / UNIT
        served += given_rows
        assert np.abs(served - owed).max() < 2


def test_a_language_taken_out_gets_nothing_and_one_let_in_gets_its_share() -> None:
    languages = ["a", "b", "c"]
    quotas = Quotas(known([(0, units({"a": 1, "b": 1}, languages))], 8))
    change(quotas, 10, units({"a": 1, "c": 3}, languages))
    assert quotas.served(10).tolist() == [40, 40, 0]
    assert (quotas.served(20) - quotas.served(10)).tolist() == [20, 0, 60]
    assert (quotas.outlook(20).asked(160) / 160).tolist() == [0.375, 0.25, 0.375]


def test_going_back_and_restoring_gives_the_same_quotas() -> None:
    languages = names(5)
    weights = units({"l0000": 0.5, "l0001": 0.3, "l0002": 0.1, "l0003": 0.07, "l0004": 0.03}, languages)
    whole = Quotas(known([(0, weights)], 7))
    expected = [whole.given(block).tolist() for block in range(3000)]
    assert [whole.given(block).tolist() for block in (17, 2999, 1025, 0)] == [expected[b] for b in (17, 2999, 1025, 0)]
    restored = Quotas(known([(0, weights)], 7))
    restored.remember(1234, whole.served(1234))
    assert [restored.given(block).tolist() for block in (1234, 1235, 2000, 3)] == [
        expected[b] for b in (1234, 1235, 2000, 3)
    ]


def test_debts_that_do_not_fit_a_block_are_paid_to_the_most_urgent_first() -> None:
    weights = np.array([UNIT // 4] * 4)
    # Ten rows are owed and six places there: nobody gets more than is owed, the surplus is taken from the least owed.
    owed = np.array([4 * UNIT, 3 * UNIT, 2 * UNIT, UNIT])
    assert allot(owed, weights, 6).tolist() == [3, 2, 1, 0]
    # Everybody is ahead: the places are filled all the same, from the least ahead.
    ahead = np.array([-UNIT // 2, -UNIT // 4, -UNIT // 8, -UNIT])
    assert allot(ahead, weights, 3).tolist() == [1, 1, 1, 0]
    # A language without a share gets nothing it is not owed.
    assert allot(np.array([-UNIT, -UNIT]), np.array([UNIT, 0]), 3).tolist() == [3, 0]


PARTS = st.lists(st.integers(0, 5), min_size=2, max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 9), st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_scheduled_changes_keep_every_language_within_one_row(
    data: st.DataObject, rows: int, lengths: list[int]
) -> None:
    """Languages come, go and come again; whoever has no share gets nothing, and nobody is ever a row off."""
    count = data.draw(st.integers(1, 12))
    mixture = st.lists(st.integers(0, 5), min_size=count, max_size=count).filter(any)
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    weights = [whole_shares(np.array(data.draw(mixture), dtype=np.float64)) for _ in lengths]
    quotas = Quotas(known(list(zip(starts, weights, strict=True)), rows))
    owed = np.zeros(count, dtype=np.int64)
    for block in range(sum(lengths) + 3):
        share = quotas.weights(block)
        given_rows = quotas.given(block)
        assert int(given_rows.sum()) == rows
        assert not given_rows[share == 0].any()
        owed += share * rows
        assert np.abs((quotas.served(block + 1) << 32) - owed).max() < UNIT


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 5))
def test_two_thousand_languages_keep_a_schedule(seed: int, stages: int) -> None:
    draw = np.random.default_rng(seed)
    weights = [whole_shares(draw.random(2000) ** 4 * (draw.random(2000) < 0.7) + 1e-12) for _ in range(stages)]
    lengths = draw.integers(1, 12, stages)
    starts = (np.cumsum(lengths) - lengths).tolist()
    quotas = Quotas(known(list(zip(starts, weights, strict=True)), 256))
    owed = np.zeros(2000, dtype=np.int64)
    for block in range(int(lengths.sum()) + 4):
        owed += quotas.weights(block) * 256
        assert np.abs((quotas.served(block + 1) << 32) - owed).max() < UNIT


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_blocks_do_not_depend_on_the_order_they_are_asked_for(data: st.DataObject) -> None:
    weights = [
        whole_shares(np.array(data.draw(PARTS.filter(lambda some: len(some) >= 4 and any(some[:4])))[:4], float))
        for _ in range(3)
    ]
    spans = list(zip([0, 5, 9], weights, strict=True))
    expected = [Quotas(known(spans, 5)).given(block).tolist() for block in range(14)]
    again = Quotas(known(spans, 5))
    for block in data.draw(st.permutations(range(14))):
        assert again.given(block).tolist() == expected[block]


def test_rows_owed_keep_their_sum_when_they_are_rounded() -> None:
    lag = np.array([3 * UNIT // 8 + 5, -UNIT // 2 + 7, UNIT // 8 - 12])
    assert (rounded(lag) * 8 / UNIT).tolist() == [3.0, -4.0, 1.0]
    draw = np.random.default_rng(1).integers(-UNIT, UNIT, 999)
    whole = rounded(np.append(draw, -draw.sum()))
    assert int(whole.sum()) == 0
    assert np.abs(whole[:-1] - draw).max() < 1 << 20
    assert not (whole % (1 << 20)).any()


@pytest.mark.parametrize(
    ("count", "rows", "dropped", "bound"), [(8, 256, False, 1.01), (8, 256, True, 1.5), (300, 64, False, 1.01)]
)
def test_changes_that_nobody_knew_of_cost_next_to_nothing(count: int, rows: int, dropped: bool, bound: float) -> None:
    """A change at every block: all shares drawn anew, or half of the languages left out as well."""
    for seed in range(4):
        draw = np.random.default_rng(seed)
        quotas = Quotas(known([(0, whole_shares(draw.lognormal(0, 1, count)))], rows))
        owed = quotas.weights(0) * rows
        for block in range(1, 60):
            shares = draw.lognormal(0, 1, count) * (draw.random(count) < 0.5 if dropped else 1.0)
            change(quotas, block, whole_shares(shares if shares.any() else np.ones(count)))
            owed = owed + quotas.weights(block) * rows
            assert np.abs((quotas.served(block + 1) << 32) - owed).max() < bound * UNIT


def test_a_block_of_a_thousand_languages_takes_little_time() -> None:
    sizes = (1.0 / np.arange(1, 1001)) ** 0.3
    quotas = Quotas(known([(0, whole_shares(sizes))], 256))
    taken = []
    for block in range(0, 400, 20):
        begin = time.process_time()
        quotas.served(block + 20)
        taken.append((time.process_time() - begin) / 20)
    assert min(taken) < 300e-6  # about 25 us on an idle core
