from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenglot.report.svg import Scale, element, linear, logarithmic, short, spread, tick_text


def test_elements_escape_everything() -> None:
    assert element("text", "<b>&", x=1.5, class_="a", text_anchor='"x"') == (
        '<text x="1.5" class="a" text-anchor="&#34;x&#34;">&lt;b&gt;&amp;</text>'
    )
    assert element("rect", width=0.333333, fill=None) == '<rect width="0.33"/>'


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (0.333, "0.33"), (-0.001, "0"), (12.5, "12.5")])
def test_coordinates_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_scales() -> None:
    assert Scale(0, 10).at(2.5) == 25
    assert Scale(0, 10).at(-3) == 0
    assert Scale(0, 10).beyond(12) == 120
    assert Scale(1, 100, log=True).at(10) == pytest.approx(50)
    assert linear([3.0], zero=True).low == 0
    assert linear([]).low < linear([]).high
    assert logarithmic([0.0, -1.0]).low > 0


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale(0, 100), [0, 20, 40, 60, 80, 100]),
        (Scale(1.4, 2.1), [1.4, 1.6, 1.8, 2.0]),
        (Scale(0.001, 1, log=True), [0.001, 0.01, 0.1, 1]),
        (Scale(0.9, 12, log=True), [1, 3, 10]),
        (Scale(1e-7, 1, log=True), [1e-7, 1e-5, 1e-3, 1e-1]),
    ],
)
def test_ticks(scale: Scale, ticks: list[float]) -> None:
    assert scale.ticks() == pytest.approx(ticks)


@given(st.floats(1e-9, 1e9), st.floats(1.001, 1e9), st.booleans())
def test_ticks_lie_within_the_scale_and_rise(low: float, factor: float, log: bool) -> None:
    scale = Scale(low, low * factor, log)
    ticks = scale.ticks()
    assert ticks == sorted(ticks)
    assert len(ticks) <= 12
    assert all(low * 0.999 <= tick <= low * factor * 1.001 for tick in ticks)


@given(st.lists(st.floats(-50, 350), max_size=12), st.floats(1, 40))
def test_spread_keeps_order_distance_and_bounds(places: list[float], gap: float) -> None:
    moved = spread(places, gap, 0, 300)
    assert len(moved) == len(places)
    assert all(-1e-6 <= place <= 300 + 1e-6 for place in moved)
    ordered = [place for _, place in sorted(zip(places, moved, strict=True))]
    distance = min(gap, 300 / max(1, len(places) - 1))
    assert all(
        later - earlier >= distance - 1e-6 for earlier, later in zip(sorted(ordered), sorted(ordered)[1:], strict=False)
    )


def test_tick_text() -> None:
    assert [tick_text(value) for value in (0.25, 5000, 25_000)] == ["0.25", "5,000", "25k"]
