"""Embeddings to begin with that say which pieces mean the same.

Pieces of two languages that occur in the same sentence pairs get like vectors: rows of the table of pieces and
sentences, weighted by how telling an occurrence is and brought down to the model's width by singular value
decomposition (Levy, Søgaard and Goldberg 2017, *A Strong Baseline for Learning Cross-Lingual Word Embeddings from
Sentence Alignments*, https://aclanthology.org/E17-1072/). What attention then has to learn is to look for what is
alike, once, and not each word's translation by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from corpus.translations import SentencePair
from trainer.translator.alignment import Ints
from trainer.translator.vocabulary import Vocabulary

_OWN: Final = 0.6
"""Length of the part of a vector that is its own, of 1: pieces that mean the same must still be told apart."""
_ITERATIONS: Final = 6


def aligned_embeddings(vocabulary: Vocabulary, pairs: Sequence[SentencePair], own: Tensor, seed: int = 0) -> Tensor:
    """Vectors of length 1 (0.8 of it shared with pieces of the same sentences), [V, D].

    Args:
        vocabulary: the translator's; a piece that no sentence has keeps its own vector.
        pairs: sentences of one text in several languages count as one.
        own: what each piece has for itself, such as a random vector, [V, D].
        seed: of the decomposition.
    """
    sentences = _sentences(pairs)
    counts = _counts(vocabulary, pairs, sentences)
    own = torch.nn.functional.normalize(own, dim=1)
    if counts is None:
        return own
    rows, columns, values, width = counts
    size = len(vocabulary)
    occurrences = np.bincount(rows, minlength=size)
    telling = np.log(width / np.maximum(occurrences, 1))
    weights = torch.from_numpy(np.log1p(values) * telling[rows]).float()
    table = torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([rows, columns])), weights, (size, width), check_invariants=True
    )
    table = table.coalesce()
    rank = min(own.shape[1], size, width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        left, scale, _ = torch.svd_lowrank(table, q=rank, niter=_ITERATIONS)
    shared = torch.zeros_like(own)
    shared[:, :rank] = torch.nn.functional.normalize(left * scale.sqrt(), dim=1)
    mixed = (1 - _OWN**2) ** 0.5 * shared + _OWN * own
    return torch.where(torch.from_numpy(occurrences > 0)[:, None], torch.nn.functional.normalize(mixed, dim=1), own)


def _sentences(pairs: Sequence[SentencePair]) -> list[int]:
    """Number of the sentence that each pair is of, [N]: pairs that share a side are of one."""
    known: dict[tuple[str, str], int] = {}
    found: list[int] = []
    for pair in pairs:
        sides = (pair.source, pair.text), (pair.target, pair.translation)
        number = known.get(sides[0], known.get(sides[1], len(found)))
        for side in sides:
            known.setdefault(side, number)
        found.append(number)
    return found


def _counts(
    vocabulary: Vocabulary, pairs: Sequence[SentencePair], sentences: Sequence[int]
) -> tuple[Ints, Ints, Ints, int] | None:
    """Piece, sentence and number of occurrences of each that occur together, and the number of sentences."""
    sides: dict[tuple[int, str], None] = {}
    for pair, number in zip(pairs, sentences, strict=True):
        sides[number, pair.text] = None
        sides[number, pair.translation] = None
    if not sides:
        return None
    ids = [row[:-1] for row in vocabulary.encode([text for _, text in sides])]
    owners = np.repeat([number for number, _ in sides], [len(row) for row in ids]).astype(np.int64)
    _, columns = np.unique(owners, return_inverse=True)
    width = int(columns.max(initial=-1)) + 1
    cells, values = np.unique(np.concatenate(ids).astype(np.int64) * width + columns, return_counts=True)
    return cells // width, cells % width, values, width
