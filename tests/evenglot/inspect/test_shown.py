from __future__ import annotations

import pytest

from evenglot.inspect.shown import shortened, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nof two lines", "plain\ttext\nof two lines"),
        ("\x1b]0;title\x07red", r"\x1b]0;title\x07red"),
        ("\x9b31m", r"\x9b31m"),
        ("file\u202etxt.exe\u2066a\u2069", r"file\u202etxt.exe\u2066a\u2069"),
        ("so\u00adft \ufeffmark\u200b", r"so\xadft \ufeffmark\u200b"),
        ("hidden \U000e0041", r"hidden \U000e0041"),
        ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("one\n\n\n \n\ntwo\n\nthree", "one\n\ntwo\n\nthree"),
    ],
)
def test_nothing_steers_the_screen(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_long_text_shows_its_beginning_and_its_end() -> None:
    assert shortened("short", 5) == "short"
    words = " ".join(f"word{number:03}" for number in range(100))
    assert shortened(words, 40) == "word000 word001 word002 ... [760 characters] ... word098 word099"


def test_what_was_searched_for_stays_in_sight() -> None:
    text = "a " * 200 + "Needle " + "b " * 200
    shown = shortened(text, 30, "NEEDLE")
    assert shown == "[388 characters] ... a a a a a a Needle b b b b b  ... [390 characters]"
    assert shortened("Needle " + "b " * 100, 20, "needle") == "Needle b b b b b b  ... [188 characters]"


def test_a_letter_keeps_its_marks() -> None:
    text = "e\u0301" * 30
    assert not shortened(text, 21).split(" ... ")[2].startswith("\u0301")
