"""Translation models with random weights: their text is noise, but always the same noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.random_models import random_marian
from pipeline.translation.card import ModelCard
from pipeline.translation.config import TranslationConfig
from pipeline.translation.engine import Engine

SENTENCES: tuple[str, ...] = (
    "Rain.",
    "The goats came home.",
    "Bread is baked in the morning, before the market opens.",
    "Nobody had seen the river so low since the year of the long drought.",
    "My grandmother kept seeds of every plant in small jars on a shelf above the door.",
    "When the bus broke down on the hill, the driver asked us to walk to the next village and wait there.",
    "Where are you going?",
    "The school needs a new roof.",
    "Two boats left the harbour at dawn, and only one of them came back with fish enough to sell in the town.",
    "He mended the net, counted the hooks, and said that the wind would turn before evening.",
    "Salt!",
    "A child who reads aloud to others learns the words twice, and remembers them for longer than those who only hear.",
    "The old road over the pass is closed in winter; letters come by way of the lake, and they take nine days.",
    "She sang.",
    "In the dry season the wells are opened one after another, so that each village has water for the same time.",
)
MakeModel = Callable[..., ModelCard]
MakeEngine = Callable[..., Engine]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model from English to Swahili and back."""
    folder = tmp_path_factory.mktemp("model") / "there"
    random_marian(folder, SENTENCES, [("eng_Latn", "swh_Latn"), ("swh_Latn", "eng_Latn")], name="there", end=6.0)
    return folder


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model from Swahili to Hausa."""
    folder = tmp_path_factory.mktemp("model") / "on"
    random_marian(folder, SENTENCES, [("swh_Latn", "hau_Latn")], name="on", end=6.0, seed=5)
    return folder


@pytest.fixture
def make_engine(model: Path, second: Path) -> MakeEngine:
    """An engine of both models on the CPU."""

    def make(models: Sequence[Path] = (model, second), **settings: Any) -> Engine:
        names = tuple(str(folder) for folder in models)
        return Engine(TranslationConfig(models=names, **{"device": "cpu", **settings}))

    return make
