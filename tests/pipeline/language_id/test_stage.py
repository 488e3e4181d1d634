from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline.language_id.config import IdentifyConfig, Mixed
from pipeline.language_id.stage import IdentifyStage

ENGLISH = "My neighbour keeps bees behind the house and brings us honey every autumn."
ADDED = ["lang", "lang_score", "lang_candidates", "segments", "code_switching"]
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
    assert outcome.kept.schema.names == ["key", "text", "declared_lang", *ADDED]
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
    assert outcome.kept.schema.names == ["text", "declared_lang", *ADDED]


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


GERMAN = (
    "Unsere Nachbarin hält hinter dem Haus Bienen und bringt uns jeden Herbst ein Glas Honig. "
    "Im Winter strickt sie Handschuhe für die Kinder aus der ganzen Straße."
)
LONGER = (
    "My uncle repairs old clocks in a shed at the end of the garden. "
    "When they all strike at noon, the dog hides under the kitchen table and will not come out."
)
MIXED = pa.RecordBatch.from_pydict(
    {
        "id": ["0" * 32, "1" * 32, "2" * 32],
        "key": ["a", "b", None],
        "text": [ENGLISH, f"{GERMAN}\n{LONGER}", RUSSIAN],
        "declared_lang": ["en", "de", "ru"],
    }
)
WHERE = [
    {"lang": "deu_Latn", "start": 0, "end": len(GERMAN)},
    {"lang": "eng_Latn", "start": len(GERMAN) + 1, "end": len(GERMAN) + 1 + len(LONGER)},
]


def test_a_document_in_two_languages_is_marked() -> None:
    outcome = IdentifyStage()(MIXED)
    assert outcome.kept.column("segments").to_pylist() == [None, WHERE, None]
    assert outcome.kept.column("lang").to_pylist() == ["eng_Latn", "deu_Latn", "rus_Cyrl"]
    switched = outcome.kept.column("code_switching").to_pylist()
    assert switched == [0.0, pytest.approx(0.49, abs=0.03), 0.0]
    assert outcome.kept.column("lang_score")[1].as_py() > 0.8
    assert outcome.kept.column("lang_candidates").to_pylist()[::2] == [None, None]
    assert outcome.counters == {"doubtful": 1, "mixed_languages": 1}


def test_a_document_in_two_languages_is_rejected() -> None:
    outcome = IdentifyStage(IdentifyConfig(mixed="reject"))(MIXED)
    assert outcome.kept.column("key").to_pylist() == ["a", None]
    assert outcome.rejected is not None
    assert outcome.rejected.select(["key", "reason", "detail"]).to_pylist() == [
        {"key": "b", "reason": "mixed_languages", "detail": "deu_Latn 51%, eng_Latn 49% in 2 segments"}
    ]


def test_a_document_in_two_languages_is_split() -> None:
    outcome = IdentifyStage(IdentifyConfig(mixed="split"))(MIXED)
    kept = outcome.kept
    assert kept.column("text").to_pylist() == [ENGLISH, GERMAN, LONGER, RUSSIAN]
    assert kept.column("lang").to_pylist() == ["eng_Latn", "deu_Latn", "eng_Latn", "rus_Cyrl"]
    assert kept.column("parent").to_pylist() == [None, "1" * 32, "1" * 32, None]
    assert kept.column("key").to_pylist() == ["a", "b", "b", None]
    assert kept.column("segments").null_count == 4
    assert kept.column("code_switching").to_pylist() == [0.0, 0.0, 0.0, 0.0]
    ids = kept.column("id").to_pylist()
    assert len(set(ids)) == 4
    assert (ids[0], ids[3]) == ("0" * 32, "2" * 32)
    assert outcome.counters["made_by_splitting"] == 1
    again = IdentifyStage(IdentifyConfig(mixed="split"))(MIXED.slice(1, 1)).kept
    assert again.column("id").to_pylist() == ids[1:3]


def test_documents_in_several_languages_are_not_looked_for() -> None:
    outcome = IdentifyStage(IdentifyConfig(mixed="keep"))(MIXED)
    assert outcome.kept.column("segments").null_count == 3
    assert outcome.kept.column("code_switching").null_count == 3
    assert "mixed_languages" not in outcome.counters


@pytest.mark.parametrize("mixed", ["mark", "split", "reject", "keep"])
def test_every_batch_has_the_same_columns(mixed: Mixed) -> None:
    stage = IdentifyStage(IdentifyConfig(mixed=mixed))
    schemas = [stage(rows).kept.schema for rows in (MIXED, MIXED.slice(0, 1), MIXED.slice(0, 0))]
    assert schemas[0] == schemas[1] == schemas[2]
