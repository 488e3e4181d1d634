from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from corpus.mixtures import capped, proportional, relative_weights, repeats, temperature, unimax

sizes = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(0, 1e12), min_size=1, max_size=8).filter(
    lambda found: sum(found.values()) > 1
)
positive = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(1, 1e9), min_size=1, max_size=8)


def is_distribution(probabilities: dict[str, float]) -> bool:
    return math.isclose(sum(probabilities.values()), 1) and all(0 <= p <= 1 + 1e-12 for p in probabilities.values())


def test_proportional() -> None:
    assert proportional({"b": 6, "a": 2, "c": 0}) == {"b": 0.75, "a": 0.25, "c": 0.0}
    assert list(proportional({"b": 1, "a": 1})) == ["b", "a"]


def test_temperature() -> None:
    assert temperature({"a": 81, "b": 16}, 0.5) == pytest.approx({"a": 9 / 13, "b": 4 / 13})
    assert temperature({"a": 81, "b": 16}, 1) == pytest.approx(proportional({"a": 81, "b": 16}))
    assert temperature({"a": 81, "b": 16, "c": 0}, 0) == {"a": 0.5, "b": 0.5, "c": 0.0}
    for alpha in (-0.1, 1.1):
        with pytest.raises(ConfigurationError, match="mixture exponent alpha"):
            temperature({"a": 1}, alpha)


def test_unimax_deals_out_the_budget_evenly_up_to_the_cap() -> None:
    # Budget 100: c may take 4 x 2 = 8, b 4 x 5 = 20, the rest goes to a.
    assert unimax({"a": 93, "b": 5, "c": 2}, 4) == pytest.approx({"a": 0.72, "b": 0.2, "c": 0.08})
    # Nobody is near the cap: even.
    assert unimax({"a": 93, "b": 5, "c": 2}, 4, budget=6) == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    # Everybody is at it: proportional.
    assert unimax({"a": 90, "b": 10}, 4, budget=10_000) == pytest.approx({"a": 0.9, "b": 0.1})
    assert unimax({"a": 90, "b": 0}, 4) == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize(("epochs", "budget"), [(0, None), (-1, None), (4, 0), (4, -3)])
def test_unimax_refuses_what_makes_no_sense(epochs: float, budget: float | None) -> None:
    with pytest.raises(ConfigurationError, match="UniMax"):
        unimax({"a": 1}, epochs, budget)


@pytest.mark.parametrize("mixture", [proportional, lambda n: temperature(n, 0.3), lambda n: unimax(n, 4)])
def test_no_text_at_all_is_said(mixture: object) -> None:
    with pytest.raises(ConfigurationError, match="no language has any text to balance"):
        mixture({"a": 0, "b": 0})  # type: ignore[operator]


@given(sizes, st.floats(0, 1), st.floats(0.1, 20), st.floats(0.01, 10))
def test_every_mixture_is_a_distribution_over_the_languages_with_text(
    n: dict[str, float], alpha: float, epochs: float, passes: float
) -> None:
    for mixture in (proportional(n), temperature(n, alpha), unimax(n, epochs, passes * sum(n.values()))):
        assert is_distribution(mixture)
        assert list(mixture) == list(n)
        assert all(p == 0 for lang, p in mixture.items() if n[lang] == 0)


@given(positive, st.floats(0.5, 20), st.floats(0.01, 3))
def test_unimax_keeps_its_two_promises(n: dict[str, float], epochs: float, passes: float) -> None:
    budget = passes * sum(n.values())
    assume(sum(n.values()) * epochs >= budget)  # else all are capped and the budget cannot be met
    mixture = unimax(n, epochs, budget)
    seen = repeats(mixture, n, budget)
    assert max(seen.values()) <= epochs * (1 + 1e-9)
    # As even as possible: who has less than another stands at the cap.
    largest = max(mixture.values())
    assert all(math.isclose(p, largest) or math.isclose(seen[lang], epochs) for lang, p in mixture.items())


@given(positive, st.floats(0, 1))
def test_temperature_keeps_the_order_and_lifts_the_smallest(n: dict[str, float], alpha: float) -> None:
    natural, flat = proportional(n), temperature(n, alpha)
    smallest = min(n, key=lambda lang: n[lang])
    assert flat[smallest] >= natural[smallest] * (1 - 1e-9)
    ordered = sorted(n, key=lambda lang: n[lang])
    assert all(flat[a] <= flat[b] * (1 + 1e-9) for a, b in pairwise(ordered))


def test_capped_gives_what_the_cap_takes_to_the_others() -> None:
    n = {"a": 60.0, "b": 30.0, "c": 10.0}
    even = dict.fromkeys(n, 1 / 3)
    # Budget 100, at most 2 passes: c may have 20 of its 33.
    assert capped(even, n, budget=100, max_repeats=2) == pytest.approx({"a": 0.4, "b": 0.4, "c": 0.2})
    assert capped(even, n, budget=100) == pytest.approx(even)


def test_capped_lifts_to_the_floor_unless_the_cap_forbids() -> None:
    n = {"a": 98.0, "b": 1.0, "c": 1.0}
    natural = proportional(n)
    lifted = capped(natural, n, budget=100, floor=0.1)
    assert lifted == pytest.approx({"a": 0.8, "b": 0.1, "c": 0.1})
    bounded = capped(natural, n, budget=100, floor=0.1, max_repeats=4)
    assert bounded == pytest.approx({"a": 0.92, "b": 0.04, "c": 0.04})


def test_the_floor_is_taken_from_those_above_it_in_their_proportion() -> None:
    n = {"a": 60.0, "b": 30.0, "c": 8.0, "d": 2.0}
    # d is lifted to 0.08, and c would fall under it when the others make room: it is lifted too.
    expected = {"a": 0.56, "b": 0.28, "c": 0.08, "d": 0.08}
    assert capped(proportional(n), n, budget=100, floor=0.08) == pytest.approx(expected)
    assert capped(proportional(n), n, budget=100, floor=0.6) == pytest.approx(dict.fromkeys(n, 0.25))


@given(positive, st.floats(0, 0.5))
def test_no_share_is_under_the_floor(n: dict[str, float], floor: float) -> None:
    mixture = capped(proportional(n), n, budget=1, floor=floor)
    assert is_distribution(mixture)
    assert min(mixture.values()) >= min(floor, 1 / len(n)) - 1e-9


def test_capped_everywhere_is_proportional_to_the_caps() -> None:
    n = {"a": 30.0, "b": 10.0}
    assert capped({"a": 0.5, "b": 0.5}, n, budget=1000, max_repeats=4) == pytest.approx({"a": 0.75, "b": 0.25})


@given(positive, st.floats(0.5, 8), st.floats(0, 0.2), st.floats(0.1, 2))
def test_capped_never_repeats_more_often(n: dict[str, float], most: float, floor: float, passes: float) -> None:
    budget = passes * sum(n.values())
    assume(sum(n.values()) * most > budget * 1.001)
    mixture = capped(dict.fromkeys(n, 1 / len(n)), n, budget=budget, max_repeats=most, floor=floor)
    assert is_distribution(mixture)
    assert max(repeats(mixture, n, budget).values()) <= most * (1 + 1e-6)


def test_an_empty_language_gets_nothing_from_the_floor() -> None:
    assert capped({"a": 1.0, "b": 0.0}, {"a": 5.0, "b": 0.0}, budget=5, floor=0.1) == {"a": 1.0, "b": 0.0}


def test_repeats_and_weights() -> None:
    n = {"a": 90.0, "b": 10.0, "c": 0.0}
    mixture = {"a": 0.5, "b": 0.5, "c": 0.0}
    assert repeats(mixture, n, 100) == pytest.approx({"a": 50 / 90, "b": 5.0, "c": 0.0})
    assert relative_weights(mixture, n) == pytest.approx({"a": 5 / 9, "b": 5.0, "c": 0.0})


@given(positive)
def test_weights_of_the_proportional_mixture_are_one(n: dict[str, float]) -> None:
    assert relative_weights(proportional(n), n) == pytest.approx(dict.fromkeys(n, 1.0))
