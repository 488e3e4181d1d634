"""The table that every method of making text fills."""

import json

import pyarrow as pa
import pytest

from corpus.hashing import record_id
from pipeline.augment.candidates import (
    CANDIDATE_SCHEMA,
    Candidate,
    candidate_id,
    candidates_batch,
    provenance,
)


def test_id_tells_parent_origin_language_and_variant_apart() -> None:
    ids = {
        candidate_id(parent, origin, lang, variant)
        for parent in ("a", "b")
        for origin in ("back_translation", "paraphrase")
        for lang in ("swh_Latn", "yor_Latn")
        for variant in ("beam-0", "sampling-0")
    }
    assert len(ids) == 16
    assert candidate_id("a", "paraphrase", "swh_Latn", "0") == record_id("augment", "a\x00paraphrase\x00swh_Latn\x000")


@pytest.mark.parametrize("origin", ["natural", "dreamt"])
def test_only_synthetic_origins_have_candidates(origin: str) -> None:
    with pytest.raises(ValueError, match="back_translation, paraphrase, insertion"):
        candidate_id("a", origin, "swh_Latn", "0")


def test_provenance_is_json_with_its_keys_in_order() -> None:
    text = provenance("paraphrase", seed=3, scores={"chrf": 0.123456, "copy": [1 / 3]}, route=None, models=["a@1"])
    assert (
        text == '{"method": "paraphrase", "models": ["a@1"], "scores": {"chrf": 0.1235, "copy": [0.3333]}, "seed": 3}'
    )
    assert json.loads(text)["scores"] == {"chrf": 0.1235, "copy": [0.3333]}


def test_a_batch_has_all_columns_and_only_reason_and_detail_may_be_null() -> None:
    row = Candidate("i", "habari", "swh_Latn", "paraphrase", "p", "m@1", "{}", "web", "text/a.arrow", 7, 0.5)
    batch = candidates_batch([row, row._replace(reason="copy", detail="copy_rate 0.91 > 0.5")])
    assert batch.schema == CANDIDATE_SCHEMA
    assert batch.column("reason").to_pylist() == [None, "copy"]
    assert batch.column("offset").to_pylist() == [7, 7]
    assert [field.name for field in CANDIDATE_SCHEMA if field.nullable] == ["reason", "detail"]
    assert candidates_batch([]).equals(pa.RecordBatch.from_pylist([], schema=CANDIDATE_SCHEMA))
