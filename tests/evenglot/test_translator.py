from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import ConfigurationError, InputError
from corpus.lexicon import read_lexicons
from evenglot import translator
from evenglot.recipe.load import load_recipe
from evenglot.recipe.models import Recipe
from pipeline.translation.card import check_files, read_card
from tests.pipeline.conftest import text_corpus
from tests.trainer.translator.conftest import reversed_words

SMALL = {
    "vocabulary": 60,
    "model": {"dimensions": 32, "encoder_layers": 1, "decoder_layers": 1, "positions": 48},
    "steps": 40,
    "batch_tokens": 512,
    "learning_rate": 0.01,
    "evaluate_every": 20,
    "threads": 1,
}


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    path = tmp_path / "reversed.jsonl"
    rows = zip(reversed_words(150), reversed_words(150, "nld_Latn", "en"), strict=True)
    with path.open("w") as stream:
        for number, (afr, nld) in enumerate(rows):
            split = "test" if number < 10 else "dev" if number < 20 else "train"
            text = {"eng_Latn": afr.text, "afr_Latn": afr.translation, "nld_Latn": nld.translation}
            stream.write(json.dumps({"split": split, "text": text}) + "\n")
    settings: dict[str, Any] = {
        "parallel": {"inputs": [{"path": str(path)}]},
        "translator": {**SMALL, "pairs": ["eng_Latn-afr_Latn", "eng_Latn-nld_Latn"]},
    }
    return load_recipe(base=("test", settings))


def test_fit_leaves_a_model_folder_with_card_and_scores(tmp_path: Path, recipe: Recipe) -> None:
    result = translator.fit(recipe, str(tmp_path / "run"), name="small", licence="CC0-1.0")
    card = read_card(tmp_path / "run" / "model")
    check_files(tmp_path / "run" / "model", card)
    assert (card.name, card.family, card.licence) == ("small", "marian", "CC0-1.0")
    assert card.pairs == (("eng_Latn", "afr_Latn"), ("eng_Latn", "nld_Latn"))
    assert card.codes == {"afr_Latn": "afr", "nld_Latn": "nld"}
    assert "260 sentence pairs of reversed (eng_Latn-afr_Latn 130, eng_Latn-nld_Latn 130)" in card.made_of
    assert f"chrF on held-out test sentences: eng_Latn-afr_Latn {result['scores']['eng_Latn-afr_Latn']['model']['chrf']:.1f}" in card.made_of  # fmt: skip # noqa: E501
    written = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert written == {"model": card.generator, "part": "test", "directions": result["scores"]}
    for scores in written["directions"].values():
        assert (scores["sentences"], scores["training_pairs"], scores["failed"]) == (10, 130, 0)
        # Every word has one translation: the lexicon cannot err.
        assert scores["word_by_word"]["chrf"] == 100
        assert 0 < scores["copy"]["chrf"] < 60
    again = translator.score(recipe, str(tmp_path / "run"), "test")
    assert again["directions"] == result["scores"]
    dev = translator.score(recipe, str(tmp_path / "run" / "model"), "dev", output=str(tmp_path / "dev.json"))
    assert dev["written"] == str(tmp_path / "dev.json")
    assert json.loads((tmp_path / "dev.json").read_text())["part"] == "dev"
    with pytest.raises(ConfigurationError, match="there is no part 'all'"):
        translator.score(recipe, str(tmp_path / "run"), "all")
    other = recipe.model_copy(
        update={"translator": recipe.translator.model_copy(update={"pairs": ("afr_Latn-eng_Latn",)})}
    )
    with pytest.raises(ConfigurationError, match="does not translate from afr_Latn to eng_Latn"):
        translator.score(other, str(tmp_path / "run"), "test")


def test_a_model_of_glossed_sources_carries_its_lexicon(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "glossed_source": True,
        "copying_start": True,
        "phrase_pairs": 0.5,
        "word_pairs": 0.5,
        "glosses": 0.5,
        "steps": 100,
    }
    more = recipe.model_copy(update={"translator": recipe.translator.model_copy(update=settings)})
    texts = [f"{pair.translation} taco reviro." for pair in reversed_words(30)]
    corpus = text_corpus(tmp_path / "corpus", {"afr_Latn": texts}, {"afr_Latn": ["Gibo dero ao."]})
    result = translator.fit(more, str(tmp_path / "run"), corpus=corpus)
    folder = tmp_path / "run" / "model"
    check_files(folder, read_card(folder))
    assert "lexicon.json" in read_card(folder).files
    tables = {name: lexicon.table for name, lexicon in read_lexicons(folder).items()}
    assert set(tables) == {"eng_Latn-afr_Latn", "eng_Latn-nld_Latn"}
    assert tables["eng_Latn-nld_Latn"]["river"] == "reviren"
    again = translator.fit(more, str(tmp_path / "run"), corpus=corpus)
    assert again["scores"] == result["scores"]
    # It has learnt to read the words of its lexicon, and is lost without them: 44 to 61 and 4 to 18 over six seeds.
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.translation.families.read_lexicons", lambda folder: {})
        lost = translator.score(more, str(tmp_path / "run"), "test")["directions"]
    for direction, scores in result["scores"].items():
        assert scores["model"]["chrf"] > scores["copy"]["chrf"]
        assert scores["model"]["chrf"] > 1.5 * lost[direction]["model"]["chrf"]


def test_glosses_of_a_corpus_and_words_are_shown_beside_the_pairs(tmp_path: Path, recipe: Recipe) -> None:
    settings = {
        "glosses": 0.5,
        "word_pairs": 0.5,
        "subword_sampling": 0.3,
        "source_dropout": 0.1,
        "target_dropout": 0.2,
        "steps": 10,
    }
    more = recipe.model_copy(update={"translator": recipe.translator.model_copy(update=settings)})
    texts = [f"{pair.translation} taco reviro. Zzz yyy qqq www." for pair in reversed_words(30)]
    corpus = text_corpus(tmp_path / "corpus", {"afr_Latn": texts}, {"afr_Latn": ["Gibo dero ao."]})
    result = translator.fit(more, str(tmp_path / "run"), corpus=corpus)
    # Fourteen words of each language, and thirty sentences in one of them.
    assert result["fit"]["beside"] == {"eng_Latn-afr_Latn": 44, "eng_Latn-nld_Latn": 14}
    assert result["fit"]["pairs"] == {"eng_Latn-afr_Latn": 130, "eng_Latn-nld_Latn": 130}
    with pytest.raises(ConfigurationError, match="takes sentences of a corpus"):
        translator.fit(more, str(tmp_path / "other"))


def test_mistakes_are_said(tmp_path: Path, recipe: Recipe) -> None:
    run = str(tmp_path / "run")
    none = recipe.model_copy(update={"translator": recipe.translator.model_copy(update={"pairs": ()})})
    with pytest.raises(ConfigurationError, match="no direction is given"):
        translator.fit(none, run)
    wrong = recipe.model_copy(
        update={"translator": recipe.translator.model_copy(update={"pairs": ("eng_Latn-kam_Latn",)})}
    )
    with pytest.raises(InputError, match="no sentence pairs to train eng_Latn-kam_Latn on"):
        translator.fit(wrong, run)
    empty = recipe.model_copy(update={"parallel": recipe.parallel.model_copy(update={"inputs": ()})})
    with pytest.raises(ConfigurationError, match="no parallel text is given"):
        translator.fit(empty, run)
    with pytest.raises(InputError, match="is no model folder"):
        translator.score(recipe, run, "test")
    assert not (tmp_path / "run").exists()
