"""Close relatives told apart: a second look at texts whose language belongs to a group that a mean vector confuses.

A classifier that averages vectors tells Croatian from Bosnian by topic as much as by language. Naive Bayes over the
n-grams that occur carries over to other kinds of text better (Lui and Cook, 2013, *Classifying English Documents by
National Dialect*; Jauhiainen et al., 2019, *Automatic Language Identification in Texts: A Survey*, section 5), so the
share of the probability that a group has is divided again among its members:

    p(tag) = p(group) * softmax(log p_model(tag) + log-odds(tag, n-grams) / TEMPERATURE + PRIOR(tag))

Tables are learnt from the examples that the model is trained on, and lie beside it in one file of NumPy arrays.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus.errors import ConfigurationError
from pipeline.language_id.examples import LABEL
from pipeline.language_id.ngrams import hashed_ngrams

GROUPS: Final = (
    ("bos_Latn", "hrv_Latn", "srp_Latn"),
    ("ind_Latn", "zsm_Latn", "bjn_Latn", "min_Latn"),
    ("pes_Arab", "prs_Arab"),
    ("xho_Latn", "zul_Latn", "ssw_Latn", "nde_Latn"),
    ("zho_Hans", "zho_Hant", "yue_Hant"),
    ("nob_Latn", "nno_Latn", "dan_Latn"),
    ("arb_Arab", "mey_Arab"),
    ("tsn_Latn", "sot_Latn"),
    ("ces_Latn", "slk_Latn"),
    ("por_Latn", "glg_Latn", "spa_Latn"),
    ("afr_Latn", "nld_Latn"),
    ("bul_Cyrl", "mkd_Cyrl"),
)
"""Languages taken for each other on text of another origin than was trained on, where each has much text. A language
stands in one group."""
LEAST_CHARACTERS: Final = 40_000
"""A language with less training text has no table: what is rare in it would count against it."""
TEMPERATURE: Final = 6.0
"""n-grams overlap, so their log-odds say the same thing several times."""
PRIOR: Final = {"mey_Arab": -3.0, "nde_Latn": -1.0}
"""Nats for languages far less written than their relatives: text of another kind than was trained on must not be
taken for them lightly. Others have none."""
LONGEST: Final = 5
BITS: Final = 18
_KEPT: Final = 40_000
"""n-grams kept of a group, those that tell most."""
_SMOOTHING: Final = 1.0
_LEAST_SPANS: Final = 2
_STEP: Final = 1 / 16
"""Of the stored log-odds; a byte reaches from -8 to 8."""
_UNSEEN: Final = 1e-4
"""Probability of a member that the model does not name."""
_BLOCK: Final = 200
"""Texts looked at together; their n-grams stay in the cache."""
_DATE: Final = (1980, 1, 1, 0, 0, 0)

Table = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Group:
    """Log-odds of n-grams for each member of a group, in steps."""

    tags: tuple[str, ...]
    features: npt.NDArray[np.uint32]
    """[n] ascending."""
    odds: Table
    """[n, tags]."""

    def table(self) -> Table:
        """[2**BITS, tags], zero for other n-grams."""
        table = np.zeros((1 << BITS, len(self.tags)), dtype=np.int8)
        table[self.features] = self.odds
        return table


def learn(lines: Sequence[str], groups: Sequence[Sequence[str]] = GROUPS) -> list[Group]:
    """Tables from training examples; members with little text are left out, and groups with fewer than two members.

    Args:
        lines: examples as ``examples.build`` makes them.
        groups: tags; no tag stands in two groups.
    """
    texts: dict[str, list[str]] = {tag: [] for group in groups for tag in group}
    for line in lines:
        label, _, text = line.partition(" ")
        if (found := texts.get(label.removeprefix(LABEL))) is not None:
            found.append(text)
    known = [[tag for tag in group if sum(map(len, texts[tag])) >= LEAST_CHARACTERS] for group in groups]
    return [_learn({tag: texts[tag] for tag in group}) for group in known if len(group) > 1]


def _learn(texts: dict[str, list[str]]) -> Group:
    counts = np.stack([_spans_with(found) for found in texts.values()])
    spans = np.array([len(found) for found in texts.values()], dtype=np.float64)[:, None]
    odds = np.log((counts + _SMOOTHING) / (spans + 2 * _SMOOTHING))
    odds -= odds.mean(axis=0)
    # How much an n-gram says in all: its log-odds where it occurs, as often as it does in text of equal amounts.
    worth = (counts / spans * odds).sum(axis=0)
    worth[counts.sum(axis=0) < _LEAST_SPANS] = 0.0
    best = np.argsort(-worth, kind="stable")[:_KEPT]
    kept = np.sort(best[worth[best] > 0])
    steps = np.clip(np.rint(odds[:, kept] / _STEP), -127, 127).astype(np.int8)
    return Group(tuple(texts), kept.astype(np.uint32), np.ascontiguousarray(steps.T))


def _spans_with(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """[2**BITS] in how many texts an n-gram occurs."""
    counts = np.zeros(1 << BITS, dtype=np.float64)
    for start in range(0, len(texts), _BLOCK):
        counts += np.bincount(hashed_ngrams(texts[start : start + _BLOCK], LONGEST, BITS).features, minlength=1 << BITS)
    return counts


def write(groups: Sequence[Group], path: Path) -> None:
    """Store tables; the same tables give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(zipfile.ZipInfo("groups.json", _DATE), json.dumps([group.tags for group in groups]))
        for number, group in enumerate(groups):
            # Differences of ascending numbers are small, and compress.
            gaps = np.diff(group.features, prepend=np.uint32(0)).astype(np.uint32)
            for name, values in ((f"gaps-{number}.npy", gaps), (f"odds-{number}.npy", group.odds)):
                buffer = io.BytesIO()
                np.save(buffer, values, allow_pickle=False)
                entry = zipfile.ZipInfo(name, _DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, buffer.getvalue())


def read(path: Path) -> list[Group]:
    """Tables as ``write`` stored them.

    Raises:
        ConfigurationError: the file is missing or is no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            groups = []
            for number, tags in enumerate(json.loads(archive.read("groups.json"))):
                gaps, odds = (
                    np.load(io.BytesIO(archive.read(f"{name}-{number}.npy")), allow_pickle=False)
                    for name in ("gaps", "odds")
                )
                features = np.cumsum(gaps, dtype=np.uint32)
                if odds.shape != (len(features), len(tags)) or (len(features) and features[-1] >> BITS):
                    raise ValueError(f"table {number} has the wrong shape")
                groups.append(Group(tuple(tags), features, odds.astype(np.int8)))
            return groups
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"the tables of close relatives {path} cannot be read: {error}",
            "Put the file that was made with the model beside it, or train the model again",
        ) from error


class Relatives:
    """Tables at work for a model.

    Args:
        groups: what was learnt.
        tags: all tags of the model; members it does not have are left out.
    """

    def __init__(self, groups: Sequence[Group], tags: Sequence[str]) -> None:
        position = {tag: number for number, tag in enumerate(tags)}
        self._members: list[npt.NDArray[np.int64]] = []
        self._tables: list[Table] = []
        self._priors: list[npt.NDArray[np.float64]] = []
        self._group_of = np.full(len(tags), -1, dtype=np.int64)
        self._place = np.zeros(len(tags), dtype=np.int64)
        for group in groups:
            known = [number for number, tag in enumerate(group.tags) if tag in position]
            if len(known) < 2:
                continue
            members = np.array([position[group.tags[number]] for number in known], dtype=np.int64)
            self._group_of[members] = len(self._tables)
            self._place[members] = np.arange(len(members))
            self._members.append(members)
            self._priors.append(np.array([PRIOR.get(group.tags[number], 0.0) for number in known]))
            self._tables.append(np.ascontiguousarray(group.table()[:, known]))

    def related(self, tags: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """[n] whether two tags are the same or of one group."""
        group = self._group_of[tags]
        related: npt.NDArray[np.bool_] = (tags == others) | ((group >= 0) & (group == self._group_of[others]))
        return related

    def refine(
        self,
        lines: Sequence[str],
        rows: npt.NDArray[np.int64],
        tags: npt.NDArray[np.int64],
        probabilities: npt.NDArray[np.float64],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Divide a group's probability among its members again, where one of them is the likeliest language.

        Args:
            lines: m cleaned texts.
            rows: [n] which text a candidate is for, ascending, the likeliest first.
            tags: [n] number of the candidate's tag.
            probabilities: [n].

        Returns:
            rows, tags and probabilities with members of the groups put anew, in the same order as given.
        """
        first = np.concatenate([[True], rows[1:] != rows[:-1]])[: len(rows)]
        wanted = np.full(len(lines), -1, dtype=np.int64)
        wanted[rows[first]] = self._group_of[tags[first]]
        given = (wanted[rows] >= 0) & (self._group_of[tags] == wanted[rows])
        if not given.any():
            return rows, tags, probabilities
        parts = [(rows[~given], tags[~given], probabilities[~given])]
        for number, (members, table) in enumerate(zip(self._members, self._tables, strict=True)):
            chosen = np.flatnonzero(wanted == number)
            if not len(chosen):
                continue
            mine = given & (wanted[rows] == number)
            prior = np.zeros((len(chosen), len(members)))
            prior[np.searchsorted(chosen, rows[mine]), self._place[tags[mine]]] = probabilities[mine]
            logits = np.log(np.maximum(prior, _UNSEEN)) + self._priors[number]
            logits += _log_odds([lines[row] for row in chosen.tolist()], table)
            share = np.exp(logits - logits.max(axis=1, keepdims=True))
            share *= (prior.sum(axis=1) / share.sum(axis=1))[:, None]
            parts.append((np.repeat(chosen, len(members)), np.tile(members, len(chosen)), share.ravel()))
        rows, tags, probabilities = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((-probabilities, rows))
        return rows[order], tags[order], probabilities[order]


def _log_odds(lines: Sequence[str], table: Table) -> npt.NDArray[np.float64]:
    """[lines, members] sums of the log-odds of what occurs, over the temperature."""
    sums = np.zeros((len(lines), table.shape[1]))
    for start in range(0, len(lines), _BLOCK):
        block = lines[start : start + _BLOCK]
        found = hashed_ngrams(block, LONGEST, BITS)
        picked = table[found.features]
        for member in range(table.shape[1]):
            sums[start : start + len(block), member] = np.bincount(
                found.owners, weights=picked[:, member], minlength=len(block)
            )
    return sums * (_STEP / TEMPERATURE)
