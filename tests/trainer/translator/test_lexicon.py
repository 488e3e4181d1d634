from __future__ import annotations

from trainer.translator.lexicon import learn

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


def test_no_pairs_copy_everything() -> None:
    assert learn([]).translate("the house") == "the house"
    assert learn([("...", "das"), ("the", "")]).translate("the house") == "the house"
