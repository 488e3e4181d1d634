from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from evenglot.report import charts, rows
from evenglot.report.svg import Scale

HOSTILE = '<script>"&'


def parsed(svg: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg))


def texts(svg: Markup) -> list[str]:
    return [node.text or "" for node in parsed(svg).iter("text")]


def test_river_names_what_left_and_what_remained() -> None:
    drops = [charts.Drop("read", 10), charts.Drop("quality", 30), charts.Drop("deduplicate", 20)]
    svg = charts.river(100, drops, 40)
    assert [text.replace("\u202f", " ") for text in texts(svg)] == [
        "100 read", "40 kept · 40.0 %", "read", "10 · 10.0 %", "quality", "30 · 30.0 %", "deduplicate", "20 · 20.0 %",
    ]  # fmt: skip
    assert len(list(parsed(svg).iter("path"))) == 4
    assert parsed(svg).find(".//linearGradient") is None


def test_river_is_cut_where_little_is_lost() -> None:
    assert not charts.is_whole(1000, 960)
    assert charts.is_whole(1000, 300)
    svg = charts.river(1000, [charts.Drop("quality", 40)], 960)
    assert parsed(svg).find(".//linearGradient") is not None


def test_river_branches_are_as_thick_as_their_numbers() -> None:
    svg = charts.river(1000, [charts.Drop("a", 100), charts.Drop("b", 300)], 600)
    branches = [node.get("d", "") for node in parsed(svg).iter("path") if node.get("class") == "branch"]
    thick = []
    for path in branches:
        heights = [float(y) for y in re.findall(r"L[\d.]+ ([\d.]+)", path)]
        landing = float(re.findall(r"[\d.]+ ([\d.]+) L", path)[0])
        thick.append(heights[0] - landing)
    assert thick[1] / thick[0] == pytest.approx(3, rel=0.01)


def test_stairs_say_the_same_from_the_top_down() -> None:
    svg = charts.stairs(100, [charts.Drop("read", 10), charts.Drop("quality", 50)], 40)
    assert [text.replace("\u202f", " ") for text in texts(svg)] == [
        "read", "100", "read", "−10 · 10.0 %", "quality", "−50 · 50.0 %", "kept", "40 · 40.0 %",
    ]  # fmt: skip
    bars = [(node.get("class"), node.get("width")) for node in parsed(svg).iter("rect")]
    assert bars == [
        ("fill accent", "98%"), ("fill accent", "88.2%"), ("fill warm", "9.8%"), ("fill accent", "39.2%"),
        ("fill warm", "49%"), ("fill accent", "39.2%"),
    ]  # fmt: skip


@pytest.mark.parametrize("numbers", [(0, 0), (1, 0), (0, 1)])
def test_river_of_nothing(numbers: tuple[int, int]) -> None:
    read, kept = numbers
    assert texts(charts.stairs(read, [charts.Drop("a", read - kept)] if read > kept else [], kept))
    assert texts(charts.river(read, [charts.Drop("a", read - kept)] if read > kept else [], kept))


def test_histogram() -> None:
    svg = charts.histogram([("2", 8, "eight"), ("3", 0, ""), ("4", 1, HOSTILE)])
    assert texts(svg) == ["8", "2", "3", "1", "4"]
    heights = [float(node.get("height", "0")) for node in parsed(svg).iter("rect")]
    assert heights[0] > heights[2] > heights[1] == 0


def test_shares_and_the_curve_under_them() -> None:
    bars = [("jaccard", "accent", [0, 2]), ("containment", "warm", [0, 1])]
    svg = charts.shares(bars, [(0, 0.0), (1, 1.0)], rules=[(0.4, "threshold")], x_title="similarity")
    heights = [float(node.get("height", "0")) for node in parsed(svg).iter("rect")]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.1)
    assert texts(svg)[:3] == ["3 at most", "probability that a pair is compared", "threshold"]
    assert len(list(parsed(svg).iter("polyline"))) == 1
    assert list(parsed(charts.shares([("a", "warm", [0, 0])], x_title="x")).iter("rect")) == []


def test_lines_label_only_those_with_a_name() -> None:
    curves = [charts.Line([(0, 5.0), (50, 2.0), (100, 1.0)], "main <1>", "accent"), charts.Line([(0, 4.0), (100, 3.0)])]
    svg = charts.lines(curves)
    assert "main <1>" in texts(svg)
    assert len(list(parsed(svg).iter("polyline"))) == 2
    assert charts.lines([charts.Line([])]) == ""


def test_single_points_are_drawn() -> None:
    svg = charts.lines([charts.Line([(10, 2.0)], "one", "accent")])
    assert len(list(parsed(svg).iter("circle"))) == 1


def test_vertical_scale_ignores_the_steep_start() -> None:
    scale = charts.settled([[(0, 100.0), (50, 2.0), (100, 1.0)]])
    assert scale.high < 3
    assert scale.low < 1


def test_scatter_drops_labels_that_would_overlap() -> None:
    points = [
        charts.Dot(1, 1, "first", "", 2),
        charts.Dot(1.001, 1.001, "second", "", 1),
        charts.Dot(9, 9, "far", "", 0.5),
    ]
    svg = charts.scatter(points, x=Scale(0, 10), y=Scale(0, 10), x_title="x", y_title="y")
    names = [node.text for node in parsed(svg).iter("text") if node.get("class") == "name"]
    assert names == ["first", "far"]
    assert len(list(parsed(svg).iter("circle"))) == 3


def test_row_charts_place_their_marks() -> None:
    scale = Scale(0, 10)
    bell = parsed(rows.dumbbell(scale, 2, 8, HOSTILE, marks=[(5, "five")]))
    assert [node.get("cx") for node in bell.iter("circle")] == ["20%", "80%"]
    assert [(node.get("x1"), node.get("x2")) for node in bell.iter("line")] == [("50%", "50%"), ("20%", "80%")]
    assert bell.findtext(".//title") == HOSTILE
    assert [node.get("width") for node in parsed(rows.bar(scale, 5)).iter("rect")] == ["50%"]
    stack = parsed(rows.stacked(scale, [(2, "c0", "a"), (0, "c1", "b"), (3, "c2", "c")]))
    assert [(node.get("x"), node.get("width")) for node in stack.iter("rect")] == [("0%", "20%"), ("20%", "30%")]
    strip = parsed(rows.strip(scale, [(1, 1, "a"), (9, 16, "b")], 5))
    radii = [float(node.get("r", "0")) for node in strip.iter("circle")]
    assert radii[0] < radii[1]


def test_one_sided_dumbbells() -> None:
    assert len(list(parsed(rows.dumbbell(Scale(0, 1), None, 0.5)).iter("circle"))) == 1
    assert len(list(parsed(rows.dumbbell(Scale(0, 1), None, None)).iter("circle"))) == 0
