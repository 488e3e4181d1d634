"""The files that units leave in the work folder, named by what they are made from.

    calibration/<unit>.arrow   features of a natural sample's sentences
    translated/<unit>.arrow    natural documents of a target language: their words in the language of its parents, and
                               what came of them there and back
    paraphrased/<unit>.arrow   the documents of a paraphrase's natural sample beside their paraphrases
    candidates/<unit>.arrow    candidates, accepted and rejected, with counters in the metadata
    sketches/<shard>.arrow     what the choice of parents needs to know of a shard

A file that is there is right: an interrupted run goes on where its files end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import ShardWriter, open_shard, read_table
from corpus.storage import Storage
from pipeline.augment.calibrate import sample_name
from pipeline.augment.candidates import CANDIDATE_SCHEMA, COUNTS_KEY, candidates_batch
from pipeline.augment.generate import Asked, Loaded, Made, loaded_of
from pipeline.augment.unit import CALIBRATION, TRANSLATED, Unit
from pipeline.parents.sketch import term_sketches
from pipeline.stage import with_column
from pipeline.translation.result import Translation
from pipeline.work import single_batch

CANDIDATES: Final = "candidates"
PARAPHRASED: Final = "paraphrased"
_SOURCE: Final = "source_bytes"


def file_of(unit: Unit) -> str:
    """A unit's file in the work folder."""
    if unit.purpose == CALIBRATION:
        return sample_name(unit)
    return f"{TRANSLATED if unit.purpose == TRANSLATED else CANDIDATES}/{unit.name}.arrow"


def write_candidates(work: Storage, unit: Unit, made: Made) -> None:
    """Keep the candidates of a unit."""
    keep_candidates(work, file_of(unit), candidates_batch(made.candidates), made.counters)


def keep_candidates(work: Storage, name: str, batch: pa.RecordBatch, counters: dict[str, int]) -> None:
    """Keep a file of candidates, from whatever method."""
    metadata = {COUNTS_KEY: json.dumps(counters, sort_keys=True)}
    with work.create(name) as path, ShardWriter(path, CANDIDATE_SCHEMA, metadata=metadata) as writer:
        writer.write(batch)


def candidate_facts(work: Storage, name: str) -> tuple[int, dict[str, int]]:
    """Rows and counters of a file of candidates."""
    with work.local_copy(name) as path:
        reader = open_shard(path)
        rows = sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches))
        metadata: dict[bytes, bytes] = reader.schema.metadata or {}
    counters: dict[str, int] = json.loads(metadata.get(COUNTS_KEY.encode(), b"{}"))
    return rows, counters


def write_terms(work: Storage, unit: Unit, asked: Asked, round_trips: Sequence[Translation]) -> None:
    """Keep the words of a unit's documents in translation, and the documents beside what they became there and back."""
    loaded = loaded_of(asked)
    documents = pa.array([document.text for document in loaded.documents], pa.string())
    batch = single_batch(term_sketches(pa.array(_joined(loaded, asked.forward), pa.string())))
    batch = with_column(batch, _SOURCE, pc.binary_length(documents).cast(pa.int64()))
    for name, column in _pair_columns(loaded, round_trips).items():
        batch = with_column(batch, name, column)
    with work.create(file_of(unit)) as path, ShardWriter(path, batch.schema) as writer:
        writer.write(batch)


def paraphrased_file(unit: Unit) -> str | None:
    """Where the documents of a natural sample lie beside their paraphrases; None of a unit that makes none."""
    mine = unit.purpose == CALIBRATION and unit.source == unit.lang
    return f"{PARAPHRASED}/{unit.name}.arrow" if mine else None


def write_paraphrased(work: Storage, name: str, asked: Asked) -> None:
    """Keep the documents of a unit beside their paraphrases."""
    batch = pa.RecordBatch.from_pydict(_pair_columns(loaded_of(asked), asked.forward))
    with work.create(name) as path, ShardWriter(path, batch.schema) as writer:
        writer.write(batch)


def _pair_columns(loaded: Loaded, back: Sequence[Translation]) -> dict[str, pa.Array]:
    """Natural documents, and what became of them in the same language."""
    return {
        "id": pa.array([document.id for document in loaded.documents], pa.string()),
        "natural": pa.array([document.text for document in loaded.documents], pa.string()),
        "back": pa.array([text or None for text in _joined(loaded, back)], pa.string()),
    }


class Pairs(NamedTuple):
    """Natural documents beside what they became there and back."""

    ids: list[str]
    natural: list[str]
    back: list[str | None]


def read_pairs(work: Storage, names: Sequence[str]) -> Pairs:
    """The pairs in some files, each document once."""
    found: dict[str, tuple[str, str | None]] = {}
    for name in names:
        with work.local_copy(name) as path:
            rows = read_table(path).select(["id", "natural", "back"]).to_pylist()
        found |= {row["id"]: (row["natural"], row["back"]) for row in rows if row["id"] not in found}
    return Pairs([*found], [natural for natural, _ in found.values()], [back for _, back in found.values()])


def _joined(loaded: Loaded, found: Sequence[Translation]) -> list[str]:
    """The sentences of each document, one in a line; nothing where there are none."""
    texts = [""] * len(loaded.documents)
    for owner, one in zip(loaded.owners, found, strict=False):
        if not one.problem:
            texts[owner] += one.text + "\n"
    return texts


def read_terms(work: Storage, units: Sequence[Unit]) -> tuple[pa.Table | None, float]:
    """The words of some units' documents, and bytes in translation for each of their own."""
    tables: list[pa.Table] = []
    for unit in units:
        with work.local_copy(file_of(unit)) as path:
            tables.append(read_table(path).select(["terms", "counts", "bytes", _SOURCE]))
    if not tables:
        return None, 1.0
    table = pa.concat_tables(tables)
    own: Any = pc.sum(table.column(_SOURCE)).as_py() or 0
    translated: Any = pc.sum(table.column("bytes")).as_py() or 0
    return table, translated / own if own and translated else 1.0
