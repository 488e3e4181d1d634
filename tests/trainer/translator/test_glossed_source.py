from __future__ import annotations

from corpus.lexicon import Lexicon
from corpus.translations import SentencePair
from tests.trainer.translator.conftest import reversed_words
from trainer.translator.glossed_source import cross_glossed, through

PAIRS = reversed_words(80)


def test_sources_come_through_the_lexicon_of_their_direction() -> None:
    known = {("eng_Latn", "afr_Latn"): Lexicon({"dog": "hond"}), ("eng_Latn", "nld_Latn"): Lexicon({"dog": "honden"})}
    pairs = [SentencePair("eng_Latn", "nld_Latn", "Dog!", "Hond!"), SentencePair("eng_Latn", "afr_Latn", "a dog", "x")]
    assert through(pairs, known) == [
        SentencePair("eng_Latn", "nld_Latn", "Honden!", "Hond!"),
        SentencePair("eng_Latn", "afr_Latn", "a hond", "x"),
    ]


def test_a_sentence_teaches_the_lexicon_of_the_others_only() -> None:
    once = SentencePair("eng_Latn", "afr_Latn", "the dog sees Kampala", "ehto godo seeso Kampalo")
    found = cross_glossed([*PAIRS, once])
    assert found[-1] == once._replace(text="ehto godo seeso Kampala")
    # Each of its own words is met elsewhere too, so that all other sentences come out as they should.
    assert [pair.text for pair in found[:-1]] == [pair.translation for pair in PAIRS]
    assert [pair.translation for pair in found[:-1]] == [pair.translation for pair in PAIRS]


def test_folds_go_by_the_pairs_and_the_seed() -> None:
    mixed = [*reversed_words(12), *reversed_words(12, "nld_Latn", "en")]
    assert sorted(cross_glossed(mixed)) == sorted(cross_glossed(mixed[::-1]))
    seeds = {tuple(pair.text for pair in cross_glossed(mixed, seed)) for seed in range(5)}
    assert len(seeds) > 1
    alone = SentencePair("eng_Latn", "afr_Latn", "River!", "Reviro!")
    assert cross_glossed([alone]) == [alone._replace(text="Reviro!")]
