"""Which languages no longer improve on held-out text.

A language has stopped when its held-out bits per byte have not fallen by ``min_improvement`` below the best so far in
``patience`` evaluations in a row (Prechelt 1998, "Early stopping - but when?"; by language here). Languages of a run
reach their best at different steps: small ones, passed over many times, long before the large ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trainer.config import EarlyStopConfig


@dataclass
class Progress:
    """What is known of one language's held-out figures."""

    best: float | None = None
    """Lowest bits per byte; None before the first evaluation."""
    best_step: int = 0
    waited: int = 0
    """Evaluations in a row that were not better than the best."""
    stopped_at: int | None = None
    """Step of the evaluation at which the patience ended; None while it lasts."""


class EarlyStop:
    """Follows the held-out figures of each language.

    Args:
        config: when a language has stopped.
        languages: tags, in the order of the model's indices.
    """

    def __init__(self, config: EarlyStopConfig, languages: Sequence[str]) -> None:
        self.config = config
        self.progress = {lang: Progress() for lang in languages}
        self.settled: dict[str, bool] = {}
        """At the end: languages whose best rows were tried, and whether they were taken."""

    def observe(self, step: int, figures: Mapping[str, Mapping[str, float]]) -> tuple[list[str], list[str]]:
        """Take in an evaluation.

        A language with too few held-out bytes is not judged. One that has stopped, and goes on learning all the same,
        has not stopped after all once it improves again.

        Args:
            step: steps done.
            figures: bits per byte and bytes of each language, as in a ``heldout`` line.

        Returns:
            languages that are now at their best, and languages that have now stopped.
        """
        improved, stopped = [], []
        frozen = self.config.action == "stop_learning"
        for lang, known in self.progress.items():
            found = figures.get(lang)
            if found is None or found["bytes"] < self.config.min_bytes:
                continue
            if frozen and known.stopped_at is not None:
                continue
            value = found["bits_per_byte"]
            if known.best is None or value < known.best - self.config.min_improvement:
                known.best, known.best_step, known.waited, known.stopped_at = value, step, 0, None
                improved.append(lang)
                continue
            known.waited += 1
            if known.waited >= self.config.patience and known.stopped_at is None:
                known.stopped_at = step
                stopped.append(lang)
        return improved, stopped

    @property
    def stopped(self) -> list[str]:
        """Languages that have stopped."""
        return [lang for lang, known in self.progress.items() if known.stopped_at is not None]

    @property
    def over(self) -> bool:
        """Whether the run ends: all languages that can be judged have stopped, and the action is not only to report."""
        judged = [known for known in self.progress.values() if known.best is not None]
        return self.config.action != "report" and bool(judged) and all(known.stopped_at is not None for known in judged)

    def state(self) -> dict[str, Any]:
        """What :meth:`load_state` needs, as JSON values."""
        return {
            "progress": {lang: asdict(known) for lang, known in self.progress.items()},
            "settled": dict(self.settled),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.progress = {lang: Progress(**known) for lang, known in state["progress"].items()}
        self.settled = dict(state["settled"])
