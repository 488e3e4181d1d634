"""What the commands of ``evenglot translator`` say at their end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenglot.cli.console import duration


def score_table(scores: Mapping[str, Mapping[str, Any]]) -> Table:
    """chrF by direction: the model's and the baselines', each with half the width of its 95 % interval."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("direction")
    for heading in ("training pairs", "test sentences", "chrF", "copy", "word by word"):
        table.add_column(heading, justify="right")
    for direction, found in scores.items():
        table.add_row(
            direction,
            f"{found['training_pairs']:,}",
            f"{found['sentences']:,}",
            *(f"{found[way]['chrf']:.1f} ± {found[way]['interval']:.1f}" for way in ("model", "copy", "word_by_word")),
        )
    return table


def scores_text(result: Mapping[str, Any]) -> RenderableType:
    """The result of ``translator score``."""
    scores = result["directions"]
    lines = [f"\n{result['model']} on the {result['part']} part", *_failures(scores), *_worse(scores)]
    if "written" in result:
        lines.append(f"written to {result['written']}")
    return Group(score_table(scores), Text("\n".join(lines)))


def fitted_text(result: Mapping[str, Any]) -> RenderableType:
    """The result of ``translator fit``."""
    fit, text = result["fit"], result["text"]
    left = {reason: sum(counts.values()) for reason, counts in text["left_out"].items()}
    shape = fit["shape"]
    why = " (no better for a while)" if fit["stopped"] else ""
    lines = [
        "",
        f"{sum(fit['pairs'].values()):,} training pairs"
        + (
            f"; sentences left out: {', '.join(f'{reason} {count:,}' for reason, count in left.items())}"
            if left
            else ""
        ),
        f"{fit['parameters']:,} parameters ({shape['dimensions']} dimensions, {shape['encoder_layers']} + "
        f"{shape['decoder_layers']} layers, {fit['vocabulary']:,} tokens); {fit['step']:,} steps{why}, "
        f"best after {fit['best_step']:,}, in {duration(result['seconds'])}",
        *_failures(result["scores"]),
        *_worse(result["scores"]),
        f"model {result['name']} in {result['model']}",
    ]
    parts: list[RenderableType] = [score_table(result["scores"])] if result["scores"] else []
    return Group(*parts, Text("\n".join(lines)))


def _failures(scores: Mapping[str, Mapping[str, Any]]) -> list[str]:
    failed = sum(found["failed"] for found in scores.values())
    return [f"{failed:,} sentences could not be translated and count as empty"] if failed else []


def _worse(scores: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A model that copying or a lexicon beats is no translator, and whoever takes it should know."""
    beaten = [
        direction
        for direction, found in scores.items()
        if found["model"]["chrf"] <= max(found["copy"]["chrf"], found["word_by_word"]["chrf"])
    ]
    return [f"no better than a baseline: {', '.join(beaten)}"] if beaten else []
