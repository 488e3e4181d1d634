"""The ``train`` lines of the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.evidence import repeats
from trainer.step import StepReport
from trainer.tally import Tally, mean


def train_line(
    step: int,
    report: StepReport,
    tally: Tally,
    languages: Sequence[str],
    sizes: Mapping[str, int],
    *,
    skipped: int,
    tokens_per_second: float,
) -> dict[str, Any]:
    """A line on the steps since the last one.

    Args:
        step: steps done.
        report: of the last step.
        tally: after it was collected.
        languages: tags, in the order of the tally's indices.
        sizes: training tokens that exist of each language.
        skipped: steps so far without a finite gradient.
        tokens_per_second: tokens read a second since the last line, evaluations left out.
    """
    factors = None if report.factors is None else report.factors.tolist()
    return {
        "kind": "train",
        "step": step,
        "tokens": int(tally.seen.sum()),
        "loss": tally.mean_loss(),
        "lr": report.learning_rate,
        "weight_decay": report.weight_decay,
        "dropout": report.dropout,
        "grad_norm": report.grad_norm,
        "skipped": skipped,
        "tokens_per_second": tokens_per_second,
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
                "repeats": repeats(tally.seen[index], sizes[lang]),
                **({} if factors is None else {"loss_factor": factors[index]}),
            }
            for index, lang in enumerate(languages)
            if tally.window_seen[index]
        },
    }
