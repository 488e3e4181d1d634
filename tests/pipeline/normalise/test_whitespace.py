"""Blanks and line ends."""

from __future__ import annotations

import time

import pytest

from pipeline.normalise.whitespace import repair


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        ("a  b   c", "a b c"),
        ("a\xa0b\u3000c\u2003d", "a b c d"),
        ("a \nb\t\nc", "a\nb\nc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("a\n \n \n \n \nb", "a\n\n\nb"),
        ("  a\n", "a"),
        ("x\t\ty", "x\ty"),
        ("if a:\n    b = 1", "if a:\n    b = 1"),
        ("a\n\nb\n\n\nc", "a\n\nb\n\n\nc"),
        (" \n\t ", ""),
    ],
)
def test_repairs(damaged: str, expected: str) -> None:
    assert repair(damaged) == expected
    assert repair(expected) == expected


@pytest.mark.parametrize("text", [" " * 200_000 + "x", "x" + " \t" * 100_000 + "y", "\n \n" * 100_000])
def test_long_runs_take_linear_time(text: str) -> None:
    started = time.process_time()
    repair(text)
    assert time.process_time() - started < 5
