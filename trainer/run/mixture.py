"""The mixture while a run goes on: decisions from the losses that training counts, and changes by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import ConfigurationError
from sampler.feedback import requests
from sampler.feedback.decisions import ByHand, Decision, Feedback
from sampler.stream import CurriculumStream
from trainer.distributed import World
from trainer.row_schedule import RowSchedule
from trainer.run.logs import MetricsLog
from trainer.steps.tally import Tally


class MixtureDecisions:
    """Makes the decisions that are due between two steps, the same on all processes.

    Losses are known by step: a step that goes over a decision's border counts for the next one.

    Args:
        stream: whose mixture changes.
        tally: what training counts.
        world: the processes.
        folder: the run's, where requests lie.
        rows: of each step.
    """

    def __init__(self, stream: CurriculumStream, tally: Tally, world: World, folder: Path, rows: RowSchedule) -> None:
        self.feedback = Feedback(stream)
        self._stream = stream
        self._tally = tally
        self._world = world
        self._folder = folder
        self._rows = rows

    def set_heldout(self, scores: Mapping[str, Any]) -> None:
        """Take over a held-out evaluation."""
        self.feedback.set_heldout({lang: figures["loss"] for lang, figures in scores["languages"].items()})

    def announce(self, step: int) -> None:
        """Put down the mixture after so many steps, for whoever wants to change it."""
        if self._world.leads:
            row = self._rows.before(step)
            block = row // self._stream.config.block_rows
            requests.set_now(self._folder, row, block, self._stream.mixture(block))

    def decide_due(self, step: int, log: MetricsLog | None, *, without: Sequence[str] = ()) -> None:
        """Make the decisions that are due after so many steps; all processes must call it.

        Args:
            step: steps done.
            log: of the leading process.
            without: languages that have stopped learning and give their share to the others.
        """
        rows = self._rows.of(step)
        while self.feedback.due(rows.start, len(rows)):
            self._tally.collect(self._world)
            sums = self._tally.next_interval()
            seen = np.flatnonzero(sums[:, 1])
            self.feedback.losses.add(np.zeros(len(seen)), seen, sums[seen, 0], sums[seen, 1])
            block = self.feedback.block
            asked = self._asked(block)
            stopped = [lang for lang in without if self._stream.mixture(block).get(lang)]
            decision, why = self._decide(asked, stopped)
            if self._world.leads:
                if asked is not None:
                    requests.answer(self._folder, asked["number"], block, why)
                requests.set_now(self._folder, rows.start, block, self._stream.mixture(block))
            if log is not None and (decision.weights is not None or decision.ignored or asked is not None or stopped):
                log.write(self._line(step, decision, asked, why))

    def _asked(self, block: int) -> dict[str, Any] | None:
        """The change by hand that the decision of a block takes up, read by the leading process."""
        found = requests.next_request(self._folder, block) if self._world.leads else None
        told: dict[str, Any] | None = json.loads(
            self._world.from_leader(json.dumps(None if found is None else found._asdict()))
        )
        return told

    def _decide(self, asked: Mapping[str, Any] | None, stopped: Sequence[str]) -> tuple[Decision, str | None]:
        """The decision, and why what was asked for was refused; a person's wish comes before a stop."""
        if asked is None and not stopped:
            return self.feedback.decide(), None
        if asked is not None and asked["problem"] is not None:
            return self.feedback.decide(), asked["problem"]
        change = (
            ByHand(dict.fromkeys(stopped, 0.0), "stopped learning")
            if asked is None
            else ByHand(asked["shares"], asked["reason"])
        )
        try:
            return self.feedback.decide(change), None
        except ConfigurationError as error:
            return self.feedback.decide(), str(error)

    def _line(self, step: int, decision: Decision, asked: Mapping[str, Any] | None, why: str | None) -> dict[str, Any]:
        """The event of the metrics."""
        return {
            "kind": "mixture",
            "step": step,
            "block": decision.block,
            "reason": decision.reason,
            "changed": len(decision.shares),
            "shares": self._stream.mixture(decision.block),
            "losses": decision.losses,
            "ignored": decision.ignored,
            "request": None if asked is None else asked["number"],
            "refused": why,
        }
