"""From votes of windows to labels of documents: read little of each, and more of those that leave a doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from corpus.schema import NO_LANGUAGE, UNDETERMINED
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.prediction import Candidates, Prediction
from pipeline.language_id.text import windows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LETTERS: Final = 15
"""A window with fewer letters raises no doubt: a name or a number says little about the language."""
_SCRIPT: Final = 0.5
"""Share of a window's letters in the script of the document's language below which there is a doubt."""
_STILL_OWN: Final = 0.99
_STILL_OTHER: Final = 0.01
"""Probabilities by which a document that was read again may still be in several languages: a larger window that has a
sentence of another language in it gives that one little, but some."""
_NAMED: Final = 3
"""Candidates kept of a doubtful document."""


@dataclass(frozen=True)
class Votes:
    """What a model says of n pieces of text; v votes in the order of the pieces."""

    letters: npt.NDArray[np.float32]
    """[n] letters of each piece."""
    piece: Ints
    """[v] which piece."""
    tag: Ints
    """[v] position in the model's ``tags``."""
    probability: Floats
    """[v] 0 where the piece is not written in a script of the tag."""
    script: Floats
    """[v] share of the piece's letters that the tag's script could have written."""


class Reader(Protocol):
    """A model that reads pieces of text."""

    @property
    def tags(self) -> tuple[str, ...]: ...

    def read(self, pieces: Sequence[str], candidates: int, abstain: bool = True) -> Votes: ...


@dataclass(frozen=True)
class _Tally:
    """Votes of n documents, summed; s sums, those of a document together, its best first."""

    letters: Floats
    """[n] letters read."""
    first: Ints
    """[n + 1] where the sums of each document begin."""
    tag: Ints
    """[s]"""
    share: Floats
    """[s] mean probability over the letters read."""

    def best(self) -> Ints:
        """[n] the tag with the most votes, -1 without any."""
        found = np.full(len(self.letters), -1, dtype=np.int64)
        some = np.diff(self.first) > 0
        found[some] = self.tag[self.first[:-1][some]]
        return found


def label(
    reader: Reader, texts: Sequence[str], config: IdentifyConfig, declared: Sequence[str | None] | None = None
) -> Prediction:
    """Label whole documents.

    ``config.windows`` windows are read of each document; each votes with its candidates' probabilities, weighted
    by its letters. Where some window gives the document's language a probability below ``config.doubt``, or
    another language one above it, or most of its letters are in another script, the document is read again
    in windows of twice the size, and these decide.

    Args:
        reader: the model.
        texts: n documents, NFC.
        config: windows and thresholds.
        declared: n tags or None; they decide only between labels that are close, see ``config.declared_margin``.

    Returns:
        n labels; a document's result does not depend on the others.
    """
    first = _read(reader, texts, config, config.window_chars)
    tally = first.tally
    doubtful = first.signs(config.doubt, config.doubt) | (_best_shares(tally) < config.doubt)
    again = [row for row in np.flatnonzero(doubtful).tolist() if len(texts[row]) > 2 * config.window_chars]
    second = _read(reader, [texts[row] for row in again], config, 2 * config.window_chars)
    mixed = doubtful.copy()
    mixed[again] = second.signs(_STILL_OWN, _STILL_OTHER)
    tags = [UNDETERMINED] * len(texts)
    scores = np.zeros(len(texts), dtype=np.float32)
    candidates: dict[int, Candidates] = {}
    decided: set[int] = set()
    place = {row: number for number, row in enumerate(again)}
    winners, letters, best = tally.best(), tally.letters.tolist(), _best_shares(tally)
    for row in range(len(texts)):
        if letters[row] < config.min_letters:
            if texts[row].strip():
                tags[row], scores[row] = NO_LANGUAGE, 1.0
            continue
        if doubtful[row]:
            found = _named(second.tally, place[row], reader.tags) if row in place else ()
            if not found or found[0][1] < config.min_score:
                # A window over a change of language may tell nothing where two smaller ones did.
                found = _named(tally, row, reader.tags)
            asked = declared[row] if declared is not None else None
            if asked is not None and _decides(asked, found, config):
                found = (*(item for item in found if item[0] == asked), *(item for item in found if item[0] != asked))
                decided.add(row)
            candidates[row] = found
            if found and found[0][1] >= config.min_score:
                tags[row], scores[row] = found[0][0], min(found[0][1], 1.0)
            elif found:
                scores[row] = min(found[0][1], 1.0)
        elif winners[row] >= 0:
            tags[row], scores[row] = reader.tags[winners[row]], min(best[row], 1.0)
    suspects = frozenset(np.flatnonzero(mixed).tolist()) & candidates.keys()
    return Prediction(tags, scores, candidates, suspects, frozenset(decided))


def _decides(asked: str, found: Candidates, config: IdentifyConfig) -> bool:
    """Whether the declared label turns a close decision: it is second, and not far behind."""
    return (
        len(found) > 1
        and found[1][0] == asked
        and found[0][0] not in (NO_LANGUAGE, UNDETERMINED)
        and found[0][1] - found[1][1] < config.declared_margin
    )


@dataclass(frozen=True)
class _Reading:
    """What w windows of n documents said."""

    tally: _Tally
    owners: Ints
    """[w] the document of each window."""
    own: Floats
    """[w] probability of the document's language in the window."""
    other: Floats
    """[w] probability of the likeliest other language."""
    script: Floats
    """[w] share of the letters in the script of the document's language."""

    def signs(self, own: float, other: float) -> npt.NDArray[np.bool_]:
        """[n] documents with a window that has less of their language, more of another, or another script."""
        odd = (self.own < own) | (self.other > other) | (self.script < _SCRIPT)
        found = np.zeros(len(self.tally.letters), dtype=bool)
        found[self.owners[odd]] = True
        return found


def _read(reader: Reader, texts: Sequence[str], config: IdentifyConfig, size: int) -> _Reading:
    """Read n documents in windows of a size."""
    pieces, owners = _cut(texts, config.windows, size)
    votes = reader.read(pieces, config.candidates)
    tally = _tally(votes, owners, len(texts), len(reader.tags))
    winners = tally.best()[owners]
    own, other, script = np.zeros(len(pieces)), np.zeros(len(pieces)), np.ones(len(pieces))
    mine = votes.tag == winners[votes.piece]
    np.maximum.at(own, votes.piece[mine], votes.probability[mine])
    np.minimum.at(script, votes.piece[mine], votes.script[mine])
    none = np.array([tag in (NO_LANGUAGE, UNDETERMINED) for tag in reader.tags])[votes.tag]
    others = ~mine & ~none
    np.maximum.at(other, votes.piece[others], votes.probability[others])
    long = votes.letters >= _LETTERS
    return _Reading(tally, owners[long], own[long], other[long], script[long])


def _cut(texts: Sequence[str], count: int, size: int) -> tuple[list[str], Ints]:
    cut = [windows(text, count, size) for text in texts]
    pieces = [piece for found in cut for piece in found]
    return pieces, np.repeat(np.arange(len(cut)), np.array([len(found) for found in cut], dtype=np.int64))


def _tally(votes: Votes, owners: Ints, count: int, width: int) -> _Tally:
    """Sum the votes of each document; equal sums stand in the order of their tags."""
    weights = votes.probability * votes.letters[votes.piece]
    keys, places = np.unique(owners[votes.piece] * width + votes.tag, return_inverse=True)
    sums = np.bincount(places, weights=weights, minlength=len(keys))
    keys, sums = keys[sums > 0], sums[sums > 0]
    documents = keys // max(1, width)
    order = np.lexsort((keys, -sums, documents))
    letters: Floats = np.bincount(owners, weights=votes.letters, minlength=count).astype(np.float64)
    first = np.searchsorted(documents, np.arange(count + 1))
    share = sums[order] / np.maximum(letters, 1.0)[documents[order]]
    return _Tally(letters, first, keys[order] % max(1, width), share)


def _best_shares(tally: _Tally) -> Floats:
    found = np.zeros(len(tally.letters))
    some = np.diff(tally.first) > 0
    found[some] = tally.share[tally.first[:-1][some]]
    return found


def _named(tally: _Tally, row: int, tags: Sequence[str]) -> Candidates:
    start, stop = tally.first[row], min(tally.first[row + 1], tally.first[row] + _NAMED)
    return tuple(
        (tags[tag], round(share, 6))
        for tag, share in zip(tally.tag[start:stop].tolist(), tally.share[start:stop].tolist(), strict=True)
    )
