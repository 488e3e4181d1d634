"""What becomes of the languages of a run: rates of their own, and an end of their own.

Brings together who has stopped (:mod:`trainer.heldout.early_stop`), the rows that are kept and held
(:mod:`trainer.optimiser.own_rows`) and what is said about it in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor

from trainer.config import TrainConfig
from trainer.heldout.early_stop import EarlyStop
from trainer.model.language_model import LanguageModel
from trainer.optimiser.build import Optimiser
from trainer.optimiser.own_rows import KeptRows, RowRates

Scores = Mapping[str, Any]


def own_rates(train_tokens: Sequence[int], power: float) -> list[float]:
    """Rate of each language's own parameters as a share of the run's, (n_l / n_max)^power.

    Args:
        train_tokens: training tokens that exist of each language, n_l.
        power: 0 gives all the full rate.
    """
    largest = max(train_tokens, default=1) or 1
    return [(max(1, tokens) / largest) ** power for tokens in train_tokens]


class LanguageStops:
    """Follows each language to its own end; does nothing unless ``train.early_stop`` is set.

    Args:
        config: of the training.
        model: of the run.
        optimiser: of its parameters.
        languages: tags, in the order of the model's indices.
        train_tokens: training tokens that exist of each language.
        evaluated: while the block runs, the model has the weights that are evaluated.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: LanguageModel,
        optimiser: Optimiser,
        languages: Sequence[str],
        train_tokens: Sequence[int],
        evaluated: Callable[[], AbstractContextManager[None]],
    ) -> None:
        found = config.early_stop
        self._languages = list(languages)
        self._evaluated = evaluated
        self._rates = own_rates(train_tokens, config.optimiser.language_rate_power)
        self._frozen = found is not None and found.action == "stop_learning"
        self._early = EarlyStop(found, languages) if found is not None else None
        keeps = found is not None and found.action != "report"
        self._kept = KeptRows(model, len(self._languages)) if keeps else None
        moves = config.optimiser.language_rate_power > 0 or self._frozen
        self._row_rates = RowRates(model, optimiser, len(self._languages)) if moves else None
        self._hold()

    @property
    def over(self) -> bool:
        """Whether all languages that can be judged have stopped and the run ends."""
        return self._early is not None and self._early.over

    @property
    def without_rows(self) -> list[str]:
        """Languages whose share of the rows goes to the others."""
        return self._early.stopped if self._early is not None and self._frozen else []

    def observe(self, scores: Scores, waiting: Collection[str] = ()) -> dict[str, Any] | None:
        """Take in a ``heldout`` line; gives a line of the log when languages have stopped.

        Args:
            scores: the line.
            waiting: languages that a later stage brings in: none of their rows were read, so they cannot have stopped.
        """
        if self._early is None:
            return None
        figures = {lang: found for lang, found in scores["languages"].items() if lang not in waiting}
        improved, stopped = self._early.observe(scores["step"], figures)
        if self._kept is not None and improved:
            with self._evaluated():
                self._kept.take(self._indices(improved))
        self._hold()
        if not stopped:
            return None
        return {
            "kind": "early_stop",
            "step": scores["step"],
            "action": self._early.config.action,
            "languages": {
                lang: {
                    "bits_per_byte": scores["languages"][lang]["bits_per_byte"],
                    "best_bits_per_byte": self._early.progress[lang].best,
                    "best_step": self._early.progress[lang].best_step,
                }
                for lang in stopped
            },
        }

    def settle(self, scores: Scores, again: Callable[[], Scores]) -> Scores:
        """At the end of a run: give languages their best rows back, where those are better now.

        The core has gone on since; so the best rows are tried, and a language keeps the rows of the lower figure. Its
        figure depends on no other language's rows.

        Args:
            scores: a ``heldout`` line of the weights as they are.
            again: makes one anew.

        Returns:
            the line of the weights as they are afterwards.
        """
        if self._early is None or self._kept is None:
            return scores
        tried = [
            lang
            for lang, known in self._early.progress.items()
            if known.best is not None and known.best_step < scores["step"] and lang in scores["languages"]
        ]
        if not tried:
            return scores
        with self._evaluated():
            self._kept.exchange(self._indices(tried))
        found = again()
        worse = [
            lang
            for lang in tried
            if found["languages"][lang]["bits_per_byte"] >= scores["languages"][lang]["bits_per_byte"]
        ]
        self._early.settled = {lang: lang not in worse for lang in tried}
        if not worse:
            return found
        with self._evaluated():
            self._kept.exchange(self._indices(worse))
        return again()

    def summary(self) -> dict[str, dict[str, Any]] | None:
        """What became of each language that could be judged; None unless languages may stop."""
        if self._early is None:
            return None
        return {
            lang: {
                "best_bits_per_byte": known.best,
                "best_step": known.best_step,
                "stopped_at": known.stopped_at,
                "best_rows": self._early.settled.get(lang, False),
            }
            for lang, known in self._early.progress.items()
            if known.best is not None
        }

    def state(self) -> dict[str, Any] | None:
        """What :meth:`load_state` needs, as JSON values."""
        return None if self._early is None else self._early.state()

    def tensors(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        return {} if self._kept is None else {f"early_stop/{name}": value for name, value in self._kept.state().items()}

    def load_state(self, state: Mapping[str, Any] | None, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint.

        Args:
            state: as :meth:`state` gave it.
            tensors: all that the checkpoint's methods remember.
        """
        if self._early is not None and state is not None:
            self._early.load_state(state)
        if self._kept is not None:
            begin = "early_stop/"
            self._kept.load_state(
                {name.removeprefix(begin): v for name, v in tensors.items() if name.startswith(begin)}
            )
        self._hold()

    def _hold(self) -> None:
        if self._row_rates is not None:
            held = set(self.without_rows)
            self._row_rates.set(
                [0.0 if lang in held else rate for lang, rate in zip(self._languages, self._rates, strict=True)]
            )

    def _indices(self, languages: Sequence[str]) -> list[int]:
        return [self._languages.index(lang) for lang in languages]
