"""What a run that added languages wrote down: every language before and after."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class NewLanguage:
    """A language that came."""

    lang: str
    before: Mapping[str, float]
    """Held-out bits per byte before training, under the core alone and under the adapter that fits best."""
    after: float | None
    start: Sequence[str]
    """Languages that it started from, or ``core``."""
    fertility: Sequence[float]
    """Tokens per word in the old vocabulary and, where pieces were added, in the new one."""


@dataclass(frozen=True)
class Added:
    """A run that added languages."""

    mode: str
    replay: float
    old: Mapping[str, tuple[float, float]]
    """Held-out bits per byte of the languages known before, before and after."""
    new: Sequence[NewLanguage]
    pieces: int
    """Pieces added to the vocabulary."""
    untouched: bool
    """Whether all parameters of the old languages are equal to the bit."""


def added(record: Mapping[str, Any]) -> Added | None:
    """The facts of ``continual.json``; None where training is not over or the file is not one of ours."""
    try:
        after = {str(lang): _finite(value) for lang, value in record["after"].items()}
        before = {str(lang): _finite(value) for lang, value in record["before"].items()}
        new = [
            NewLanguage(
                str(lang),
                {str(name): _finite(value) for name, value in record["before_new"][lang].items()},
                after.get(lang),
                [str(tag) for tag in record["start"][lang]],
                [_finite(value) for value in record["fertility"][lang].values() if value is not None],
            )
            for lang in record["new"]
        ]
        return Added(
            str(record["mode"]),
            _finite(record["replay"]),
            {lang: (before[lang], after[lang]) for lang in record["old"] if lang in before and lang in after},
            new,
            int(record["vocabulary"]["after"]) - int(record["vocabulary"]["before"]),
            record["old_parameters_equal"] is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number
