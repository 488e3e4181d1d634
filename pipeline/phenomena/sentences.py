"""The sentences of documents, with where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.sentences.split import split

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sentences:
    """All sentences of some documents, in order; s of them."""

    texts: pa.Array
    """[s], without white space around them."""
    documents: Int64s
    """[s] the document each stands in."""
    starts: Int64s
    """[s] its first character there."""
    stops: Int64s
    """[s] one past its last."""
    bounds: Int64s
    """[documents + 1]: those of document d are ``bounds[d]`` to ``bounds[d + 1]``."""


def spans(text: str, lang: str) -> list[tuple[int, int]]:
    """Where the sentences of a text begin and end, in characters; list marks and white space are in none."""
    layout = split(text, lang)
    found = []
    place = len(layout.between[0])
    sentences = iter(layout.sentences)
    for line, end in zip(layout.lines, layout.between[1:], strict=True):
        place += len(line.lead)
        for gap in (*line.gaps, ""):
            sentence = next(sentences)
            found.append((place, place + len(sentence)))
            place += len(sentence) + len(gap)
        place += len(end)
    return found


def read_sentences(texts: Sequence[str], lang: str) -> Sentences:
    """The sentences of n documents of one language."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    counts = np.zeros(len(texts) + 1, np.int64)
    for number, text in enumerate(texts):
        here = spans(text, lang)
        places.extend(here)
        pieces.extend(text[start:stop] for start, stop in here)
        counts[number + 1] = len(here)
    bounds = np.cumsum(counts)
    starts, stops = np.array(places, np.int64).reshape(-1, 2).T
    return Sentences(
        pa.array(pieces, pa.large_string()),
        np.repeat(np.arange(len(texts)), np.diff(bounds)),
        starts,
        stops,
        bounds,
    )
