from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainer.translator.lexicon import learn, words

PAIRS = [
    ("the house", "das Haus"),
    ("the book", "das Buch"),
    ("a book", "ein Buch"),
    ("The house.", "Das Haus."),
]


def test_learns_words_from_sentences() -> None:
    lexicon = learn(PAIRS)
    assert lexicon.table == {"the": "das", "house": "haus", "book": "buch", "a": "ein"}
    assert lexicon.translate("A house, the “Book”!") == "Ein haus, das “Buch”!"


def test_unknown_words_are_copied() -> None:
    assert learn(PAIRS).translate("the Kigali book - 1994") == "das Kigali buch - 1994"


def test_no_pairs_copy_everything() -> None:
    assert learn([]).translate("the house") == "the house"
    assert learn([("...", "das"), ("the", "")]).translate("the house") == "the house"


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
