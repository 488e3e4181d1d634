"""Synthetic rows against what the snapshot says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from corpus.manifest import Snapshot
from corpus.schema import NATURAL, TRAIN
from corpus.shards import read_table
from corpus.storage import Storage


def synthetic_problems(storage: Storage, snapshot: Snapshot) -> Iterator[str]:
    """What is wrong with the synthetic text of a snapshot, whose text shards are whole.

    Synthetic rows lie in the shards that are named as such and nowhere else, are trained on, and have natural training
    documents of the snapshot as parents; no language has more of them than its budget, nor others than are counted.

    Args:
        storage: the corpus.
        snapshot: to be looked at.
    """
    made = set() if snapshot.augmentation is None else set(snapshot.augmentation.shards)
    natural: set[str] = set()
    parents: list[tuple[str, str, str]] = []
    found: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for file in snapshot.select("text"):
        columns = ["id", "origin", "parent", "split", *(("lang", "text") if file.path in made else ())]
        with storage.local_copy(file.path) as path:
            table = read_table(path).select(columns)
        origins = pc.cast(table.column("origin"), pa.string())
        synthetic = pc.not_equal(origins, NATURAL)
        rows = pc.sum(synthetic).as_py() or 0
        if file.path not in made:
            if rows:
                yield f"{file.path} holds {rows:,} synthetic documents, but is not named as a shard of such"
            elif made and file.split == TRAIN:
                natural.update(table.column("id").to_pylist())
            continue
        if rows < table.num_rows:
            yield f"{file.path} is named as synthetic, but holds {table.num_rows - rows:,} natural documents"
        if set(pc.cast(table.column("split"), pa.string()).to_pylist()) - {TRAIN}:
            yield f"{file.path} holds synthetic documents that are not of the training split"
        langs = pc.cast(table.column("lang"), pa.string()).to_pylist()
        lengths = pc.binary_length(table.column("text")).to_pylist()
        ids, origins_of = table.column("id").to_pylist(), table.column("parent").to_pylist()
        parents += [(file.path, name, parent) for name, parent in zip(ids, origins_of, strict=True)]
        for lang, length in zip(langs, lengths, strict=True):
            found[lang] += 1
            size[lang] += length
    for shard, name, parent in parents:
        if parent not in natural:
            yield f"{shard}: the parent of {name} is no natural training document of this snapshot"
            break
    for lang in sorted({*found, *snapshot.languages}):
        known = snapshot.languages.get(lang)
        said = (0, 0) if known is None else (known.synthetic_documents, known.synthetic_bytes)
        if said != (found[lang], size[lang]):
            yield (
                f"the snapshot counts {said[0]:,} synthetic documents and {said[1]:,} bytes of {lang}, the files hold "
                f"{found[lang]:,} and {size[lang]:,}"
            )
        allowed = None if snapshot.augmentation is None else snapshot.augmentation.languages.get(lang)
        budget = 0 if allowed is None else allowed.budget
        if size[lang] > budget:
            yield f"{lang} has {size[lang]:,} synthetic bytes, its budget is {budget:,}"
