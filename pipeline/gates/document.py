"""From judged sentences to a document: which are left out, and when all of it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.gates.config import GateConfig
from pipeline.sentences.layout import Layout


@dataclass(frozen=True)
class Assembled:
    """A synthetic document, or why there is none."""

    text: str | None
    """With the layout of its parent; None where the document is rejected."""
    reason: str | None
    """That of the sentences which took most of the text; None where the document stays."""
    detail: str | None
    """What decided."""
    kept_share: float
    """Share of the text, by letters of the source, whose sentences passed."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Sentences left out, by reason."""


def assemble(
    layout: Layout, outputs: Sequence[str | None], reasons: Sequence[str | None], config: GateConfig, lang: str
) -> Assembled:
    """Put a document together from the sentences that passed.

    What the layout passes through is copied, whatever stands in ``outputs``; it counts neither way.

    Args:
        layout: of the parent, with n sentences.
        outputs: n synthetic sentences.
        reasons: n reasons for which one goes; None for what passes.
        config: the share that must be kept.
        lang: tag of the outputs.
    """
    chosen: list[str | None] = []
    dropped: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    kept = total = 0
    for source, copied, output, reason in zip(layout.sentences, layout.passthrough, outputs, reasons, strict=True):
        if copied:
            chosen.append(source)
            continue
        letters = max(sum(map(str.isalpha, source)), 1)
        total += letters
        why = reason or (None if output and output.strip() else "empty")
        chosen.append(output if why is None else None)
        if why is None:
            kept += letters
        else:
            dropped[why] += 1
            lost[why] += letters
    share = kept / total if total else 0.0
    counts = dict(sorted(dropped.items()))
    if total == 0:
        return Assembled(None, "nothing_to_translate", "no sentence of the parent holds text", share, counts)
    if share < config.min_kept_share or kept == 0:
        worst = min(lost, key=lambda why: (-lost[why], why))
        named = ", ".join(f"{why} {count}" for why, count in counts.items())
        detail = f"kept {share:.3g} of the letters < min_kept_share {config.min_kept_share:.3g}; sentences: {named}"
        return Assembled(None, worst, detail, share, counts)
    return Assembled(layout.rebuild(chosen, lang), None, None, share, counts)
