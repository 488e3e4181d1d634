"""How like natural text the candidates of one language are, and how natural each of them looks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from corpus.hashing import stable_hash
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.augment.files import read_pairs
from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.judge import learn
from pipeline.naturalness.measure import measure
from pipeline.naturalness.shrink import shrink
from pipeline.parents.budget import BACK_TRANSLATION, INSERTION, PARAPHRASE
from pipeline.work import encode, read_staged

BY_MODELS: Final = frozenset({BACK_TRANSLATION, PARAPHRASE})
"""Methods whose text a model made."""
_DOCUMENTS: Final = 4
"""Documents that are looked at for each passage that is compared: not every document gives one."""


@dataclass(frozen=True)
class CompareTask:
    """One language to compare; its texts are read where they lie."""

    lang: str
    corpus: str
    work: str
    shards: tuple[str, ...]
    """Of its natural training text."""
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    """Staged pieces, and which of their rows are candidates that may stay, in order."""
    pairs: tuple[str, ...]
    """Files of natural documents that were translated there and back."""
    config: NaturalnessConfig
    seed: int
    name: str
    """File of the outcome in the work folder."""


def measured_methods(origins: Collection[str]) -> frozenset[str]:
    """The methods whose text is measured, and whose parts of the budget shrink: those that have models.

    Natural sentences put together anew say nothing of the models, and are measured where there is nothing else.

    Args:
        origins: of the candidates of a language.
    """
    return BY_MODELS if BY_MODELS.intersection(origins) else frozenset({INSERTION})


def compare_language(task: CompareTask) -> None:
    """Write the measures of a language, what stays of its budget, and how natural each candidate looks."""
    work = Storage(task.work)
    texts, parents, origins = [], [], []
    for piece, rows in task.rows:
        table = read_staged(work, piece, ["text", "parent", "origin"]).take(pa.array(rows))
        texts += table.column("text").to_pylist()
        parents += table.column("parent").to_pylist()
        origins += table.column("origin").to_pylist()
    pairs = read_pairs(work, task.pairs)
    most = _DOCUMENTS * task.config.passages
    ids, natural = _natural(Storage(task.corpus), task, most, set(pairs.ids))
    measured = measured_methods(origins)
    chosen = [row for row, origin in enumerate(origins) if origin in measured]
    few = _smallest([parents[row] for row in chosen], [texts[row] for row in chosen], most, task.seed)
    synthetic, of = [texts[chosen[row]] for row in few], [parents[chosen[row]] for row in few]
    ids, natural = [*pairs.ids, *ids], [*pairs.natural, *natural]
    back = [*pairs.back, *([None] * (len(ids) - len(pairs.back)))] if pairs.ids else None
    found = measure(
        natural, synthetic, task.lang, task.config, natural_ids=ids, parents=of, retranslated=back, seed=task.seed
    )
    share, why = shrink(found, task.config)
    judge = learn(natural, synthetic, task.lang, task.config, natural_ids=ids, parents=of, seed=task.seed)
    values = np.full(len(texts), np.nan) if judge is None else judge.naturalness(texts, parents)
    said = {
        "measures": found.figures(),
        "share": share,
        "why": why,
        "naturalness": [None if np.isnan(value) else round(float(value), 4) for value in values],
    }
    work.write_bytes(task.name, encode(said))


def _natural(corpus: Storage, task: CompareTask, most: int, without: set[str]) -> tuple[list[str], list[str]]:
    """Ids and texts of natural documents, those with the smallest hashes."""
    ids: list[str] = []
    places: list[tuple[int, int]] = []
    for number, shard in enumerate(task.shards):
        with corpus.local_copy(shard) as path:
            found = read_table(path).column("id").to_pylist()
        ids += found
        places += [(number, row) for row in range(len(found))]
    free = [row for row, name in enumerate(ids) if name not in without]
    chosen = [free[row] for row in _smallest([ids[row] for row in free], None, most, task.seed)]
    texts: dict[int, str] = {}
    for number, shard in enumerate(task.shards):
        mine = [row for row in chosen if places[row][0] == number]
        with corpus.local_copy(shard) as path:
            column = read_table(path).column("text").take(pa.array([places[row][1] for row in mine], pa.int64()))
        texts |= dict(zip(mine, column.to_pylist(), strict=True))
    return [ids[row] for row in chosen], [texts[row] for row in chosen]


def _smallest(names: Sequence[str], texts: Sequence[str] | None, most: int, seed: int) -> list[int]:
    """Rows of the smallest hashes; texts tell candidates of one parent apart."""
    more = [""] * len(names) if texts is None else texts
    hashes = [stable_hash("naturalness", name, text, seed=seed) for name, text in zip(names, more, strict=True)]
    return sorted(range(len(names)), key=lambda row: (hashes[row], row))[:most]
