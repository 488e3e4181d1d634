"""Sentences of a corpus that nobody has translated: what a translator can learn of a language beside its pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import stable_hash
from corpus.manifest import Snapshot
from corpus.schema import NATURAL, TRAIN
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.parallel.documents import KnownText
from pipeline.sentences.split import split

MOST_BYTES: Final = 4 << 20
"""Of a language; some 30,000 sentences."""
_SHORTEST: Final = 8
"""Letters; what is shorter is a number or a cry."""


def natural_sentences(
    storage: Storage,
    snapshot: Snapshot,
    lang: str,
    unwanted: Sequence[str],
    *,
    words: int,
    seed: int = 0,
    most_bytes: int = MOST_BYTES,
) -> list[str]:
    """Different sentences of a language's natural training documents, those with the smallest hashes.

    Args:
        storage: the corpus.
        snapshot: of it.
        lang: tag.
        unwanted: texts, such as test sentences, of which none may be among them, nor a run of words of theirs.
        words: length of these runs.
        seed: of the choice.
        most_bytes: UTF-8 of the documents that are read.
    """
    places: list[tuple[int, str, int, int]] = []
    for file in snapshot.select("text", lang=lang, split=TRAIN):
        with storage.local_copy(file.path) as path:
            table = read_table(path).select(["id", "origin", "text"])
            sizes = pc.binary_length(table["text"]).to_pylist()
            rows = zip(table["id"].to_pylist(), table["origin"].to_pylist(), sizes, strict=True)
            places += [
                (stable_hash("natural", key, seed=seed), file.path, row, size)
                for row, (key, origin, size) in enumerate(rows)
                if origin == NATURAL
            ]
    chosen: dict[str, list[int]] = {}
    total = 0
    for _, name, row, size in sorted(places):
        if total >= most_bytes:
            break
        chosen.setdefault(name, []).append(row)
        total += size
    found: dict[str, None] = {}
    for name in sorted(chosen):
        with storage.local_copy(name) as path:
            texts = read_table(path)["text"].take(pa.array(sorted(chosen[name]))).to_pylist()
        for text in texts:
            layout = split(text, lang)
            whole = zip(layout.sentences, layout.passthrough, strict=True)
            lines = (" ".join(sentence.split()) for sentence, passed in whole if not passed)
            found.update(dict.fromkeys(line for line in lines if len(line) >= _SHORTEST))
    sentences = list(found)
    if not sentences:
        return []
    met = KnownText([pa.array(list(unwanted), pa.large_string())], words).contain(
        pa.array(sentences, pa.large_string())
    )
    return [sentence for sentence, bad in zip(sentences, met.tolist(), strict=True) if not bad]
