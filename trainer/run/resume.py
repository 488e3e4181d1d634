"""What has to be the same for a run to go on from a checkpoint, and what a run that begins anew removes."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from corpus.errors import ConfigurationError
from sampler.feedback import requests
from sampler.stream import CurriculumStream
from trainer.config import TrainConfig
from trainer.evaluate import EVALUATION
from trainer.run import checkpoint as checkpoints
from trainer.run.logs import METRICS
from trainer.run.outcome import EVIDENCE, SUMMARY

OPERATIONAL = (
    "log",
    "checkpoint",
    "heldout",
    "threads",
    "device",
    "parallelism",
    "precision",
    "micro_rows",
    "attention",
    "compile",
    "max_skipped",
)
"""Settings that may differ when a run is resumed: they leave rows, objective and weights' path as they were."""


def identity(stream: CurriculumStream, *, tokenizer: str, seed: int) -> dict[str, Any]:
    """What has to be equal for a run to be resumed, beside its settings, as JSON values."""
    described = stream.corpus.described
    rows = described.get("token_rows")
    return {
        "seed": seed,
        "tokenizer": tokenizer,
        "vocabulary": described["vocabulary"],
        "tokenizer_hash": described.get("hash"),
        "languages": list(stream.languages),
        "row_tokens": stream.config.row_tokens,
    } | ({} if rows is None else {"token_rows": rows})


def confirm_same(section: str, before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
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


def deciding(config: TrainConfig) -> dict[str, Any]:
    """The settings that decide a run's result, as JSON values."""
    return config.model_dump(mode="json", exclude=set(OPERATIONAL))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def clear(folder: Path) -> None:
    """Remove what training writes, and nothing else."""
    for name in (checkpoints.folder(folder).name, "tensorboard", requests.FOLDER):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (METRICS, EVIDENCE, SUMMARY, EVALUATION):
        with contextlib.suppress(FileNotFoundError):
            (folder / name).unlink()
