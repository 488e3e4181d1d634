"""Which sentences of parallel text are used: pure rules on columns, the first that holds gives the reason.

Groups are judged, not pairs: in text of many languages one sentence that is wrong costs that sentence, and the other
languages stay translations of each other. Where two sentences contradict each other and nothing says which is wrong,
both go.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import stable_hash, text_key
from pipeline.sources.fields import has_visible

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

REASONS: Final = (
    "unknown_language",
    "empty",
    "too_long",
    "language_twice",
    "copy",
    "length_ratio",
    "duplicate",
    "heldout_sentence",
    "heldout_document",
    "alone",
)
"""Why a sentence is left out, in the order in which the rules are applied.

``copy``: the same text in two languages. ``duplicate``: the group was met before. ``heldout_sentence``: of a group that
trains, a sentence that a held-out group has too. ``heldout_document``: of a group that trains, a sentence found in a
held-out document of the corpus. ``alone``: no other sentence of its group is left.
"""

_SHORT: Final = 16
"""Bytes added to each length before lengths are compared: three letters against nine are no absurd ratio."""


class Sentences(NamedTuple):
    """The sentences of some groups as columns; S sentences, groups in order."""

    groups: Int64s
    """Number of each sentence's group, ascending from 0, [S]."""
    langs: pa.Array
    """Tag of each, null where its label names no language, [S]."""
    texts: pa.Array
    """[S]."""
    heldout: Bools
    """Whether the sentence's group is held out, [S]."""


class Lengths:
    """How long languages are beside each other, from all groups: least squares on the logarithms of the lengths.

    The log length of a sentence is taken for what its group says plus what its language needs to say it; the latter is
    estimated over all groups in which the language stands beside others.
    """

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._normal = np.zeros((0, 0))
        self._right = np.zeros(0)

    def add(self, sentences: Sentences) -> None:
        """Count some groups."""
        known = sound(sentences)
        owners, numbers, logs = sentences.groups[known], self._numbers(sentences.langs, known), _logs(sentences)[known]
        if not len(owners):
            return
        groups, owners = np.unique(owners, return_inverse=True)
        counts = np.bincount(owners)
        means = np.bincount(owners, logs) / counts
        size = len(self._place)
        # Normal equations after the groups' own terms are eliminated.
        present = np.zeros((len(groups), size))
        np.add.at(present, (owners, numbers), 1)
        self._normal += np.diag(np.bincount(numbers, minlength=size)) - present.T @ (present / counts[:, None])
        self._right += np.bincount(numbers, logs - means[owners], minlength=size)

    def offsets(self) -> dict[str, float]:
        """What each language adds to the logarithm of a sentence's length; the mean of languages seen together is 0."""
        if not self._place:
            return {}
        found = np.linalg.lstsq(self._normal, self._right, rcond=1e-9)[0]
        return {lang: float(found[place]) for lang, place in self._place.items()}

    def _numbers(self, langs: pa.Array, known: Bools) -> Int64s:
        tags = langs.filter(pa.array(known)).to_pylist()
        for tag in tags:
            self._place.setdefault(tag, len(self._place))
        grown = np.zeros((len(self._place), len(self._place)))
        grown[: len(self._normal), : len(self._normal)] = self._normal
        self._normal = grown
        self._right = np.concatenate([self._right, np.zeros(len(grown) - len(self._right))])
        return np.array([self._place[tag] for tag in tags], np.int64)


class Found(NamedTuple):
    """What judging needs to know beside the sentences themselves."""

    offsets: dict[str, float]
    """Of the lengths, by language (:meth:`Lengths.offsets`)."""
    heldout_keys: UInt64s
    """Keys of the sentences of held-out groups (:func:`sentence_keys`), sorted."""
    repeated: Bools
    """Whether the group of each sentence was met before, [S]."""
    in_documents: Bools
    """Whether each sentence is found in a held-out document of the corpus, [S]."""


def judge(sentences: Sentences, found: Found, max_length_ratio: float, max_bytes: int) -> Int64s:
    """Why each sentence is left out.

    Args:
        sentences: S of them.
        found: what is known of them and of all others.
        max_length_ratio: longest over shortest, beyond what is usual for their languages.
        max_bytes: of a sentence.

    Returns:
        places in ``REASONS``, -1 for sentences that are kept, [S].
    """
    reasons = np.full(len(sentences.groups), -1, np.int64)

    def reject(reason: str, where: Bools) -> None:
        reasons[where & (reasons < 0)] = REASONS.index(reason)

    reject("unknown_language", pc.is_null(sentences.langs).to_numpy(zero_copy_only=False))
    reject("empty", np.array([not has_visible(text) for text in sentences.texts.to_pylist()], bool))
    reject("too_long", pc.binary_length(sentences.texts).to_numpy(zero_copy_only=False) > max_bytes)
    tags = pc.fill_null(sentences.langs, "").to_pylist()
    reject("language_twice", _again(sentences.groups, tags, reasons < 0))
    keys = sentence_keys(sentences.texts)
    reject("copy", _again(sentences.groups, keys.tolist(), reasons < 0))
    reject("length_ratio", absurd_lengths(sentences, found.offsets, max_length_ratio, reasons < 0))
    reject("duplicate", found.repeated)
    reject("heldout_sentence", ~sentences.heldout & np.isin(keys, found.heldout_keys))
    reject("heldout_document", ~sentences.heldout & found.in_documents)
    left = np.bincount(sentences.groups[reasons < 0], minlength=int(sentences.groups.max(initial=0)) + 1)
    reject("alone", left[sentences.groups] < 2)
    return reasons


def sound(sentences: Sentences) -> Bools:
    """Sentences with a language and a text, [S]."""
    visible = np.array([has_visible(text) for text in sentences.texts.to_pylist()], bool)
    return np.asarray(pc.is_valid(sentences.langs).to_numpy(zero_copy_only=False) & visible, dtype=bool)


def absurd_lengths(sentences: Sentences, offsets: dict[str, float], most: float, among: Bools) -> Bools:
    """Sentences whose length does not fit that of most others of their group, [S].

    Args:
        sentences: S of them.
        offsets: of each language.
        most: ratio beyond which two lengths do not fit.
        among: the sentences that are compared, [S].
    """
    chosen = np.flatnonzero(among)
    wrong = np.zeros(len(among), bool)
    if not len(chosen):
        return wrong
    usual = np.array([offsets.get(tag, 0.0) for tag in sentences.langs.take(pa.array(chosen)).to_pylist()])
    rest = _logs(sentences)[chosen] - usual
    _, owners, counts = np.unique(sentences.groups[chosen], return_inverse=True, return_counts=True)
    places = np.arange(len(chosen)) - (np.cumsum(counts) - counts)[owners]
    table = np.full((len(counts), int(counts.max())), np.nan)
    table[owners, places] = rest
    misfits = np.zeros(table.shape, np.int64)
    for column in range(table.shape[1]):
        # Not a number where there is no sentence, and then no comparison holds.
        misfits += np.abs(table - table[:, [column]]) > np.log(most)
    others = (counts - 1)[owners]
    wrong[chosen] = (others > 0) & (2 * misfits[owners, places] > others)
    return wrong


def group_keys(sentences: Sentences) -> UInt64s:
    """A key for each group, equal for groups of the same sentences in the same languages, [G]."""
    keys = sentence_keys(sentences.texts)
    tags = pc.fill_null(sentences.langs, "").to_pylist()
    own = np.array([stable_hash(tag, key) for tag, key in zip(tags, keys.tolist(), strict=True)], np.uint64)
    summed = np.zeros(int(sentences.groups.max(initial=-1)) + 1, np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(summed, sentences.groups, own)
    return summed


def sentence_keys(texts: pa.Array) -> UInt64s:
    """A key for each sentence, equal where texts differ in nothing but white space and case, [S]."""
    folded = (text_key(text.casefold()) for text in texts.to_pylist())
    return np.array([int.from_bytes(key[:8], "big") for key in folded], np.uint64)


def is_heldout(split: str | None, document: str, share: float, seed: int) -> bool:
    """Whether a group is held out: as the source says, else by the hash of its document."""
    if split is not None:
        return split.casefold() != "train"
    return stable_hash("parallel heldout", document, seed=seed) < share * 2.0**64


def _again(groups: Int64s, values: list[object] | list[str] | list[int], among: Bools) -> Bools:
    """Sentences whose value another sentence of their group has too, [S]."""
    places: dict[tuple[int, object], list[int]] = {}
    for place in np.flatnonzero(among).tolist():
        places.setdefault((int(groups[place]), values[place]), []).append(place)
    found = np.zeros(len(groups), bool)
    found[[place for same in places.values() if len(same) > 1 for place in same]] = True
    return found


def _logs(sentences: Sentences) -> Floats:
    lengths = pc.binary_length(sentences.texts).to_numpy(zero_copy_only=False)
    return np.asarray(np.log(lengths + _SHORT), dtype=np.float64)
