from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from corpus.errors import ConfigurationError
from pipeline.language_id.romanise import romanised, spellings
from pipeline.language_id.sources import Unit


def test_spellings_as_the_tool_and_as_people_write() -> None:
    plain, loose, other = spellings("Hamaarii paddosan")
    assert (plain, loose) == ("hamaarii paddosan", "hamari padosan")
    assert len(other) <= len(plain)
    assert spellings("Hamaarii paddosan") == (plain, loose, other)


def test_text_in_other_scripts_comes_in_latin_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tool:
        def romanize_string(self, text: str, lcode: str) -> str:
            return f"{lcode}:{len(text)}"

    monkeypatch.setitem(sys.modules, "uroman", SimpleNamespace(Uroman=Tool))
    long = "да " * 7_000
    units = [
        Unit("rus_Cyrl", long, "ntrex", "a"),
        Unit("srp_Cyrl", long, "ntrex", "a"),
        Unit("oss_Cyrl", "да", "udhr", "a"),
        Unit("jpn_Jpan", "はい" * 20_000, "ntrex", "a"),
        Unit("eng_Latn", "yes " * 10_000, "ntrex", "a"),
    ]
    found = list(romanised(units, frozenset({"srp_Latn", "eng_Latn"}), cap=100))
    assert {unit.tag for unit in found} == {"rus_Latn"}, "not: written so anyway, too little text, no words, Latin"
    assert next(unit.text for unit in found) == "rus:100"
    assert {unit.group for unit in found} == {"a"}


def test_a_missing_tool_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uroman", None)
    with pytest.raises(ConfigurationError, match="not installed"):
        list(romanised([], frozenset(), 10))
