"""The hardest, easiest, most and least diverse documents, by the scores in the token shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from corpus.errors import CorpusError
from corpus.manifest import ShardFile, Snapshot
from corpus.schema import TRAIN
from corpus.shards import read_table
from corpus.storage import Storage
from evenglot.inspect.selection import Selection

SCORES: Final = ("difficulty", "diversity")
_SHOWN: Final = ("id", "text", "lang", "url", "source", "copies", "declared_lang")


class End(NamedTuple):
    """One end of a score."""

    score: str
    highest: bool


ENDS: Final = {
    "hardest": End("difficulty", True),
    "easiest": End("difficulty", False),
    "most diverse": End("diversity", True),
    "least diverse": End("diversity", False),
}


def extremes(
    storage: Storage, snapshot: Snapshot, selection: Selection, count: int
) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """The documents at both ends of both scores.

    Args:
        storage: the corpus.
        snapshot: its state.
        selection: which documents.
        count: documents of each end.

    Returns:
        rows with their scores by the names of ``ENDS``, the most extreme first, and how many documents have scores.

    Raises:
        CorpusError: the corpus has no scores.
    """
    found: dict[str, list[tuple[float, str, int, dict[str, Any]]]] = {name: [] for name in ENDS}
    total = scored = 0
    for tokens, text in _pairs(snapshot, selection.lang):
        scores = _scores(storage, tokens)
        if scores is None:
            continue
        scored += int(np.count_nonzero(~np.isnan(scores["diversity"])))
        with storage.local_copy(text.path) as path:
            table = read_table(path)
            if selection.source is not None or selection.contains is not None:
                masks = [selection.mask(batch) for batch in table.to_batches()]
                chosen = np.concatenate([mask.to_numpy(zero_copy_only=False) for mask in masks])
                scores = {name: np.where(chosen, values, np.nan) for name, values in scores.items()}
            total += int(np.count_nonzero(~np.isnan(scores["diversity"])))
            for name, end in ENDS.items():
                sign = -1.0 if end.highest else 1.0
                values = sign * scores[end.score]
                for row in _first(values, count):
                    entry: tuple[float, str, int, dict[str, Any]] = (float(values[row]), text.path, int(row), {})
                    found[name] = sorted([*found[name], entry], key=lambda one: one[:3])[:count]
                for place, (value, where, row, shown) in enumerate(found[name]):
                    if where == text.path and not shown:
                        shown = _row(table, row) | {score: round(float(scores[score][row]), 4) for score in SCORES}
                        found[name][place] = (value, where, row, shown)
    if not scored:
        raise CorpusError(
            f"snapshot {snapshot.number} of {storage.url} has no document with scores",
            "Run `evenglot tokenize` with tokenizer.scores.enabled: true; under a new tokenizer.name if the corpus "
            "has tokens without scores",
        )
    return {name: [shown for *_, shown in rows] for name, rows in found.items()}, total


def _pairs(snapshot: Snapshot, lang: str | None) -> list[tuple[ShardFile, ShardFile]]:
    """Token shards of the training split with the text they were made from, of the first tokenizer by name."""
    texts = {(str(file.lang), PurePosixPath(file.path).name): file for file in snapshot.select("text", split=TRAIN)}
    files = snapshot.select("tokens", lang=lang, split=TRAIN)
    first = min((str(file.tokenizer) for file in files), default="")
    keyed = [(file, (str(file.lang), PurePosixPath(file.path).name)) for file in files if file.tokenizer == first]
    return [(file, texts[key]) for file, key in keyed if key in texts]


def _scores(storage: Storage, tokens: ShardFile) -> dict[str, np.ndarray[Any, np.dtype[Any]]] | None:
    """The scores of a shard, NaN where a document has none; None where the shard has no such columns."""
    with storage.local_copy(tokens.path) as path:
        table = read_table(path)
        if not set(SCORES) <= set(table.column_names):
            return None
        return {name: table[name].to_numpy().astype(np.float64) for name in SCORES}


def _first(values: np.ndarray[Any, np.dtype[Any]], count: int) -> Sequence[int]:
    """Rows of the lowest values; NaN is none."""
    order: Sequence[int] = np.argsort(values, kind="stable")[:count].tolist()
    return [row for row in order if not np.isnan(values[row])]


def _row(table: pa.Table, row: int) -> dict[str, Any]:
    columns = [name for name in _SHOWN if name in table.column_names]
    shown: dict[str, Any] = table.slice(row, 1).select(columns).to_pylist()[0]
    return shown
