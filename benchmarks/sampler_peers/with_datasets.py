"""Hugging Face datasets: iterable datasets over Arrow files, interleaved by probability.

Speed is that of torch's own data loader; to resume, torchdata's stateful one is needed, which costs more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset, interleave_datasets
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

from benchmarks.sampler_peers.corpora import Flat, tag
from benchmarks.sampler_peers.loader import BATCH, SEED, Loader

DISTRIBUTION = "datasets"
ARMS = {
    "documents": "whole documents, each language in the order of its files",
    "documents, buffer": "whole documents, mixed in a buffer of 1,000",
    "documents, stateful": "whole documents, each language in the order of its files; can be resumed",
    "documents, buffer, stateful": "whole documents, mixed in a buffer of 1,000; can be resumed",
}
SHARDS = 8


def prepare(flat: Flat, folder: Path, arm: str) -> None:
    """Write an Arrow stream for each language."""
    folder.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([pa.field("tokens", pa.list_(pa.int32()))])
    for number in range(len(flat.sizes)):
        target = folder / f"{tag(number)}.arrow"
        if target.exists():
            continue
        tokens, bounds = flat.language(number)
        partial = target.with_suffix(".partial")
        with pa.ipc.new_stream(str(partial), schema) as writer:
            for first in range(0, len(bounds) - 1, 1000):
                at = bounds[first : first + 1001]
                offsets = pa.array((at - at[0]).astype(np.int32))
                lists = pa.ListArray.from_arrays(offsets, pa.array(np.asarray(tokens[at[0] : at[-1]])))
                writer.write_batch(pa.RecordBatch.from_arrays([lists], schema=schema))
        partial.rename(target)


def load(flat: Flat, folder: Path, arm: str, workers: int, state: Any = None) -> Loader:
    """Open the loader."""
    languages = [
        Dataset.from_file(str(folder / f"{tag(number)}.arrow"))
        .with_format("numpy")
        .to_iterable_dataset(num_shards=min(SHARDS, int(size)))
        for number, size in enumerate(flat.sizes)
    ]
    data = interleave_datasets(
        languages, probabilities=flat.shares.tolist(), seed=SEED, stopping_strategy="all_exhausted"
    )
    if "buffer" in arm:
        data = data.shuffle(seed=SEED, buffer_size=1000)
    kind = StatefulDataLoader if arm.endswith("stateful") else DataLoader
    loader: Any = kind(data, batch_size=BATCH, num_workers=workers, collate_fn=together)
    if state is not None:
        loader.load_state_dict(state)

    def batches() -> Iterator[Any]:
        while True:
            yield from loader

    return Loader(batches(), loader.state_dict if kind is StatefulDataLoader else no_state)


def no_state() -> Any:
    """torch's own data loader cannot say where it stands."""
    raise NotImplementedError("torch's DataLoader keeps no state")


def together(samples: list[dict[str, Any]]) -> list[Any]:
    """A batch as a list of documents."""
    return [sample["tokens"] for sample in samples]
