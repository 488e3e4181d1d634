from __future__ import annotations

import pytest

from corpus.language_names import code_of, similar


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Swahili", "sw"),
        ("SWAHILI", "sw"),
        ("Kiswahili", "swh"),
        ("Deutsch", "de"),
        ("తెలుగు", "te"),
        ("Bokmal", "nb"),
        ("norsk bokmål", "nb"),
        ("Yorùbá", "yo"),
        ("Français", "fr"),
        ("English language", "en"),
        ("Brazilian Portuguese", "pt-BR"),
        ("Chinese (Traditional)", "zh-Hant"),
        ("Fala", "fax"),
        ("Swahilli", None),
        ("Germans", None),
        ("Swahili and more", None),
        ("language", None),
        ("", None),
    ],
)
def test_names_match_whole(name: str, code: str | None) -> None:
    assert code_of(name) == code


def test_near_names() -> None:
    assert similar("Swahilli")[0] == "Swahili"
    assert similar("xxxxxxxxxx") == []
