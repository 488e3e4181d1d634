from __future__ import annotations

import numpy as np
import pytest

from pipeline.language_id.ensemble import Ensemble, agree
from pipeline.language_id.model import load_model
from pipeline.language_id.prediction import Prediction

OURS = frozenset({"eng_Latn", "fra_Latn", "zxx"})
THEIRS = frozenset({"eng_Latn", "ewe_Latn", "gej_Latn"})


@pytest.mark.parametrize(
    ("first", "second", "kept", "score"),
    [
        ("eng_Latn", "eng_Latn", "eng_Latn", 0.7),  # both know it and agree
        ("fra_Latn", "eng_Latn", "fra_Latn", 0.8),  # only the first knows French, and it denies English
        ("eng_Latn", "ewe_Latn", "ewe_Latn", 0.6),  # only the second knows Ewe, and it denies English
        ("fra_Latn", "ewe_Latn", "und", 0.0),  # each gives what the other cannot
        ("und", "ewe_Latn", "ewe_Latn", 0.6),  # the first abstains on what it does not know
        ("und", "eng_Latn", "und", 0.0),  # the first knows English and did not find it
        ("zxx", "eng_Latn", "zxx", 0.8),
        ("und", "und", "und", 0.0),
    ],
)
def test_two_models(first: str, second: str, kept: str, score: float) -> None:
    votes = [Prediction([first], np.array([0.8], np.float32)), Prediction([second], np.array([0.6], np.float32))]
    found = agree(votes, [OURS, THEIRS])
    assert found.tags == [kept]
    assert found.scores.tolist() == pytest.approx([score])
    assert found.scores.dtype == np.float32
    swapped = agree(votes[::-1], [THEIRS, OURS])
    assert (swapped.tags, swapped.scores.tolist()) == (found.tags, found.scores.tolist())


def test_three_models_and_no_documents() -> None:
    votes = [Prediction([tag], np.array([0.9], np.float32)) for tag in ("fra_Latn", "fra_Latn", "ewe_Latn")]
    assert agree(votes, [OURS, OURS, THEIRS]).tags == ["und"]
    assert agree([Prediction([], np.zeros(0, np.float32))] * 2, [OURS, THEIRS]).scores.shape == (0,)


def test_an_ensemble_is_loaded_by_a_list_of_names(foreign_model: object) -> None:
    names = ("evenglot", str(foreign_model))
    both = load_model(names)
    assert isinstance(both, Ensemble)
    assert set(both.tags) == set(load_model().tags) | {"und"}
    facts = both.describe()
    assert facts["name"] == f"evenglot + {foreign_model}"
    assert facts["licence"] == "CC BY-SA 4.0; unknown"
    assert [part["name"] for part in facts["members"]] == list(names)
    assert len(facts["hash"]) == 32
    texts = ["the house stands by the river and the children play in the garden", "Das Haus steht am Fluss im Garten."]
    assert both.predict(texts).tags == ["eng_Latn", "deu_Latn"]
