"""What the demo's models are called and said to be; building them takes too long for a test."""

from __future__ import annotations

from evenglot.demo.build_models import AFRIKAANS, ENGLISH, SETTINGS, Scores, made_of, name, sides
from evenglot.demo.parallel.lexicon import Pair
from evenglot.demo.parallel.pairs import ParallelText
from trainer.translator.config import TranslatorConfig

PAIRS = (Pair("The cat sleeps.", "Die kat slaap."), Pair("It rains.", "Dit reën."))
TEXT = ParallelText(PAIRS, PAIRS[:1], PAIRS[1:])


def test_sides_by_direction() -> None:
    assert name(AFRIKAANS, ENGLISH) == "demo-afr-eng"
    assert sides(PAIRS, ENGLISH) == (["The cat sleeps.", "It rains."], ["Die kat slaap.", "Dit reën."])
    assert sides(PAIRS, AFRIKAANS) == (["Die kat slaap.", "Dit reën."], ["The cat sleeps.", "It rains."])


def test_the_card_says_what_the_model_is_good_for() -> None:
    said = made_of(TEXT, Scores(97.25, 80.0, 21.04))
    assert "on 2 English and Afrikaans sentences written for the demo" in said
    assert said.endswith(
        "chrF on held-out sentences: 97.2 on 1 of the grammar, 80.0 on 1 written by hand (copying the source: 21.0)."
    )
    assert "for nothing else" in made_of(TEXT)


def test_the_settings_are_those_of_a_recipe() -> None:
    assert TranslatorConfig.model_validate(SETTINGS).model.decoder_layers == 1
