"""Languages that join a run late start from relatives.

Which language joins at which step is a function of the sampler's rows alone: those that the recipe gives no share at
the run's beginning, at the step that holds their first row. A run that is resumed so comes to the same joins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from corpus.errors import ConfigurationError
from sampler.stream import CurriculumStream
from trainer.config import LateStartConfig
from trainer.continual.measure import nearest
from trainer.model.language_model import LanguageModel
from trainer.optimiser.average import WeightAverage
from trainer.optimiser.build import Optimiser
from trainer.optimiser.own_rows import forget_moments, take_over
from trainer.row_schedule import RowSchedule

_OWNER: Final = "late_start/"
"""Begins the names of its tensors in a checkpoint."""

Measure = Callable[[str, Sequence[str]], Mapping[str, float]]
"""Nats per token of a language's text under the adapters of some others and the core, by tag."""


class Joins:
    """Which languages join a run at which step.

    Args:
        stream: the rows; its position is moved to a step's first row.
        rows: of each step.
    """

    def __init__(self, stream: CurriculumStream, rows: RowSchedule) -> None:
        self._stream = stream
        self._rows = rows
        shares = stream.recipe_weights(0)
        self.late = frozenset(lang for lang, share in zip(stream.languages, shares, strict=True) if not share)
        """Languages that have no share at the run's beginning."""
        self._waiting = set(self.late)

    def at(self, step: int) -> tuple[list[str], list[str]]:
        """The late languages whose first row is in a step, and the languages that had rows before it.

        Args:
            step: 0 for the first; steps have to be asked for in order, from any one on.
        """
        if not self._waiting:
            return [], []
        rows = self._rows.of(step)
        after, before = self._read(rows.stop), self._read(rows.start)
        joining = sorted((self._waiting & after) - before)
        self._waiting -= after
        return joining, [lang for lang in self._stream.languages if lang in before]

    def _read(self, row: int) -> set[str]:
        """The languages that have tokens before a row."""
        self._stream.seek(row)
        return {lang for lang, got in self._stream.realised().items() if got.tokens}


class LateStarts:
    """Gives late languages their start; does nothing unless ``train.late_start`` is set.

    Args:
        config: how languages start.
        stream: the rows.
        rows: of each step.
        model: not cut among processes.
        optimiser: of its parameters.
        average: running mean of the weights, whose rows start from the mean's; None for none.
        measure: scores adapters; all processes call it together.

    Raises:
        ConfigurationError: relatives are named that are not among the run's languages, or for one that is not late.
    """

    def __init__(
        self,
        config: LateStartConfig,
        stream: CurriculumStream,
        rows: RowSchedule,
        model: LanguageModel,
        optimiser: Optimiser,
        average: WeightAverage | None,
        measure: Measure,
    ) -> None:
        self._config = config
        self._index = {lang: number for number, lang in enumerate(stream.languages)}
        self._model = model
        self._optimiser = optimiser
        self._average = average
        self._measure = measure
        self._started: list[int] = []
        """Languages that started from relatives, in the order of their joins."""
        self._joins = None if config.start == "core" else Joins(stream, rows)
        for lang, others in config.relatives.items():
            unknown = [tag for tag in (lang, *others) if tag not in self._index]
            if unknown:
                raise ConfigurationError(
                    f"train.late_start.relatives.{lang} names {unknown[0]}, which is not among the run's languages",
                    f"Use tags of the sampler's stages, for example {', '.join(stream.languages[:5])}",
                )
            if self._joins is not None and lang not in self._joins.late:
                raise ConfigurationError(
                    f"train.late_start.relatives gives {lang} a start, but it has rows from the run's beginning",
                    "Leave it out, or bring it in with a later stage of the sampler",
                )

    def join(self, step: int) -> dict[str, Any] | None:
        """Start the languages whose first rows are in a step; all processes must call it, before the step.

        Args:
            step: 0 for the first.

        Returns:
            a line of the log when languages join, its ``step`` counted with this one.
        """
        joining, known = self._joins.at(step) if self._joins is not None else ([], [])
        if not joining:
            return None
        found = {}
        for lang in joining:
            chosen, losses = self._chosen(lang, known)
            if chosen:
                self._start(self._index[lang], [self._index[tag] for tag in chosen])
            found[lang] = {"from": list(chosen) or ["core"]} | ({} if losses is None else {"losses": losses})
        return {"kind": "late_start", "step": step + 1, "languages": found}

    def tensors(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint: where the languages started that deviation counts from there."""
        if not self._started:
            return {}
        languages = torch.tensor(self._started)
        found = {f"{_OWNER}languages": languages}
        for number, adapter in enumerate(self._model.adapters()):
            found[f"{_OWNER}{number}/down"], found[f"{_OWNER}{number}/up"] = adapter.start(languages)
        return found

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint.

        Args:
            tensors: all that the checkpoint's methods remember.
        """
        languages = tensors.get(f"{_OWNER}languages")
        if languages is None:
            return
        self._started = [int(language) for language in languages]
        for number, adapter in enumerate(self._model.adapters()):
            adapter.set_start(languages, tensors[f"{_OWNER}{number}/down"], tensors[f"{_OWNER}{number}/up"])

    def _chosen(self, lang: str, known: Sequence[str]) -> tuple[tuple[str, ...], dict[str, float] | None]:
        """The languages that one starts from, none for the core; with the losses where they were measured."""
        if self._config.start == "relatives":
            wanted = self._config.relatives.get(lang, ())
            return tuple(tag for tag in wanted if tag in known), None
        losses = self._measure(lang, known)
        return nearest(losses, self._config.nearest), {tag or "core": loss for tag, loss in losses.items()}

    def _start(self, language: int, relatives: Sequence[int]) -> None:
        take_over(self._model, language, relatives)
        if self._average is not None:
            with self._average.applied():
                take_over(self._model, language, relatives)
        forget_moments(self._model, self._optimiser, language)
        for adapter in self._model.adapters():
            new = torch.zeros(len(self._index), dtype=torch.bool)
            new[language] = True
            adapter.start_from(new)
        self._started.append(language)
