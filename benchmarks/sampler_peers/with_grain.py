"""grain: a source of ours for each language (it reads no Arrow), shuffled and repeated, mixed by weight.

Elements are read in the main thread: grain's sixteen read threads cost more than they bring where files are mapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import grain

from benchmarks.sampler_peers.corpora import Flat, Source
from benchmarks.sampler_peers.loader import BATCH, ROW, SEED, Loader

DISTRIBUTION = "grain"
ARMS = {
    "documents": "whole documents",
    "rows": "documents joined and split to rows of 1,024, with segments and positions",
}


class Tokens(Source):
    """As grain's packing wants them: a feature by name."""

    def __getitem__(self, index: int) -> Any:
        return {"tokens": super().__getitem__(index)}


def prepare(flat: Flat, folder: Path, arm: str) -> None:
    """The flat files are read as they are."""


def load(flat: Flat, folder: Path, arm: str, workers: int, state: Any = None) -> Loader:
    """Open the loader."""
    kind = Source if arm == "documents" else Tokens
    languages = [
        grain.MapDataset.source(kind(flat.folder, number, size)).seed(SEED + number).shuffle().repeat()
        for number, size in enumerate(flat.sizes.tolist())
    ]
    mixed = grain.MapDataset.mix(languages, weights=flat.shares.tolist())
    data: Any = mixed.to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0))
    if arm == "rows":
        data = grain.experimental.ConcatThenSplitIterDataset(data, length_struct={"tokens": ROW}).batch(BATCH)
    if workers:
        data = data.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    elements = iter(data)
    if state is not None:
        elements.set_state(state)

    def batches() -> Iterator[Any]:
        if arm == "rows":
            for element in elements:
                yield element["tokens"]
        while True:
            yield list(islice(elements, BATCH))

    return Loader(batches(), elements.get_state, elements.close)
