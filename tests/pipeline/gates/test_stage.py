from __future__ import annotations

import pickle

import pyarrow as pa

from pipeline.gates.config import GateConfig
from pipeline.gates.stage import DocumentGateStage, quality_floor


def batch(**given: list[object]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(given)


def test_documents_must_be_what_was_asked_for() -> None:
    stage = DocumentGateStage(GateConfig(), {"swh_Latn": 0.5})
    found = stage(
        batch(
            declared_lang=["swh_Latn", "swh_Latn", "swh_Latn", "swh_Latn", "swh_Latn", "qaa_Latn", None],
            lang=["swh_Latn", "eng_Latn", "swh_Latn", "swh_Latn", "swh_Latn", "eng_Latn", "eng_Latn"],
            lang_score=[0.9, 0.75, 0.9, 0.9, 0.9, 0.9, 0.9],
            code_switching=[0.0, 0.0, 0.4, 0.0, None, 0.0, 0.0],
            lang_script_agrees=[True, True, True, False, None, None, None],
            script=["Latn"] * 7,
            quality=[0.8, 0.8, 0.8, 0.8, 0.4, 0.1, 0.1],
        )
    )
    assert found.kept.num_rows == 3
    assert found.rejected is not None
    assert found.rejected.column("reason").to_pylist() == [
        "wrong_language",
        "mixed_languages",
        "wrong_script",
        "low_quality",
    ]
    assert found.rejected.column("detail").to_pylist() == [
        "asked for swh_Latn, found eng_Latn 0.75",
        "code_switching 0.4 > max_switched 0.15",
        "asked for swh_Latn, most letters are Latn",
        "quality 0.4 < 0.5",
    ]
    assert found.counters == {"language_unknown": 2}


def test_an_empty_batch_and_missing_columns() -> None:
    stage = pickle.loads(pickle.dumps(DocumentGateStage()))
    assert stage(batch(declared_lang=[])).kept.num_rows == 0
    found = stage(batch(declared_lang=["swh_Latn"], text=["a"]))
    assert (found.kept.num_rows, found.rejected, found.counters) == (1, None, {})


def test_the_floor_is_the_natural_documents_own() -> None:
    values = [number / 100 for number in range(100)]
    assert quality_floor(values, GateConfig(quality_quantile=0.1)) == 0.09
    assert quality_floor(values[:9], GateConfig()) is None
    assert quality_floor(values, GateConfig(quality_quantile=0)) is None
