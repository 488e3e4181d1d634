"""What training adds to the evidence on each language: tokens seen, passes, loss, gap.

The sampler and the next run's balance read it, and the report shows it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def bits_per_byte(nats: float, size: float) -> float:
    """Nats spent on some text, and its UTF-8 bytes, to bits per byte."""
    return nats / math.log(2) / size if size else float("nan")


def training_evidence(
    seen: Mapping[str, int],
    sizes: Mapping[str, int],
    training: Mapping[str, Mapping[str, float]],
    heldout: Mapping[str, Mapping[str, float]],
    shares: Mapping[str, tuple[float, float]],
    last: Mapping[str, float],
    stages: Mapping[str, Mapping[str, Mapping[str, float]]] | None = None,
) -> dict[str, dict[str, Any]]:
    """The content of ``evidence.json``.

    The gap is held-out less training bits per byte, both under the last weights and with the same objective,
    the latter on rows that were just trained on. A figure that cannot be had, say of a language that was never
    sampled, is null.

    Args:
        seen: tokens read of each language.
        sizes: training tokens of each language as rows hold them.
        training: loss and bits per byte of rows seen in training.
        heldout: bits per byte of held-out rows.
        shares: asked and realised share of each language's rows, over the whole run.
        last: share asked for at the end; another one where the mixture changed.
        stages: shares and tokens of each language in each stage, of a run that has several.
    """
    result: dict[str, dict[str, Any]] = {}
    for lang, tokens in seen.items():
        trained = training.get(lang, {}).get("bits_per_byte")
        held = heldout.get(lang, {}).get("bits_per_byte")
        asked, realised = shares.get(lang, (0.0, 0.0))
        result[lang] = {
            "train_tokens_seen": tokens,
            "repeats": repeats(tokens, sizes.get(lang, 0)),
            "train_loss": training.get(lang, {}).get("loss"),
            "train_bits_per_byte": trained,
            "heldout_bits_per_byte": held,
            "gap_bits_per_byte": None if trained is None or held is None else held - trained,
            "share_asked": asked,
            "share_realised": realised,
            "share_asked_last": last.get(lang, 0.0),
        }
        if stages:
            result[lang]["stages"] = {name: dict(shares) for name, shares in stages[lang].items()}
    return result


def repeats(seen: float, tokens: int) -> float:
    """Passes over a language's training text."""
    return seen / tokens if tokens else 0.0
