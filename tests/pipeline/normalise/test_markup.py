"""Removing HTML, and only HTML."""

from __future__ import annotations

import time

import pytest

from pipeline.normalise.markup import repair


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        ("<p>One.</p><p>Two <b>bold</b> words.</p>", "\nOne.\n\nTwo bold words.\n"),
        ('<div class="content">Text<br/>more</div>', "\nText\nmore\n"),
        ("Tom &amp; Jerry &#39;s &quot;house&quot;&nbsp;here", 'Tom & Jerry \'s "house"\xa0here'),
        ("quelqu&amp;#39;un", "quelqu'un"),
        ("a <!-- hidden\nremark --> b", "a   b"),
        ("<style>p { color: red }</style><p>Text</p>", " \nText\n"),
        ("<script>if (a < b) { go(); }</script><p>Text</p>", " \nText\n"),
        ("<!DOCTYPE html><p>x</p>", " \nx\n"),
        ("&#x4e2d;&#25991;", "中文"),
    ],
)
def test_markup_goes(damaged: str, expected: str) -> None:
    assert repair(damaged) == expected


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d then",
        "Map<String, List<int>> x = new Map<>();",
        "The <script> tag runs programs.",
        "an <IMG tag do not work in Firefox",
        "AT&T, R&D; fish & chips &unknown; &notanentity",
        "x <- y; <3 ; <Logos>",
    ],
)
def test_what_is_no_markup_stays(text: str) -> None:
    assert repair(text) == text


@pytest.mark.parametrize("unit", ["<!--", "<script>", "<a ", "<p ", "&amp;", "<", "</script><script>", "<a b="])
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    started = time.process_time()
    repair(unit * 50_000)
    assert time.process_time() - started < 5
