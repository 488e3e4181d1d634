"""Proof that a pass over a language is over before any of its text comes again.

A stream of one language alone is read for two passes and its tokens are counted: each pass must hold exactly the
tokens of the language's shards, each as often as they do, and begin as many documents as there are. The shards
are read by pyarrow here, without the sampler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from corpus.manifest import Snapshot
from corpus.shards import read_batches
from corpus.storage import Storage

if TYPE_CHECKING:
    from sampler import CurriculumStream

PASSES = 2
"""Passes that are read of each language."""
MOST_LANGUAGES = 32
_CHUNK = 64

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class PassReport:
    """Which languages were read for two passes."""

    languages: tuple[str, ...]
    tokens: int
    """Tokens read."""
    problems: tuple[str, ...]


def check_passes(
    open_stream: Callable[[str], CurriculumStream],
    sizes: Mapping[str, int],
    pass_tokens: Callable[[str], int],
    storage: Storage,
    snapshot: Snapshot,
    tokenizer: str,
    *,
    whole: bool,
    budget: int,
    progress: Callable[[str, int, int], None],
) -> PassReport:
    """Read two passes of as many languages as the budget allows, small, middling and large ones.

    Args:
        open_stream: a stream of one language alone, in rows of one language.
        sizes: training tokens of each language.
        pass_tokens: tokens of a pass over a language, under the view of its documents that is in use.
        storage: of the corpus.
        snapshot: whose shards.
        tokenizer: whose tokens.
        whole: whether a pass holds every document once; otherwise the passes are compared with each other alone.
        budget: bound on the tokens read; one language is read in any case.
        progress: told of the languages done.
    """
    ordered = sorted(sizes, key=lambda lang: (sizes[lang], lang))
    places = np.unique(np.linspace(0, len(ordered) - 1, MOST_LANGUAGES).astype(np.int64))
    chosen: list[str] = []
    for lang in [ordered[place] for place in places]:
        if not chosen or PASSES * (sizes[lang] + sum(sizes[one] for one in chosen)) <= budget:
            chosen.append(lang)
    problems: list[str] = []
    read = 0
    for number, lang in enumerate(chosen):
        progress("passes", number, len(chosen))
        size = pass_tokens(lang)
        read += PASSES * size
        tokens, begun = passes_of(open_stream(lang), size)
        expected = shard_tokens(storage, snapshot, tokenizer, lang) if whole else None
        problems += _differences(lang, tokens, begun, expected)
    progress("passes", len(chosen), len(chosen))
    return PassReport(tuple(chosen), read, tuple(problems))


def passes_of(stream: CurriculumStream, size: int) -> tuple[list[Counts], list[int]]:
    """What the first passes of a stream of one language hold.

    Args:
        stream: in rows of one language.
        size: tokens of a pass.

    Returns:
        how often each token comes in each pass, and how many documents begin in it.
    """
    length = stream.config.row_tokens
    tokens: list[Counts] = [np.zeros(1, dtype=np.int64)] * PASSES
    begun = [0] * PASSES
    rows = -(-PASSES * size // length)
    for first in range(0, rows, _CHUNK):
        batch = stream.rows(range(first, min(first + _CHUNK, rows)))
        flat = batch.compact.reshape(-1)
        begins = first * length + batch.cu_seqlens[:-1][batch.piece_begins].astype(np.int64)
        for number in range(PASSES):
            start, end = (np.clip(place * size - first * length, 0, len(flat)) for place in (number, number + 1))
            tokens[number] = _sum(tokens[number], np.bincount(flat[start:end]))
            begun[number] += int(((begins >= number * size) & (begins < (number + 1) * size)).sum())
    return tokens, begun


def shard_tokens(storage: Storage, snapshot: Snapshot, tokenizer: str, lang: str) -> tuple[Counts, int]:
    """How often each token comes in a language's training shards, with a ``<s>`` for each document; and the documents.

    Raises:
        CorpusError: a shard is missing or damaged.
    """
    total, documents = np.zeros(1, dtype=np.int64), 0
    for file in snapshot.files:
        if (file.kind, file.tokenizer, file.lang, file.split) == ("tokens", tokenizer, lang, "train"):
            with storage.local_copy(file.path) as path:
                for batch in read_batches(path):
                    column = batch.column("tokens")
                    total = _sum(total, np.bincount(column.flatten().to_numpy(zero_copy_only=False)))
                    documents += len(column)
    bos = np.zeros(int(snapshot.tokenizers[tokenizer]["special"]["bos"]) + 1, dtype=np.int64)
    bos[-1] = documents
    return _sum(total, bos), documents


def _differences(
    lang: str, tokens: Sequence[Counts], begun: Sequence[int], expected: tuple[Counts, int] | None
) -> list[str]:
    wanted, documents = expected or (tokens[0], begun[0])
    there = "the shards" if expected else "the first pass"
    problems = []
    for number, (counts, starts) in enumerate(zip(tokens, begun, strict=True), start=1):
        off = int(np.abs(_sum(counts, -wanted)).sum())
        if off:
            problems.append(f"pass {number} over {lang} and {there} differ in {off:,} tokens")
        elif starts != documents:
            problems.append(f"pass {number} over {lang} begins {starts:,} documents, not {documents:,}")
    return problems


def _sum(one: Counts, other: Counts) -> Counts:
    """Counts of unequal lengths, added."""
    size = max(len(one), len(other))
    return np.asarray(np.pad(one, (0, size - len(one))) + np.pad(other, (0, size - len(other))), dtype=np.int64)
