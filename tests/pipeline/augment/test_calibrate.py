"""What a natural sample says: thresholds of a pair, and how much text a parent yields."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.augment.calibrate import LEAST, SAMPLE_SCHEMA, features_of, gain_of
from pipeline.gates.config import GateConfig
from pipeline.gates.features import NAMES, SIZE
from pipeline.gates.thresholds import calibrate


def sample(documents: list[str], scores: list[float], outputs: list[int]) -> pa.Table:
    """Sentences of 100 bytes of which nothing is measured but the score."""
    count = len(documents)
    columns = {name: np.full(count, np.nan) for name in NAMES} | {SIZE: np.full(count, 100.0)}
    columns |= {"score": np.array(scores), "length_ratio": np.ones(count)}
    table = {**columns, "document": documents, "source_bytes": [100] * count, "output_bytes": outputs}
    return pa.table(table, schema=SAMPLE_SCHEMA)


@pytest.mark.parametrize(
    ("documents", "scores", "outputs", "gain"),
    [
        (["a", "a", "b", "b"], [-0.1] * 4, [120, 80, 100, 100], 1.0),
        (["a", "a", "b", "b"], [-0.1, -0.1, -0.1, -9.0], [100] * 4, 0.5),  # half of b is too little to keep any of it
        (["a", "a", "a", "a", "b"], [-0.1, -0.1, -0.1, -9.0, -0.1], [200] * 5, 1.6),
        (["a", "b"], [-9.0, -9.0], [100, 100], LEAST),
        ([], [], [], 1.0),
    ],
)
def test_gain_counts_what_passes_in_documents_that_stay(
    documents: list[str], scores: list[float], outputs: list[int], gain: float
) -> None:
    table = sample(documents, scores, outputs)
    config = GateConfig(min_kept_share=0.7)
    assert gain_of(table, features_of(table), calibrate(None, config), config) == pytest.approx(gain)
