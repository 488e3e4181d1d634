"""A finished run, as one that goes on from it sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from corpus.errors import InputError
from trainer.build import build_model
from trainer.config import TrainConfig
from trainer.evaluate import evaluated_tensors
from trainer.model.language_model import LanguageModel
from trainer.run import checkpoint as checkpoints
from trainer.run.outcome import EVIDENCE, SUMMARY


class Trained(NamedTuple):
    """The last checkpoint of a run."""

    run: Path
    checkpoint: Path
    config: TrainConfig
    state: dict[str, Any]
    tensors: dict[str, Tensor]
    """The weights that are evaluated: the mean of the weights where the run has one."""

    @property
    def languages(self) -> list[str]:
        """Tags in the order of the model's indices."""
        return list(self.state["identity"]["languages"])

    @property
    def vocabulary(self) -> int:
        """Token rows."""
        return int(self.state["identity"]["vocabulary"])

    @property
    def tokenizer(self) -> str:
        """Name of the tokenizer in the corpus."""
        return str(self.state["identity"]["tokenizer"])

    @property
    def row_tokens(self) -> int:
        """Tokens in a row."""
        return int(self.state["identity"]["row_tokens"])

    @property
    def token_rows(self) -> dict[str, int]:
        """Token rows that each language's predictions run over; all of them for languages that are not here."""
        return dict(self.state["identity"].get("token_rows", {}))

    def model(self) -> LanguageModel:
        """The model, on the CPU."""
        model = build_model(
            self.config.model,
            self.vocabulary,
            len(self.languages),
            objective=self.config.objective.kind,
            described=self.state.get("base"),
        )
        model.load_state_dict(self.tensors)
        model.limit_tokens([self.token_rows.get(lang, self.vocabulary) for lang in self.languages])
        return model

    def shares(self) -> dict[str, float]:
        """The mixture of the run's last rows, by language; even where the run left no evidence."""
        evidence = _json(self.run / EVIDENCE)
        found = {lang: float(evidence.get(lang, {}).get("share_asked_last", 0.0)) for lang in self.languages}
        total = sum(found.values())
        return {lang: share / total if total else 1 / len(found) for lang, share in found.items()}


def read_trained(run: str | Path, *, finished: bool = True) -> Trained:
    """The last checkpoint of a run.

    Args:
        run: its folder.
        finished: refuse a run that has not spent its budget.

    Raises:
        InputError: there is no run, none of its checkpoints is whole, or it is not finished.
    """
    folder = Path(run)
    saved = checkpoints.newest(folder)
    if saved is None:
        raise InputError(f"{run} has no checkpoint", "Train a model with `evenglot train`, or correct `--run`")
    if finished and not _json(folder / SUMMARY).get("finished"):
        raise InputError(
            f"{run} is not finished: it stands at step {saved.state['step']}",
            "Finish it with `evenglot train`, or name another run",
        )
    return Trained(
        folder, saved.path, TrainConfig.model_validate(saved.state["train"]), saved.state, evaluated_tensors(saved)
    )


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
