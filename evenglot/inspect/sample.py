"""Samples chosen by hash: the same ones every time, spread over languages, reasons and sites."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from corpus.hashing import stable_hash
from corpus.manifest import ShardFile
from corpus.shards import read_batches
from corpus.storage import Storage
from evenglot.inspect.selection import Selection, strings

Row = dict[str, Any]
_HELD: Final = 1024
"""Candidates of a group that are remembered while files are read, at least."""


class Candidate(NamedTuple):
    """A document that may be shown."""

    rank: int
    """Hash of its id: the smaller, the sooner it is shown."""
    place: int
    """Its position among all candidates, which decides between equal ids."""
    site: str
    file: int
    batch: int
    row: int


def sample(
    storage: Storage, files: Sequence[ShardFile], selection: Selection, count: int, seed: int = 0
) -> tuple[list[Row], int]:
    """The first ``count`` documents of an order that does not depend on ``count``.

    One document of every language and reason comes before the second of any, and within those one of every site
    before its second. Cost: one pass over the small columns, then the chosen rows.

    Args:
        storage: the corpus.
        files: its text or rejected shards.
        selection: which documents.
        count: how many at most.
        seed: another seed gives another order.

    Returns:
        the documents' columns, and how many there are to choose from.
    """
    groups: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    held = max(_HELD, 4 * count)
    place = 0
    for number, file in enumerate(files):
        for index, batch in enumerate(batches(storage, file)):
            for group, candidate in _candidates(batch, selection, number, index, place, seed):
                place += 1
                found = groups[group]
                found.append(candidate)
                if len(found) > 8 * held:
                    groups[group] = _spread(found)[:held]
    turns = [
        (turn, candidate) for group in sorted(groups) for turn, candidate in enumerate(_spread(groups[group])[:count])
    ]
    return fetch(storage, files, [candidate for _, candidate in sorted(turns)[:count]]), place


def _candidates(
    batch: pa.RecordBatch, selection: Selection, file: int, index: int, place: int, seed: int
) -> Iterator[tuple[tuple[str, str], Candidate]]:
    rows = pa.array(range(batch.num_rows)).filter(selection.mask(batch))
    if not len(rows):
        return
    chosen = batch.select([name for name in batch.schema.names if name != "text"]).take(rows)
    langs = strings(chosen, "lang").to_pylist()
    rejected = chosen.schema.get_field_index("reason") >= 0
    reasons = strings(chosen, "reason").to_pylist() if rejected else [""] * len(rows)
    urls, sources = strings(chosen, "url").to_pylist(), strings(chosen, "source").to_pylist()
    ids = chosen.column("id").to_pylist()
    for number, row in enumerate(rows.to_pylist()):
        site = (urls[number] or "").partition("://")[2].partition("/")[0] or sources[number] or ""
        rank = stable_hash("sample", ids[number], seed=seed)
        yield (langs[number] or "", reasons[number]), Candidate(rank, place + number, site, file, index, row)


def _spread(candidates: Iterable[Candidate]) -> list[Candidate]:
    """By hash, one of every site before the second of any."""
    seen: Counter[str] = Counter()
    turns = []
    for candidate in sorted(candidates):
        turns.append((seen[candidate.site], candidate))
        seen[candidate.site] += 1
    return [candidate for _, candidate in sorted(turns)]


def fetch(storage: Storage, files: Sequence[ShardFile], chosen: Sequence[Candidate]) -> list[Row]:
    """All columns of some rows, in the order given."""
    wanted: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for position, candidate in enumerate(chosen):
        wanted[candidate.file][candidate.batch].append((candidate.row, position))
    rows: list[Row] = [{} for _ in chosen]
    for number in sorted(wanted):
        for index, batch in enumerate(batches(storage, files[number])):
            for row, position in wanted[number].get(index, ()):
                rows[position] = batch.slice(row, 1).to_pylist()[0]
    return rows


def batches(storage: Storage, file: ShardFile) -> Iterator[pa.RecordBatch]:
    """The batches of a shard."""
    with storage.local_copy(file.path) as path:
        yield from read_batches(path)
