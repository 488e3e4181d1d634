from __future__ import annotations

from hypothesis import given as drawn
from hypothesis import strategies as st

from evenglot.report.charts import Line
from evenglot.report.sections.lines import extent, extremes, moving, named, spaced, steady


def test_extremes_come_in_turn_from_both_ends() -> None:
    assert extremes({"a": 1.0, "b": 5.0, "c": 3.0, "d": 2.0}, 3) == ["b", "a", "c"]
    assert extremes({}, 3) == []


def test_chosen_curves_have_name_value_and_colour_and_the_others_are_pale() -> None:
    curves = {"a": [(1.0, 2.0), (2.0, 0.5)], "b": [(1.0, 4.0)], "empty": []}
    assert named(curves, ["a", "empty"], "{:.2f}".format) == [
        Line([(1.0, 2.0), (2.0, 0.5)], "a 0.50", "accent", "a"),
        Line([(1.0, 4.0)], "", "faint", "b"),
    ]


def test_of_many_pale_curves_those_that_are_drawn_cover_the_range() -> None:
    curves = {f"n{place:03}": [(1.0, float(place))] for place in range(300)}
    lines = named(curves)
    labelled = sorted(line.points[0][1] for line in lines if line.label)
    pale = [line.points[0][1] for line in lines if not line.label]
    assert labelled == [0.0, 1.0, 2.0, 3.0, 296.0, 297.0, 298.0, 299.0]
    assert (len(pale), min(pale), max(pale)) == (40, 4.0, 295.0)
    assert extent(300) == "48 of 300 languages drawn"
    assert extent(48) == "every language a line"


def test_noisy_curves_are_chosen_by_their_mean() -> None:
    curves = {f"n{place}": [(1.0, float(place)), (2.0, 0.0)] for place in range(10)}
    assert steady(curves) == ["n9", "n0", "n8", "n1", "n7", "n2", "n6", "n3"]


def test_a_single_point_is_no_course() -> None:
    assert not moving([[(1.0, 2.0)], []])
    assert moving([[], [(1.0, 2.0), (2.0, 2.0)]])


@drawn(st.integers(0, 300), st.integers(2, 40))
def test_places_keep_both_ends_and_the_limit(number: int, most: int) -> None:
    places = spaced(number, most)
    assert len(places) == min(number, most)
    assert places == sorted(set(places))
    assert not places or (places[0], places[-1]) == (0, number - 1)
