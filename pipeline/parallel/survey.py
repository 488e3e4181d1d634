"""A first look at all files of parallel text: what the rules need to know of the rest before they judge a sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from pipeline.parallel.batches import Batch, batches
from pipeline.parallel.read import ParallelFile
from pipeline.parallel.rules import Lengths, group_keys, sentence_keys, sound


class Survey(NamedTuple):
    """What a first look at all files has shown."""

    digests: list[str]
    """Of what was read of each file."""
    offsets: dict[str, float]
    """Of the lengths, by language."""
    heldout_keys: npt.NDArray[np.uint64]
    """Of the sentences of held-out groups, sorted."""
    languages: tuple[str, ...]


def survey(
    files: list[ParallelFile],
    heldout_share: float,
    seed: int,
    *,
    languages: Collection[str] | None = None,
    progress: Callable[[str, int, int], None],
) -> Survey:
    """Read all files once.

    Args:
        files: to read.
        heldout_share: of the documents whose split no file says.
        seed: of that choice.
        languages: tags whose sentences alone are looked at; None for all.
        progress: called with the number of files read.

    Raises:
        InputError: a file cannot be read, or its header names no two sentences.
    """
    lengths = Lengths()
    digests: list[str] = []
    keys: list[npt.NDArray[np.uint64]] = [np.zeros(0, np.uint64)]
    met: set[str] = set()
    for number, file in enumerate(files):
        progress("parallel text: look", number, len(files))
        digest = xxhash.xxh3_128()
        for batch in batches(file, heldout_share, seed, digest, languages):
            sentences = batch.sentences
            lengths.add(sentences)
            keys.append(sentence_keys(sentences.texts)[sentences.heldout & sound(sentences)])
            met.update(tag for tag in sentences.langs.to_pylist() if tag is not None)
        digests.append(digest.hexdigest())
    progress("parallel text: look", len(files), len(files))
    return Survey(digests, lengths.offsets(), np.unique(np.concatenate(keys)), tuple(sorted(met)))


def repeated(batch: Batch, seen: set[int]) -> npt.NDArray[np.bool_]:
    """Whether the group of each sentence was met before in the same split; the batch's groups count from now on."""
    sentences = batch.sentences
    again = np.zeros(len(batch.ids), bool)
    splits = np.zeros(len(batch.ids), bool)
    splits[sentences.groups] = sentences.heldout
    for number, (key, heldout) in enumerate(zip(group_keys(sentences).tolist(), splits.tolist(), strict=True)):
        own = key ^ heldout
        again[number] = own in seen
        seen.add(own)
    return again[sentences.groups]
