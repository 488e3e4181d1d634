"""Held-out rows of several languages, in memory or read anew each time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sampler.config import CacheConfig
from sampler.heldout import HeldoutRows

_PART: Final = 256
"""Rows of one language that are read at once."""


class HeldoutLanguage(NamedTuple):
    """Held-out rows of one language; R rows of L tokens."""

    tokens: npt.NDArray[np.int64]
    """Token ids, [R, L]."""
    segments: npt.NDArray[np.int32]
    """Document of each token, [R, L]; negative for padding. All but the first token of each are scored."""
    positions: npt.NDArray[np.int32]
    """Position of each token in its document, [R, L]."""
    size: int
    """UTF-8 bytes of the text that the scored tokens stand for."""


class Rows(NamedTuple):
    """Some consecutive rows of one language; R rows of L tokens."""

    language: int
    """Index among the languages that are scored."""
    first: int
    """Number of the first of them among the rows of the language."""
    tokens: npt.NDArray[np.int64]
    segments: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]


class Heldout(NamedTuple):
    """Held-out rows of several languages, in memory or read anew each time."""

    sizes: Mapping[str, int]
    """By language, the UTF-8 bytes of the text that its scored tokens stand for."""
    rows: int
    """Rows of all languages."""
    parts: Callable[[], Iterable[Rows]]
    """The rows, language by language in the order of ``sizes``, at most ``_PART`` at once."""


def in_memory(heldout: Mapping[str, HeldoutLanguage]) -> Heldout:
    """Rows that are loaded already."""

    def parts() -> Iterator[Rows]:
        for index, part in enumerate(heldout.values()):
            for first in range(0, len(part.tokens), _PART):
                chosen = slice(first, first + _PART)
                yield Rows(index, first, part.tokens[chosen], part.segments[chosen], part.positions[chosen])

    return Heldout(
        {lang: part.size for lang, part in heldout.items()}, sum(len(part.tokens) for part in heldout.values()), parts
    )


def streamed(reader: HeldoutRows, languages: Collection[str] | None = None) -> Heldout:
    """Rows that are read while they are scored: a few thousand are in memory at once, however many there are.

    Args:
        reader: of the corpus.
        languages: tags that are wanted, whether they have held-out text or not; None for all that have.
    """
    wanted = [
        lang for lang in reader.languages if (languages is None or lang in languages) and reader.size(lang).tokens
    ]

    def parts() -> Iterator[Rows]:
        for index, lang in enumerate(wanted):
            first = 0
            for batch in reader.batches(lang, _PART):
                yield Rows(index, first, batch.tokens, batch.segments, batch.positions)
                first += len(batch.tokens)

    sizes = {lang: reader.size(lang) for lang in wanted}
    return Heldout({lang: size.bytes for lang, size in sizes.items()}, sum(size.rows for size in sizes.values()), parts)


def load_heldout(
    corpus: str,
    tokenizer: str,
    row_tokens: int,
    *,
    rows: int | None,
    languages: Collection[str] | None = None,
    snapshot: int | None = None,
    cache: CacheConfig | None = None,
) -> dict[str, HeldoutLanguage]:
    """The held-out rows of each language, in memory (16 bytes a token).

    Args:
        corpus: corpus root.
        tokenizer: its name in the corpus.
        row_tokens: L.
        rows: bound on the rows of each language; None for all.
        languages: tags that are wanted, whether they have held-out text or not; None for all that have.
        snapshot: number; None takes the current one.
        cache: of what is read from an object store; None takes the defaults.
    """
    reader = HeldoutRows(
        corpus, tokenizer=tokenizer, row_tokens=row_tokens, max_rows=rows, snapshot=snapshot, cache=cache
    )
    found = streamed(reader, languages)
    loaded: list[list[Rows]] = [[] for _ in found.sizes]
    for part in found.parts():
        loaded[part.language].append(part)
    return {
        lang: HeldoutLanguage(
            np.concatenate([part.tokens for part in parts]),
            np.concatenate([part.segments for part in parts]),
            np.concatenate([part.positions for part in parts]),
            size,
        )
        for (lang, size), parts in zip(found.sizes.items(), loaded, strict=True)
    }
