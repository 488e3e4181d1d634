"""Which phenomena of a language are rare, attested and looked after, and how often they are wanted.

With S sentences in the language, n of them with a phenomenon:

    rare      n <= max(rare_share * S, few_sentences)
    attested  in min_documents documents and min_sources sources at least
    most      floor(multiple * n)
    target    min(most, per_million * S / 10^6), without a rate min(most, the bound of what is rare)
    wanted    target - n

Of each kind the rarest are looked after, as long as the sentences that may be made could serve them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash
from pipeline.phenomena.config import KINDS, Kind, PhenomenaConfig
from pipeline.phenomena.counts import Counts, lexicon_of
from pipeline.phenomena.tally import Tally
from pipeline.vectors import mix

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Wanted:
    """Rare phenomena of one kind that are looked after; p of them, [p] each."""

    kind: Kind
    keys: UInt64s
    """Ascending."""
    natural: Int64s
    """Sentences that have it."""
    documents: Int64s
    sources: Int64s
    """Told apart in 64 buckets, so some at most may be more."""
    target: Int64s
    """Sentences that are to have it, the natural ones among them."""
    most: Int64s
    """Sentences that may have it."""


@dataclass(frozen=True)
class Census:
    """How many features of one kind there are."""

    counted: int
    """Different ones, of those that are looked at."""
    one_in: int
    """So many features are one that is looked at."""
    common: int
    """In more sentences than what is rare."""
    unattested: int
    """Rare, but in too few documents or sources to be more than chance."""
    rare: int
    """Rare and attested."""
    planned: int
    """Of those, looked after."""


@dataclass(frozen=True)
class Plan:
    """What is to be done for one language; small, as it goes to all workers."""

    lang: str
    documents: int
    sentences: int
    bytes: int
    bound: int
    """Most sentences of what is rare."""
    byte_budget: int
    """UTF-8 bytes that may be made."""
    sentence_budget: int
    wanted: Mapping[Kind, Wanted]
    census: Mapping[Kind, Census]
    names: Mapping[int, str] = field(default_factory=dict)
    """Of code-switches, by key."""
    absent_cells: int = 0
    """Cells of the lexicon of which no form is in the corpus."""
    rare_forms: frozenset[int] = frozenset()
    """Words of the lexicon, by number, that may take the place of others."""
    unsegmented: int = 0

    @cached_property
    def firsts(self) -> dict[Kind, int]:
        """Wanted phenomena are numbered through, kind after kind: the number of each kind's first."""
        firsts, number = {}, 0
        for kind, wanted in self.wanted.items():
            firsts[kind] = number
            number += len(wanted.keys)
        return firsts

    @property
    def keys(self) -> dict[Kind, UInt64s]:
        """Keys of all that is wanted, by kind."""
        return {kind: wanted.keys for kind, wanted in self.wanted.items()}


def plan(counts: Counts, config: PhenomenaConfig, budget: int | None = None) -> Plan:
    """What is rare in a language, and how much more of it is wanted.

    Args:
        counts: of all its natural training text.
        config: bounds and targets.
        budget: UTF-8 bytes that may be made; they lower ``max_share`` where they are less, and never raise it.
    """
    share = config.max_share if budget is None else min(config.max_share, budget / max(counts.bytes, 1))
    room = share * counts.sentences / config.passage_sentences
    bound = max(int(config.rare_share * counts.sentences), config.few_sentences)
    sources = min(config.min_sources, counts.sources.bit_count())
    wanted: dict[Kind, Wanted] = {}
    census: dict[Kind, Census] = {}
    for kind in KINDS:
        if kind in counts.tallies:
            chosen, census[kind] = _choose(kind, counts.tallies[kind], bound, sources, counts.sentences, room, config)
            if len(chosen.keys):
                wanted[kind] = chosen
    absent, forms = _lexicon(counts, bound, wanted, config)
    return Plan(
        counts.lang,
        counts.documents,
        counts.sentences,
        counts.bytes,
        bound,
        int(share * counts.bytes),
        int(share * counts.sentences),
        wanted,
        census,
        counts.names,
        absent,
        forms,
        counts.unsegmented,
    )


def _choose(
    kind: Kind, found: Tally, bound: int, least_sources: int, sentences: int, room: float, config: PhenomenaConfig
) -> tuple[Wanted, Census]:
    natural = found.sentences.astype(np.int64)
    rare = natural <= bound
    sources = np.bitwise_count(found.sources).astype(np.int64)
    attested = (found.documents >= config.min_documents) & (sources >= least_sources)
    most = np.floor(config.multiple * natural).astype(np.int64)
    rate = bound if config.per_million is None else math.ceil(config.per_million * sentences / 1e6)
    target = np.minimum(most, rate)
    rows = np.flatnonzero(rare & attested & (target > natural))
    keys = found.keys[rows]
    hashes = mix(keys + np.uint64(stable_hash("phenomena", kind, seed=config.seed)))
    rows = rows[np.lexsort((hashes, natural[rows]))[: config.most]]
    served = np.cumsum((target - natural)[rows]) <= room
    served[:1] = True
    rows = np.sort(rows[served])
    census = Census(
        counted=len(natural),
        one_in=1 << found.level,
        common=int((~rare).sum()),
        unattested=int((rare & ~attested).sum()),
        rare=int((rare & attested).sum()),
        planned=len(rows),
    )
    documents = found.documents[rows].astype(np.int64)
    wanted = Wanted(kind, found.keys[rows], natural[rows], documents, sources[rows], target[rows], most[rows])
    return wanted, census


def _lexicon(
    counts: Counts, bound: int, wanted: Mapping[Kind, Wanted], config: PhenomenaConfig
) -> tuple[int, frozenset[int]]:
    """Cells that do not occur at all, and words of wanted cells that are rare or absent."""
    lexicon = lexicon_of(counts.lang, config)
    if lexicon is None:
        return 0, frozenset()
    absent = len(lexicon.cells) - len(counts.tallies.get("inflections", Tally()).keys)
    if not config.lexicon_forms or "inflections" not in wanted:
        return absent, frozenset()
    often = np.zeros(len(lexicon.words), np.bool_)
    often[counts.forms.keys[counts.forms.sentences > bound].astype(np.int64)] = True
    entries = np.isin(lexicon.cell, wanted["inflections"].keys.astype(np.int32))
    words = np.unique(lexicon.word[entries])
    words = words[lexicon.sure[words] & ~often[words]]
    order = np.argsort(mix(lexicon.words[words] + np.uint64(config.seed)), kind="stable")
    return absent, frozenset(words[order[: config.most * config.options]].tolist())
