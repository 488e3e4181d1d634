"""The rows that were trained on last, language by language, to measure the training loss on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sampler.batch import Batch
from sampler.stream import CurriculumStream
from trainer.heldout.rows import HeldoutLanguage


class _Part(NamedTuple):
    """The tokens of one language in a row, in their order; T tokens."""

    language: int
    tokens: npt.NDArray[np.int64]
    segments: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]


def recent_rows(
    stream: CurriculumStream, bytes_per_token: Mapping[str, float], *, end: int, rows: int
) -> dict[str, HeldoutLanguage]:
    """The last training rows of each language before a global row index.

    Of rows that hold several languages each language's documents are put together into rows of its own, as many as fit
    whole; documents do not see each other, so this changes no loss. Bytes are estimated from the language's training
    text, because rows cut documents anywhere. Looks back over at most 64 times as many rows as are wanted, so a
    language that is hardly sampled may be missing.

    Args:
        stream: the training rows.
        bytes_per_token: training bytes over training tokens of each language, the ends of documents counted.
        end: global index after the last row of interest.
        rows: wanted of each language.
    """
    length = stream.config.row_tokens
    found: list[list[_Part]] = [[] for _ in stream.languages]
    held = np.zeros(len(found), dtype=np.int64)
    start = end
    while start > max(0, end - 64 * rows * len(found)) and (held < rows * length).any():
        chunk = range(max(0, start - 256), start)
        start = chunk.start
        for part in _parts(stream.rows(chunk)):
            if held[part.language] < rows * length:
                found[part.language].append(part)
                held[part.language] += len(part.tokens)
    result = {}
    for lang, parts in zip(stream.languages, found, strict=True):
        if parts:
            tokens, segments, positions = _packed(parts, length, rows)
            predicted = int(((segments[:, 1:] == segments[:, :-1]) & (segments[:, 1:] >= 0)).sum())
            result[lang] = HeldoutLanguage(tokens, segments, positions, round(predicted * bytes_per_token[lang]))
    return result


def _parts(batch: Batch) -> Iterator[_Part]:
    """What each row holds of each language, the last row first."""
    for place in reversed(range(len(batch))):
        row = batch.tokens[place], batch.segments[place], batch.positions[place]
        if batch.languages[place] >= 0:
            yield _Part(int(batch.languages[place]), *row)
            continue
        spoken = batch.token_languages[place]
        for language in np.unique(spoken).tolist():
            tokens, segments, positions = (array[spoken == language] for array in row)
            yield _Part(language, tokens, segments, positions)


def _packed(
    parts: Sequence[_Part], length: int, rows: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Parts in rows, each whole in the first that has room; tokens, segments and positions, [R, L] with R <= rows."""
    tokens = np.zeros((rows, length), dtype=np.int64)
    segments = np.full((rows, length), -1, dtype=np.int32)
    positions = np.zeros((rows, length), dtype=np.int32)
    filled, documents = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for part in parts:
        room = np.flatnonzero(filled + len(part.tokens) <= length)
        if not len(room):
            continue
        row = int(room[0])
        place = slice(int(filled[row]), int(filled[row]) + len(part.tokens))
        tokens[row, place], positions[row, place] = part.tokens, part.positions
        segments[row, place] = part.segments - part.segments.min() + documents[row]
        filled[row], documents[row] = place.stop, segments[row, place].max() + 1
    used = filled > 0
    return tokens[used], segments[used], positions[used]
