from __future__ import annotations

from corpus.translations import SentencePair
from tests.trainer.translator.conftest import reversed_words
from trainer.translator.glosses import glossed, lexicons, phrase_pairs, word_pairs

PAIRS = reversed_words(60)
KNOWN = lexicons(PAIRS)


def test_word_pairs_are_what_both_lexicons_say() -> None:
    found = word_pairs(PAIRS, KNOWN)
    assert {pair.direction for pair in found} == {("eng_Latn", "afr_Latn")}
    made = {pair.text: pair.translation for pair in found}
    assert made["dog"] == "godo"
    assert made["river"] == "reviro"
    assert len(made) == len(found)
    for text, translation in made.items():
        assert KNOWN["eng_Latn", "afr_Latn"].table[text] == translation
        assert KNOWN["afr_Latn", "eng_Latn"].table[translation] == text


def test_phrases_are_translated_by_nothing_but_themselves() -> None:
    found = phrase_pairs(PAIRS)
    # Words keep their order in this language, so every stretch of a sentence is a phrase; single words are not.
    stretches = {
        (" ".join(given[a:b]), " ".join(made[a:b]))
        for pair in PAIRS
        for given, made in [(pair.text.split(), pair.translation.split())]
        for a in range(len(given))
        for b in range(a + 2, len(given) + 1)
    }
    assert {(pair.text, pair.translation) for pair in found} <= stretches
    assert len(found) > 0.9 * len(stretches)
    assert len(phrase_pairs(PAIRS, most=7)) == 7
    turned = [pair._replace(translation=" ".join(pair.translation.split()[::-1])) for pair in PAIRS]
    made = {(pair.text, pair.translation) for pair in phrase_pairs(turned)}
    assert ("the dog", "godo ehto") in made or ("a dog", "godo ao") in made
    assert not any(pair.text == "" for pair in found)


def test_glosses_have_the_natural_text_as_target_and_copy_names() -> None:
    texts = {"afr_Latn": ["Godo taco Nozibele.", "zzz yyy qqq", PAIRS[0].translation, "Godo taco Nozibele."]}
    # A sentence of unknown words, one that is translated and a repeated one are left out.
    assert glossed(PAIRS, KNOWN, texts) == [
        SentencePair("eng_Latn", "afr_Latn", "Dog cat Nozibele.", "Godo taco Nozibele.")
    ]


def test_glosses_are_chosen_by_hash() -> None:
    words = ("godo", "taco", "reviro", "dero", "dloo")
    texts = [f"{a} {b} {c}" for a in words for b in words for c in words]
    few = glossed(PAIRS, KNOWN, {"afr_Latn": texts}, seed=1, most=10)
    assert len(few) == 10
    assert few == glossed(PAIRS, KNOWN, {"afr_Latn": texts[::-1]}, seed=1, most=10)
    assert few != glossed(PAIRS, KNOWN, {"afr_Latn": texts}, seed=2, most=10)
    assert glossed(PAIRS, KNOWN, {}) == []
