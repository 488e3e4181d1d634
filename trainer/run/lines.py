"""The ``train`` and ``conflict`` lines of the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from trainer.conflict.groups import Groups
from trainer.conflict.matrix import ConflictReport
from trainer.distributed import World
from trainer.run.evidence import repeats
from trainer.steps.step import StepReport
from trainer.steps.tally import FloatArray, Tally, mean


def penalty_figures(report: StepReport, world: World) -> dict[str, dict[str, float]]:
    """What each penalty did in a step, averaged over the processes; all must call it.

    ``share_of_loss`` is strength times value over all that was minimised, ``share_of_gradient``, where it was measured,
    the norm of the penalty's gradient over that of the whole. Gradients that point in different directions shorten each
    other, so the latter need not sum to 1.
    """
    names = [(name, key) for name, penalty in report.penalties.items() for key in ("value", *sorted(penalty.metrics))]
    found = [
        report.penalties[name].value if key == "value" else report.penalties[name].metrics[key] for name, key in names
    ]
    flat = torch.stack([report.minimised, *found]).detach().double()
    minimised, *values = (world.sum(flat) / world.size).tolist()
    figures: dict[str, dict[str, float]] = {name: {} for name in report.penalties}
    for (name, key), value in zip(names, values, strict=True):
        figures[name][key] = value
    for name, penalty in report.penalties.items():
        line = figures[name]
        line["strength"] = penalty.strength
        line["share_of_loss"] = penalty.strength * line["value"] / minimised if minimised else float("nan")
        if penalty.gradient_norm is not None:
            whole = report.grad_norm
            line["share_of_gradient"] = float(penalty.gradient_norm) / whole if whole else float("nan")
    return figures


def train_line(
    step: int,
    report: StepReport,
    tally: Tally,
    languages: Sequence[str],
    sizes: Mapping[str, int],
    *,
    penalties: Mapping[str, Mapping[str, float]],
    paths: Mapping[str, Mapping[str, Any]],
    skipped: int,
    pace: Mapping[str, float | None],
) -> dict[str, Any]:
    """A line on the steps since the last one.

    Args:
        step: steps done.
        report: of the last step.
        tally: after it was collected.
        languages: tags, in the order of the tally's indices.
        sizes: training tokens that exist of each language.
        penalties: their figures in the last step.
        paths: figures of adapters and gates.
        skipped: steps so far without a finite gradient.
        pace: what was measured by the clock since the last line.
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
        **pace,
        "penalties": penalties,
        **paths,
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


def gaps(
    scores: Mapping[str, Any], trained: FloatArray, languages: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Each language's training loss since the last evaluation and the gap to it, as part of a ``heldout`` line.

    Both are nats per predicted token. The training loss is a mean over the steps of the interval, with dropout and
    before the weights got to where they are; so the gap says less than that of ``evidence.json``, and costs nothing.

    Args:
        scores: the line.
        trained: summed loss and predicted tokens of each language since the last evaluation, [languages, 2].
        languages: tags, in the order of the rows of ``trained``.

    Returns:
        ``gaps``, by language ``train_loss`` and ``gap``, of those that were trained on.
    """
    found = {}
    for index, lang in enumerate(languages):
        if lang in scores["languages"] and trained[index, 1]:
            loss = mean(trained[index])
            found[lang] = {"train_loss": loss, "gap": scores["languages"][lang]["loss"] - loss}
    return {"gaps": found}


def skipped_line(step: int, report: StepReport, rows: range, languages: Sequence[str]) -> dict[str, Any]:
    """A line on a step that left the weights alone, because loss or gradient was not finite.

    Args:
        step: steps done, with this one.
        report: of the step.
        rows: global indices of its rows.
        languages: tags, in the order of the model's indices.

    Returns:
        the rows' first index and the one after the last; of each language in them the tokens that were predicted and
        how many of them had a loss that was not finite. Where all were finite, the fault is in a penalty (those whose
        value was not finite are named) or in the gradient.
    """
    counted = [] if report.not_finite is None else report.not_finite.tolist()
    return {
        "kind": "skipped",
        "step": step,
        "first_row": rows.start,
        "end_row": rows.stop,
        "lr": report.learning_rate,
        "languages": {
            lang: {"tokens": int(tokens), "not_finite": int(broken)}
            for lang, (tokens, broken) in zip(languages, counted, strict=True)
            if tokens
        },
        "penalties": {
            name: "not finite" for name, penalty in report.penalties.items() if not bool(penalty.value.isfinite())
        },
    }


def conflict_line(
    step: int, report: ConflictReport, tally: Tally, groups: Groups, languages: Sequence[str]
) -> dict[str, Any]:
    """A line on how the gradients of groups of languages stand to each other; null where a group was not seen.

    Args:
        step: steps done.
        report: of the last step.
        tally: after it was collected.
        groups: of the languages.
        languages: tags, in the order of the language indices.
    """
    names = groups.names
    cosines = report.cosines.tolist()
    return {
        "kind": "conflict",
        "step": step,
        "tokens": int(tally.seen.sum()),
        "groups": groups.members(languages),
        "cosines": {
            name: {other: cosines[row][column] for column, other in enumerate(names) if column >= row}
            for row, name in enumerate(names)
        },
        "norms": dict(zip(names, report.norms.tolist(), strict=True)),
        "shares": dict(zip(names, report.shares.tolist(), strict=True)),
        "blocks": {str(number): value for number, value in enumerate(report.blocks.tolist())},
    }
