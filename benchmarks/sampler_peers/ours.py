"""evenglot's sampler: packed rows, every token of every document, from Arrow token shards."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.sampler_peers.corpora import SPECIAL, VOCABULARY, Flat, tag
from benchmarks.sampler_peers.loader import BATCH, ROW, SEED, Loader
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import RUN_DOCUMENTS, token_schema
from corpus.shards import ShardWriter, run_tokens
from corpus.storage import Storage
from sampler import CurriculumStream, SamplerConfig

DISTRIBUTION = "evenglot"
ARMS = {
    "rows": "packed rows of 1,024 tokens in the type of the files (uint32), with the ends of the pieces of documents",
    "rows, int64": "the same with tokens as int64",
    "rows, int64, segments and positions": "the same with the segment and the position of every token too",
    "rows, best fit": "rows with documents laid in by best fit, with the ends of the pieces; uint32",
    "rows, mixed": "rows of documents of any language, with the ends of the pieces; uint32",
    "rank 0 of 2": "every other batch of rows, as one of two processes that train together reads them",
    "rank 1 of 2": "the batches between these",
    "torch, blocks": "rows as int64 tensors from RowLoader (a worker reads whole blocks), with the ends of the pieces",
    "torch": "the same from torch's DataLoader",
    "torch, stateful": "the same from torchdata's StatefulDataLoader, with its own state",
}


def imports(arm: str) -> None:
    """Import what an arm needs beside this module, before any clock runs."""
    if arm.startswith("torch"):
        import_module("sampler.torch")
        import_module("torch.utils.data")
    if arm == "torch, stateful":
        import_module("torchdata.stateful_dataloader")


def prepare(flat: Flat, folder: Path, arm: str) -> None:
    """Write Arrow token shards and commit them as snapshot 1."""
    if (folder / "manifest.json").exists():
        return
    storage = Storage(str(folder))
    schema = token_schema(VOCABULARY, attributes=True)
    files, languages = [], {}
    for number, size in enumerate(flat.sizes.tolist()):
        lang = tag(number)
        name = f"tokens/spm/{lang}/000001-train-00000.arrow"
        tokens, bounds = flat.language(number)
        runs: list[int] = []
        with storage.create(name) as path, ShardWriter(path, schema) as writer:
            for first in range(0, size, RUN_DOCUMENTS):
                at = bounds[first : first + RUN_DOCUMENTS + 1]
                part = tokens[at[0] : at[-1]].astype(np.uint32)
                batch = batch_of(part, at - at[0], int(flat.first[number]) + first, schema)
                runs += run_tokens([batch])
                writer.write(batch)
        files.append(
            ShardFile(
                path=name, kind="tokens", lang=lang, split="train", tokenizer="spm", rows=size, run_tokens=tuple(runs)
            )
        )
        languages[lang] = LanguageEvidence(documents=size, tokens={"spm": len(tokens)})
    documents = int(flat.sizes.sum())
    snapshot = Snapshot(
        number=1,
        made_by="tokenize",
        languages=languages,
        mixtures={},
        mixture="temperature",
        ledger=Ledger(
            read=documents,
            kept={lang: known.documents for lang, known in languages.items()},
            rejected={},
            unreadable={},
        ),
        tokenizers={"spm": {"vocabulary": VOCABULARY, "special": SPECIAL}},
        files=files,
    )
    commit(storage, snapshot, {})


def batch_of(tokens: Any, bounds: Any, first: int, schema: pa.Schema) -> pa.RecordBatch:
    """A record batch of a token shard; columns beside tokens and id have the value of an ordinary document."""
    rows = len(bounds) - 1
    known = {
        "id": pc.utf8_lpad(pa.array(np.arange(first, first + rows)).cast(pa.string()), 32, "0"),
        "tokens": pa.ListArray.from_arrays(
            pa.array(bounds.astype(np.int32)), pa.array(tokens), type=schema.field("tokens").type
        ),
        "bytes": pa.array((np.diff(bounds) * 4).astype(np.int32)),
        "copies": pa.array(np.ones(rows, np.int32)),
    }
    columns = [
        known[field.name] if field.name in known else pa.array(np.zeros(rows, np.int32)).cast(field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def settings(flat: Flat, arm: str = "rows") -> SamplerConfig:
    """The weights that the peers have, and everything else as it comes."""
    shares = {tag(number): float(share) for number, share in enumerate(flat.shares)}
    return SamplerConfig(
        row_tokens=ROW,
        mixture=shares,
        packing="best_fit" if arm == "rows, best fit" else "concatenate",
        rows="mixed" if arm == "rows, mixed" else "one_language",
    )


def stream_of(flat: Flat, folder: Path, state: Any = None, arm: str = "rows") -> CurriculumStream:
    """The stream over a prepared corpus."""
    stream = CurriculumStream(str(folder), tokenizer="spm", config=settings(flat, arm), seed=SEED)
    if state is not None:
        stream.load_state(state)
    return stream


def load(flat: Flat, folder: Path, arm: str, workers: int, state: Any = None, row: int | None = None) -> Loader:
    """Open the sampler.

    Args:
        flat: the corpus.
        folder: where it was prepared.
        arm: one of ``ARMS``.
        workers: processes of torch's DataLoader; without "torch" there are none.
        state: to go on from.
        row: global row to begin at instead.
    """
    if arm.startswith("torch") or workers:
        return _torch(flat, folder, arm, workers, state)
    stream = stream_of(flat, folder, state, arm)
    if row is not None:
        stream.seek(row)
    return Loader(_batches(stream, arm), stream.state)


def _batches(stream: CurriculumStream, arm: str) -> Iterator[Any]:
    rank, ranks = (int(arm[5]), int(arm[-1])) if arm.startswith("rank") else (0, 1)
    first = stream.position + rank * BATCH
    while True:
        batch = stream.rows(range(first, first + BATCH))
        first += ranks * BATCH
        _ = batch.cu_seqlens  # arrays are made when they are asked for
        if arm.endswith("positions"):
            _ = batch.segments, batch.positions
        yield batch.tokens if "int64" in arm else batch.compact


def _torch(flat: Flat, folder: Path, arm: str, workers: int, state: Any) -> Loader:
    from torch.utils.data import DataLoader

    from sampler.torch import RowDataset, RowLoader, any_topology

    rows = RowDataset(str(folder), tokenizer="spm", config=settings(flat), seed=SEED, batch_rows=BATCH)
    if state is not None:
        rows.load_state_dict(state)
    loader: Any
    if arm == "torch, stateful":
        from torchdata.stateful_dataloader import StatefulDataLoader

        loader = StatefulDataLoader(rows, batch_size=None, num_workers=workers)
    elif arm == "torch, blocks":
        loader = RowLoader(rows, num_workers=workers)
    else:
        loader = DataLoader(rows, batch_size=None, num_workers=workers)
    behind = 0

    def batches() -> Iterator[Any]:
        nonlocal behind
        for batch in loader:
            behind = batch["next_row"]
            _ = batch["cu_seqlens"]
            yield batch["tokens"].numpy()

    def now() -> Any:
        return any_topology(loader.state_dict()) if arm == "torch, stateful" else rows.state_dict(behind)

    return Loader(batches(), now)
