"""Removing what cannot be seen, and keeping what shapes letters."""

from __future__ import annotations

import pytest

from pipeline.normalise.control import repair


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        ("a\x00b\x07c\x7f", "abc"),
        ("\ufeffstart", "start"),
        ("soft\xadhyphen", "softhyphen"),
        ("ver\x1b[0mwendet \x1b[1;31mrot\x1b[0m", "verwendet rot"),
        ("left\u200eright\u202a", "leftright"),
        ("zero\u200bwidth", "zerowidth"),
        ("no\u200djoin\u200cer", "nojoiner"),
        ("wo\u2028rd", "word"),
        ("end, \x0bnext", "end, next"),
        ("One.\u2028Two", "One.\nTwo"),
        ("है कि\u2029आकाश", "है कि\nआकाश"),
        ("page\x0c", "page\n"),
    ],
)
def test_repairs(damaged: str, expected: str) -> None:
    assert repair(damaged) == expected


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cشود",  # Persian: non-joiner within a word
        "क्\u200dया",  # Hindi: half form
        "ക്\u200d",  # Malayalam: chillu
        "👩\u200d🔬 ❤️\u200d🔥",  # emoji sequences
        "ភាសា\u200bខ្មែរ",  # Khmer: break between words
        "tab\tand\nline",
    ],
)
def test_what_a_script_needs_stays(text: str) -> None:
    assert repair(text) == text
