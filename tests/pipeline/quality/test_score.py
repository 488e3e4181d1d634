"""The score that breaks ties."""

from __future__ import annotations

import pyarrow as pa

from pipeline.quality.features import compute
from pipeline.quality.score import score
from pipeline.quality.stage import QualityStage

PROSE = (
    "We carried two chairs up the hill, and nobody spoke. Far off somebody began to ring the bell of the old church."
)


def test_prose_is_better_than_junk() -> None:
    texts = [PROSE, PROSE * 4, "News\nHome\nLogin", "https://example.org/a/b/c", "", "1.5\t2.5\t3.5"]
    prose, repeated, menu, url, nothing, numbers = score(compute(pa.array(texts))).tolist()
    assert prose > 0.4
    assert prose > repeated > 0
    assert prose > menu
    assert url < 0.05
    assert nothing == 0
    assert numbers == 0


def test_stage_adds_float32_columns_and_keeps_the_others() -> None:
    kept = QualityStage()(pa.record_batch({"text": [PROSE], "key": ["1"]})).kept
    assert kept.schema.names[:2] == ["text", "key"]
    assert kept.schema.field("quality").type == pa.float32()
    assert kept.column("n_chars").to_pylist() == [len(PROSE)]
