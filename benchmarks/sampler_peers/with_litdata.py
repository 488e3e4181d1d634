"""litdata: a streaming dataset for each language, shuffled, combined by weight, read by its own data loader."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from litdata import CombinedStreamingDataset, StreamingDataLoader, StreamingDataset, TokensLoader
from litdata.streaming.writer import BinaryWriter

from benchmarks.sampler_peers.corpora import Flat
from benchmarks.sampler_peers.loader import BATCH, ROW, SEED, Loader

DISTRIBUTION = "litdata"
ARMS = {
    "documents": "whole documents",
    "rows": "blocks of 1,024 tokens cut from each language's files; documents and their boundaries are not known",
    "one dataset": "whole documents of all languages in one dataset, no mixture",
}


def prepare(flat: Flat, folder: Path, arm: str) -> None:
    """Write its chunks, a folder for each language; TokensLoader wants those of its own."""
    parts = [range(len(flat.sizes))] if arm == "one dataset" else [[number] for number in range(len(flat.sizes))]
    for number, languages in enumerate(parts):
        target = folder / arm / f"{number:04}"
        if (target / "index.json").exists():
            continue
        loader = TokensLoader() if arm == "rows" else None
        writer = BinaryWriter(str(target), chunk_bytes="64MB", item_loader=loader)
        place = 0
        for language in languages:
            tokens, bounds = flat.language(language)
            starts = bounds.tolist()
            for first, end in pairwise(starts):
                writer.add_item(place, torch.from_numpy(np.array(tokens[first:end])))
                place += 1
        writer.done()
        writer.merge()


def load(flat: Flat, folder: Path, arm: str, workers: int, state: Any = None) -> Loader:
    """Open the loader."""
    parts = sorted((folder / arm).iterdir())
    datasets = [
        StreamingDataset(
            str(part),
            item_loader=TokensLoader(block_size=ROW) if arm == "rows" else None,
            shuffle=True,
            seed=SEED,
            batch_decode=0,  # decoding neighbours ahead costs ten times as much where the order is random
        )
        for part in parts
    ]
    data: Any = datasets[0]
    if arm != "one dataset":
        data = CombinedStreamingDataset(datasets, seed=SEED, weights=flat.shares.tolist(), iterate_over_all=False)
    collate = None if arm == "rows" else list
    found = StreamingDataLoader(data, batch_size=BATCH, num_workers=workers, collate_fn=collate)
    if state is not None:
        found.load_state_dict(state)

    def batches() -> Iterator[Any]:
        while True:  # an epoch ends with the first language that is used up
            for batch in found:
                yield batch.numpy() if arm == "rows" else [item.numpy() for item in batch]

    return Loader(batches(), found.state_dict)
