"""Which pieces feed which shard: pieces in order, cut where the text of one language fills a shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.work import PieceAccount


@dataclass(frozen=True)
class TextPart:
    """One shard of training text of a language, and the held-out text from the same pieces."""

    lang: str
    number: int
    pieces: tuple[int, ...]
    """Numbers of the pieces, ascending."""


@dataclass(frozen=True)
class RestPart:
    """Rejected and unreadable records of some consecutive pieces."""

    number: int
    pieces: tuple[int, ...]


@dataclass(frozen=True)
class IndexPart:
    """Index rows of some text parts, in one file."""

    number: int
    names: tuple[str, ...]
    """Files in the work folder."""


def plan_index(noted: Sequence[Mapping[str, Any]], file_bytes: int) -> list[IndexPart]:
    """Parts of the index.

    Args:
        noted: ``name`` and ``bytes`` of the index rows of every text part, in the order of the plan.
        file_bytes: about how much a file holds.
    """
    parts: list[IndexPart] = []
    names: list[str] = []
    size = 0
    for entry in noted:
        names.append(entry["name"])
        size += entry["bytes"]
        if size >= file_bytes:
            parts.append(IndexPart(len(parts), tuple(names)))
            names, size = [], 0
    if names:
        parts.append(IndexPart(len(parts), tuple(names)))
    return parts


def plan_text(pieces: Sequence[PieceAccount], shard_bytes: int) -> list[TextPart]:
    """Parts of every language, in the order of languages.

    Args:
        pieces: in the order of the run.
        shard_bytes: UTF-8 bytes of text a part may have before the next one begins.
    """
    parts: list[TextPart] = []
    for lang in sorted({lang for piece in pieces for lang in piece.languages}):
        chosen: list[int] = []
        size = number = 0
        for index, piece in enumerate(pieces):
            if lang not in piece.languages:
                continue
            start, stop, added = piece.languages[lang]
            if start == stop:
                continue
            if chosen and size + added > shard_bytes:
                parts.append(TextPart(lang, number, tuple(chosen)))
                chosen, size, number = [], 0, number + 1
            chosen.append(index)
            size += added
        if chosen:
            parts.append(TextPart(lang, number, tuple(chosen)))
    return parts


def plan_rest(pieces: Sequence[PieceAccount], pieces_per_part: int = 16) -> list[RestPart]:
    """Parts of what was set aside."""
    numbers = range(len(pieces))
    return [
        RestPart(number, tuple(numbers[start : start + pieces_per_part]))
        for number, start in enumerate(range(0, len(pieces), pieces_per_part))
    ]
