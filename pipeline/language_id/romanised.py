"""Text of languages with another script, written in Latin letters.

A model of languages as they are written takes romanised Hindi for whatever Latin-script language looks most like it,
and wavers from window to window. So only documents that left a doubt come here, and a second, small model, which
knows both those languages and romanised ones, says which it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from corpus.errors import ConfigurationError
from corpus.schema import UNDETERMINED
from pipeline.language_id.prediction import Candidates
from pipeline.language_id.text import clean, windows

FILE: Final = Path(__file__).parent / "models" / "evenglot-romanised.ftz"
CARD: Final = Path(__file__).parent / "models" / "evenglot-romanised.json"
_WINDOWS: Final = 4
_WINDOW_CHARS: Final = 200
_CANDIDATES: Final = 8
_NAMED: Final = 3
_LOOKED_AT: Final = 400
_LAST_LATIN: Final = "\u0250"


@dataclass(frozen=True)
class Romanised:
    """A document of a language with another script."""

    tag: str
    """``hin_Latn``; ``und`` where no one language has most of the probability."""
    probability: float
    """That it is romanised, from whatever language."""
    candidates: Candidates
    """The likeliest languages."""


def is_latin(text: str) -> bool:
    """Whether most letters of a text's beginning are Latin ones."""
    letters = [character for character in text[:_LOOKED_AT] if character.isalpha()]
    return 2 * sum(character < _LAST_LATIN for character in letters) > len(letters)


def find_romanised(texts: Sequence[str], least: float) -> list[Romanised | None]:
    """Which documents are in a romanised language.

    Args:
        texts: n documents in Latin letters that left a doubt about their language.
        least: probability that a document is in any romanised language, over its windows.

    Raises:
        ConfigurationError: the detector is not installed.
    """
    if not texts:
        return []
    model, tags = _load()
    found: list[Romanised | None] = []
    cut = [windows(text, _WINDOWS, _WINDOW_CHARS) for text in texts]
    cleaned = clean([piece for pieces in cut for piece in pieces])
    labels, values = model.predict(cleaned, k=_CANDIDATES)
    place = 0
    for pieces in cut:
        sums: dict[str, float] = {}
        letters = 0
        for row in range(place, place + len(pieces)):
            weight = len(cleaned[row])
            letters += weight
            for label, value in zip(labels[row], np.minimum(values[row], 1.0).tolist(), strict=True):
                tag = label.removeprefix("__label__")
                if tag in tags:
                    sums[tag] = sums.get(tag, 0.0) + value * weight
        place += len(pieces)
        share = min(sum(sums.values()) / max(1, letters), 1.0)
        if not sums or share < least:
            found.append(None)
            continue
        ranked = sorted(sums, key=lambda tag: (-sums[tag], tag))[:_NAMED]
        sure = 2 * sums[ranked[0]] > sum(sums.values())
        named = tuple((tag, round(sums[tag] / letters, 6)) for tag in ranked)
        found.append(Romanised(ranked[0] if sure else UNDETERMINED, share, named))
    return found


@lru_cache(maxsize=1)
def _load() -> tuple[Any, frozenset[str]]:
    import fasttext

    try:
        card = json.loads(CARD.read_text(encoding="utf-8"))
        return fasttext.load_model(str(FILE)), frozenset(card["labels"])
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the detector of romanised languages cannot be loaded: {error}",
            "Install evenglot again, or set `prepare.identify.romanised: false`",
        ) from error
