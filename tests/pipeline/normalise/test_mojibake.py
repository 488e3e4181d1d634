"""Undoing wrong decoding."""

from __future__ import annotations

import pytest

from pipeline.normalise.mojibake import repair

GERMAN = "Fünf größere Bäume stehen über dem Fluß, »schön« sagte er."
HINDI = "मैं हर सुबह नदी के किनारे टहलने जाता हूँ।"
RUSSIAN = "Он вышел на улицу и увидел, что снег уже растаял, а на деревьях появились первые листья."
JAPANESE = "これはコーディングスタイルのガイドラインです。npm run lint を実行すると問題が表示されます。"


@pytest.mark.parametrize("text", [GERMAN, HINDI, RUSSIAN, JAPANESE])
@pytest.mark.parametrize("times", [1, 2])
def test_utf8_read_as_latin1_once_and_twice(text: str, times: int) -> None:
    damaged = text
    for _ in range(times):
        damaged = damaged.encode("utf-8").decode("latin-1")
    assert damaged != text
    assert repair(damaged) == text


def test_utf8_read_as_windows_1252() -> None:
    assert repair(GERMAN.encode().decode("cp1252")) == GERMAN


def test_utf8_read_as_windows_1251() -> None:
    assert repair("привет, дорогие друзья".encode().decode("cp1251")) == "привет, дорогие друзья"


def test_windows_1251_read_as_latin1() -> None:
    assert repair(RUSSIAN.encode("cp1251").decode("latin-1")) == RUSSIAN


def test_shift_jis_read_as_latin1() -> None:
    assert repair(JAPANESE.encode("cp932").decode("latin-1")) == JAPANESE


def test_one_broken_line_among_whole_ones() -> None:
    whole = "日本語の行です"
    broken = "unwillkürlich griff ich mit zitternden Händen".encode().decode("latin-1")
    assert repair(f"{whole}\n{broken}") == f"{whole}\nunwillkürlich griff ich mit zitternden Händen"


def test_controls_that_stand_for_windows_quotes() -> None:
    assert repair("He said \x93yes\x94 \x97 twice") == "He said “yes” — twice"


@pytest.mark.parametrize(
    "text",
    [
        "« Été » – déjà vu ? Où ça… à côté », dit-il",
        "ÆØÅ æøå ÞÐ Ýmir þóð: Íslendingasögur",
        "ΑΒΓ αβγ Καλημέρα",
        "СССР и РСФСР",
        "Ăsta e un Șarpe Țăran",
        "âme, ÂGE, Ã, Ñandú",
        "plain ASCII text",
        "Greek read as Latin-1 stays: " + "Ç ãëþóóá ôçò ÅëëçíéêÞò åßíáé ðïëý ðáëéÜ êáé ùñáßá",
    ],
)
def test_text_in_order_is_left_alone(text: str) -> None:
    assert repair(text) == text
