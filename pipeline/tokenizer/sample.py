"""The text a vocabulary is learnt from: balanced over languages, chosen by hash, natural text only.

Synthetic text is left out, so that a vocabulary is not learnt from what a model that has a vocabulary of its own has
written, and stays when the synthetic layer is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import mixtures
from corpus.errors import CorpusError
from corpus.hashing import stable_hash
from corpus.manifest import Snapshot
from corpus.schema import TRAIN
from corpus.shards import read_batches
from corpus.storage import Storage

LINE_CHARACTERS = 4_000
"""Longer lines are cut: SentencePiece skips overlong ones."""


def sample_sizes(sizes: Mapping[str, int], sample_bytes: int, alpha: float) -> dict[str, int]:
    """Bytes to take from each language.

    Args:
        sizes: training bytes of each language.
        sample_bytes: bytes in all.
        alpha: exponent of the temperature mixture.

    Returns:
        bytes in the order of the sizes; all of a language that has less than its share.

    Raises:
        CorpusError: there is no training text.
    """
    present = {lang: size for lang, size in sizes.items() if size > 0}
    if not present:
        raise CorpusError("the corpus has no training text", "Look at the rejected records: `evenglot inspect`")
    budget = float(sample_bytes)
    if sum(present.values()) <= budget:
        return present
    wanted = mixtures.capped(mixtures.temperature(present, alpha), present, budget=budget, max_repeats=1)
    return {lang: min(size, int(wanted[lang] * budget)) for lang, size in present.items()}


def sample_lines(storage: Storage, snapshot: Snapshot, sizes: Mapping[str, int], seed: int) -> Iterator[str]:
    """Lines of the sample, language after language; only natural text of the training split.

    A language gives the documents with the smallest hashes of (seed, id) until it has given its bytes; the
    last one is cut there.

    Args:
        storage: the corpus.
        snapshot: whose text is sampled.
        sizes: bytes to take from each language.
        seed: of the choice.
    """
    for lang in sorted(sizes):
        with ExitStack() as stack:
            batches: list[pa.RecordBatch] = []
            for file in snapshot.natural_text(lang=lang, split=TRAIN):
                path = stack.enter_context(storage.local_copy(file.path))
                batches.extend(read_batches(path))
            for text in _chosen(batches, sizes[lang], seed):
                yield from _lines(text)


def _chosen(batches: list[pa.RecordBatch], room: int, seed: int) -> Iterator[str]:
    if not batches:
        return
    hashes = np.array(
        [stable_hash(i, seed=seed) for batch in batches for i in batch.column("id").to_pylist()], np.uint64
    )
    rows = [batch.num_rows for batch in batches]
    starts = np.cumsum([0, *rows])
    lengths = np.concatenate(
        [pc.binary_length(batch.column("text")).to_numpy(zero_copy_only=False) for batch in batches]
    )
    order = np.argsort(hashes, kind="stable")
    before = np.cumsum(lengths[order]) - lengths[order]
    for number, given in zip(order.tolist(), before.tolist(), strict=True):
        if given >= room:
            return
        batch = int(starts.searchsorted(number, "right")) - 1
        text: str = batches[batch].column("text")[number - int(starts[batch])].as_py()
        if given + lengths[number] > room:
            text = text.encode()[: room - given].decode(errors="ignore")
        yield text


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        for start in range(0, len(line), LINE_CHARACTERS):
            yield line[start : start + LINE_CHARACTERS]
