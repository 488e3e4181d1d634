"""Requests through RunInference: the same translations with any workers, one engine for each process."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.ml.inference.base import RunInference

from benchmarks.random_models import random_marian
from pipeline.config import RunnerConfig
from pipeline.graphs.deal import dealt
from pipeline.graphs.inference import Translated, TranslationHandler, close_engines, shared_engine
from pipeline.runner import run_job
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding
from pipeline.translation.engine import Engine
from pipeline.translation.request import Request
from tests.pipeline.translation.conftest import SENTENCES

BEAM, SAMPLE = Decoding(beam_size=2), Decoding(beam_size=1, sampling_topk=0)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TranslationConfig:
    """One model."""
    folder = tmp_path_factory.mktemp("models") / "m"
    random_marian(folder, SENTENCES, [("eng_Latn", "swh_Latn")], end=6.0)
    return TranslationConfig(models=(str(folder),), device="cpu")


@pytest.fixture(scope="module")
def requests(config: TranslationConfig) -> list[Request]:
    """Some by beam, some by sampling."""
    route = Engine(config).routes.find("eng_Latn", "swh_Latn")
    return [
        Request(str(part), SENTENCES[2 * part : 2 * part + 2], route, SAMPLE if part % 2 else BEAM, seed=part)
        for part in range(7)
    ]


def note(found: Translated, folder: str) -> None:
    """Write what came, and in which process."""
    value = {"pid": os.getpid(), "found": [asdict(one) for one in found.translations]}
    (Path(folder) / found.request.key).write_text(json.dumps(value), encoding="utf-8")


def run(config: TranslationConfig, requests: list[Request], folder: Path, workers: int, **handler: Any) -> Any:
    """Translate with so many workers; translations by request, processes, counters."""
    folder.mkdir()

    def build(pipeline: beam.Pipeline) -> None:
        asked = dealt(pipeline, "requests", requests)
        found = asked | RunInference(TranslationHandler(config, requests=2, **handler))
        _ = found | "note" >> beam.Map(note, str(folder))

    counters = run_job(build, RunnerConfig(), workers)
    noted = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
    return {name: one["found"] for name, one in noted.items()}, {one["pid"] for one in noted.values()}, counters


def test_requests_are_translated_as_the_engine_does(
    config: TranslationConfig, requests: list[Request], tmp_path: Path
) -> None:
    found, processes, counters = run(config, requests, tmp_path / "out", 1)
    expected = {
        one.key: [
            asdict(each) for each in Engine(config).translate(one.sentences, one.route, one.decoding, seed=one.seed)
        ]
        for one in requests
    }
    assert found == json.loads(json.dumps(expected))
    assert processes == {os.getpid()}
    ours = {name: value for name, value in counters.items() if name.startswith("translation/")}
    tokens = sum(one["tokens"] for each in expected.values() for one in each)
    assert (ours["translation/num_inferences"], ours["translation/sentences"]) == (7, 14)
    assert (ours["translation/target_tokens"], ours["translation/kept"]) == (tokens, 0)
    assert (ours["translation/failed"], ours["translation/halved"], ours["translation/too_long"]) == (0, 0, 0)


def test_a_handler_travels_and_an_engine_is_one_for_each_process(config: TranslationConfig) -> None:
    handler = pickle.loads(pickle.dumps(TranslationHandler(config, large_model=True)))
    assert handler.config == config
    assert handler.share_model_across_processes()
    engine = handler.load_model()
    assert engine is TranslationHandler(config).load_model() is shared_engine(config)
    assert engine is not shared_engine(config.model_copy(update={"threads": 2}))
    assert handler.get_num_bytes([Request("a", ("né", "x"), (), BEAM)]) == 4


def test_closing_writes_what_engines_still_held_and_they_go_on(
    config: TranslationConfig, requests: list[Request], tmp_path: Path
) -> None:
    engine = shared_engine(config.model_copy(update={"cache": str(tmp_path / "cache")}))
    before = engine.translate_and_count(requests[:1])[0]
    assert not list(tmp_path.rglob("*.arrow"))
    close_engines()
    assert len(list(tmp_path.rglob("*.arrow"))) == 1
    again, counts = engine.translate_and_count(requests[:1])
    assert again == before
    assert counts.kept == 2


@pytest.mark.slow
@pytest.mark.parametrize("large_model", [False, True])
def test_two_workers_give_what_one_gives(
    config: TranslationConfig, requests: list[Request], tmp_path: Path, large_model: bool
) -> None:
    one, _, _ = run(config, requests, tmp_path / "one", 1)
    cached = config.model_copy(update={"cache": str(tmp_path / "cache")})
    two, processes, _ = run(cached, requests, tmp_path / "two", 2, large_model=large_model)
    assert two == one
    assert os.getpid() not in processes
    again, _, counters = run(cached, requests, tmp_path / "again", 2, large_model=large_model)
    assert again == one
    assert counters["translation/kept"] == counters["translation/sentences"]
    assert counters["translation/target_tokens"] == 0
