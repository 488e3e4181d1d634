"""A sentence and its translation, as readers of parallel text hand them to what learns from them."""

from __future__ import annotations

from typing import NamedTuple


class SentencePair(NamedTuple):
    """One direction of a translation: ``text`` is given, ``translation`` is to be made."""

    source: str
    """Tag of the language translated from."""
    target: str
    """Tag of the language translated to."""
    text: str
    translation: str

    @property
    def direction(self) -> tuple[str, str]:
        """(source, target)."""
        return self.source, self.target


def direction_name(direction: tuple[str, str]) -> str:
    """A direction as recipes and results have it: ``eng_Latn-swh_Latn``."""
    return "-".join(direction)
