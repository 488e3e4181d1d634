"""Training fastText on prepared examples, and making the model small."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.language_id.compress import refit_output


@dataclass(frozen=True)
class Settings:
    """What fastText is trained with; chosen on sources held out whole (``transfer``)."""

    dim: int = 64
    epoch: int = 4
    lr: float = 0.8
    minn: int = 1
    maxn: int = 3
    bucket: int = 150_000
    min_count: int = 30
    cutoff: int = 0
    """Features kept, by the length of their vectors; 0 keeps all."""
    dsub: int = 4
    """Numbers of a vector quantised together; more makes the file smaller and faster, and coarser."""


def fit(lines: Sequence[str], settings: Settings, path: Path) -> None:
    """Train on lines for fastText and write the quantised model; one thread, so the same lines give the same file.

    Args:
        lines: examples as ``examples.build`` makes them.
        settings: of fastText.
        path: file to write; it appears when it is whole.
    """
    import fasttext

    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as handle:
        handle.write("\n".join(lines) + "\n")
        handle.flush()
        model = fasttext.train_supervised(
            handle.name,
            dim=settings.dim,
            epoch=settings.epoch,
            lr=settings.lr,
            minn=settings.minn,
            maxn=settings.maxn,
            bucket=settings.bucket,
            minCount=settings.min_count,
            wordNgrams=1,
            loss="softmax",
            thread=1,
            verbose=2 if sys.stderr.isatty() else 0,
        )
        # Retraining after the cut recovers what the dropped features carried.
        model.quantize(
            handle.name if settings.cutoff else None,
            qnorm=True,
            qout=False,
            cutoff=settings.cutoff,
            retrain=settings.cutoff > 0,
            dsub=settings.dsub,
            thread=1,
            verbose=0,
        )
    partial = path.with_name(f"{path.name}.part")
    model.save_model(str(partial))
    refit_output(partial, lines)
    partial.replace(path)
