from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from trainer.parallel.order import PairOrder, floor_sum, pair_shares

SIZES = {"ell_Grek-eng_Latn": 3, "ell_Grek-swh_Latn": 10, "eng_Latn-swh_Latn": 100}
SHARES = {"ell_Grek-eng_Latn": 0.1, "ell_Grek-swh_Latn": 0.2, "eng_Latn-swh_Latn": 0.7}


@given(st.integers(0, 40), st.integers(1, 30), st.integers(-60, 60), st.integers(-60, 60))
def test_sum_of_floors(count: int, modulus: int, factor: int, offset: int) -> None:
    expected = sum((factor * i + offset) // modulus for i in range(count))
    assert floor_sum(count, modulus, factor, offset) == expected


@given(st.integers(0, 500), st.integers(1, 60))
def test_any_stretch_is_part_of_the_same_order(first: int, count: int) -> None:
    order = PairOrder(SIZES, SHARES, 7)
    assert order.places(first, count) == order.places(0, first + count)[first:]


def test_shares_are_kept_in_every_stretch() -> None:
    order = PairOrder(SIZES, SHARES, 7)
    for first in (0, 137, 10**9):
        names = [place.pair for place in order.places(first, 100)]
        for name, share in SHARES.items():
            assert abs(names.count(name) - 100 * share) <= 3
    read = order.read(10**12)
    assert sum(read.values()) == 10**12
    assert all(abs(read[name] - 10**12 * share) < 40 for name, share in SHARES.items())


def test_every_pair_comes_once_before_any_comes_again() -> None:
    places = PairOrder(SIZES, SHARES, 7).places(0, 400)
    for name, size in SIZES.items():
        own = [place for place in places if place.pair == name]
        for passes in range(len(own) // size):
            part = own[passes * size : (passes + 1) * size]
            assert {place.passes for place in part} == {passes}
            assert sorted(place.number for place in part) == list(range(size))


def test_another_seed_gives_another_order() -> None:
    assert PairOrder(SIZES, SHARES, 7).places(0, 20) != PairOrder(SIZES, SHARES, 8).places(0, 20)


def test_no_parallel_text_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="no two languages of the run have parallel text"):
        PairOrder({}, {}, 0)


@pytest.mark.parametrize(
    ("mixture", "expected"),
    [
        ("proportional", [3 / 113, 10 / 113, 100 / 113]),
        ("uniform", [6 / 60, 20 / 60, 34 / 60]),  # three of each would be 60: the cap of two passes takes effect
        ("unimax", [6 / 60, 20 / 60, 34 / 60]),
    ],
)
def test_shares_of_mixtures(mixture: str, expected: list[float]) -> None:
    shares = pair_shares(SIZES, mixture, 0.3, 2.0, 60)
    assert list(shares.values()) == pytest.approx(expected)
