"""What a natural sample says of the models: thresholds of each pair, and how much text a parent yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.augmentation import route_name
from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from pipeline.augment.generate import Asked, loaded_of
from pipeline.augment.unit import Unit
from pipeline.gates.config import GateConfig
from pipeline.gates.decide import decide
from pipeline.gates.features import NAMES, SIZE, Features
from pipeline.gates.thresholds import Thresholds, calibrate, pool

FOLDER: Final = "calibration"
LEAST: Final = 0.25
"""Yield that is planned with at least: of models that do worse no more is asked than four times the budget."""
_DOCUMENT, _SOURCE, _OUTPUT = "document", "source_bytes", "output_bytes"
SAMPLE_SCHEMA: Final = pa.schema(
    [
        *((name, pa.float64()) for name in (*NAMES, SIZE)),
        (_DOCUMENT, pa.string()),
        (_SOURCE, pa.int64()),
        (_OUTPUT, pa.int64()),
    ]
)
"""Sentences of a calibration unit: features, the parent's id, and bytes on both sides."""


@dataclass(frozen=True)
class Calibration:
    """What is known of each pair, named by ``route_name``."""

    thresholds: Mapping[str, Thresholds]
    gain: Mapping[str, float]
    """Bytes that pass the gates for each byte of a parent."""


def sample_batch(asked: Asked, features: Features) -> pa.RecordBatch:
    """The sentences of a unit as rows of ``SAMPLE_SCHEMA``."""
    loaded = loaded_of(asked)
    columns = {name: pa.array(features[name], pa.float64()) for name in (*NAMES, SIZE)}
    columns[_DOCUMENT] = pa.array([loaded.documents[owner].id for owner in loaded.owners], pa.string())
    columns[_SOURCE] = _sizes(loaded.sentences)
    columns[_OUTPUT] = _sizes(["" if one.problem else one.text for one in asked.forward])
    return pa.RecordBatch.from_pydict(columns, schema=SAMPLE_SCHEMA)


def write_sample(work: Storage, unit: Unit, batch: pa.RecordBatch) -> None:
    """Keep the sample of a unit."""
    with work.create(sample_name(unit)) as path, ShardWriter(path, SAMPLE_SCHEMA) as writer:
        writer.write(batch)


def sample_name(unit: Unit) -> str:
    """File of a unit's sample in the work folder."""
    return f"{FOLDER}/{unit.name}.arrow"


def thresholds_of(work: Storage, units: Sequence[Unit], config: GateConfig) -> Calibration:
    """Thresholds and yields of all pairs from their units' samples; a pair has one or more units.

    Args:
        work: where the samples lie.
        units: that were calibrated.
        config: of the gates.
    """
    tables: dict[str, list[pa.Table]] = {}
    for unit in units:
        with work.local_copy(sample_name(unit)) as path:
            tables.setdefault(route_name(unit.source, unit.lang), []).append(read_table(path))
    samples = {pair: pa.concat_tables(found) for pair, found in sorted(tables.items())}
    features = {pair: features_of(sample) for pair, sample in samples.items()}
    pooled = pool(list(features.values())) if features else None
    thresholds = {pair: calibrate(sample, config, pooled) for pair, sample in features.items()}
    gain = {pair: gain_of(samples[pair], features[pair], thresholds[pair], config) for pair in samples}
    return Calibration(thresholds, gain)


def features_of(sample: pa.Table) -> Features:
    """The features of a sample."""
    return Features({name: sample.column(name).to_numpy() for name in (*NAMES, SIZE)})


def gain_of(sample: pa.Table, features: Features, thresholds: Thresholds, config: GateConfig) -> float:
    """Bytes that pass for each byte of the sample: of the sentences that pass, in documents of which enough does."""
    reasons = decide(features, thresholds, config).reasons
    passed = np.array([reason is None for reason in reasons], dtype=bool)
    source, output = (sample.column(name).to_numpy() for name in (_SOURCE, _OUTPUT))
    if not source.sum():
        return 1.0
    _, owners = np.unique(sample.column(_DOCUMENT).to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    whole, kept = np.bincount(owners, source), np.bincount(owners, source * passed)
    stays = kept >= np.maximum(config.min_kept_share * whole, 1)
    return max(float(output[passed & stays[owners]].sum() / source.sum()), LEAST)


def _sizes(texts: Sequence[str]) -> pa.Array:
    return pc.binary_length(pa.array(texts, pa.string())).cast(pa.int64())
