"""Documents in several languages: which languages, and where each begins and ends.

A document is cut into sentences, the model reads each alone, and the sequence of languages is the likeliest one
under a cost for every change (Viterbi, 1967), over the two or three languages of that document only. One
sentence more likely in another language is no change of language; several in a row are, and so is a single one
that is far more likely in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus.schema import NO_LANGUAGE, UNDETERMINED
from pipeline.language_id.config import SegmentConfig
from pipeline.language_id.documents import Reader
from pipeline.language_id.sentences import sentences
from pipeline.language_id.structure import weighed_letters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CANDIDATES: Final = 10
"""Labels read for a sentence; the model is less sure of a short text, so the right one may stand low."""
_FLOOR: Final = 1e-3
"""Probability of a language that is not among them: no sentence alone rules a language out."""
_FULL_BYTES: Final = 40
"""UTF-8 bytes from which on a sentence counts in full; shorter ones say less than the model believes."""
_LONGEST: Final = 300
_ROUNDS: Final = 3
"""Times that the cost of a change is set anew from a mixed document's own changes."""
_CHEAPEST: Final = 0.5
_DEAREST: Final = 4.0


@dataclass(frozen=True)
class Segment:
    """A run of sentences in one language."""

    lang: str
    start: int
    """Position of its first character in the text."""
    end: int
    """One past its last; white space around it belongs to no segment."""


@dataclass(frozen=True)
class Segmentation:
    """The languages of one document."""

    segments: tuple[Segment, ...]
    """In order; empty for a document in one language."""
    switched: float
    """Share of the letters in sentences of other languages than the main one, also where these are too few for
    segments."""
    scores: tuple[tuple[str, float], ...] = ()
    """Of a document in several languages: each with its mean probability over its own sentences."""


def segment(reader: Reader, texts: Sequence[str], config: SegmentConfig) -> list[Segmentation]:
    """Find the languages of documents.

    Args:
        reader: the model.
        texts: n documents, those that left a doubt: reading every sentence costs some ten times what a label does.
        config: costs and thresholds.

    Returns:
        n segmentations; a document's does not depend on the others.
    """
    if not texts:
        return []
    bounds = [_blocks(sentences(text, _LONGEST), config.max_sentences) for text in texts]
    pieces = [
        text[start : min(end, start + _LONGEST)]
        for text, cut in zip(texts, bounds, strict=True)
        for start, end in pairwise(cut)
    ]
    counts = np.array([len(cut) - 1 for cut in bounds], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(counts)])
    sizes = np.array([len(piece.encode("utf-8", "replace")) for piece in pieces])
    languages, odds, letters = _odds(reader, pieces, np.repeat(np.arange(len(texts)), counts), len(texts), config)
    # What was read of a block stands for the whole block.
    whole = np.array([end - start for cut in bounds for start, end in pairwise(cut)])
    letters = letters * np.maximum(1.0, whole / _LONGEST)
    weights = np.minimum(sizes / _FULL_BYTES, 1.0)
    return [
        _decide(
            text,
            cut,
            [reader.tags[tag] for tag in languages[row] if tag >= 0],
            odds[first[row] : first[row + 1]],
            letters[first[row] : first[row + 1]],
            weights[first[row] : first[row + 1]],
            config,
        )
        for row, (text, cut) in enumerate(zip(texts, bounds, strict=True))
    ]


def likeliest(scores: Sequence[Sequence[float]], cost: float) -> list[int]:
    """The best sequence of states when each change between two of them costs the same (Viterbi, 1967).

    Args:
        scores: [n][k] log likelihood of each state at each step; n and k are at least 1.
        cost: of a change.

    Returns:
        n states; of equally good sequences one that changes late and prefers lower numbers.
    """
    sums = list(scores[0])
    back: list[list[int]] = []
    for step in scores[1:]:
        top = max(sums)
        best = sums.index(top)
        reach = top - cost
        back.append([state if own >= reach else best for state, own in enumerate(sums)])
        sums = [max(own, reach) + gain for own, gain in zip(sums, step, strict=True)]
    path = [sums.index(max(sums))]
    for came in reversed(back):
        path.append(came[path[-1]])
    path.reverse()
    return path


def _odds(
    reader: Reader, pieces: Sequence[str], owners: Ints, count: int, config: SegmentConfig
) -> tuple[Ints, Floats, Floats]:
    """Languages of each document [count, k] (-1 for none), probability of each in each piece [n, k], letters [n]."""
    # Among the languages of one document a sentence may tell what it could not among all.
    votes = reader.read(pieces, _CANDIDATES, abstain=False)
    letters = votes.letters.astype(np.float64)
    none = np.array([tag in (NO_LANGUAGE, UNDETERMINED) for tag in reader.tags])[votes.tag]
    weight = np.where(none, 0.0, votes.probability * letters[votes.piece])
    width = max(1, len(reader.tags))
    keys, places = np.unique(owners[votes.piece] * width + votes.tag, return_inverse=True)
    sums = np.bincount(places, weights=weight, minlength=len(keys))
    keys, sums = keys[sums > 0], sums[sums > 0]
    documents = keys // width
    order = np.lexsort((keys, -sums, documents))
    documents, tags = documents[order], keys[order] % width
    rank = np.arange(len(order)) - np.searchsorted(documents, documents)
    chosen = rank < config.languages
    languages = np.full((count, config.languages), -1, dtype=np.int64)
    languages[documents[chosen], rank[chosen]] = tags[chosen]
    found = np.full((len(pieces), config.languages), _FLOOR)
    hits, slots = np.nonzero(languages[owners[votes.piece]] == votes.tag[:, None])
    np.maximum.at(found, (votes.piece[hits], slots), votes.probability[hits])
    return languages, found, letters


def _decide(
    text: str,
    bounds: Sequence[int],
    languages: list[str],
    probabilities: Floats,
    letters: Floats,
    weights: Floats,
    config: SegmentConfig,
) -> Segmentation:
    """Judge the languages of one document, and cut it by those that stand."""
    total = float(letters.sum())
    if len(languages) < 2 or total == 0:
        return Segmentation((), 0.0)
    scores = np.log(probabilities[:, : len(languages)]) * weights[:, None]
    path = np.array(likeliest(scores.tolist(), config.switch_cost))
    amounts = np.bincount(path, weights=letters, minlength=len(languages))
    main = int(amounts.argmax())
    standing, switched = [main], 0.0
    for other in range(len(languages)):
        mine = path == other
        if other == main or amounts[other] == 0:
            continue
        weight = float(weights[mine].sum())
        if float((scores[mine, other] - scores[mine, main]).sum()) < config.min_separation * weight:
            continue
        switched += float(amounts[other])
        probability = float(probabilities[mine, other] @ letters[mine]) / float(amounts[other])
        read = sum(weighed_letters(text[bounds[row] : bounds[row + 1]]) for row in np.flatnonzero(mine).tolist())
        if (
            probability >= config.min_probability
            and amounts[other] >= config.min_share * total
            and read >= config.min_letters
        ):
            standing.append(other)
    if len(standing) < 2:
        return Segmentation((), switched / total)
    standing.sort()
    steps = scores[:, standing].tolist()
    states = likeliest(steps, config.switch_cost)
    for _ in range(_ROUNDS):
        again = likeliest(steps, _cost_of(states))
        states = again if len(set(again)) > 1 else states
    runs = _segments(text, bounds, [languages[standing[state]] for state in states])
    chosen = probabilities[np.arange(len(states)), np.array(standing)[states]] * letters
    sums = np.bincount(states, weights=chosen, minlength=len(standing))
    sizes = np.bincount(states, weights=letters, minlength=len(standing))
    scores_by_language = tuple(
        (languages[state], round(float(sums[slot] / sizes[slot]), 6))
        for slot, state in enumerate(standing)
        if sizes[slot]
    )
    return Segmentation(runs, switched / total, scores_by_language)


def _cost_of(states: Sequence[int]) -> float:
    """The cost of a change that a sequence itself suggests: low where the languages alternate by sentence."""
    changes = sum(one != other for one, other in pairwise(states))
    share = (changes + 0.5) / len(states)
    return min(max(math.log((1 - share) / share) if share < 1 else 0.0, _CHEAPEST), _DEAREST)


def _segments(text: str, bounds: Sequence[int], tags: Sequence[str]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    start = 0
    for row, tag in enumerate(tags):
        if row + 1 < len(tags) and tags[row + 1] == tag:
            continue
        end = bounds[row + 1]
        inside = text[start:end]
        left, right = len(inside) - len(inside.lstrip()), len(inside.rstrip())
        if right > left:
            found.append(Segment(tag, start + left, start + right))
        start = end
    return tuple(found)


def _blocks(bounds: list[int], most: int) -> list[int]:
    """Bounds of at most so many blocks of consecutive sentences."""
    step = -(-(len(bounds) - 1) // most)
    return bounds if step <= 1 else [*bounds[:-1:step], bounds[-1]]
