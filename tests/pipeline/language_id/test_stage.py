from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.stage import IdentifyStage

ENGLISH = "My neighbour keeps bees behind the house and brings us honey every autumn."
RUSSIAN = "Наша соседка держит пчёл за домом и каждую осень приносит нам банку мёда."


def test_labels_are_added_and_nothing_is_rejected() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "key": ["1", "2", "3", "4", "5"],
            "text": [ENGLISH, RUSSIAN, RUSSIAN, "12345 678 90", ""],
            "declared_lang": ["en", "ru", "eng", "und", "q9-unheard-of"],
        }
    )
    outcome = IdentifyStage()(batch)
    assert outcome.rejected is None
    assert outcome.kept.schema.names == ["key", "text", "declared_lang", "lang", "lang_score"]
    assert outcome.kept.column("lang").to_pylist() == ["eng_Latn", "rus_Cyrl", "rus_Cyrl", "zxx", "und"]
    assert outcome.kept.schema.field("lang").type == pa.string()
    assert outcome.kept.schema.field("lang_score").type == pa.float32()
    assert outcome.kept.column("declared_lang").equals(batch.column("declared_lang"))
    assert outcome.counters == {"undetermined": 1, "no_language": 1, "declared_unknown": 2, "declared_differs": 1}


def test_declared_labels_are_optional() -> None:
    outcome = IdentifyStage()(pa.RecordBatch.from_pydict({"text": [ENGLISH]}))
    assert outcome.kept.column("lang").to_pylist() == ["eng_Latn"]
    assert outcome.counters == {}


def test_an_empty_batch() -> None:
    batch = pa.RecordBatch.from_pydict({"text": pa.array([], pa.string()), "declared_lang": pa.array([], pa.string())})
    outcome = IdentifyStage()(batch)
    assert outcome.kept.num_rows == 0
    assert outcome.kept.schema.names == ["text", "declared_lang", "lang", "lang_score"]


def test_the_stage_pickles() -> None:
    stage = IdentifyStage(IdentifyConfig(windows=3))
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert stage.name == "identify"


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValidationError):
        IdentifyConfig(windows=0)
    with pytest.raises(ValidationError):
        IdentifyConfig.model_validate({"modell": "evenglot"})
    for nothing in ("", [], ["evenglot", ""]):
        with pytest.raises(ValidationError, match="name a model"):
            IdentifyConfig.model_validate({"model": nothing})


def test_several_models_label_by_agreement(foreign_model: Path) -> None:
    config = IdentifyConfig.model_validate({"model": ["evenglot", str(foreign_model)]})
    # The small model knows no German, so the other decides; both know Russian.
    texts = ["Unsere Nachbarin hält hinter dem Haus Bienen.", RUSSIAN]
    outcome = IdentifyStage(config)(pa.RecordBatch.from_pydict({"text": texts}))
    assert outcome.kept.column("lang").to_pylist() == ["deu_Latn", "rus_Cyrl"]
    assert pickle.loads(pickle.dumps(IdentifyStage(config))) == IdentifyStage(config)
