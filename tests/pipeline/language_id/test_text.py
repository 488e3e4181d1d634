from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.language_id.text import clean, windows


def test_clean_keeps_letters_marks_and_apostrophes() -> None:
    given_texts = [
        "Hello, WORLD! 12:30",
        "नमस्ते दुनिया ४२",
        "l\u2019homme d\u2018eau",
        "see http://a.example/b?c=1 or mail@b.example &amp; <b>bold</b>",
        "ක්\u200dරි",
        "tone\u00b2",
        "12.5 % ★",
        "a\nb\tc",
        "lone \ud800 surrogate",
    ]
    assert [" ".join(text.split()) for text in clean(given_texts)] == [
        "hello world",
        "नमस्ते दुनिया",
        "l'homme d'eau",
        "see or mail bold".replace("mail ", ""),
        "ක්රි",
        "tone\u00b2",
        "",
        "a b c",
        "lone surrogate",
    ]


def test_clean_of_nothing() -> None:
    assert clean([]) == []


@given(st.lists(st.text(max_size=60), max_size=8))
def test_clean_gives_one_line_for_each_text_whatever_stands_beside_it(texts: list[str]) -> None:
    cleaned = clean(texts)
    assert len(cleaned) == len(texts)
    assert not any("\n" in text for text in cleaned)
    assert cleaned == [clean([text])[0] for text in texts]


def test_windows_of_a_short_text_are_the_text() -> None:
    assert windows("a short text", 6, 160) == ["a short text"]


def test_windows_cut_at_spaces() -> None:
    assert windows("aaaa bbbb cccc dddd eeee ffff", 3, 10) == ["aaaa bbbb cccc", " dddd eeee", " eeee ffff"]


def test_windows_do_not_cut_an_address_in_two() -> None:
    lines = "\n".join(f"https://news.site{number}.example/story/{number * 7919}.html" for number in range(40))
    assert [text.strip() for text in clean(windows(lines, 4, 200))] == ["", "", "", ""]


@given(st.text(alphabet="ab \u0905", max_size=900), st.integers(1, 5), st.integers(32, 200))
def test_windows_are_bounded_and_cover_what_fits(text: str, count: int, size: int) -> None:
    pieces = windows(text, count, size)
    assert 1 <= len(pieces) <= count or (len(pieces) == 1 and len(text) <= size)
    assert all(piece in text and len(piece) <= size + 48 for piece in pieces)
    if len(text) <= count * size:
        assert sum(map(len, pieces)) >= len(text) - 48 * len(pieces)
