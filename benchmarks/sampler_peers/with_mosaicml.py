"""mosaicml-streaming: a stream for each language, by proportion, shuffled by its default ``py1e``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from streaming import MDSWriter, Stream, StreamingDataLoader, StreamingDataset

from benchmarks.sampler_peers.corpora import Flat, tag
from benchmarks.sampler_peers.loader import BATCH, ROW, SEED, Loader

DISTRIBUTION = "mosaicml-streaming"
ARMS = {
    "documents": "whole documents",
    "rows": "rows of 1,024 packed beforehand, by language; boundaries are not kept",
}
EPOCH = 200_000
"""Samples for which it lays out the order at the start."""


def prepare(flat: Flat, folder: Path, arm: str) -> None:
    """Write MDS shards, a folder for each language."""
    for number in range(len(flat.sizes)):
        target = folder / arm / tag(number)
        if (target / "index.json").exists():
            continue
        tokens, bounds = flat.language(number)
        starts = list(range(0, len(tokens) + 1, ROW)) if arm == "rows" else bounds.tolist()
        with MDSWriter(out=str(target), columns={"tokens": "ndarray:int32"}, size_limit="64mb") as writer:
            for first, end in pairwise(starts):
                writer.write({"tokens": np.asarray(tokens[first:end])})


def load(flat: Flat, folder: Path, arm: str, workers: int, state: Any = None) -> Loader:
    """Open the loader."""
    streams = [
        Stream(local=str(folder / arm / tag(number)), proportion=float(share))
        for number, share in enumerate(flat.shares)
    ]
    data = StreamingDataset(
        streams=streams, epoch_size=EPOCH, shuffle=True, shuffle_seed=SEED, batch_size=BATCH, num_canonical_nodes=1
    )
    loader = StreamingDataLoader(data, batch_size=BATCH, num_workers=workers, collate_fn=together)
    if state is not None:
        loader.load_state_dict(state)

    def batches() -> Iterator[Any]:
        while True:
            for batch in loader:
                yield np.stack(batch["tokens"]) if arm == "rows" else batch["tokens"]

    return Loader(batches(), loader.state_dict)


def together(samples: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """A batch as it counts them: the length of a dict's first value."""
    return {"tokens": [sample["tokens"] for sample in samples]}
