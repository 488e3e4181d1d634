"""What ``tokenize`` and ``evaluate`` say of parallel text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from corpus.parallel import ParallelText
from corpus.schema import HELDOUT, TRAIN


def parallel_result(text: ParallelText | None) -> dict[str, Any]:
    """For machines; empty where there is none."""
    if text is None:
        return {}
    ledger = text.ledger
    return {
        "parallel": {
            "read": ledger.read,
            "kept": ledger.kept_total,
            "rejected": ledger.rejected_total,
            "unreadable": ledger.unreadable_total,
            "rejected_by_reason": ledger.by_reason(),
            "unreadable_by_reason": ledger.unreadable,
            "groups": text.groups,
            "tokens_by_language": text.tokens,
            "pairs": text.pairs,
        }
    }


def parallel_text(text: ParallelText | None) -> str:
    """For people: one line, with its end; empty where there is none."""
    if text is None:
        return ""
    ledger = text.ledger
    reasons = ", ".join(f"{reason.partition('/')[2]} {count:,}" for reason, count in ledger.by_reason().items())
    pairs = len({*text.pairs.get(TRAIN, {}), *text.pairs.get(HELDOUT, {})})
    return (
        f"parallel text: {ledger.kept_total:,} of {ledger.read:,} sentences in {text.groups.get(TRAIN, 0):,} training "
        f"and {text.groups.get(HELDOUT, 0):,} held-out groups, {pairs:,} language pairs"
        f"{f'; left out: {reasons}' if reasons else ''}"
        f"{f'; {ledger.unreadable_total:,} lines could not be read' if ledger.unreadable_total else ''}\n"
    )


def retrieval_text(found: Mapping[str, Any] | None) -> Text:
    """How often held-out sentences lie nearest to their translations; empty where none were searched."""
    if found is None:
        return Text()
    mean = found["mean"]
    return Text(
        f"\ntranslations found among {len(found['pairs']):,} pairs of languages: {mean['cosine']:.1%} by cosine, "
        f"{mean['margin']:.1%} by margin, {mean['centred']:.1%} with languages centred "
        f"(chance {mean['chance']:.1%}, token embeddings {mean['embeddings']:.1%})"
    )
