"""What a run would take and give, from running its real stages on a sample of its inputs in a temporary folder."""

from __future__ import annotations

import math
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc

from corpus.errors import InputError
from corpus.manifest import Snapshot
from corpus.shards import read_table
from pipeline.account import Clock, peak_memory
from pipeline.config import PrepareConfig
from pipeline.estimate import Interval, add, removed_copies, share, total
from pipeline.prepare.context import Context
from pipeline.prepare.jobs import Progress
from pipeline.prepare.read import Reading
from pipeline.prepare.run import PrepareRun
from pipeline.prepare.workers import default_workers
from pipeline.reading import ReadTask
from pipeline.sample import UNIT_BYTES, Unit, choose, measure, sample_input
from pipeline.sources import InputConfig, Split, plan

_WARM_BYTES: Final = 1 << 20
_CPU_NOISE: Final = 0.15
"""How far processor time moves between repeats of the same work on one machine."""
_SHUFFLE_BYTES: Final = 6_000
"""Memory of the local engine for each document that is compared: by how much one process grew, for each document, from
the development corpus to one four times as large. Keys and signatures in its shuffles, and text while shards fill."""


@dataclass(frozen=True)
class Language:
    """What to expect of one language."""

    documents: Interval
    bytes: float
    sample_documents: int


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to do. Intervals are 95 %."""

    input_bytes: int
    """On disk, of all inputs."""
    sample_share: float
    """Of those, how much was read."""
    sample_ranges: int
    sample_documents: int
    documents: Interval
    """Records to read."""
    kept: Interval
    text_bytes: Interval
    """UTF-8 bytes of the kept documents."""
    duplicates: Interval
    """Documents removed for being like another one; the sample shows few of them, so this is the least certain."""
    reasons: dict[str, Interval]
    """Documents rejected or unreadable, by ``stage/reason``; those of deduplication are in ``duplicates``."""
    languages: dict[str, Language]
    workers: int
    cpu_seconds: Interval
    wall_seconds: Interval
    """On free processors."""
    work_bytes: float
    """Disk for intermediate files at their largest; they go when the run ends."""
    corpus_bytes: float
    worker_memory_bytes: float
    driver_memory_bytes: float
    """With the local engine, whose shuffles grow with the documents."""
    cost: Interval | None = None
    """Processor hours times their price."""
    notes: list[str] = field(default_factory=list)
    """What makes the estimate less certain than its intervals say."""

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return asdict(self)


class SampleRun(PrepareRun):
    """``prepare`` on the ranges of a sample, which looks at its work folder before that goes."""

    def __init__(
        self, units: Sequence[Unit], inputs: Sequence[InputConfig], output: str, config: PrepareConfig, seed: int
    ):
        # A sample may well hold an unreadable part larger than a whole run would bear.
        tolerant = config.model_copy(update={"fail_unreadable_share": 1.0})
        super().__init__([sample_input(item) for item in inputs], output, tolerant, seed, 1, {}, None)
        self.units = units
        self.work_bytes = 0
        self.reading = Reading([], [])

    def plan(self) -> Sequence[Split]:
        return [unit.split for unit in self.units]

    def tasks(self, splits: Sequence[Split]) -> list[ReadTask]:
        tasks = super().tasks(splits)
        return [replace(task, batches=unit.batches) for task, unit in zip(tasks, self.units, strict=True)]

    def read(self, context: Context, tasks: Sequence[ReadTask]) -> Reading:
        def measure_work() -> None:
            self.work_bytes = max(self.work_bytes, folder_bytes(Path(context.work_url)))

        context.jobs.after_step = measure_work
        self.reading = super().read(context, tasks)
        return self.reading


@dataclass(frozen=True)
class Measured:
    """One run over a sample."""

    run: SampleRun
    snapshot: Snapshot
    root: Path
    cpu_seconds: float
    wall_seconds: float
    text_bytes: int


def dry_run(
    inputs: Sequence[InputConfig],
    config: PrepareConfig | None = None,
    *,
    seed: int = 0,
    workers: int | None = None,
    seconds: float = 20.0,
    cpu_hour_price: float | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Estimate a run without making its corpus.

    The stages run three times: on very little, which shows what starting costs; on a megabyte, now that everything
    is loaded; and on as much as the time allows. What the last costs more than the second is the price of text.

    Args:
        inputs: what the run would read.
        config: settings of all stages.
        seed: of the choice of the sample and of the run.
        workers: of the run; None as ``prepare`` chooses.
        seconds: of processor time for the whole of it, about.
        cpu_hour_price: of an hour of one processor, in any currency.
        progress: called with (step, done, total) now and then.

    Raises:
        InputError: an input is missing, or the sample holds no record.
    """
    report = progress or (lambda step, done, total: None)
    config = config or PrepareConfig()
    whole = Clock()
    splits = plan(inputs, config.split_bytes)
    report("sample", 0, 3)
    with tempfile.TemporaryDirectory(prefix="evenglot-dry-run-") as folder:

        def run(text_bytes: int, name: str) -> Measured:
            units = measure(choose(splits, text_bytes, seed), inputs)
            sample = SampleRun(units, inputs, f"{folder}/{name}", config, seed)
            clock = Clock()
            snapshot = sample.execute()
            elapsed = clock.elapsed()
            size = sum(unit.text_bytes for unit in units)
            root = Path(folder) / name
            return Measured(sample, snapshot, root, elapsed["cpu_seconds"], elapsed["wall_seconds"], size)

        cold = run(UNIT_BYTES, "cold")
        report("sample", 1, 3)
        warm = run(_WARM_BYTES, "warm")
        report("sample", 2, 3)
        # Other work on the machine may make it wait; a sample too small for that would say nothing.
        spent = whole.elapsed()
        left = seconds - max(spent["cpu_seconds"], spent["wall_seconds"] / 2)
        # Most of a short run is not spent on text: half of it for every byte is a rate that is surely reached.
        rate = warm.text_bytes / (warm.cpu_seconds / 2)
        full = run(max(4 * _WARM_BYTES, int(left * rate)), "full")
        report("sample", 3, 3)
        if not sum(full.run.reading.records):
            raise InputError("the sample holds no records", "Look at the files, or correct the paths")
        chosen = workers or default_workers(splits)
        return extrapolate(splits, cold, warm, full, chosen, cpu_hour_price)


def extrapolate(
    splits: Sequence[Split], cold: Measured, warm: Measured, full: Measured, workers: int, cpu_hour_price: float | None
) -> Estimate:
    """The whole from three samples of it."""
    run, ledger = full.run, full.snapshot.ledger
    whole = {number: sum(split.bytes for split in splits if split.input == number) for number in inputs_of(splits)}

    def totals(values: Sequence[float]) -> Interval:
        parts = []
        for number, size in whole.items():
            mine = [place for place, unit in enumerate(run.units) if unit.split.input == number]
            parts.append(total([values[place] for place in mine], [run.units[place].bytes for place in mine], size))
        return add(parts)

    documents = totals(run.reading.records)
    text = totals([unit.text_bytes for unit in run.units])
    read = sum(run.reading.records)
    fraction = min(1.0, read / documents.expected) if documents.high > read else 1.0
    set_aside = {
        **{reason: count for reason, count in ledger.by_reason().items() if not of_copies(reason)},
        **{f"unreadable/{reason}": count for reason, count in ledger.unreadable.items()},
    }
    removed = ledger.by_reason()
    copies = sum(count for reason, count in removed.items() if of_copies(reason))
    unique = documents.scaled(1 - sum(set_aside.values()) / read)
    duplicates = removed_copies(cluster_sizes(full), fraction, unique.expected)
    if duplicates.expected < copies:
        duplicates = Interval(float(copies), float(copies), max(duplicates.high, float(copies)))
    kept = add([unique, Interval(-duplicates.expected, -duplicates.high, -duplicates.low)])
    kept_share = kept.expected / max(1, ledger.kept_total)
    sizes = {lang: found.bytes + found.heldout_bytes for lang, found in full.snapshot.languages.items()}
    cpu, wall = times(splits, cold, warm, full, text, workers)
    growth = text.expected / max(1, full.text_bytes)
    memory = float(peak_memory())
    return Estimate(
        input_bytes=sum(split.bytes for split in splits),
        sample_share=round(sum(unit.bytes for unit in run.units) / max(1, sum(whole.values())), 6),
        sample_ranges=len(run.units),
        sample_documents=read,
        documents=documents,
        kept=kept,
        text_bytes=kept.scaled(sum(sizes.values()) / max(1, ledger.kept_total)),
        duplicates=duplicates,
        reasons={
            reason: share(count, read).scaled(documents.expected)
            for reason, count in sorted(set_aside.items(), key=lambda item: -item[1])
        },
        languages={
            lang: Language(
                share(count, ledger.kept_total).scaled(kept.expected), round(sizes.get(lang, 0) * kept_share), count
            )
            for lang, count in sorted(ledger.kept.items(), key=lambda item: -item[1])
        },
        workers=workers,
        cpu_seconds=cpu,
        wall_seconds=wall,
        work_bytes=run.work_bytes * growth,
        corpus_bytes=folder_bytes(full.root) * kept_share,
        worker_memory_bytes=memory,
        driver_memory_bytes=memory + _SHUFFLE_BYTES * unique.expected,
        cost=None if cpu_hour_price is None else cpu.scaled(cpu_hour_price / 3600),
        notes=notes(splits, run.units, fraction),
    )


def times(
    splits: Sequence[Split], cold: Measured, warm: Measured, full: Measured, text: Interval, workers: int
) -> tuple[Interval, Interval]:
    """Processor and wall seconds of the whole run with so many workers.

    Every worker process starts and loads for each job of the chain; what does not grow with the text is done once.
    """
    start = max(0.0, cold.cpu_seconds - warm.cpu_seconds)
    more = full.text_bytes - warm.text_bytes
    price = max(0.0, full.cpu_seconds - warm.cpu_seconds) / more if more > 0 else warm.cpu_seconds / warm.text_bytes
    fixed = max(0.0, warm.cpu_seconds - price * warm.text_bytes)
    jobs = len(full.run.jobs.steps)
    starts = start * jobs if workers > 1 else start
    at_once = max(1, min(workers, os.cpu_count() or 1, len(splits)))
    work = text.scaled(price).widened(_CPU_NOISE)
    cpu_fixed = fixed + starts * (workers if workers > 1 else 1)
    wall_fixed = fixed + starts * math.ceil(workers / at_once)
    return shifted(work, cpu_fixed), shifted(work.scaled(1 / at_once), wall_fixed)


def shifted(interval: Interval, by: float) -> Interval:
    """All three plus a number that is known."""
    return Interval(interval.expected + by, interval.low + by, interval.high + by)


def cluster_sizes(measured: Measured) -> dict[int, int]:
    """How many kept documents stand for two, three, ... of the sample."""
    sizes: Counter[int] = Counter()
    for file in measured.snapshot.select("text"):
        column = read_table(measured.root / file.path).column("copies")
        for entry in pc.value_counts(column.combine_chunks()).to_pylist():
            if entry["values"] > 1:
                sizes[entry["values"]] += entry["counts"]
    return dict(sorted(sizes.items()))


def of_copies(reason: str) -> bool:
    """Whether a reason says that a document is like another, in which case its share grows with the corpus."""
    return reason.startswith("deduplicate/") and not reason.endswith("/repeated_id")


def inputs_of(splits: Sequence[Split]) -> list[int]:
    """Numbers of the inputs that have anything to read."""
    return sorted({split.input for split in splits})


def notes(splits: Sequence[Split], units: Sequence[Unit], fraction: float) -> list[str]:
    """What the intervals do not know."""
    found = []
    if any(unit.batches is not None for unit in units):
        found.append("compressed files are sampled at their beginning: if they are sorted, the estimate is off")
    if fraction < 1:
        found.append(
            f"duplicates are guessed from those within {fraction:.2%} of the documents; repeated ids, lines that sites "
            "share and limits drawn from the data change with the corpus too"
        )
    if len(units) < 4 <= len(splits):
        found.append(f"only {len(units)} ranges could be read in the time")
    return found


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder, work folders apart when it is a corpus."""
    files = (path for path in folder.rglob("*") if ".work" not in path.relative_to(folder).parts)
    return sum(path.stat().st_size for path in files if path.is_file())
