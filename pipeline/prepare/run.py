"""One call of ``prepare``: what is there already, the chain of jobs over one work folder, and the commit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from corpus.errors import ConfigurationError, InputError, WorkerLost
from corpus.ledger import sort
from corpus.lock import exclusive
from corpus.manifest import ShardFile, Snapshot, commit, current_number, read_snapshot
from corpus.storage import Storage
from pipeline.account import Clock, run_account
from pipeline.config import PrepareConfig
from pipeline.decontaminate.items import read_evaluation
from pipeline.decontaminate.stage import ITEM
from pipeline.earlier.find import earlier_corpora
from pipeline.earlier.index import total_copies
from pipeline.earlier.merge import go_on
from pipeline.language_id.model import load_model
from pipeline.leftovers import remove_partial, unfinished
from pipeline.prepare.context import Context
from pipeline.prepare.counts import counters, evidence, ledger_of, stage_account
from pipeline.prepare.earlier import earlier_parts
from pipeline.prepare.evaluation import evaluation_account, evaluation_warnings, index_evaluation
from pipeline.prepare.identity import identity_after, input_state, is_made, prepared, run_identity
from pipeline.prepare.jobs import Jobs, Progress
from pipeline.prepare.lines import boilerplate_lines, removed_lines
from pipeline.prepare.match import Matched, match
from pipeline.prepare.read import Reading, check_readable, read_splits, read_tasks
from pipeline.prepare.score import score
from pipeline.prepare.warnings import synthetic_left_behind, warnings
from pipeline.prepare.workers import workers_within_reach
from pipeline.prepare.write import write, write_index, write_task
from pipeline.reading import ReadTask
from pipeline.sources import InputConfig, Split, plan
from pipeline.stages import stage_names
from pipeline.work import READ, STAGED

_log = logging.getLogger(__name__)


def prepare(
    inputs: Sequence[InputConfig],
    output: str,
    config: PrepareConfig | None = None,
    *,
    seed: int = 0,
    workers: int | None = None,
    recipe: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    clean_work: bool = False,
) -> Snapshot:
    """Read inputs, clean, identify, filter, deduplicate and balance them, and commit a snapshot.

    Work that an interrupted run with the same inputs and settings left behind is taken up; when the current
    snapshot was made from the same inputs, unchanged since, and the same settings nothing is done.

    Args:
        inputs: what to read.
        output: corpus root, a folder or an object-store URL.
        config: settings of all stages.
        seed: decides what is held out.
        workers: processes of the local engine; None takes one per core, but only one for an input so small that
            starting more would take longer than it saves.
        recipe: the whole resolved recipe, stored with the snapshot.
        progress: called with (step, done, total) now and then.
        clean_work: first remove what interrupted runs with other inputs or settings left under ``.work``.

    Returns:
        The snapshot that is current afterwards.

    Raises:
        InputError: an input is missing or unreadable, or nearly nothing in it could be parsed.
        LedgerError: records were lost; the last snapshot stays current.
        CorpusError: another run is writing to the same corpus.
        WorkerLost: worker processes died more often than ``runner.restarts`` allows.
        EvenglotError: the output cannot be written.
    """
    run = PrepareRun(inputs, output, config or PrepareConfig(), seed, workers, dict(recipe or {}), progress, clean_work)
    return run.execute()


class PrepareRun:
    """One call of ``prepare``."""

    def __init__(
        self,
        inputs: Sequence[InputConfig],
        output: str,
        config: PrepareConfig,
        seed: int,
        workers: int | None,
        recipe: dict[str, Any],
        progress: Progress | None,
        clean_work: bool = False,
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigurationError(f"--workers is {workers}", "Give a number of at least 1")
        self.inputs, self.output, self.config, self.seed, self.recipe = inputs, output, config, seed, recipe
        self.workers_asked, self.clean_work = workers, clean_work
        self.progress = progress or (lambda step, done, total: None)
        self.corpus = Storage(output)
        self.restarts = 0
        self.clock = Clock()

    def execute(self) -> Snapshot:
        """Run what is not done yet and commit."""
        splits = self.plan()
        workers = workers_within_reach(
            self.workers_asked, splits, self.inputs, self.output, engine=self.config.runner.name
        )
        self.jobs = Jobs(self.config.runner, workers, self.progress)
        self.identifier = load_model(self.config.identify.model).describe()
        self.evaluation = read_evaluation(self.config.decontaminate) if self.config.decontaminate.files else None
        against = self.config.deduplicate.against
        self.own_identity = run_identity(
            self.inputs,
            splits,
            self.config,
            self.seed,
            against=earlier_corpora(self.output, None, against),
            evaluation=self.evaluation,
            identifier=self.identifier,
        )
        with exclusive(self.corpus) as self.confirm:
            remove_partial(self.corpus)
            number = current_number(self.corpus) if self.config.append else None
            self.base = None if number is None else prepared(self.corpus, read_snapshot(self.corpus, number))
            self.known = earlier_corpora(self.output, self.base, against)
            self.identity = identity_after(self.own_identity, self.base)
            self.folder = f".work/{self.identity[:16]}"
            if self.clean_work:
                for other in unfinished(self.corpus, self.identity[:16]):
                    self.corpus.remove(other.name)
            return self.persist(splits)

    def plan(self) -> Sequence[Split]:
        """What there is to read."""
        return plan(self.inputs, self.config.split_bytes)

    def persist(self, splits: Sequence[Split]) -> Snapshot:
        """``make``, and again from what is finished, with one worker fewer, when a worker process was lost."""
        while True:
            try:
                return self.make(splits)
            except WorkerLost:
                if self.restarts == self.config.runner.restarts:
                    raise
                self.restarts += 1
                self.jobs.workers = max(1, self.jobs.workers - 1)
                _log.warning("a worker process was killed; going on with %d", self.jobs.workers)

    def make(self, splits: Sequence[Split]) -> Snapshot:
        """The rest of ``execute``, with the corpus to itself."""
        self.state = input_state(splits)
        parent = current_number(self.corpus)
        if parent is not None:
            current = read_snapshot(self.corpus, parent)
            if is_made(self.corpus, current, self.own_identity, self.state, self.config.append):
                self.progress("nothing new to prepare", 1, 1)
                return current
        context = Context(
            output=self.output,
            work_url=f"{self.output.rstrip('/')}/{self.folder}",
            config=self.config,
            seed=self.seed,
            number=(parent or 0) + 1,
            base=self.base,
            jobs=self.jobs,
        )
        index_evaluation(context, self.evaluation)
        earlier = earlier_parts(context, self.known)
        reading = self.read(context, self.tasks(splits))
        if not reading.pieces:
            raise InputError("the inputs hold no records", "Look at the files, or correct the paths")
        check_readable(reading, self.config.fail_unreadable_share)
        matched = match(context, reading, earlier)
        job = write_task(context, reading, matched)
        accounts = [*write(context, reading, job), removed_lines(context, reading.pieces, reading.line_keys)]
        copies, index_files = write_index(context, reading, matched, earlier, accounts, job)
        accounts.append({"kind": "index", "files": index_files})
        unusable = {split.place: split.problem for split in splits if split.problem is not None}
        snapshot = self.snapshot(context, parent, reading, matched, accounts, unusable)
        if self.base is not None:
            snapshot = go_on(self.base, snapshot, total_copies([copies]))
        if parent is not None and not self.recipe.get("augment", {}).get("enabled"):
            lost = synthetic_left_behind(read_snapshot(self.corpus, parent))
            snapshot = snapshot.model_copy(update={"warnings": [*snapshot.warnings, *lost]})
        self.confirm()
        # A worker outlives its killed run by a moment, and may have begun a file after this run cleaned up.
        remove_partial(self.corpus)
        commit(self.corpus, snapshot, self.account(context, reading, matched))
        self.corpus.remove(self.folder)
        return snapshot

    def tasks(self, splits: Sequence[Split]) -> list[ReadTask]:
        """A named task for each split."""
        return read_tasks(splits, self.inputs, self.base)

    def read(self, context: Context, tasks: Sequence[ReadTask]) -> Reading:
        """First jobs: what is not there yet is read, repaired, cleaned of boilerplate, scored and staged."""
        if not self.config.boilerplate.enabled:
            return read_splits(context, tasks, STAGED)
        reading = read_splits(context, tasks, READ)
        check_readable(reading, self.config.fail_unreadable_share)
        if not reading.pieces:
            return reading
        keys, keys_hash = boilerplate_lines(context, reading.pieces)
        return Reading(reading.records, score(context, tasks, reading.pieces, keys, keys_hash), keys)

    def snapshot(
        self,
        context: Context,
        parent: int | None,
        reading: Reading,
        matched: Matched,
        accounts: Sequence[Mapping[str, Any]],
        unusable: Mapping[str, str],
    ) -> Snapshot:
        """Everything the manifest says of the new state, of this run's records alone."""
        files = [ShardFile(**file) for account in accounts for file in account["files"]]
        ledger = ledger_of(sum(reading.records), reading.pieces, accounts, files, self.corpus)
        overlaps = evaluation_warnings(context, self.evaluation, counters(reading.pieces), ledger)
        return Snapshot(
            number=context.number,
            parent=parent,
            made_by="prepare",
            languages=evidence(accounts, ledger),
            mixtures=matched.mixtures,
            mixture=self.config.balance.mixture,
            ledger=ledger,
            thresholds=matched.thresholds,
            threshold_facts=matched.facts,
            identifier=self.identifier,
            # Where the output goes is no part of what it is: the same corpus elsewhere has the same bytes.
            recipe={key: value for key, value in self.recipe.items() if key not in ("corpus", "run")},
            fingerprint=self.identity,
            warnings=[*overlaps, *warnings(ledger, unusable, matched.facts, self.config)],
            files=sorted(files, key=lambda file: file.path),
        )

    def account(self, context: Context, reading: Reading, matched: Matched) -> dict[str, Any]:
        """What belongs to this run alone: times, rates, machine."""
        total = counters(reading.pieces)
        return {
            **run_account(self.clock, self.jobs.workers, self.jobs.worker_memory),
            "stages": stage_account(["read", *stage_names(self.config)], reading.pieces),
            "steps": self.jobs.steps,
            "restarts": self.restarts,
            "input_state": self.state,
            # Which items were found stands in a table of its own, of bounded length.
            "counters": {name: count for name, count in sort(total).items() if not name.startswith(ITEM)},
            "near_duplicates": matched.near,
            **evaluation_account(context, self.evaluation, total),
        }
