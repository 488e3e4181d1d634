from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import InputError
from corpus.lexicon import LEXICON, Lexicon, read_lexicons, words, write_lexicons

GERMAN = Lexicon({"the": "das", "house": "haus", "book": "buch"})


def test_words_are_replaced_one_by_one() -> None:
    assert GERMAN.translate("The house, the “Book”!") == "Das haus, das “Buch”!"


def test_unknown_words_are_copied() -> None:
    assert GERMAN.translate("the Kigali book - 1994") == "das Kigali buch - 1994"


def test_punctuation_is_cut_from_both_ends() -> None:
    assert [tuple(word) for word in words("(he's “x-y”) ?! ok")] == [
        ("(", "he's", ""),
        ("“", "x-y", "”)"),
        ("?!", "", ""),
        ("", "ok", ""),
    ]


@given(st.text())
def test_words_lose_no_letter(text: str) -> None:
    assert " ".join("".join(word) for word in words(text)) == " ".join(text.split())


def test_a_folder_keeps_lexicons_by_direction(tmp_path: Path) -> None:
    assert read_lexicons(tmp_path) == {}
    write_lexicons(tmp_path, {("eng_Latn", "deu_Latn"): GERMAN, ("deu_Latn", "eng_Latn"): Lexicon({"über": "over"})})
    found = read_lexicons(tmp_path)
    assert {name: one.table for name, one in found.items()} == {
        "deu_Latn-eng_Latn": {"über": "over"},
        "eng_Latn-deu_Latn": {"book": "buch", "house": "haus", "the": "das"},
    }


@pytest.mark.parametrize("text", ["[", "[]", '{"eng_Latn-deu_Latn": 3}', '"x"'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / LEXICON).write_text(text)
    with pytest.raises(InputError, match=r"lexicon\.json holds no lexicons"):
        read_lexicons(tmp_path)
