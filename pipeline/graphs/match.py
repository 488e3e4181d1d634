"""The job that matches: thresholds; survivors' keys by id, then by text -> decisions by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import apache_beam as beam

from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.deduplicate.exact import DECISION, ROW, keep_all, resolve_ids, resolve_texts
from pipeline.earlier.documents import EarlierPart, earlier_name, earlier_rows, earlier_sketch
from pipeline.earlier.filter import NewKeys
from pipeline.earlier.merge import EarlierLimits
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.sketch import MergeSketches, sketch_piece, write_sketches
from pipeline.graphs.survey import MatchTask, MergeSurveys, derive_limits, piece_survey, write_thresholds
from pipeline.match import earlier_batch, fixed_bytes, match_batch, surviving_rows, write_decisions
from pipeline.packed import by_partition, by_piece, partitions_for, unpack
from pipeline.split.heldout import SplitSketch
from pipeline.work import read_staged, read_without_text

_DECISIONS: Final = "decisions"
_EARLIER_SKETCHES: Final = "earlier_sketches.json"


def match_job(
    pieces: Sequence[str],
    work: str,
    folder: str,
    config: PrepareConfig,
    seed: int,
    earlier: Sequence[EarlierPart] = (),
    new_keys: NewKeys | None = None,
    limits: EarlierLimits | None = None,
) -> Build:
    """Derive thresholds, apply them, and compare what survives by id and by text.

    Args:
        pieces: names of the staged pieces.
        work: where they are.
        folder: of the decisions, in ``work``: ``exact`` in it where near duplicates are looked for next, else
            ``final``, then with the sketches of the held-out bounds.
        config: settings.
        seed: decides what is held out.
        earlier: documents that are compared as well, and stay.
        new_keys: of the documents of this run; needed where there are earlier ones.
        limits: of the snapshot that the run goes on with.
    """
    tasks = [MatchTask(number, name) for number, name in enumerate(pieces)]
    known = list(enumerate(earlier, start=len(pieces)))
    partitions = partitions_for(len(pieces) + len(earlier))

    def build(pipeline: beam.Pipeline) -> None:
        each = dealt(pipeline, "pieces", tasks)
        thresholds = (
            each
            | "survey" >> beam.Map(piece_survey, work, config.filter)
            | "merge surveys" >> beam.CombineGlobally(MergeSurveys())
            | "derive thresholds" >> beam.Map(derive_limits, config, limits)
            | "keep thresholds" >> beam.Map(write_thresholds, work, folder)
        )
        new = each | "filter" >> beam.FlatMap(survivors, work, config, partitions, beam.pvalue.AsSingleton(thresholds))
        parts = dealt(pipeline, "earlier", known)
        old = parts | "earlier rows" >> beam.FlatMap(deal_earlier, partitions, new_keys)
        by_id = (
            (new, old)
            | "all rows" >> beam.Flatten()
            | "group ids" >> beam.GroupByKey()
            | "compare ids"
            >> beam.ParDo(CompareIds(config, partitions, len(pieces))).with_outputs(_DECISIONS, main="rows")
        )
        by_text = (
            by_id.rows
            | "group texts" >> beam.GroupByKey()
            | "compare texts" >> beam.FlatMap(compare_texts, config, len(pieces))
        )
        _ = (
            parts
            | "sketch earlier" >> beam.Map(sketch_earlier, config, seed)
            | "merge earlier sketches" >> beam.CombineGlobally(MergeSketches(config))
            | "keep earlier sketches" >> beam.Map(write_sketches, work, folder, _EARLIER_SKETCHES)
        )
        decisions = (
            (by_id[_DECISIONS], by_text) | "all decisions" >> beam.Flatten() | "group decisions" >> beam.GroupByKey()
        )
        if config.deduplicate.near.enabled:
            _ = decisions | "keep decisions" >> beam.Map(write_exact, work, f"{folder}/exact", list(pieces))
        else:
            _ = (
                decisions
                | "keep decisions" >> beam.Map(write_exact, work, f"{folder}/final", list(pieces))
                | "sketch" >> beam.Map(sketch_piece, work, f"{folder}/final", list(pieces), config, seed)
                | "merge sketches" >> beam.CombineGlobally(MergeSketches(config))
                | "keep sketches" >> beam.Map(write_sketches, work, folder)
            )

    return build


def survivors(
    task: MatchTask, work: str, config: PrepareConfig, partitions: int, thresholds: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[int, bytes]]:
    """Packed rows that the filters keep, by partition of their id."""
    table = read_without_text(Storage(work), task.name)
    rows = surviving_rows(table, task.number, thresholds, config.filter)
    yield from by_partition(rows, "id", partitions)


def deal_earlier(numbered: tuple[int, EarlierPart], partitions: int, new_keys: NewKeys) -> Iterator[tuple[int, bytes]]:
    """Packed rows of earlier documents, by partition of their id."""
    piece, part = numbered
    yield from by_partition(earlier_rows(part, piece, new_keys), "id", partitions)


class CompareIds(beam.DoFn):
    """Rows of one partition by id -> rows by text, and decisions on those that repeat an id."""

    def __init__(self, config: PrepareConfig, partitions: int, pieces: int) -> None:
        self.config = config
        self.partitions = partitions
        self.pieces = pieces

    def process(self, element: tuple[int, Iterable[bytes]]) -> Iterator[Any]:
        outcome = resolve_ids(unpack(element[1], ROW), self.config.deduplicate, self.pieces)
        yield from by_partition(outcome.unique, "key", self.partitions)
        for key, packed in by_piece(outcome.decisions):
            yield beam.pvalue.TaggedOutput(_DECISIONS, (key, packed))


def compare_texts(
    element: tuple[int, Iterable[bytes]], config: PrepareConfig, pieces: int
) -> Iterator[tuple[int, bytes]]:
    """Rows of one partition by text -> decisions by piece."""
    rows = unpack(element[1], ROW)
    yield from by_piece(
        resolve_texts(rows, pieces) if config.deduplicate.exact else keep_all(rows[rows["piece"] < pieces])
    )


def write_exact(element: tuple[int, Iterable[bytes]], work: str, folder: str, pieces: Sequence[str]) -> int:
    """Keep the decisions on one piece."""
    number, packed = element
    if number >= len(pieces):
        name = f"{folder}/{earlier_name(number - len(pieces))}"
        write_decisions(Storage(work), name, earlier_batch(unpack(packed, DECISION)))
        return number
    keys = fixed_bytes(read_staged(Storage(work), pieces[number], ["text_key"]).column("text_key"))
    write_decisions(Storage(work), f"{folder}/{pieces[number]}", match_batch(unpack(packed, DECISION), keys))
    return number


def sketch_earlier(numbered: tuple[int, EarlierPart], config: PrepareConfig, seed: int) -> dict[str, SplitSketch]:
    """What earlier documents of this corpus say about the held-out bounds."""
    part = numbered[1]
    return earlier_sketch(part, config.split, seed) if part.own else {}
