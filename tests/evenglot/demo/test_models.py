"""The two models that ship with the demo: whole, small, and good for the demo's sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ctranslate2", reason="the demo's models run with CTranslate2 (extra 'translate')")

from evenglot.demo.build_models import AFRIKAANS, DIRECTIONS, ENGLISH, MODELS, name
from pipeline.translation.card import hash_files, read_card
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding
from pipeline.translation.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(TranslationConfig(models=tuple(str(MODELS / name(*direction)) for direction in DIRECTIONS)))


def say(engine: Engine, source: str, target: str, sentences: list[str]) -> list[str]:
    return [one.text for one in engine.translate(sentences, engine.routes.find(source, target), Decoding())]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_card_and_the_files_agree(direction: tuple[str, str]) -> None:
    folder = MODELS / name(*direction)
    card = read_card(folder)
    assert (card.name, card.pairs, card.licence) == (name(*direction), (direction,), "CC0-1.0")
    assert card.files == hash_files(folder)
    assert "for nothing else" in card.made_of
    assert "chrF on held-out sentences" in card.made_of
    assert sum(path.stat().st_size for path in Path(folder).iterdir()) <= 1_500_000


def test_sentences_of_the_demo_there_and_back(engine: Engine) -> None:
    english = [
        "The roof of the school leaks when it rains.",
        "In the morning the women buy the warm bread.",
        "My brother wants to repair the bicycle because the wheel is broken.",
        "Where does the old teacher live?",
        "The baker says that the bread is fresh.",
    ]
    afrikaans = [
        "Die dak van die skool lek wanneer dit reën.",
        "In die oggend koop die vroue die warm brood.",
        "My broer wil die fiets regmaak omdat die wiel stukkend is.",
        "Waar woon die ou onderwyser?",
        "Die bakker sê dat die brood vars is.",
    ]
    assert say(engine, ENGLISH, AFRIKAANS, english) == afrikaans
    assert say(engine, AFRIKAANS, ENGLISH, afrikaans) == english
