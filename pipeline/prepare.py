"""Raw text to a committed snapshot: the chain of jobs and what is decided between them."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa

from corpus import errors
from corpus.boilerplate import REMOVED_SCHEMA
from corpus.errors import ConfigurationError, EvenglotError, InputError, WorkerLost
from corpus.hashing import file_hash, fingerprint, stable_hash
from corpus.ledger import Ledger, sort
from corpus.lock import exclusive
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, ThresholdFacts, commit, current_number, read_snapshot
from corpus.mixtures import relative_weights
from corpus.schema import FORMAT_VERSION, HELDOUT, TRAIN
from corpus.storage import Storage
from pipeline.account import Clock, run_account
from pipeline.balance.mixtures import stored_mixtures
from pipeline.boilerplate.keys import (
    KEYS_SCHEMA,
    earlier_keys,
    gather_keys,
    keys_batch,
    keys_name,
    load_keys,
    write_keys,
)
from pipeline.boilerplate.removed import masked, merge_removed
from pipeline.boilerplate.stage import REMOVED
from pipeline.config import PrepareConfig
from pipeline.decontaminate.index import build_index, has_index, indexed_items
from pipeline.decontaminate.items import normal_items, read_evaluation
from pipeline.decontaminate.report import overlap_account, overlap_warnings
from pipeline.decontaminate.stage import ITEM
from pipeline.deduplicate.bands import bands_and_rows, curve
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.earlier.documents import EarlierPart, earlier_copies
from pipeline.earlier.filter import new_keys
from pipeline.earlier.find import earlier_corpora
from pipeline.earlier.index import COPIES, COPIES_SCHEMA, key_settings, total_copies
from pipeline.earlier.merge import EarlierLimits, go_on
from pipeline.earlier.sign import SignTask
from pipeline.language_id.model import load_model
from pipeline.language_id.stage import MADE, IdentifyStage
from pipeline.leftovers import remove_partial, unfinished
from pipeline.match import merge_sketches
from pipeline.quality.concerns import concerns
from pipeline.quality.thresholds import Thresholds, stop_words_of
from pipeline.reading import ReadTask
from pipeline.sources import InputConfig, Split, plan
from pipeline.split.config import SplitConfig
from pipeline.split.heldout import SplitSketch
from pipeline.stages import item_stages, stage_names
from pipeline.work import (
    READ,
    STAGED,
    PieceAccount,
    finished_split,
    json_files,
    piece_account,
    read_side,
    scored_task,
)
from pipeline.write.plan import RestPart, TextPart, plan_index, plan_rest, plan_text
from pipeline.write.shards import WriteJob, write_shard

Progress = Callable[[str, int, int], None]
_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_BEAM_SUFFIX = " [while running "
_EXPANSION = 3.0
"""Staged bytes for each byte of input, until finished splits tell better; for progress only."""
_MANY_REPEATED_IDS = 0.01
"""Share of records from which on rejected repeated ids are more likely to be no ids at all."""
_MOST_NAMED = 10
"""Files that could not be read and are named in the warnings."""
LINKS_AT_ONCE = 4_000_000
"""Verified pairs whose components one worker finds by itself: about 1 GiB while it does."""
ROUNDS_AT_ONCE = 4
"""Rounds of the search for components in one job; where they do not suffice, another job goes on."""
_WORTH_WORKERS = 64 << 20
"""Bytes of input, as they lie on disk, from which on starting worker processes pays."""


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
    """One call of ``prepare``: a chain of jobs over one work folder."""

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
        self.inputs, self.config, self.seed, self.recipe = inputs, config, seed, recipe
        self.workers_asked = workers
        self.clean_work = clean_work
        self.progress = progress or (lambda step, done, total: None)
        self.corpus = Storage(output)
        self.output = output
        self.steps: list[dict[str, Any]] = []
        self.restarts = 0
        self.worker_memory = 0
        self.near_account: dict[str, Any] | None = None
        self.clock = Clock()

    def execute(self) -> Snapshot:
        """Run what is not done yet and commit."""
        splits = self.plan()
        self.workers = self.workers_asked or default_workers(splits)
        model = load_model(self.config.identify.model)
        self.identifier = model.describe()
        self.evaluation = read_evaluation(self.config.decontaminate) if self.config.decontaminate.files else None
        self.own_identity = self.run_identity(splits)
        self.check_reach()
        with exclusive(self.corpus) as self.confirm:
            remove_partial(self.corpus)
            self.find_base()
            if self.clean_work:
                self.clean()
            return self.persist(splits)

    def plan(self) -> Sequence[Split]:
        """What there is to read."""
        return plan(self.inputs, self.config.split_bytes)

    def check_reach(self) -> None:
        """Refuse what only this process can see where several processes have to.

        Raises:
            ConfigurationError: an input or the output lies in this process's memory.
        """
        within = [url for url in (self.output, *(item.path for item in self.inputs)) if url.startswith("memory://")]
        if not within:
            return
        if self.workers_asked is None:
            self.workers = 1
        if self.workers > 1 or self.config.runner.name != "local":
            raise ConfigurationError(
                f"{within[0]} lies in the memory of one process, other workers cannot see it",
                "Use `--workers 1` and the local engine, or a folder or object store",
            )

    def persist(self, splits: Sequence[Split]) -> Snapshot:
        """``make``, and again from what is finished, with one worker fewer, when a worker process was lost."""
        while True:
            try:
                return self.make(splits)
            except WorkerLost:
                if self.restarts == self.config.runner.restarts:
                    raise
                self.restarts += 1
                self.workers = max(1, self.workers - 1)
                _log.warning("a worker process was killed; going on with %d", self.workers)

    def make(self, splits: Sequence[Split]) -> Snapshot:
        """The rest of ``execute``, with the corpus to itself."""
        self.unusable = {split.place: split.problem for split in splits if split.problem is not None}
        self.state = fingerprint([[split.place, modification(split)] for split in splits])
        parent = current_number(self.corpus)
        if parent is not None:
            current = read_snapshot(self.corpus, parent)
            if self.is_made(current):
                self.progress("nothing new to prepare", 1, 1)
                return current
        self.number = (parent or 0) + 1
        self.parent = parent
        self.work_url = f"{self.output.rstrip('/')}/.work/{self.identity[:16]}"
        self.work = Storage(self.work_url)
        self.index_evaluation()
        self.earlier = self.earlier_parts()
        tasks = self.read_tasks(splits)
        ends, pieces = self.read(tasks)
        if not pieces:
            raise InputError("the inputs hold no records", "Look at the files, or correct the paths")
        read_total = sum(ends)
        self.rows = sum(piece.rows for piece in pieces)
        self.check_readable(read_total, pieces)
        bounds, weights, mixtures, thresholds = self.match(pieces)
        parts, job = self.plan_parts(pieces, bounds, weights, thresholds)
        accounts = [*self.write(parts, job), self.removed_lines(pieces)]
        copies, index_files = self.write_index(accounts, job)
        accounts.append({"kind": "index", "files": index_files})
        snapshot = self.snapshot(read_total, accounts, mixtures, thresholds, pieces)
        if self.base is not None:
            snapshot = go_on(self.base, snapshot, total_copies([copies]))
        self.confirm()
        # A worker outlives its killed run by a moment, and may have begun a file after this run cleaned up.
        remove_partial(self.corpus)
        commit(self.corpus, snapshot, self.run_account(pieces))
        self.corpus.remove(f".work/{self.identity[:16]}")
        return snapshot

    def clean(self) -> None:
        """Remove the unfinished work of other runs."""
        for other in unfinished(self.corpus, self.identity[:16]):
            self.corpus.remove(other.name)

    def find_base(self) -> None:
        """The snapshot to go on with, and the identity of the run, which follows from it."""
        number = current_number(self.corpus) if self.config.append else None
        self.base = None if number is None else self.prepared(read_snapshot(self.corpus, number))
        self.known = earlier_corpora(self.output, self.base, self.config.deduplicate.against)
        self.identity = self.identity_after(self.base)

    def identity_after(self, base: Snapshot | None) -> str:
        """The identity of this run where it goes on with a snapshot."""
        return self.own_identity if base is None else fingerprint([self.own_identity, base.fingerprint])

    def is_made(self, current: Snapshot) -> bool:
        """Whether the current snapshot, or one it goes on with, was made from the same inputs and settings."""
        made = self.prepared(current)
        while True:
            number = made.goes_on_with if self.config.append else None
            before = None if number is None else read_snapshot(self.corpus, number)
            same = made.fingerprint == self.identity_after(before)
            if same and self.input_state(made.number) in (None, self.state):
                return True
            if before is None:
                return False
            made = before

    def earlier_parts(self) -> list[EarlierPart]:
        """The indexes of the corpora to compare with; made anew, from their text, where they do not fit."""
        from pipeline.graph import sign_job

        near = self.config.deduplicate.near
        parts, waiting = [], []
        for number, known in enumerate(self.known):
            if known.is_indexed(near):
                parts += [EarlierPart(known.root, known.root, file.path, known.own) for file in known.index_files()]
                continue
            for place, file in enumerate(known.snapshot.select("text")):
                name = f"earlier/{number:03d}-{fingerprint([file.hash, key_settings(near)])[:16]}-{place:06d}.arrow"
                waiting.append(SignTask(known.root, file, name))
                parts.append(EarlierPart(known.root, self.work_url, name, known.own))
        if not all(self.work.exists(task.name) for task in waiting):
            with self.step("index earlier text (shards)", self.files_in("earlier", ".arrow", len(waiting))):
                self.run_job(sign_job(waiting, self.work_url, self.config))
        return parts

    def write_index(self, accounts: Sequence[dict[str, Any]], job: WriteJob) -> tuple[pa.Table, list[dict[str, Any]]]:
        """Keep for later runs what was written, and which earlier documents had new copies.

        Returns:
            the copies, ``COPIES_SCHEMA``, and the files of the index.
        """
        from pipeline.graph import index_job

        parts = plan_index(
            [account["index"] for account in accounts if "index" in account], self.config.write.shard_bytes
        )
        names = [f"{job.accounts}/index-{part.number:05d}.json" for part in parts]
        waiting = []
        for part, name in zip(parts, names, strict=True):
            if not self.work.exists(name) or not self.is_whole(json.loads(self.work.read_bytes(name))):
                waiting.append(part)
        if waiting:
            with self.step("write index", lambda: (sum(map(self.work.exists, names)), len(names))):
                self.run_job(index_job(waiting, self.output, self.work_url, job), self.rows)
        files = [file for name in names for file in json.loads(self.work.read_bytes(name))["files"]]
        copies = earlier_copies(self.work, f"{self.decisions}/final", [part for part in self.earlier if part.own])
        if copies.num_rows:
            name = f"index/{self.number:06d}-{COPIES}.arrow"
            batches = copies.to_batches()
            file = write_shard(self.corpus, name, "index", batches, COPIES_SCHEMA, self.config.write)
            files.append(file.model_dump())
        return copies, files

    def prepared(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot that ``prepare`` made and later ones only added tokens to."""
        while snapshot.made_by != "prepare" and snapshot.parent is not None:
            snapshot = read_snapshot(self.corpus, snapshot.parent)
        return snapshot

    def input_state(self, number: int) -> str | None:
        """Which state of the input files a snapshot was made from; None where its run did not say.

        It stands with the run, not in the snapshot: the same text copied elsewhere has other times.
        """
        name = f"runs/{number:06d}.json"
        if not self.corpus.exists(name):
            return None
        state = json.loads(self.corpus.read_bytes(name)).get("input_state")
        return None if state is None else str(state)

    def run_identity(self, splits: Sequence[Split]) -> str:
        """Hash of what decides the output: inputs by place and size, settings, seed, code, model."""
        return fingerprint(
            {
                "format": FORMAT_VERSION,
                "code": version("evenglot"),
                "settings": self.config.model_dump(
                    mode="json",
                    exclude={
                        "runner": True,
                        "append": True,
                        "decontaminate": {"files": {"__all__": {"path"}}},
                        "deduplicate": {"against": True},
                    },
                ),
                "against": [
                    [known.snapshot.number, known.snapshot.fingerprint]
                    for known in earlier_corpora(self.output, None, self.config.deduplicate.against)
                ],
                "evaluation": [] if self.evaluation is None else self.evaluation.identity,
                "inputs": [item.model_dump(mode="json", exclude={"path"}) for item in self.inputs],
                "splits": [split_identity(split) for split in splits],
                "model": self.identifier.get("hash"),
                "seed": self.seed,
            }
        )

    def index_evaluation(self) -> None:
        """Make the n-grams of the evaluation items ready for the workers."""
        if self.evaluation is None or has_index(self.work):
            return
        total = self.evaluation.items.num_rows
        with self.step("index evaluation items", lambda: (total * has_index(self.work), total)):
            # An item stays whole, whatever is done with documents in several languages.
            identify = IdentifyStage(self.config.identify.model_copy(update={"mixed": "keep"}))
            items = normal_items(self.evaluation.items, item_stages(self.config), identify)
            build_index(items, self.config.decontaminate).write(self.work)

    def read_tasks(self, splits: Sequence[Split]) -> list[ReadTask]:
        """A named task for each split; the name holds the file's modification, so a changed file is read anew."""
        tasks = []
        # A file of today may have the name of one of yesterday; records without a key go by their place in it.
        salt = "" if self.base is None else f"#{self.base.fingerprint}"
        for number, split in enumerate(splits):
            name = f"{number:06d}-{stable_hash(split.file, modification(split), split.start, split.end):016x}"
            tasks.append(ReadTask(name, split.source, split, self.inputs[split.input], salt))
        return tasks

    def read(self, tasks: Sequence[ReadTask]) -> tuple[list[int], list[PieceAccount]]:
        """First jobs: what is not there yet is read, repaired, cleaned of boilerplate, scored and staged."""
        if not self.config.boilerplate.enabled:
            return self.read_splits(tasks, STAGED)
        ends, pieces = self.read_splits(tasks, READ)
        self.check_readable(sum(ends), pieces)
        return ends, self.score(tasks, pieces, *self.boilerplate(pieces)) if pieces else []

    def read_splits(self, tasks: Sequence[ReadTask], folder: str) -> tuple[list[int], list[PieceAccount]]:
        """Read what has not been read yet; its pieces come to lie in a folder of the work folder."""
        waiting = [task for task in tasks if finished_split(self.work, task.name, folder) is None]
        if waiting:
            self.read_again(waiting, tasks, folder)
        ends, pieces = [], []
        for task in tasks:
            found = finished_split(self.work, task.name, folder)
            if found is None:
                raise EvenglotError(
                    f"split {task.split.file} was not finished", "Run the same command again; it resumes"
                )
            ends.append(found[0].read)
            pieces += found[1]
        return ends, pieces

    def read_again(self, waiting: Sequence[ReadTask], tasks: Sequence[ReadTask], folder: str) -> None:
        """Read some of the splits."""
        from pipeline.graph import read_job

        sizes = {task.name: max(1, task.split.bytes) for task in tasks}
        total = sum(sizes.values())

        def done() -> tuple[int, int]:
            return read_so_far(self.work, sizes, folder), total

        with self.step(
            "read, repair, count lines (bytes)" if folder == READ else "read, clean, identify, score (bytes)", done
        ):
            self.run_job(read_job(waiting, self.work_url, self.config))

    def boilerplate(self, pieces: Sequence[PieceAccount]) -> tuple[str, str]:
        """Select the boilerplate lines of all sites, beside those that earlier runs found.

        Returns:
            the file of their keys, and a hash of what is in it.
        """
        from pipeline.graph import lines_job

        names = [piece.name for piece in pieces]
        folder = f"lines/{fingerprint(names)[:16]}"
        keys = f"{folder}/keys.arrow"

        def done() -> tuple[int, int]:
            return int(self.work.exists(keys)), 1

        if not self.work.exists(keys):
            with self.step("boilerplate lines of sites", done):
                self.run_job(lines_job(names, self.work_url, folder, self.config), sum(piece.rows for piece in pieces))
                found = gather_keys(self.work, folder, self.config.boilerplate)
                write_keys(self.work, keys, np.union1d(found, earlier_keys(self.corpus, self.base)))
        self.keys = keys
        with self.work.local_copy(keys) as path:
            return keys, file_hash(path)[:8]

    def score(
        self, tasks: Sequence[ReadTask], pieces: Sequence[PieceAccount], keys: str, keys_hash: str
    ) -> list[PieceAccount]:
        """Score the pieces that have not been scored without these boilerplate lines yet."""
        from pipeline.graph import score_job

        split = {piece.name: piece.name.rpartition("-")[0] for piece in pieces}
        staged = {name: f"{scored_task(task, keys_hash)}-{name.rpartition('-')[2]}" for name, task in split.items()}
        waiting = [name for name in staged if piece_account(self.work, staged[name]) is None]
        # The text of a piece goes once it is scored; when other boilerplate is found afterwards it is read again.
        gone = {split[name] for name in waiting if not self.work.exists(f"{READ}/{name}.arrow")}
        if gone:
            self.read_again([task for task in tasks if task.name in gone], tasks, READ)

        def done() -> tuple[int, int]:
            there = set(self.work.list(STAGED))
            return sum(f"{name}.json" in there for name in staged.values()), len(staged)

        if waiting:
            with self.step("clean, identify, score (pieces)", done):
                job = [(name, scored_task(split[name], keys_hash)) for name in waiting]
                self.run_job(score_job(job, self.work_url, keys, self.config))
        accounts = [piece_account(self.work, name) for name in staged.values()]
        found = [account for account in accounts if account is not None]
        if len(found) < len(accounts):
            raise EvenglotError(
                f"{len(accounts) - len(found)} pieces were not scored", "Run the same command again; it resumes"
            )
        return found

    def match(
        self, pieces: Sequence[PieceAccount]
    ) -> tuple[dict[str, int], dict[str, float], dict[str, dict[str, float]], dict[str, dict[str, float]]]:
        """Thresholds, duplicates, held-out bounds; then mixtures and weights."""
        from pipeline.graph import match_job, new_keys_job

        names = [piece.name for piece in pieces]
        # Decisions rest on all pieces and on thresholds derived from them; other pieces have another folder.
        self.decisions = f"match/{fingerprint(names)[:16]}"
        self.new_keys = None
        if self.earlier:
            self.new_keys = new_keys(self.work_url, f"{self.decisions}/new", sum(piece.rows for piece in pieces))
            if not self.is_done("new"):
                with self.step("keys of new documents", lambda: (0, len(names))):
                    self.run_job(new_keys_job(names, self.new_keys))
                self.mark_done("new")
        near = self.config.deduplicate.near
        exact = f"{self.decisions}/{'exact' if near.enabled else 'final'}"
        if not self.is_done("exact"):
            with self.step("thresholds, exact duplicates (pieces)", self.files_in(exact, ".arrow", len(names))):
                limits = None if self.base is None else EarlierLimits.of(self.base)
                known = (self.earlier, self.new_keys, limits)
                job = match_job(names, self.work_url, self.decisions, self.config, self.seed, *known)
                self.run_job(job, self.rows)
            self.mark_done("exact")
        if near.enabled:
            self.near_duplicates(names)
        found = dict(json_files(self.work, self.decisions))
        self.threshold_facts = {
            lang: ThresholdFacts.model_validate(facts) for lang, facts in found.get("threshold_facts", {}).items()
        }
        thresholds = Thresholds(found.get("thresholds", {}), stop_words_of(self.threshold_facts))
        sketches, before = (
            {lang: SplitSketch.of(fields) for lang, fields in found.get(name, {}).items()}
            for name in ("sketches", "earlier_sketches")
        )
        bounds, sizes = bounds_and_sizes(sketches, before, self.base, self.config.split)
        mixtures = stored_mixtures(sizes, self.config.balance)
        present = {lang: size for lang, size in sizes.items() if size > 0}
        weights = relative_weights(mixtures[self.config.balance.mixture], present) if mixtures else {}
        return bounds, weights, mixtures, thresholds

    def near_duplicates(self, names: Sequence[str]) -> None:
        """Compare what is left after exact duplicates: verified pairs, their components, what stays of each."""
        from pipeline.graph_near import NearTask, components_job, near_job, settle_job

        near = self.config.deduplicate.near
        task = NearTask(self.work_url, self.decisions, tuple(names), near, tuple(self.earlier), self.new_keys)
        if not self.is_done("links"):
            with self.step("near duplicates (pieces)", self.files_in(f"{self.decisions}/links", ".json", len(names))):
                self.run_job(near_job(task), self.rows)
            self.mark_done("links")
        links = [account for _, account in json_files(self.work, f"{self.decisions}/links")]
        total = sum(account["links"] for account in links)
        partitions = 1 + total // LINKS_AT_ONCE
        labels, rounds = None, 0
        while partitions > 1:
            left = f"{self.decisions}/rounds/{rounds + ROUNDS_AT_ONCE:03d}.json"
            if not self.work.exists(left):
                with self.step("clusters (links)", lambda: (0, total)):
                    self.run_job(components_job(task, partitions, ROUNDS_AT_ONCE, rounds))
            rounds += ROUNDS_AT_ONCE
            labels = f"labels-{rounds:03d}"
            if json.loads(self.work.read_bytes(left)) == 0:
                break
        final = f"{self.decisions}/final"
        if not self.work.exists(f"{self.decisions}/sketches.json"):
            with self.step("what stays of duplicates (pieces)", self.files_in(final, ".arrow", len(names))):
                self.run_job(settle_job(task, partitions, labels, self.config, self.seed), self.rows)
        unsettled = [count for _, count in json_files(self.work, f"{self.decisions}/rounds")]
        self.near_account = near_account(
            near, links, [account for _, account in json_files(self.work, f"{self.decisions}/clusters")], unsettled
        )

    def is_done(self, step: str) -> bool:
        """Whether a step on these pieces was finished, by this run or an interrupted one."""
        return self.work.exists(f"{self.decisions}/{step}.done")

    def mark_done(self, step: str) -> None:
        """Say that a step on these pieces is finished."""
        self.work.write_bytes(f"{self.decisions}/{step}.done", b"")

    def files_in(self, folder: str, suffix: str, total: int) -> Callable[[], tuple[int, int]]:
        """How many of the files expected in a folder are there."""
        return lambda: (
            min(total, sum(name.endswith(suffix) and name[0] != "." for name in self.work.list(folder))),
            total,
        )

    def plan_parts(
        self,
        pieces: Sequence[PieceAccount],
        bounds: dict[str, int],
        weights: dict[str, float],
        thresholds: dict[str, dict[str, float]],
    ) -> tuple[list[TextPart | RestPart], WriteJob]:
        """Which shards there will be."""
        job = WriteJob(
            snapshot=self.number,
            seed=self.seed,
            pieces=tuple(piece.name for piece in pieces),
            ranges=tuple(piece.languages for piece in pieces),
            bounds=bounds,
            weights=weights,
            thresholds=thresholds,
            filter=self.config.filter,
            near=self.config.deduplicate.near,
            config=self.config.write,
            decisions=f"{self.decisions}/final",
            index=self.config.deduplicate.index,
        )
        return [*plan_text(pieces, self.config.write.shard_bytes), *plan_rest(pieces)], job

    def write(self, parts: Sequence[TextPart | RestPart], job: WriteJob) -> list[dict[str, Any]]:
        """The last job: shards. Their accounts are read back in the order of the plan."""
        from pipeline.graph import part_name, write_job

        names = [part_name(part) for part in parts]
        there = {name for name, account in json_files(self.work, job.accounts) if self.is_whole(account)}
        waiting = [part for part, name in zip(parts, names, strict=True) if name not in there]

        def done() -> tuple[int, int]:
            return len(self.work.list(job.accounts)), len(parts)

        if waiting:
            with self.step("write shards", done):
                self.run_job(write_job(waiting, self.output, self.work_url, job), self.rows)
        accounts = dict(json_files(self.work, job.accounts))
        missing = [name for name in names if name not in accounts]
        if missing:
            raise EvenglotError(f"{len(missing)} shards were not written", "Run the same command again; it resumes")
        return [accounts[name] for name in names]

    def removed_lines(self, pieces: Sequence[PieceAccount]) -> dict[str, Any]:
        """Write the table of boilerplate lines that were removed, and the keys found by this run; their account."""
        if not self.config.boilerplate.enabled:
            return {"kind": "boilerplate", "files": []}
        table = merge_removed(
            read_side(self.work, piece.name, REMOVED) for piece in pieces if piece.counters.get("boilerplate/lines")
        )
        found = np.setdiff1d(load_keys(self.work_url, self.keys), earlier_keys(self.corpus, self.base))
        files = []
        for name, batches, schema in (
            (f"boilerplate/{self.number:06d}.arrow", masked(table, self.config.pii).to_batches(), REMOVED_SCHEMA),
            (keys_name(self.number), [keys_batch(found)], KEYS_SCHEMA),
        ):
            if any(batch.num_rows for batch in batches):
                file = write_shard(self.corpus, name, "boilerplate", batches, schema, self.config.write)
                files.append(file.model_dump())
            else:
                self.corpus.remove(name)  # an interrupted run may have had some
        return {"kind": "boilerplate", "files": files}

    def is_whole(self, account: Mapping[str, Any]) -> bool:
        """Whether the shards of an interrupted run are still its own: another run may have written there since."""
        for file in account["files"]:
            if not self.corpus.exists(file["path"]):
                return False
            with self.corpus.local_copy(file["path"]) as path:
                if file_hash(path) != file["hash"]:
                    return False
        return True

    def run_job(self, build: Any, rows: int | None = None) -> None:
        """Run one Beam job; what a user can mend comes out as itself, not wrapped by Beam.

        Args:
            build: adds the job's transforms to a pipeline.
            rows: documents of a job that costs little for each; with few of them it stays in this process.
        """
        from pipeline.runner import WORKER_MEMORY, run_job

        worth = rows is None or rows >= self.config.runner.rows_worth_workers
        try:
            found = run_job(build, self.config.runner, self.workers if worth else 1)
            self.worker_memory = max(self.worker_memory, found.get(WORKER_MEMORY, 0))
        except Exception as error:
            mended = user_error(error)
            if mended is not None:
                raise mended from error
            raise

    def check_readable(self, read: int, pieces: Sequence[PieceAccount]) -> None:
        """Stop when so much is unreadable that the format must be wrong."""
        unreadable = sum(piece.unreadable for piece in pieces)
        if read and unreadable / read > self.config.fail_unreadable_share:
            raise InputError(
                f"{unreadable:,} of {read:,} records cannot be parsed ({unreadable / read:.0%}, limit "
                f"{self.config.fail_unreadable_share:.0%})",
                "Set the input's `format`, or raise `prepare.fail_unreadable_share` if this is as expected",
            )

    def snapshot(
        self,
        read: int,
        accounts: Sequence[dict[str, Any]],
        mixtures: dict[str, dict[str, float]],
        thresholds: dict[str, dict[str, float]],
        pieces: Sequence[PieceAccount],
    ) -> Snapshot:
        """Everything the manifest says of the new state."""
        files = [ShardFile(**file) for account in accounts for file in account["files"]]
        rejected: dict[str, Counter[str]] = {}
        for account in accounts:
            for reason, by_language in account.get("rejected", {}).items():
                rejected.setdefault(reason, Counter()).update(by_language)
        kept: Counter[str] = Counter()
        for file in files:
            if file.kind == "text" and file.lang:
                kept[file.lang] += file.rows
        ledger = Ledger(
            read=read,
            made=sum(piece.counters.get(MADE, 0) for piece in pieces),
            kept=sort(kept),
            rejected={reason: sort(rejected[reason]) for reason in sorted(rejected)},
            unreadable=self.unreadable_reasons(files),
        )
        return Snapshot(
            number=self.number,
            parent=self.parent,
            made_by="prepare",
            languages=evidence(accounts, ledger),
            mixtures=mixtures,
            mixture=self.config.balance.mixture,
            ledger=ledger,
            thresholds=thresholds,
            threshold_facts=self.threshold_facts,
            identifier=self.identifier,
            # Where the output goes is no part of what it is: the same corpus elsewhere has the same bytes.
            recipe={key: value for key, value in self.recipe.items() if key not in ("corpus", "run")},
            fingerprint=self.identity,
            warnings=self.warnings(ledger, pieces),
            files=sorted(files, key=lambda file: file.path),
        )

    def unreadable_reasons(self, files: Sequence[ShardFile]) -> dict[str, int]:
        """Unreadable records by reason, counted in the files written."""
        counts: Counter[str] = Counter()
        for file in files:
            if file.kind == "unreadable":
                for line in self.corpus.read_bytes(file.path).splitlines():
                    counts[json.loads(line)["reason"]] += 1
        return sort(counts)

    def warnings(self, ledger: Ledger, pieces: Sequence[PieceAccount]) -> list[str]:
        """What a user should look at, loud at the end of the run and at the top of the report."""
        found = []
        if self.evaluation is not None:
            documents = {lang: kept + rejected for lang, (kept, rejected) in ledger.language_totals().items()}
            found += overlap_warnings(self.evaluation, indexed_items(self.work), counters(pieces), documents)
        found += self.damage(ledger)
        for reason, count in ledger.by_reason().items():
            if count > self.config.warn_rejected_share * ledger.read:
                found.append(f"{reason} rejected {count:,} of {ledger.read:,} records ({count / ledger.read:.0%})")
        repeated = ledger.by_reason().get("deduplicate/repeated_id", 0)
        if repeated > _MANY_REPEATED_IDS * ledger.read:
            found.append(
                f"{repeated:,} records were rejected for an id that their source used before: if its ids do not tell "
                "records apart, set `prepare.deduplicate.repeated_id: keep` or the input's `fields: {id: null}`"
            )
        found += concerns(self.threshold_facts, ledger.rejected, self.config.filter)
        if ledger.kept_total == 0:
            flag = "--rejected" if ledger.rejected_total else "--unreadable"
            found.append(f"no record was kept: look at the reasons with `evenglot inspect CORPUS {flag}`")
        return found

    def damage(self, ledger: Ledger) -> list[str]:
        """Files that could not be read at all, by name, and how many parts of others."""
        found = [f"{place} was not read: {problem}" for place, problem in [*self.unusable.items()][:_MOST_NAMED]]
        if len(self.unusable) > _MOST_NAMED:
            found.append(f"{len(self.unusable) - _MOST_NAMED:,} more files were not read")
        parts = ledger.unreadable.get("corrupt_file", 0) - len(self.unusable)
        if parts:
            found.append(
                f"damage in {parts:,} places of files hid what followed: look at them with "
                "`evenglot inspect CORPUS --unreadable`"
            )
        return found

    def run_account(self, pieces: Sequence[PieceAccount]) -> dict[str, Any]:
        """What belongs to this run alone: times, rates, machine."""
        seconds: Counter[str] = Counter()
        rows_in: Counter[str] = Counter()
        rows_out: Counter[str] = Counter()
        for piece in pieces:
            seconds.update(piece.seconds)
            for stage, (before, after) in piece.stage_rows.items():
                rows_in[stage] += before
                rows_out[stage] += after
        order = ["read", *stage_names(self.config)]
        stages = [
            {
                "name": stage,
                "seconds": round(seconds[stage], 3),
                "records_in": rows_in[stage],
                "records_out": rows_out[stage],
                "documents_per_second": round(rows_in[stage] / seconds[stage], 1) if seconds[stage] else None,
            }
            for stage in order
        ]
        total = counters(pieces)
        account = run_account(self.clock, self.workers, self.worker_memory) | {
            "stages": stages,
            "steps": self.steps,
            "restarts": self.restarts,
            "input_state": self.state,
            # Which items were found stands in a table of its own, of bounded length.
            "counters": {name: count for name, count in sort(total).items() if not name.startswith(ITEM)},
            "near_duplicates": self.near_account,
        }
        if self.evaluation is not None:
            account["decontamination"] = overlap_account(self.evaluation, indexed_items(self.work), total)
        return account

    @contextmanager
    def step(self, name: str, done: Callable[[], tuple[int, int]]) -> Iterator[None]:
        """Time a job and report how far it is while it runs."""
        clock = Clock()
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(_POLL_SECONDS):
                self.progress(name, *done())

        self.progress(name, *done())
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
        self.progress(name, *done())
        self.steps.append({"name": name, **clock.elapsed()})


def bounds_and_sizes(
    new: Mapping[str, SplitSketch],
    before: Mapping[str, SplitSketch],
    base: Snapshot | None,
    config: SplitConfig,
) -> tuple[dict[str, int], dict[str, int]]:
    """Held-out bounds of the languages that have new documents, and bytes of training text of all languages.

    Earlier documents lie where they lie; they count when the bound of a language is found.

    Args:
        new: sketches of this run's documents.
        before: of those of the snapshot that it goes on with.
        base: that snapshot.
        config: how much is held out.
    """
    merged = merge_sketches([before, new], config)
    bounds = {lang: merged[lang].bound(config) for lang in new}
    sizes = {} if base is None else {lang: known.bytes for lang, known in base.languages.items()}
    for lang, sketch in new.items():
        sizes[lang] = sizes.get(lang, 0) + sketch.bytes - sketch.under(bounds[lang], config)
    return bounds, {lang: sizes[lang] for lang in sorted(sizes)}


def counters(pieces: Sequence[PieceAccount]) -> Counter[str]:
    """Events counted by the stages, over all pieces."""
    total: Counter[str] = Counter()
    for piece in pieces:
        total.update(piece.counters)
    return total


def near_account(
    config: NearDuplicateConfig,
    links: Sequence[Mapping[str, int]],
    clusters: Sequence[Mapping[str, int]],
    unsettled: Sequence[int],
) -> dict[str, Any]:
    """What the search for near duplicates looked for, by which curve, and what it found.

    Args:
        config: settings.
        links: accounts of the verified pairs, by piece.
        clusters: accounts of the clusters, by partition.
        unsettled: nodes not yet pointing to the least of their component, before each round and after the last;
            empty where one worker held all links.
    """
    bands, rows = bands_and_rows(config)
    found = {name: sum(account[name] for account in clusters) for name in ("clusters", "documents", "removed")}
    return {
        "jaccard": config.jaccard,
        "containment": config.containment,
        "bands": bands,
        "rows": rows,
        "curve": curve(bands, rows),
        "candidates": sum(account["candidates"] for account in links),
        "links": sum(account["links"] for account in links),
        **found,
        "largest_cluster": max((account["largest"] for account in clusters), default=0),
        "checked_again": sum(account["checked_again"] for account in clusters),
        "unsettled_by_round": list(unsettled),
    }


def evidence(accounts: Sequence[dict[str, Any]], ledger: Ledger) -> dict[str, LanguageEvidence]:
    """Evidence of every language that has text."""
    totals: dict[str, Counter[str]] = {}
    for account in accounts:
        if account["kind"] != "text":
            continue
        counts = totals.setdefault(account["lang"], Counter())
        counts.update(account.get(TRAIN, {}))
        heldout = account.get(HELDOUT, {})
        counts.update({"heldout_documents": heldout.get("documents", 0), "heldout_bytes": heldout.get("bytes", 0)})
    rejected = ledger.language_totals()
    found = {}
    for lang in sorted(totals):
        if totals[lang]["documents"] or totals[lang]["heldout_documents"]:
            found[lang] = LanguageEvidence.model_validate({**totals[lang], "rejected": rejected[lang][1]})
    return found


def read_so_far(work: Storage, sizes: Mapping[str, int], folder: str = STAGED) -> int:
    """Bytes of input read, about: whole splits that are done, and of the others what their staged pieces suggest.

    Args:
        work: the run's work folder.
        sizes: bytes of every split, by the name of its task.
        folder: where its pieces are written.
    """
    names = work.list(folder)
    finished = {name.removesuffix(".done.json") for name in names if name.endswith(".done.json")} & set(sizes)
    staged: Counter[str] = Counter()
    for name in names:
        if name.endswith(".arrow") and not name.startswith("."):
            staged[name.rpartition("-")[0]] += work.size(f"{folder}/{name}")
    whole = sum(sizes[task] for task in finished)
    expansion = sum(staged[task] for task in finished) / whole if whole else _EXPANSION
    under_way = sum(
        min(int(staged[task] / max(expansion, 0.1)), size * 19 // 20)
        for task, size in sizes.items()
        if task not in finished
    )
    return whole + under_way


def default_workers(splits: Sequence[Split]) -> int:
    """One worker per core, or one in all for a small input."""
    return (os.cpu_count() or 1) if sum(split.bytes for split in splits) >= _WORTH_WORKERS else 1


def split_identity(split: Split) -> dict[str, Any]:
    """What a split is, without the folder its file happens to lie in."""
    return {**asdict(split), "file": split.place}


def modification(split: Split) -> str:
    """What tells one state of a file from another: its time or entity tag and its size, where it has any."""
    if split.format == "dataset":
        return ""
    filesystem, path = fsspec.core.url_to_fs(split.file)
    info = filesystem.info(path)
    return "/".join(str(info.get(name, "")) for name in ("mtime", "LastModified", "ETag", "etag", "size"))


def user_error(error: BaseException) -> EvenglotError | None:
    """The user's error inside one that Beam has wrapped, also when it came as text from another process."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, EvenglotError):
            # Beam makes a new error of the same type whose text ends with the step it arose in.
            return type(seen)(str(seen).partition(_BEAM_SUFFIX)[0])
        seen = seen.__cause__ or seen.__context__
    for line in str(error).splitlines():
        name, _, message = line.partition(": ")
        if message and name.startswith("corpus.errors."):
            kind = getattr(errors, name.removeprefix("corpus.errors."), EvenglotError)
            return kind(message.partition(_BEAM_SUFFIX)[0]) if issubclass(kind, EvenglotError) else None
    return None
