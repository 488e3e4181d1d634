"""Losses by language between two decisions, and the losses that they are compared with.

Sums are integers, in units of 2**-10 nats: their order does not matter, so they are the same however the rows were
dealt out to ranks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corpus.errors import ConfigurationError, InputError
from sampler.codec import pack, unpack

_UNITS: Final = 1 << 10
_LOW_BITS: Final = 24
_MOST: Final = float(1 << 46)
"""Largest loss that is believed at once, in nats: a sum of thousands of them still fits."""

Counts = NDArray[np.int64]


class Losses:
    """Sums that no decision has used yet.

    ``sums`` is int64 [2, K, 3]: of the rows before the next decision's border and of those behind it; for each
    language the loss in units, the tokens, and the losses left out because they were not finite.

    Args:
        languages: K.
    """

    def __init__(self, languages: int) -> None:
        self.sums: Counts = np.zeros((2, languages, 3), dtype=np.int64)

    def add(self, later: ArrayLike, languages: ArrayLike, losses: ArrayLike, tokens: ArrayLike) -> None:
        """Count losses, each of one language and of some tokens.

        Args:
            later: whether its row lies behind the border, bool [N].
            languages: language index, int [N].
            losses: sums over the tokens in nats, [N]; what is not finite or below zero is left out and counted.
            tokens: predicted tokens, [N].
        """
        values = np.asarray(losses, dtype=np.float64)
        count = np.asarray(tokens, dtype=np.int64)
        behind, lang = np.asarray(later, dtype=np.int64), np.asarray(languages, dtype=np.int64)
        good = np.isfinite(values) & (values >= 0) & (values < _MOST)
        units = np.rint(np.where(good, values, 0.0) * _UNITS).astype(np.int64)
        np.add.at(self.sums[..., 0], (behind, lang), units)
        np.add.at(self.sums[..., 1], (behind, lang), np.where(good, count, 0))
        np.add.at(self.sums[..., 2], (behind, lang), ~good & (count > 0))

    def means(self, min_tokens: int) -> NDArray[np.float64]:
        """Nats per token before the border, [K]; not a number for languages with fewer than ``min_tokens``."""
        loss, tokens = self.sums[0, :, 0], self.sums[0, :, 1]
        enough = tokens >= min_tokens
        return np.where(enough, loss / np.maximum(tokens, 1) / _UNITS, np.nan)

    def ignored(self) -> Counts:
        """Losses before the border that were not finite, [K]."""
        return self.sums[0, :, 2]

    def used(self, languages: NDArray[np.bool_]) -> None:
        """Go on to the next decision: what was believed is done with, the rest adds up further."""
        self.sums[0][languages] = 0
        self.sums[0, :, 2] = 0
        self.sums[0] += self.sums[1]
        self.sums[1] = 0

    def state(self) -> dict[str, Any]:
        """The sums as JSON values, packed."""
        loss, tokens, ignored = np.moveaxis(self.sums, 2, 0).reshape(3, -1)
        parts = (loss >> _LOW_BITS, loss & ((1 << _LOW_BITS) - 1), tokens, ignored)
        return {"languages": self.sums.shape[1], "sums": [pack(part) for part in parts]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` gave; languages that came later have nothing.

        Raises:
            KeyError: a part is missing.
            ValueError: it is not what that gave for so many languages or fewer.
        """
        languages = int(state["languages"])
        if not 0 <= languages <= self.sums.shape[1]:
            raise ValueError(f"the losses are of {languages} languages, not {self.sums.shape[1]}")
        high, low, tokens, ignored = (unpack(str(text), 2 * languages) for text in state["sums"])
        found = np.stack([(high << _LOW_BITS) + low, tokens, ignored]).reshape(3, 2, languages)
        self.sums = np.zeros_like(self.sums)
        self.sums[:, :languages] = np.moveaxis(found, 0, 2)


def baseline(given: Mapping[str, Any] | str | None, languages: Sequence[str]) -> NDArray[np.float64]:
    """Losses to compare with, float64 [K], not a number where none is given.

    Args:
        given: nats per token by tag, or the name of a YAML or JSON file with such a mapping.
        languages: K tags. Others may be given too: a reference model may know more.

    Raises:
        InputError: the file cannot be read.
        ConfigurationError: a loss is no positive number, or none is of these languages.
    """
    if given is None:
        return np.full(len(languages), np.nan)
    where = "sampler.feedback.baseline" if isinstance(given, Mapping) else given
    known = given if isinstance(given, Mapping) else _read(given)
    for tag, loss in known.items():
        if isinstance(loss, bool) or not isinstance(loss, int | float) or not (math.isfinite(loss) and loss >= 0):
            raise ConfigurationError(f"{where} gives {tag} the loss {loss!r}", "Give nats per token, 0 or more")
    if not set(known) & set(languages):
        raise ConfigurationError(
            f"{where} names none of the languages here", f"Use their tags, for example {', '.join(languages[:5])}"
        )
    return np.array([known.get(lang, math.nan) for lang in languages], dtype=np.float64)


def _read(name: str) -> Mapping[str, Any]:
    import yaml

    try:
        text = Path(name).read_text(encoding="utf-8")
        value = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(
            f"losses to compare with, {name}: {reason}", "Name a YAML or JSON file of tag: loss"
        ) from error
    if not isinstance(value, Mapping):
        raise InputError(f"{name} holds no mapping", "Write a line for each language, such as `swh_Latn: 3.1`")
    return value
