"""The Beam jobs of ``prepare``: the only module, with ``graph_near`` and ``runner``, that knows Beam.

    read    splits -> batches -> repairs -> pieces, keys of their lines
    lines   keys of lines by site -> boilerplate lines
    score   pieces -> other stages -> staged pieces
    match   pieces -> thresholds; survivors' keys by id, by text -> decisions by piece
    write   parts -> shards

Near duplicates have jobs of their own between ``match`` and ``write``, in ``graph_near``. Elements are record
batches (``read``, ``score``) and packed arrays of keys (``lines``, ``match``); text crosses no shuffle. The graphs do
not depend on the number of languages: a language is a value in the data, never a branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.metrics.metric import Metrics

from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.count import LINES, from_table, join
from pipeline.boilerplate.count import deal as deal_sites
from pipeline.boilerplate.count import unpack as unpack_counts
from pipeline.boilerplate.select import SELECTED_SCHEMA, select, selected_batch
from pipeline.config import PrepareConfig
from pipeline.deduplicate.exact import DECISION, ROW, Rows, keep_all, partition, resolve_ids, resolve_texts
from pipeline.earlier.documents import EarlierPart, earlier_name, earlier_rows, earlier_sketch
from pipeline.earlier.filter import NewKeys, piece_places, write_range
from pipeline.earlier.merge import EarlierLimits
from pipeline.earlier.sign import SignTask, sign_shard
from pipeline.match import (
    MATCH_SCHEMA,
    earlier_batch,
    fixed_bytes,
    match_batch,
    merge_sketches,
    read_decisions,
    split_sketches,
    surviving_rows,
)
from pipeline.piece import EndOfSplit, Piece
from pipeline.quality.config import FilterConfig
from pipeline.quality.survey import Survey, merge, survey
from pipeline.quality.thresholds import Derived, derive
from pipeline.reading import ReadTask, read_pieces
from pipeline.split.heldout import SplitSketch
from pipeline.stage import Stage
from pipeline.stages import repair_stages, run_stage, score_stages
from pipeline.work import (
    READ,
    STAGED,
    encode,
    end_split,
    piece_account,
    raw_name,
    read_piece,
    read_staged,
    single_batch,
    stage_piece,
    staged_columns,
)
from pipeline.write.plan import IndexPart, RestPart, TextPart
from pipeline.write.shards import WriteJob, write_index, write_rest, write_text

Surveys = dict[str, Survey]
Build = Callable[[beam.Pipeline], None]
_DECISIONS = "decisions"
EARLIER_SKETCHES = "earlier_sketches.json"
_MOST_PARTITIONS = 256


def read_job(tasks: Sequence[ReadTask], work: str, config: PrepareConfig) -> Build:
    """Read splits and repair what is in them; score it too where no boilerplate is removed, which needs all splits."""
    stages, folder = repair_stages(config), READ
    if not config.boilerplate.enabled:
        stages, folder = [*stages, *score_stages(config, work)], STAGED

    def build(pipeline: beam.Pipeline) -> None:
        pieces = (
            pipeline
            | "splits" >> beam.Create(list(tasks), reshuffle=False)
            | "deal splits" >> beam.Reshuffle()
            | "read" >> beam.ParDo(ReadSplits(config.batch_bytes))
        )
        for stage in stages:
            pieces = pieces | stage.name >> beam.ParDo(RunStage(stage))
        _ = pieces | "stage" >> beam.ParDo(StagePieces(work, folder))

    return build


def lines_job(pieces: Sequence[str], work: str, folder: str, config: PrepareConfig) -> Build:
    """Select the boilerplate lines of every site from the lines of all its documents."""
    partitions = max(1, min(_MOST_PARTITIONS, len(pieces)))

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "pieces" >> beam.Create(list(pieces), reshuffle=False)
            | "deal pieces" >> beam.Reshuffle()
            | "lines" >> beam.FlatMap(piece_lines, work, partitions)
            | "group sites" >> beam.GroupByKey()
            | "select lines" >> beam.Map(select_lines, work, folder, config.boilerplate)
        )

    return build


def piece_lines(name: str, work: str, partitions: int) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Packed keys of a piece's lines, by partition of their site."""
    with Storage(work).local_copy(f"{READ}/{name}.{LINES}.arrow") as path:
        yield from deal_sites(from_table(read_table(path)), partitions)


def select_lines(
    element: tuple[int, Iterable[tuple[bytes, bytes]]], work: str, folder: str, config: BoilerplateConfig
) -> None:
    """Keep the boilerplate lines of the sites of one partition.

    The folder's name says what they come from, so a file that an earlier attempt has finished is right.
    """
    number, packed = element
    if Storage(work).exists(f"{folder}/{number:05d}.arrow"):
        return
    selected = select(join(map(unpack_counts, packed), config.sample), config)
    with Storage(work).create(f"{folder}/{number:05d}.arrow") as path, ShardWriter(path, SELECTED_SCHEMA) as writer:
        writer.write(selected_batch(selected))


def score_job(pieces: Sequence[tuple[str, str]], work: str, keys: str, config: PrepareConfig) -> Build:
    """Pass pieces that were read through the other stages, stage what comes out.

    Args:
        pieces: name of each piece as it was read, and of its task as it is to be staged.
        work: the run's work folder.
        keys: name there of the file of boilerplate lines.
        config: settings of all stages.
    """

    def build(pipeline: beam.Pipeline) -> None:
        dealt = (
            pipeline
            | "pieces" >> beam.Create(list(pieces), reshuffle=False)
            | "deal pieces" >> beam.Reshuffle()
            | "load" >> beam.FlatMap(load_piece, work)
        )
        for stage in score_stages(config, work, keys):
            dealt = dealt | stage.name >> beam.ParDo(RunStage(stage))
        _ = dealt | "stage" >> beam.ParDo(StagePieces(work, STAGED)) | "clear" >> beam.Map(clear_read, work)

    return build


def load_piece(names: tuple[str, str], work: str) -> Iterator[Piece]:
    """A piece as it was read, unless it has been staged: an engine may ask for it twice."""
    storage = Storage(work)
    piece_name, task = names
    if piece_account(storage, f"{task}-{piece_name.rpartition('-')[2]}") is None:
        yield read_piece(storage, piece_name).replace(task=task)


def clear_read(name: str, work: str) -> None:
    """Remove the text of a piece as it was read, now that it is staged: half of the disk that a run needs."""
    Storage(work).remove(f"{READ}/{raw_name(name)}.arrow")


class ReadSplits(beam.DoFn):
    """Split -> its pieces, then the mark of its end."""

    def __init__(self, batch_bytes: int) -> None:
        self.batch_bytes = batch_bytes

    def process(self, task: ReadTask) -> Iterator[Piece | EndOfSplit]:
        yield from read_pieces(task, self.batch_bytes)


class RunStage(beam.DoFn):
    """One stage over pieces; marks pass unchanged."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def process(self, element: Piece | EndOfSplit) -> Iterator[Piece | EndOfSplit]:
        if isinstance(element, EndOfSplit):
            yield element
            return
        before = len(element.rejected)
        piece = run_stage(self.stage, element)
        for _, rows in piece.rejected[before:]:
            for reason in rows.column("reason").to_pylist():
                Metrics.counter(self.stage.name, reason).inc()
        yield piece


class StagePieces(beam.DoFn):
    """Writes pieces and marks to the work folder; the names of the pieces go on."""

    def __init__(self, work: str, folder: str) -> None:
        self.work = work
        self.folder = folder

    def setup(self) -> None:
        self.storage = Storage(self.work)

    def process(self, element: Piece | EndOfSplit) -> Iterator[str]:
        if isinstance(element, EndOfSplit):
            end_split(self.storage, element, self.folder)
        else:
            yield stage_piece(self.storage, element, self.folder).name


@dataclass(frozen=True)
class MatchTask:
    """A staged piece and its number in the run."""

    number: int
    name: str


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
    partitions = max(1, min(256, len(pieces) + len(earlier)))

    def build(pipeline: beam.Pipeline) -> None:
        dealt = pipeline | "pieces" >> beam.Create(tasks, reshuffle=False) | "deal pieces" >> beam.Reshuffle()
        thresholds = (
            dealt
            | "survey" >> beam.Map(piece_survey, work, config.filter)
            | "merge surveys" >> beam.CombineGlobally(MergeSurveys())
            | "derive thresholds" >> beam.Map(derive_limits, config, limits)
            | "keep thresholds" >> beam.Map(write_thresholds, work, folder)
        )
        new = dealt | "filter" >> beam.FlatMap(survivors, work, config, partitions, beam.pvalue.AsSingleton(thresholds))
        parts = pipeline | "earlier" >> beam.Create(known, reshuffle=False) | "deal earlier" >> beam.Reshuffle()
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
            | "keep earlier sketches" >> beam.Map(write_sketches, work, folder, EARLIER_SKETCHES)
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


def piece_survey(task: MatchTask, work: str, config: FilterConfig) -> Surveys:
    """What the filter must know of a piece, by language."""
    table = read_staged(Storage(work), task.name, without_text(work, task.name))
    return survey(single_batch(table), config)


def write_thresholds(derived: Derived, work: str, folder: str) -> Mapping[str, Mapping[str, float]]:
    """Keep the limits and what they rest on for the driver; only the limits go on."""
    write_json(derived.thresholds, work, f"{folder}/thresholds.json")
    facts = {tag: found.model_dump(mode="json") for tag, found in derived.facts.items()}
    write_json(facts, work, f"{folder}/threshold_facts.json")
    return derived.thresholds


class MergeSurveys(beam.CombineFn):
    """Adds surveys up."""

    def create_accumulator(self) -> Surveys:
        return {}

    def add_input(self, accumulator: Surveys, element: Surveys) -> Surveys:
        return merge([accumulator, element])

    def merge_accumulators(self, accumulators: Iterable[Surveys]) -> Surveys:
        return merge(list(accumulators))

    def extract_output(self, accumulator: Surveys) -> Surveys:
        return accumulator


def without_text(work: str, name: str) -> list[str]:
    """The columns of a staged piece but its text, which no decision needs."""
    return [column for column in staged_columns(Storage(work), name) if column != "text"]


def survivors(
    task: MatchTask, work: str, config: PrepareConfig, partitions: int, thresholds: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[int, bytes]]:
    """Packed rows that the filters keep, by partition of their id."""
    table = read_staged(Storage(work), task.name, without_text(work, task.name))
    rows = surviving_rows(single_batch(table), task.number, thresholds, config.filter)
    yield from deal(rows, "id", partitions)


def deal(rows: Rows, field: str, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Packed rows by partition of one of their keys."""
    yield from by_number(rows, partition(rows, field, partitions))


class CompareIds(beam.DoFn):
    """Rows of one partition by id -> rows by text, and decisions on those that repeat an id."""

    def __init__(self, config: PrepareConfig, partitions: int, pieces: int) -> None:
        self.config = config
        self.partitions = partitions
        self.pieces = pieces

    def process(self, element: tuple[int, Iterable[bytes]]) -> Iterator[Any]:
        outcome = resolve_ids(unpack(element[1], ROW), self.config.deduplicate, self.pieces)
        yield from deal(outcome.unique, "key", self.partitions)
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


def derive_limits(surveys: Surveys, config: PrepareConfig, limits: EarlierLimits | None) -> Derived:
    """The limits of a run: from its documents, and from those of the snapshot it goes on with."""
    if limits is None:
        return derive(surveys, config.filter)
    return limits.carry(derive(surveys, config.filter, limits.documents))


def deal_earlier(numbered: tuple[int, EarlierPart], partitions: int, new_keys: NewKeys) -> Iterator[tuple[int, bytes]]:
    """Packed rows of earlier documents, by partition of their id."""
    piece, part = numbered
    yield from deal(earlier_rows(part, piece, new_keys), "id", partitions)


def sketch_earlier(numbered: tuple[int, EarlierPart], config: PrepareConfig, seed: int) -> dict[str, SplitSketch]:
    """What earlier documents of this corpus say about the held-out bounds."""
    part = numbered[1]
    return earlier_sketch(part, config.split, seed) if part.own else {}


def by_piece(decisions: Rows) -> Iterator[tuple[int, bytes]]:
    """Packed decisions by the number of their piece."""
    return by_number(decisions, decisions["piece"].astype(np.int64))


def by_number(rows: npt.NDArray[Any], numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
    """Packed rows by a number that is given for each."""
    order = np.argsort(numbers, kind="stable")
    for number, start, stop in equal_runs(numbers[order]):
        yield number, rows[order[start:stop]].tobytes()


def equal_runs(numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(value, start, stop) of every run of equal values in an ordered array."""
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    stops = np.append(starts[1:], len(numbers))[: len(starts)]
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        yield int(numbers[start]), start, stop


def unpack(packed: Iterable[bytes], kind: np.dtype[np.void]) -> Rows:
    """Packed rows of several elements as one array that may be written to."""
    return np.frombuffer(b"".join(packed), dtype=kind).copy()


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


def write_decisions(storage: Storage, name: str, match: pa.RecordBatch) -> None:
    """Keep the decisions on one piece as a file that later steps map into memory."""
    with storage.create(f"{name}.arrow") as path, ShardWriter(path, MATCH_SCHEMA) as writer:
        writer.write(match)


def sketch_piece(
    number: int, work: str, folder: str, pieces: Sequence[str], config: PrepareConfig, seed: int
) -> dict[str, SplitSketch]:
    """Sketch what the kept documents of one piece add to each language."""
    if number >= len(pieces):
        return {}  # earlier documents are sketched apart: they lie where they lie
    storage = Storage(work)
    match = read_decisions(storage, folder, pieces[number])
    return split_sketches(storage, pieces[number], match, config.split, seed)


class MergeSketches(beam.CombineFn):
    """Merges the sketches of pieces."""

    def __init__(self, config: PrepareConfig) -> None:
        self.config = config.split

    def create_accumulator(self) -> dict[str, SplitSketch]:
        return {}

    def add_input(self, accumulator: dict[str, SplitSketch], element: dict[str, SplitSketch]) -> dict[str, SplitSketch]:
        return merge_sketches([accumulator, element], self.config)

    def merge_accumulators(self, accumulators: Iterable[dict[str, SplitSketch]]) -> dict[str, SplitSketch]:
        return merge_sketches(list(accumulators), self.config)

    def extract_output(self, accumulator: dict[str, SplitSketch]) -> dict[str, SplitSketch]:
        return accumulator


def write_sketches(sketches: Mapping[str, SplitSketch], work: str, folder: str, name: str = "sketches.json") -> None:
    """Keep the merged sketches for the driver; they are there when all decisions are."""
    write_json({lang: vars(sketch) for lang, sketch in sketches.items()}, work, f"{folder}/{name}")


def write_json(value: Any, work: str, name: str) -> None:
    """Keep a small result for the driver."""
    Storage(work).write_bytes(name, encode(value))


def write_job(parts: Sequence[TextPart | RestPart], corpus: str, work: str, job: WriteJob) -> Build:
    """Write every part's shards and its account."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "parts" >> beam.Create(list(parts), reshuffle=False)
            | "deal parts" >> beam.Reshuffle()
            | "write" >> beam.Map(write_part, corpus, work, job)
        )

    return build


def write_part(part: TextPart | RestPart, corpus: str, work: str, job: WriteJob) -> None:
    """Write one part, then its account: an account that is there means the shards are whole."""
    target, staged = Storage(corpus), Storage(work)
    if isinstance(part, TextPart):
        account = write_text(target, staged, part, job)
    else:
        account = write_rest(target, staged, part, job)
    staged.write_bytes(f"{job.accounts}/{part_name(part)}.json", encode(account))


def index_job(parts: Sequence[IndexPart], corpus: str, work: str, job: WriteJob) -> Build:
    """Write every part of the index and its account."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "parts" >> beam.Create(list(parts), reshuffle=False)
            | "deal parts" >> beam.Reshuffle()
            | "write index" >> beam.Map(write_index_part, corpus, work, job)
        )

    return build


def write_index_part(part: IndexPart, corpus: str, work: str, job: WriteJob) -> None:
    """Write one part of the index, then its account."""
    file = write_index(Storage(corpus), Storage(work), part, job)
    Storage(work).write_bytes(f"{job.accounts}/index-{part.number:05d}.json", encode({"files": [file.model_dump()]}))


def new_keys_job(pieces: Sequence[str], keys: NewKeys) -> Build:
    """Note which keys the documents of this run have."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "pieces" >> beam.Create(list(pieces), reshuffle=False)
            | "deal pieces" >> beam.Reshuffle()
            | "places" >> beam.FlatMap(deal_places, keys)
            | "group places" >> beam.GroupByKey()
            | "write places" >> beam.Map(write_places, keys)
        )

    return build


def deal_places(piece: str, keys: NewKeys) -> Iterator[tuple[int, bytes]]:
    """Places of the keys of a piece in the table of new keys, by part of the table."""
    table = read_staged(Storage(keys.work), piece, ["id", "text_key", "bands", "sampled"])
    places = piece_places(table, keys)
    yield from by_number(places, keys.part_of(places))


def write_places(element: tuple[int, Iterable[bytes]], keys: NewKeys) -> None:
    """Write one part of the table."""
    part, packed = element
    write_range(Storage(keys.work), keys, part, np.frombuffer(b"".join(packed), np.uint32))


def sign_job(tasks: Sequence[SignTask], work: str, config: PrepareConfig) -> Build:
    """Make index rows of earlier text shards that have none which fit."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "shards" >> beam.Create(list(tasks), reshuffle=False)
            | "deal shards" >> beam.Reshuffle()
            | "sign" >> beam.Map(sign_earlier, work, config)
        )

    return build


def sign_earlier(task: SignTask, work: str, config: PrepareConfig) -> None:
    """Make the index rows of one shard."""
    sign_shard(Storage(work), task, config.deduplicate.near)


def part_name(part: TextPart | RestPart) -> str:
    """Name of a part's account."""
    return f"text-{part.lang}-{part.number:05d}" if isinstance(part, TextPart) else f"rest-{part.number:05d}"
