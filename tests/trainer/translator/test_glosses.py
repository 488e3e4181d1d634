from __future__ import annotations

from corpus.translations import SentencePair
from tests.trainer.translator.conftest import reversed_words
from trainer.translator.glosses import glossed, lexicons, word_pairs

PAIRS = reversed_words(60)


def test_word_pairs_are_what_both_lexicons_say() -> None:
    found = word_pairs(PAIRS)
    assert {pair.direction for pair in found} == {("eng_Latn", "afr_Latn")}
    made = {pair.text: pair.translation for pair in found}
    assert made["dog"] == "godo"
    assert made["river"] == "reviro"
    assert len(made) == len(found)
    known = lexicons(PAIRS)
    for text, translation in made.items():
        assert known["eng_Latn", "afr_Latn"].table[text] == translation
        assert known["afr_Latn", "eng_Latn"].table[translation] == text


def test_glosses_have_the_natural_text_as_target_and_copy_names() -> None:
    texts = {"afr_Latn": ["Godo taco Nozibele.", "zzz yyy xxx", PAIRS[0].translation, "Godo taco Nozibele."]}
    # A sentence of unknown words, one that is translated and a repeated one are left out.
    assert glossed(PAIRS, texts) == [SentencePair("eng_Latn", "afr_Latn", "Dog cat Nozibele.", "Godo taco Nozibele.")]


def test_glosses_are_chosen_by_hash() -> None:
    words = ("godo", "taco", "reviro", "dero", "dloo")
    texts = [f"{a} {b} {c}" for a in words for b in words for c in words]
    few = glossed(PAIRS, {"afr_Latn": texts}, seed=1, most=10)
    assert len(few) == 10
    assert few == glossed(PAIRS, {"afr_Latn": texts[::-1]}, seed=1, most=10)
    assert few != glossed(PAIRS, {"afr_Latn": texts}, seed=2, most=10)
    assert glossed(PAIRS, {}) == []
