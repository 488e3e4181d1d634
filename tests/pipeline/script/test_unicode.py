"""The tables of scripts."""

from __future__ import annotations

import regex

from pipeline.script.unicode import SCRIPT_IDS, SCRIPTS, property_ranges, script_table


def test_table_agrees_with_regex_on_samples() -> None:
    table = script_table()
    for character in "aЖあア漢한กखאعԱაꦀ𐤀𠀀Ꭰ\uac00\uf900":
        name = SCRIPTS[table[ord(character)] - 1]
        assert regex.fullmatch(rf"\p{{Script={name}}}", character), character
    for character in "1 .\n,€́\ud800":
        assert table[ord(character)] == 0


def test_ranges_skip_surrogates() -> None:
    ranges = list(property_ranges("Script=Hang"))
    assert (0xAC00, 0xD7A4) in ranges
    assert not any(start < 0xE000 and stop > 0xD800 for start, stop in property_ranges("L"))
    assert list(property_ranges("Script=NoSuchScript")) == []


def test_numbers_fit_a_byte() -> None:
    assert max(SCRIPT_IDS.values()) < 256
    assert len(set(SCRIPTS)) == len(SCRIPTS)
