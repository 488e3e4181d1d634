"""One call of the training loop: the steps that are left, what is logged, saved and written at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from corpus.errors import EvenglotError
from sampler.config import SamplerConfig
from sampler.feedback.decisions import check_step
from trainer.config import TrainConfig
from trainer.conflict.matrix import ConflictReport
from trainer.distributed import World
from trainer.heldout.rows import HeldoutLanguage
from trainer.model.flops import forward_cost, peak_flops
from trainer.model.transformer import parameter_count
from trainer.optimiser.build import load_optimiser_tensors, optimiser_tensors
from trainer.run import checkpoint as checkpoints
from trainer.run.assembly import assemble, evaluated, evaluator_of
from trainer.run.files import write_json
from trainer.run.lines import conflict_line, gaps, penalty_figures, skipped_line, train_line
from trainer.run.logs import MetricsLog
from trainer.run.mixture import MixtureDecisions
from trainer.run.outcome import EVIDENCE, Summary, evidence, write_summary
from trainer.run.pace import Pace
from trainer.run.paths import path_figures
from trainer.run.resume import confirm_same, deciding, identity
from trainer.run.sampled import packing_figures, sampled_line
from trainer.sharding import load_weights
from trainer.steps.step import StepReport

Progress = Callable[[str, int, int], None]

_LOGGER = logging.getLogger(__name__)


class TrainingError(EvenglotError):
    """Training cannot go on."""

    exit_code = 6


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
        described: configuration of the model's foreign base, as a checkpoint holds it; None to load the base, if any.
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
        described: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.config = config
        self.tokenizer = tokenizer
        self.seed = seed
        self.threads = threads
        self.world = processes
        parts = assemble(
            corpus,
            folder,
            config,
            sampler,
            tokenizer,
            seed,
            snapshot=snapshot,
            world=processes,
            described=described,
        )
        self.sampler, self.rows, self.stream = parts.sampler, parts.rows, parts.stream
        self.model, self.optimiser, self.step = parts.model, parts.optimiser, parts.step
        self.tally, self.stops, self.late = parts.tally, parts.stops, parts.late
        self.evaluator, self.retrieval = parts.evaluator, parts.retrieval
        self.total = self.step.total
        self.languages = self.stream.languages
        check_step(sampler, config.rows)
        self.mixture = MixtureDecisions(self.stream, self.tally, processes, folder, self.rows)
        self.done = 0
        self.skipped = 0
        self.skipped_in_a_row = 0
        self.seconds_before = 0.0
        self.last_heldout: dict[str, Any] | None = None

    def run(self, stop_after: int | None, stopping: threading.Event, progress: Progress | None) -> Summary:
        """Do the steps that are left, or as many as asked for.

        Args:
            stop_after: number of steps; None for all.
            stopping: set when the run has to end early.
            progress: called with ``train``, steps done and steps in all.
        """
        peak = self.config.log.peak_flops or peak_flops(self.world.device)
        self.pace = Pace(
            forward_cost(self.model, self.sampler.row_tokens),
            None if peak is None else peak * self.world.size,
            self.world.device,
            before=self.tally.window_totals(),
        )
        last = self.total if stop_after is None else min(self.total, self.done + stop_after)
        self.mixture.announce(self.done)
        with self._log() as log:
            if self.done == 0:
                self._heldout(log)
                self.mixture.decide_due(0, log)
            while self.done < last and not self.stops.over:
                self._join(log)
                report = self.step(self.done, stop=stopping.is_set())
                self.done += 1
                self._watch(report, log)
                if self.done % self.config.log.every == 0 or self.done == self.total:
                    self._train_line(report, log)
                if report.conflict is not None:
                    self._conflict_line(report.conflict, log)
                if self._due(self.config.heldout.every) or self.done == self.total:
                    self._heldout(log)
                if not self.over:
                    self.mixture.decide_due(self.done, log, without=self.stops.without_rows)
                if self._due(self.config.checkpoint.every) or report.stop or self.done == last or self.over:
                    self._save(log)
                if progress is not None and self.world.leads:
                    progress("train", self.done, self.total)
                if report.stop:
                    break
        return self._finish()

    @property
    def over(self) -> bool:
        """Whether the budget is spent or all languages have stopped."""
        return self.done >= self.total or self.stops.over

    def restore(self, saved: checkpoints.Checkpoint) -> None:
        """Go on from a checkpoint.

        Raises:
            ConfigurationError: it belongs to other settings.
        """
        state = saved.state
        before = TrainConfig.model_validate(state["train"])
        confirm_same("train", deciding(before), deciding(self.config), saved.path)
        confirm_same("run", state["identity"], self._identity(), saved.path)
        self.stream.load_state(state["sampler"])
        load_weights(self.model, saved.model)
        load_optimiser_tensors(self.model, self.optimiser, saved.optimiser)
        self.step.load_tensors(saved.methods)
        self.stops.load_state(state.get("early_stop"), saved.methods)
        self.late.load_tensors(saved.methods)
        self.tally.load_state(state["tally"])
        self.mixture.feedback.load_state(state["feedback"])
        self.done = int(state["step"])
        self.skipped = int(state["skipped"])
        self.skipped_in_a_row = int(state["skipped_in_a_row"])
        self.seconds_before = float(state["wall_seconds"])
        self.last_heldout = state["heldout"]

    def _identity(self) -> dict[str, Any]:
        return identity(self.stream, tokenizer=self.tokenizer, seed=self.seed)

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

    def _join(self, log: MetricsLog | None) -> None:
        """Start the languages whose first rows are in the step to come."""
        with self.pace.paused():
            line = self.late.join(self.done)
        if log is not None and line is not None:
            log.write(line)

    def _watch(self, report: StepReport, log: MetricsLog | None) -> None:
        """Count steps without a finite gradient, and give up after too many in a row."""
        if not report.skipped:
            self.skipped_in_a_row = 0
            return
        self.skipped += 1
        self.skipped_in_a_row += 1
        if self.world.leads:
            _LOGGER.warning("step %d skipped: loss or gradient is not finite", self.done)
        if log is not None:
            rows = self.rows.of(self.done - 1)
            log.write(skipped_line(self.done, report, rows, self.languages))
        if self.skipped_in_a_row >= self.config.max_skipped:
            raise TrainingError(
                f"loss or gradient was not finite in {self.skipped_in_a_row} steps in a row, the last of them step "
                f"{self.done} at learning rate {report.learning_rate:.2e}",
                "Lower train.optimiser.learning_rate, lengthen train.schedule.warmup, or set train.precision to "
                "float32; then begin anew (`evenglot train --fresh`)",
            )

    def _train_line(self, report: StepReport, log: MetricsLog | None) -> None:
        self.tally.collect(self.world)
        penalties = penalty_figures(report, self.world)
        paths = path_figures(self.model, self.languages, self.world)
        if log is not None:
            pace = self.pace.lap(*self.tally.window_totals())
            log.write(
                train_line(
                    self.done,
                    report,
                    self.tally,
                    self.languages,
                    self.stream.sizes,
                    penalties=penalties,
                    paths=paths,
                    skipped=self.skipped,
                    pace=pace,
                )
            )
        self.tally.next_window()
        parallel = self.step.parallel
        if parallel is not None:
            parallel.tally.collect(self.world)
            if log is not None:
                log.write(parallel.line(self.done, self.languages))
            parallel.tally.next_window()

    def _conflict_line(self, report: ConflictReport, log: MetricsLog | None) -> None:
        self.tally.collect(self.world)
        if log is not None and self.step.meter is not None:
            log.write(conflict_line(self.done, report, self.tally, self.step.meter.groups, self.languages))

    def _heldout(self, log: MetricsLog | None) -> None:
        with self.pace.paused():
            self.last_heldout = self._score_heldout()
            waiting = [
                lang for lang, seen in zip(self.languages, self.tally.seen, strict=True) if self.done and not seen
            ]
            stopped = self.stops.observe(self.last_heldout, waiting)
            if self.over:
                self.last_heldout = dict(self.stops.settle(self.last_heldout, self._score_heldout))
            trained = self.tally.next_evaluated()
            if self.config.objective.kind == self.evaluator.kind:
                self.last_heldout |= gaps(self.last_heldout, trained, self.languages)
            self.mixture.set_heldout(self.last_heldout)
            if log is not None:
                if self.done:
                    row, tokens = self.rows.before(self.done), int(self.tally.seen.sum())
                    log.write(sampled_line(self.stream, step=self.done, row=row, tokens=tokens))
                log.write(self.last_heldout)
                if stopped is not None:
                    log.write(stopped)
            if self.retrieval is not None:
                with evaluated(self.step):
                    found = self.retrieval(self.model)
                if log is not None:
                    log.write({"kind": "retrieval", "step": self.done, **found})

    def _score_heldout(self) -> dict[str, Any]:
        with evaluated(self.step):
            scores = self.evaluator(self.model)
        self.tally.collect(self.world)
        return {"kind": "heldout", "step": self.done, "tokens": int(self.tally.seen.sum()), **scores}

    def _save(self, log: MetricsLog | None) -> None:
        self.tally.collect(self.world)
        if self.step.parallel is not None:
            self.step.parallel.tally.collect(self.world)
        model, optimiser, methods = (
            self.world.gather(tensors)
            for tensors in (
                self.model.state_dict(),
                optimiser_tensors(self.model, self.optimiser),
                self.step.tensors() | self.stops.tensors() | self.late.tensors(),
            )
        )
        if log is not None:
            log.sync()
            state = {
                "identity": self._identity(),
                "train": self.config.model_dump(mode="json"),
                "sampler_config": self.sampler.model_dump(mode="json"),
                "sampler": self.stream.state(self.rows.before(self.done)),
                "tally": self.tally.state(),
                "feedback": self.mixture.feedback.state(),
                "early_stop": self.stops.state(),
                "threads": self.threads,
                "base": self.model.described,
                "processes": self.world.size,
                "torch": torch.__version__,
                "skipped": self.skipped,
                "skipped_in_a_row": self.skipped_in_a_row,
                "wall_seconds": self._seconds(),
                "heldout": self.last_heldout,
            }
            checkpoints.save(self.folder, self.done, model, optimiser, methods, state)
            checkpoints.prune(self.folder, self.config.checkpoint.keep)
        self.world.barrier()

    def _seconds(self) -> float:
        return self.seconds_before + self.pace.seconds()

    def _finish(self) -> Summary:
        """Write evidence and summary, both of the weights as they are now."""
        if self.last_heldout is None or self.last_heldout["step"] != self.done:
            # Stopped between two evaluations: not logged, because a run that goes on has none here.
            self.last_heldout = self._score_heldout()
        mixture = self.sampler.mixture
        summary = Summary(
            step=self.done,
            tokens=int(self.tally.seen.sum()),
            wall_seconds=round(self._seconds(), 3),
            parameters=parameter_count(self.model),
            mixture=mixture if isinstance(mixture, str) else "custom",
            objective=self.config.objective.kind,
            finished=self.over,
            skipped=self.skipped,
            early_stop=self.stops.summary(),
            final=self.last_heldout,
            packing=packing_figures(self.stream, self.rows.before(self.done)),
        )
        if self.world.leads:
            write_summary(self.folder, summary)
        self._evidence(self.last_heldout)
        self.world.barrier()
        return summary

    def _evidence(self, heldout: Mapping[str, Any]) -> None:
        """Write the evidence on each language, of the weights that are evaluated."""

        def score(rows: Mapping[str, HeldoutLanguage]) -> Mapping[str, Any]:
            with evaluated(self.step):
                return evaluator_of(self.step, rows)(self.model)

        end, rows = self.rows.before(self.done), self.config.heldout.rows or self.config.rows
        found = evidence(self.stream, self.tally, heldout, score, end=end, rows=rows, stops=self.stops.summary())
        if self.world.leads:
            write_json(self.folder, EVIDENCE, found)
