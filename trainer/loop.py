"""The training loop: a corpus in, a run directory out.

What decides the result is a function of the step's number: which rows (their global indices), which tokens are
hidden (a hash of those indices), the learning rate, the strengths, and the seed of whatever a layer may draw.
A checkpoint therefore holds weights, optimiser moments and counters, and a run that was killed goes on from it
to the same weights, to the last bit on the same machine.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from corpus.errors import ConfigurationError, EvenglotError
from corpus.hashing import stable_hash
from corpus.storage import write_errors
from sampler.config import SamplerConfig
from sampler.feedback import requests
from sampler.feedback.decisions import check_step
from sampler.stream import CurriculumStream
from trainer import checkpoint as checkpoints
from trainer.build import build_model
from trainer.config import TrainConfig
from trainer.distributed import World, world
from trainer.evaluate import EVALUATION, Evaluator, HeldoutLanguage, in_memory, load_heldout, recent_rows
from trainer.evidence import repeats, training_evidence
from trainer.files import write_json
from trainer.logs import METRICS, MetricsLog
from trainer.mixture import MixtureDecisions
from trainer.model import parameter_count
from trainer.optimise import load_optimiser_tensors, make_optimiser, optimiser_tensors
from trainer.reproducible import reproducible
from trainer.sampled import packing_figures, sampled_line, stage_shares
from trainer.step import Stepper, StepReport, pass_rows
from trainer.tally import Tally, mean
from trainer.weighting.baseline import baselines, token_counts

Progress = Callable[[str, int, int], None]

_LOGGER = logging.getLogger(__name__)

EVIDENCE = "evidence.json"
SUMMARY = "summary.json"

_OPERATIONAL = ("log", "checkpoint", "heldout", "threads", "device", "precision", "micro_rows", "max_skipped")
"""Settings that may differ when a run is resumed: they leave rows, objective and weights' path as they were."""


class TrainingError(EvenglotError):
    """Training cannot go on."""

    exit_code = 6


@dataclass(frozen=True)
class Summary:
    """What ``summary.json`` holds."""

    step: int
    """Optimiser steps done."""
    tokens: int
    """Tokens read, padding left out."""
    wall_seconds: float
    """Time spent training, earlier parts of a resumed run included."""
    parameters: int
    """Trained values of the model."""
    mixture: str
    """Name of the sampler's mixture, ``custom`` where shares were given."""
    objective: str
    """What was learnt: causal, masked or mixed."""
    finished: bool
    """Whether the whole budget is spent; false after a stop by signal or by ``stop_after``."""
    skipped: int
    """Steps left out because loss or gradient was not finite."""
    final: dict[str, Any]
    """The held-out figures of the last step, as a line of the metrics."""
    packing: dict[str, float]
    """What packing did in the run's last rows: shares of documents and tokens cut, places that hold no token."""


def train(
    corpus: str,
    run: str,
    config: TrainConfig,
    sampler: SamplerConfig,
    *,
    tokenizer: str,
    seed: int,
    resume: bool = True,
    stop_after: int | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Train a model on a corpus, or go on with a run that was stopped.

    Args:
        corpus: corpus root, path or URL, with token shards.
        run: the run's folder, local.
        config: the recipe's ``train`` section.
        sampler: the recipe's ``sampler`` section; its token budget is set to the run's unless it is given.
        tokenizer: name of the tokenizer in the corpus.
        seed: of initial weights, order of rows, and masks.
        resume: go on from the newest whole checkpoint; otherwise what training wrote into the folder before is
            removed and the run begins anew.
        stop_after: steps after which to save and return, even if the budget is not spent.
        progress: called with ``train``, steps done and steps in all.

    Returns:
        What was done. SIGTERM ends the run early after saving; ``finished`` is then false.

    Raises:
        CorpusError: there is no such corpus or tokenizer, or it is damaged.
        ConfigurationError: a checkpoint in the folder belongs to other settings.
        InputError: there are checkpoints, but all are damaged.
        TrainingError: too many steps in a row had no finite gradient.
    """
    folder = Path(run)
    processes = world(config.device)
    if processes.leads:
        with write_errors(run):
            folder.mkdir(parents=True, exist_ok=True)
    processes.barrier()
    saved = checkpoints.newest(folder) if resume else None
    threads = saved.state["threads"] if saved else config.threads or torch.get_num_threads()
    with reproducible(threads), _terminated() as terminated:
        # A run keeps to the snapshot that it began with, whatever was committed since.
        snapshot = saved.state["sampler"]["snapshot"] if saved else None
        session = Session(
            corpus,
            folder,
            config,
            sampler,
            tokenizer,
            seed,
            threads=threads,
            snapshot=snapshot,
            processes=processes,
        )
        if saved is not None:
            session.restore(saved)
        if not resume:
            # Only now that the settings are known to fit: a mistyped recipe must not cost the old run.
            if processes.leads:
                with write_errors(run):
                    _clear(folder)
            processes.barrier()
        return session.run(stop_after, terminated, progress)


class Session:
    """One call of :func:`train`: everything that lives while it runs.

    Args:
        corpus: corpus root.
        folder: the run's folder.
        config: of the training.
        sampler: of the rows.
        tokenizer: its name.
        seed: of the run.
        threads: CPU threads in use.
        snapshot: number of the corpus's snapshot; None takes the current one.
        processes: the processes that train together.
    """

    def __init__(
        self,
        corpus: str,
        folder: Path,
        config: TrainConfig,
        sampler: SamplerConfig,
        tokenizer: str,
        seed: int,
        *,
        threads: int,
        snapshot: int | None,
        processes: World,
    ) -> None:
        self.folder = folder
        self.config = config
        self.total = config.total_steps(sampler.row_tokens)
        if sampler.budget_tokens is None:
            sampler = sampler.model_copy(update={"budget_tokens": self.total * config.rows * sampler.row_tokens})
        if sampler.rows == "mixed":
            raise ConfigurationError(
                "sampler.rows is 'mixed', and the trainer's adapters, counts and gaps need one language in each row",
                "Set sampler.rows to 'one_language'",
            )
        self.sampler = sampler
        self.tokenizer = tokenizer
        self.seed = seed
        self.threads = threads
        self.world = processes
        self.stream = self._open(corpus, snapshot)
        self.languages = self.stream.languages
        vocabulary = int(self.stream.corpus.described["vocabulary"])
        mask_id = self.stream.corpus.special("mask")
        torch.manual_seed(stable_hash("weights", seed) >> 1)
        train_tokens = [self.stream.sizes[lang] for lang in self.languages]
        self.model = build_model(config.model, vocabulary, len(self.languages), train_tokens).to(processes.device)
        self.optimiser = make_optimiser(self.model, config.optimiser, config.learning_rate())
        self.tally = Tally(len(self.languages), processes.device)
        self.step = Stepper(
            config,
            self.model,
            self.optimiser,
            self.stream,
            self.tally,
            processes,
            train_tokens=train_tokens,
            total=self.total,
            mask_id=mask_id,
            pass_rows=pass_rows(config, processes.device, sampler.row_tokens, vocabulary),
            seed=seed,
            baseline=self._baseline(vocabulary),
            passes=self._passes,
        )
        heldout = load_heldout(
            corpus,
            tokenizer,
            sampler.row_tokens,
            rows=config.heldout.rows,
            languages=self.languages,
            snapshot=self.stream.snapshots[-1],
            cache=sampler.cache,
        )
        self.evaluator = self._evaluator(heldout)
        check_step(sampler, config.rows)
        self.mixture = MixtureDecisions(self.stream, self.tally, processes, folder, config.rows)
        self.done = 0
        self.skipped = 0
        self.skipped_in_a_row = 0
        self.seconds_before = 0.0
        self.last_heldout: dict[str, Any] | None = None

    def run(self, stop_after: int | None, terminated: threading.Event, progress: Progress | None) -> Summary:
        """Do the steps that are left, or as many as asked for."""
        started = self._mark = time.monotonic()
        self._mark_tokens = float(self.tally.seen.sum())
        last = self.total if stop_after is None else min(self.total, self.done + stop_after)
        self.mixture.announce(self.done)
        with self._log() as log:
            if self.done == 0:
                self._heldout(log)
                self.mixture.decide_due(0, log)
            while self.done < last:
                report = self.step(self.done, stop=terminated.is_set())
                self.done += 1
                self._watch(report)
                stopping = report.stop or self.done == last
                if self.done % self.config.log.every == 0 or self.done == self.total:
                    self._train_line(report, log)
                if self._due(self.config.heldout.every) or self.done == self.total:
                    self._heldout(log)
                if self.done < self.total:
                    self.mixture.decide_due(self.done, log)
                if self._due(self.config.checkpoint.every) or stopping:
                    self._save(started, log)
                if progress is not None and self.world.leads:
                    progress("train", self.done, self.total)
                if report.stop:
                    break
        return self._finish(started)

    def restore(self, saved: checkpoints.Checkpoint) -> None:
        """Go on from a checkpoint.

        Raises:
            ConfigurationError: it belongs to other settings.
        """
        state = saved.state
        before = TrainConfig.model_validate(state["train"])
        _same("train", _deciding(before), _deciding(self.config), saved.path)
        _same("run", state["identity"], self._identity(), saved.path)
        self.stream.load_state(state["sampler"])
        self.model.load_state_dict(saved.model)
        load_optimiser_tensors(self.model, self.optimiser, saved.optimiser)
        self.step.load_tensors(saved.methods)
        self.tally.load_state(state["tally"])
        self.mixture.feedback.load_state(state["feedback"])
        self.done = int(state["step"])
        self.skipped = int(state["skipped"])
        self.skipped_in_a_row = int(state["skipped_in_a_row"])
        self.seconds_before = float(state["wall_seconds"])
        self.last_heldout = state["heldout"]

    def _open(self, corpus: str, snapshot: int | None) -> CurriculumStream:
        """The rows, of the snapshots that the leading process finds: one may be committed while processes start."""

        def of(numbers: int | tuple[int, ...] | None) -> CurriculumStream:
            return CurriculumStream(
                corpus, tokenizer=self.tokenizer, config=self.sampler, seed=self.seed, snapshot=numbers
            )

        stream = of(snapshot)
        led = tuple(json.loads(self.world.from_leader(json.dumps(stream.snapshots))))
        return stream if stream.snapshots == led else of(led)

    def _baseline(self, vocabulary: int) -> list[float] | None:
        """Nats per token that the languages' losses are compared with; None where they are not compared."""
        if self.config.language_loss is None:
            return None
        return baselines(
            self.config.language_loss.baseline,
            self.languages,
            lambda lang: token_counts(self.stream.corpus_of(lang).documents(lang), vocabulary),
        )

    def _passes(self, step: int) -> npt.NDArray[np.float64]:
        """Passes over each language's text before a step, [languages]."""
        self.stream.seek(step * self.config.rows)
        realised = self.stream.realised()
        return np.array([realised[lang].passes for lang in self.languages])

    def _evaluator(self, rows: Mapping[str, HeldoutLanguage]) -> Evaluator:
        """What scores the model on some rows, in the way of the held-out evaluation."""
        return Evaluator(
            in_memory(rows),
            self.languages,
            self.config.objective,
            mask_id=self.step.mask_id,
            pass_rows=self.step.pass_rows,
            precision=self.step.precision,
            world=self.world,
        )

    def _identity(self) -> dict[str, Any]:
        """What has to be equal for a run to be resumed, beside its settings, as JSON values."""
        described = self.stream.corpus.described
        return {
            "seed": self.seed,
            "tokenizer": self.tokenizer,
            "vocabulary": described["vocabulary"],
            "tokenizer_hash": described.get("hash"),
            "languages": list(self.languages),
            "row_tokens": self.sampler.row_tokens,
        }

    def _due(self, every: int | None) -> bool:
        return self.done % (every or max(1, self.total // 10)) == 0

    @contextmanager
    def _log(self) -> Iterator[MetricsLog | None]:
        """The metrics, written by the leading process alone."""
        if not self.world.leads:
            yield None
            return
        with MetricsLog(self.folder, self.done, tensorboard=self.config.log.tensorboard) as log:
            yield log

    def _watch(self, report: StepReport) -> None:
        """Count steps without a finite gradient, and give up after too many in a row."""
        if not report.skipped:
            self.skipped_in_a_row = 0
            return
        self.skipped += 1
        self.skipped_in_a_row += 1
        if self.world.leads:
            _LOGGER.warning("step %d skipped: loss or gradient is not finite", self.done)
        if self.skipped_in_a_row >= self.config.max_skipped:
            raise TrainingError(
                f"loss or gradient was not finite in {self.skipped_in_a_row} steps in a row, the last of them step "
                f"{self.done} at learning rate {report.learning_rate:.2e}",
                "Lower train.optimiser.learning_rate, lengthen train.schedule.warmup, or set train.precision to "
                "float32; then begin anew (`evenglot train --fresh`)",
            )

    def _train_line(self, report: StepReport, log: MetricsLog | None) -> None:
        self.tally.collect(self.world)
        if log is not None:
            now = time.monotonic()
            tally = self.tally
            seen = float(tally.seen.sum())
            speed = (seen - self._mark_tokens) / (now - self._mark)
            self._mark, self._mark_tokens = now, seen
            factors = None if report.factors is None else report.factors.tolist()
            log.write(
                {
                    "kind": "train",
                    "step": self.done,
                    "tokens": int(seen),
                    "loss": tally.mean_loss(),
                    "lr": report.learning_rate,
                    "weight_decay": report.weight_decay,
                    "dropout": report.dropout,
                    "grad_norm": report.grad_norm,
                    "skipped": self.skipped,
                    "tokens_per_second": speed,
                    "penalties": {
                        name: {
                            "value": float(penalty.value),
                            "strength": penalty.strength,
                            **{metric: float(value) for metric, value in penalty.metrics.items()},
                        }
                        for name, penalty in report.penalties.items()
                    },
                    "languages": {
                        lang: {
                            "loss": mean(tally.window[index]),
                            "tokens": int(tally.window_seen[index]),
                            "seen_tokens": int(tally.seen[index]),
                            "repeats": repeats(tally.seen[index], self.stream.sizes[lang]),
                            **({} if factors is None else {"loss_factor": factors[index]}),
                        }
                        for index, lang in enumerate(self.languages)
                        if tally.window_seen[index]
                    },
                }
            )
        self.tally.next_window()

    def _heldout(self, log: MetricsLog | None) -> None:
        paused = time.monotonic()
        self.last_heldout = self._score_heldout()
        self.mixture.set_heldout(self.last_heldout)
        if log is not None:
            if self.done:
                row, tokens = self.done * self.config.rows, int(self.tally.seen.sum())
                log.write(sampled_line(self.stream, step=self.done, row=row, tokens=tokens))
            log.write(self.last_heldout)
        self._mark += time.monotonic() - paused  # evaluation is not training speed

    def _evaluated(self) -> AbstractContextManager[None]:
        """While the block runs, the model has the weights that are evaluated."""
        average, config = self.step.average, self.config.average
        return nullcontext() if average is None or config is None or not config.evaluate else average.applied()

    def _score_heldout(self) -> dict[str, Any]:
        with self._evaluated():
            scores = self.evaluator(self.model)
        self.tally.collect(self.world)
        return {"kind": "heldout", "step": self.done, "tokens": int(self.tally.seen.sum()), **scores}

    def _save(self, started: float, log: MetricsLog | None) -> None:
        self.tally.collect(self.world)
        if log is not None:
            log.sync()
            state = {
                "identity": self._identity(),
                "train": self.config.model_dump(mode="json"),
                "sampler_config": self.sampler.model_dump(mode="json"),
                "sampler": self.stream.state(self.done * self.config.rows),
                "tally": self.tally.state(),
                "feedback": self.mixture.feedback.state(),
                "threads": self.threads,
                "processes": self.world.size,
                "torch": torch.__version__,
                "skipped": self.skipped,
                "skipped_in_a_row": self.skipped_in_a_row,
                "wall_seconds": self._seconds(started),
                "heldout": self.last_heldout,
            }
            tensors = optimiser_tensors(self.model, self.optimiser)
            checkpoints.save(self.folder, self.done, self.model.state_dict(), tensors, self.step.tensors(), state)
            checkpoints.prune(self.folder, self.config.checkpoint.keep)
        self.world.barrier()

    def _seconds(self, started: float) -> float:
        return self.seconds_before + time.monotonic() - started

    def _finish(self, started: float) -> Summary:
        """Write evidence and summary, both of the weights as they are now."""
        if self.last_heldout is None or self.last_heldout["step"] != self.done:
            # Stopped between two evaluations: not logged, because a run that goes on has none here.
            self.last_heldout = self._score_heldout()
        mixture = self.sampler.mixture
        summary = Summary(
            step=self.done,
            tokens=int(self.tally.seen.sum()),
            wall_seconds=round(self._seconds(started), 3),
            parameters=parameter_count(self.model),
            mixture=mixture if isinstance(mixture, str) else "custom",
            objective=self.config.objective.kind,
            finished=self.done >= self.total,
            skipped=self.skipped,
            final=self.last_heldout,
            packing=packing_figures(self.stream, self.done * self.config.rows),
        )
        if self.world.leads:
            write_json(self.folder, SUMMARY, asdict(summary))
        self._evidence(self.last_heldout)
        self.world.barrier()
        return summary

    def _evidence(self, heldout: Mapping[str, Any]) -> None:
        """Write the evidence on each language; the training loss is that of the last rows under the last weights."""
        end = self.done * self.config.rows
        known = {lang: self.stream.corpus_of(lang).snapshot.languages[lang] for lang in self.languages}
        ratios = {lang: known[lang].bytes / known[lang].tokens[self.tokenizer] for lang in self.languages}
        seen = recent_rows(self.stream, ratios, end=end, rows=self.config.heldout.rows or self.config.rows)
        with self._evaluated():
            scores = self._evaluator(seen)(self.model)
        self.stream.seek(end)
        realised = self.stream.realised()
        if self.world.leads:
            evidence = training_evidence(
                {lang: int(count) for lang, count in zip(self.languages, self.tally.seen, strict=True)},
                self.stream.sizes,
                scores["languages"],
                heldout["languages"],
                {lang: (got.asked, got.share) for lang, got in realised.items()},
                self.stream.mixture((end - 1) // self.sampler.block_rows),
                stage_shares(self.stream, end),
            )
            write_json(self.folder, EVIDENCE, evidence)


def _same(section: str, before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Confirm that a checkpoint's settings are those of today.

    Raises:
        ConfigurationError: they differ; the message names each setting with both values.
    """
    old, new = dict(_flat(before)), dict(_flat(now))
    changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if changed:
        shown = "; ".join(f"{name} was {old.get(name)!r}, now {new.get(name)!r}" for name in changed[:5])
        raise ConfigurationError(
            f"checkpoint {path} belongs to other settings of {section}: {shown}",
            "Set them back, choose another run folder, or begin anew (`evenglot train --fresh`)",
        )


def _deciding(config: TrainConfig) -> dict[str, Any]:
    """The settings that decide a run's result, as JSON values."""
    return config.model_dump(mode="json", exclude=set(_OPERATIONAL))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def _clear(folder: Path) -> None:
    """Remove what training writes, and nothing else."""
    for name in (checkpoints.folder(folder).name, "tensorboard", requests.FOLDER):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (METRICS, EVIDENCE, SUMMARY, EVALUATION):
        with contextlib.suppress(FileNotFoundError):
            (folder / name).unlink()


@contextmanager
def _terminated() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, instead of ending the process; only the main thread can ask for that."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def set_event(number: int, frame: FrameType | None) -> None:
        event.set()

    before = signal.signal(signal.SIGTERM, set_event)
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
