from __future__ import annotations

import re
from collections.abc import Callable

from evenglot.report.blocks import Figure, HeatMaps, Table
from evenglot.report.build import render
from evenglot.report.config import ReportConfig
from evenglot.report.course import Conflict, Course
from evenglot.report.sections.conflict import conflict, readable, shade
from evenglot.report.sections.context import Context
from evenglot.report.sections.lines import spaced

GROUPS = {"Latn": ["eng_Latn"], "Arab": ["arb_Arab"], "others": ["heb_Hebr"]}


Given = Callable[..., Context]


def measured(step: int, low: float) -> Conflict:
    cosines = {("Latn", "Latn"): 0.5, ("Latn", "Arab"): low, ("Arab", "Arab"): 0.4, ("Latn", "others"): 0.2}
    return Conflict(step, step * 1000.0, GROUPS, cosines)


def test_opposed_groups_are_named_and_the_first_and_last_matrix_drawn(given: Given) -> None:
    course = Course(conflicts=[measured(step, 0.1 - step / 100) for step in range(10, 90, 10)])
    section = conflict(given(course))
    assert section is not None
    assert section.finding == (
        "At step 80 the gradients of 1 of 2 pairs of groups oppose each other, those of Latin and Arabic most (−0.70). "
        "Two halves of one group’s own documents reach +0.45 in the median."
    )
    maps, pairs = section.blocks
    assert isinstance(maps, HeatMaps)
    assert [one.title for one in maps.maps] == [
        f"step {step} · {step}k tokens" for step in (10, 20, 40, 50, 70, 80)
    ]  # fmt: skip
    assert (maps.low, maps.high, maps.note) == ("−0.70", "+0.70", "6 measurements of 8, evenly spaced.")
    assert maps.maps[-1].names == [("Latin", "English"), ("Arabic", "Standard Arabic"), ("others", "Hebrew")]
    assert maps.maps[-1].cells == [
        [
            (".50", "a7", "two halves of Latin: +0.500"),
            ("−.70", "h10", "Latin and Arabic: −0.700"),
            (".20", "a3", "Latin and others: +0.200"),
        ],
        [
            ("−.70", "h10", "Arabic and Latin: −0.700"),
            (".40", "a6", "two halves of Arabic: +0.400"),
            ("", "", "Arabic and others: not measured yet"),
        ],
        [
            (".20", "a3", "others and Latin: +0.200"),
            ("", "", "others and Arabic: not measured yet"),
            ("", "", "two halves of others: not measured yet"),
        ],
    ]
    assert isinstance(pairs, Table)
    assert pairs.groups[0].rows == [
        ["Latin and Arabic", "0.00", "−0.70", "+0.50", "+0.40"],
        ["Latin and others", "+0.20", "+0.20", "+0.50", ""],
    ]


def test_groups_that_agree_are_not_said_to_oppose(given: Given) -> None:
    section = conflict(given(Course(conflicts=[measured(10, 0.1)])))
    assert section is not None
    assert section.finding.startswith(
        "At step 10 no two groups’ gradients oppose each other; the lowest cosine is that of Latin and Arabic (+0.10). "
    )


def test_groups_that_never_met(given: Given) -> None:
    alone = Conflict(10, 1000.0, GROUPS, {("Latn", "Latn"): 0.5})
    section = conflict(given(Course(conflicts=[alone])))
    assert section is not None
    assert section.finding == "No two groups were measured in the same step."
    assert [block.kind for block in section.blocks] == ["heatmaps"]


def test_parts_and_norms_are_drawn_over_tokens(given: Given) -> None:
    course = Course(
        conflicts=[measured(10, 0.1), measured(20, 0.1)],
        shares={"Latn": [(10.0, 0.75), (20.0, 1.25)], "Arab": [(10.0, 0.25), (20.0, -0.25)]},
        norms={"Latn": [(10.0, 1.0), (20.0, 3.5)]},
        blocks={"0": [(10.0, 0.5)]},
    )
    section = conflict(given(course))
    assert section is not None
    shares, norms = [block for block in section.blocks if isinstance(block, Figure)]
    texts = [
        re.findall(r'class="label \w+">(?:<title>[^<]*</title>)?([^<]+)<', str(one.svg)) for one in (shares, norms)
    ]
    assert texts == [["Latin 125\u202f%", "Arabic −25.0\u202f%"], ["Latin 3.5"]]


def test_the_page_holds_the_matrix_as_a_table(given: Given) -> None:
    page = render(given(Course(conflicts=[measured(10, -0.3)])).facts, ReportConfig())
    assert '<section id="conflict"' in page
    assert "<caption>step 10 · 10k tokens</caption>" in page
    assert '<th scope="row" title="Standard Arabic">Arabic</th>' in page
    assert '<td class="h6" title="Arabic and Latin: −0.300">−.30</td>' in page
    assert '<td class="a8 own" title="two halves of Arabic: +0.400">.40</td>' in page


def test_a_run_that_measured_none_shows_nothing(given: Given) -> None:
    assert conflict(given(Course())) is None
    assert "conflict" not in render(given(Course()).facts, ReportConfig()).partition("<main")[2]


def test_places_shades_and_names(given: Given) -> None:
    assert spaced(3, 6) == [0, 1, 2]
    assert spaced(15, 6) == [0, 3, 6, 8, 11, 14]
    assert [shade(value, 0.5) for value in (0.5, -0.5, 0.02, 0.0, 0.9)] == ["a10", "h10", "", "", "a10"]
    assert shade(0.0, 0.0) == ""
    assert [readable(given(Course()), name) for name in ("Hans", "Zzzx", "eng_Latn", "size 1 of 4")] == [
        "Simplified Han", "Zzzx", "English", "size 1 of 4",
    ]  # fmt: skip
