"""Finding passages in a batch: sentences with wanted phenomena, their neighbours, and hosts to insert them into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.hashing import stable_hash
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.counts import lexicon_of, natural
from pipeline.phenomena.forms import Replaced, replace
from pipeline.phenomena.lexicon import Lexicon
from pipeline.phenomena.observe import Measures, Seen, measure, observe, select, switches
from pipeline.phenomena.passages import CARRIER, HOST, keep, passages_batch
from pipeline.phenomena.plan import Plan
from pipeline.phenomena.sentences import Int64s, Sentences, read_sentences

LETTERS: Final = 0.5
"""Share of the visible characters of a sentence that must be letters of the language."""

Row = dict[str, Any]


def carriers(
    batch: pa.RecordBatch, plan: Plan, config: PhenomenaConfig, file: str = "", first_row: int = 0
) -> pa.RecordBatch:
    """The passages of one batch that may be used.

    Args:
        batch: n records of the plan's language, as text shards have them.
        plan: what is wanted.
        config: lengths, and how many passages are kept.
        file: the shard they are from.
        first_row: row of the batch's first record in it.

    Returns:
        PASSAGE_SCHEMA, in the order of ``order``.
    """
    rows = natural(batch)
    if not len(rows) or not plan.wanted:
        return passages_batch([])
    batch = batch.take(pa.array(rows))
    texts = batch.column("text").to_pylist()
    sentences = read_sentences(texts, plan.lang)
    found = _Batch(batch, texts, sentences, plan, config, lexicon_of(plan.lang, config))
    passages = [*found.carriers(), *found.hosts()]
    for passage in passages:
        passage["file"], passage["offset"] = file, first_row + int(rows[passage["offset"]])
    return keep([passages_batch(passages)], config)


@dataclass(frozen=True)
class _Hits:
    """Occurrences of wanted phenomena; h of them, [h] each."""

    phenomena: Int64s
    """Numbers in the plan."""
    first: Int64s
    """Sentences."""
    last: Int64s

    @staticmethod
    def of(seen: dict[Any, Seen], plan: Plan) -> _Hits:
        """Different ones, in the order of their sentences."""
        parts = [np.empty((0, 3), np.int64)]
        for kind, places, first, last in select(seen, plan.keys):
            parts.append(np.stack([first, last, plan.firsts[kind] + places], axis=1))
        unique = np.unique(np.concatenate(parts), axis=0)
        return _Hits(unique[:, 2], unique[:, 0], unique[:, 1])


@dataclass(frozen=True)
class _Batch:
    batch: pa.RecordBatch
    texts: list[str]
    sentences: Sentences
    plan: Plan
    config: PhenomenaConfig
    lexicon: Lexicon | None

    @cached_property
    def ids(self) -> list[str]:
        return [str(found) for found in self.batch.column("id").to_pylist()]

    @cached_property
    def usable(self) -> npt.NDArray[np.bool_]:
        """[s] sentences that are neither too short, nor too long, nor something else than language."""
        sizes = self.sentences.stops - self.sentences.starts
        return self.joins & (sizes >= self.config.shortest)

    @cached_property
    def joins(self) -> npt.NDArray[np.bool_]:
        """[s] sentences that may stand beside such ones."""
        sizes = self.sentences.stops - self.sentences.starts
        letters: npt.NDArray[np.bool_] = self._measures.letters >= LETTERS
        return letters & (sizes <= self.config.longest)

    @cached_property
    def _measures(self) -> Measures:
        return measure(self.sentences.texts, self.plan.lang)

    @cached_property
    def _switches(self) -> Seen | None:
        if "switches" not in self.plan.wanted:
            return None
        return switches(self.batch.column("segments").to_pylist(), self.sentences)[0]

    @cached_property
    def hits(self) -> _Hits:
        """All that would be counted."""
        kinds = [kind for kind in self.plan.wanted if kind != "switches"]
        seen = observe(self.sentences.texts, self.plan.lang, kinds, self.lexicon)
        if self._switches is not None:
            seen["switches"] = self._switches
        return _Hits.of(seen, self.plan)

    @cached_property
    def cores(self) -> _Hits:
        """What a passage may be chosen for: of inflections those of which there is no doubt."""
        if "inflections" not in self.plan.wanted:
            return self.hits
        seen = observe(self.sentences.texts, self.plan.lang, ["inflections"], self.lexicon, sure=True)
        sure = _Hits.of(seen, self.plan)
        low = self.plan.firsts["inflections"]
        high = low + len(self.plan.wanted["inflections"].keys)
        others = (self.hits.phenomena < low) | (self.hits.phenomena >= high)
        return _Hits(
            np.concatenate([self.hits.phenomena[others], sure.phenomena]),
            np.concatenate([self.hits.first[others], sure.first]),
            np.concatenate([self.hits.last[others], sure.last]),
        )

    def carriers(self) -> Iterator[Row]:
        """Of each phenomenon the sentences with the smallest hashes, with their neighbours."""
        cores = self.cores
        spans, which = np.unique(np.stack([cores.first, cores.last], axis=1), axis=0, return_inverse=True)
        which = which.reshape(-1)
        fits = np.array([bool(self.usable[a : b + 1].all()) for a, b in spans.tolist()], np.bool_)
        orders = np.zeros(len(spans), np.uint64)
        for span in np.flatnonzero(fits).tolist():
            orders[span] = self._order("carrier", *spans[span].tolist())
        hits = np.flatnonzero(fits[which])
        sorting = hits[np.lexsort((orders[which[hits]], cores.phenomena[hits]))]
        phenomena = cores.phenomena[sorting]
        rank = np.arange(len(sorting)) - np.searchsorted(phenomena, phenomena)
        by_span = np.argsort(which, kind="stable")
        bounds = np.searchsorted(which[by_span], np.arange(len(spans) + 1)).tolist()
        for span in np.unique(which[sorting[rank < self.config.options]]).tolist():
            first, last = spans[span].tolist()
            core = sorted(cores.phenomena[by_span[bounds[span] : bounds[span + 1]]].tolist())
            yield self._carrier(first, last, core, int(orders[span]))
        yield from self._variants()

    def _variants(self) -> Iterator[Row]:
        """Sentences with a rare form of the lexicon in the place of a word of a wanted cell, for each cell as many."""
        if self.lexicon is None or not self.plan.rare_forms:
            return
        cores, low = self.cores, self.plan.firsts["inflections"]
        for row, cell in enumerate(self.plan.wanted["inflections"].keys.tolist()):
            places = cores.first[cores.phenomena == low + row].tolist()
            ordered = sorted(
                (self._order(f"variant {cell}", place, place), place) for place in places if self.usable[place]
            )
            made = 0
            for order, place in ordered:
                if made == self.config.options:
                    break
                sentence = self.sentences.texts[place].as_py()
                found = replace(sentence, [cell], self.lexicon, self.plan.rare_forms, order)
                if found is not None:
                    made += 1
                    yield self._changed(place, low + row, order, found)

    def hosts(self) -> Iterator[Row]:
        """Runs of usable sentences without anything that is wanted, those with the smallest hashes."""
        size = self.config.host_size
        carrying = np.zeros(len(self.usable), np.bool_)
        carrying[self.hits.first] = carrying[self.hits.last] = True
        found = []
        for document in range(len(self.texts)):
            begin, end = self.sentences.bounds[document : document + 2].tolist()
            found += [
                (self._order("host", first, first + size - 1), first)
                for first in range(begin, end - size + 1, size)
                if self.usable[first : first + size].all() and not carrying[first : first + size].any()
            ]
        for order, first in sorted(found)[: self.config.hosts]:
            yield self._host(first, first + size - 1, order)

    def _order(self, role: str, first: int, last: int) -> int:
        document = int(self.sentences.documents[first])
        begin = int(self.sentences.bounds[document])
        return stable_hash("phenomena", role, self.ids[document], first - begin, last - begin, seed=self.config.seed)

    def _carrier(self, first: int, last: int, core: list[int], order: int) -> Row:
        document = int(self.sentences.documents[first])
        low, high = self._window(first, last)
        return self._row(CARRIER, document, low, high, order, core)

    def _window(self, first: int, last: int) -> tuple[int, int]:
        """First and last sentence of a carrier with its neighbours."""
        begin, end = self.sentences.bounds[self.sentences.documents[first] :][:2].tolist()
        context = self.config.context if self.config.mode == "oversample" else 0
        low, high = first, last
        while low > max(begin, first - context) and self.joins[low - 1]:
            low -= 1
        while high < min(end - 1, last + context) and self.joins[high + 1]:
            high += 1
        return low, high

    def _changed(self, place: int, phenomenon: int, order: int, variant: Replaced) -> Row:
        """A carrier of which one sentence is another, and what is in it then."""
        row = self._carrier(place, place, [phenomenon], order)
        low, high = self._window(place, place)
        left, start = self.sentences.starts[[low, place]].tolist()
        stop, right = self.sentences.stops[[place, high]].tolist()
        text = self.texts[int(self.sentences.documents[place])]
        row["text"] = text[left:start] + variant.sentence + text[stop:right]
        row["replaced"] = [variant.word, variant.form, variant.cell]
        pieces = self._pieces(low, high)
        pieces[place - low] = variant.sentence
        kinds = [kind for kind in self.plan.wanted if kind != "switches"]
        seen = observe(pa.array(pieces, pa.large_string()), self.plan.lang, kinds, self.lexicon)
        numbers, counts = np.unique(_Hits.of(seen, self.plan).phenomena, return_counts=True)
        row["phenomena"], row["counts"] = numbers.tolist(), counts.tolist()
        return row

    def _host(self, first: int, last: int, order: int) -> Row:
        document = int(self.sentences.documents[first])
        row = self._row(HOST, document, first, last, order, [])
        if first == last:
            return row
        middle = (first + last) // 2
        left = int(self.sentences.starts[first])
        stop, start = int(self.sentences.stops[middle]), int(self.sentences.starts[middle + 1])
        gap = self.texts[document][stop:start]
        row["cut"], row["gap"] = stop - left, gap if not gap.strip() else " "
        return row

    def _row(self, role: str, document: int, low: int, high: int, order: int, core: list[int]) -> Row:
        start, stop = int(self.sentences.starts[low]), int(self.sentences.stops[high])
        begin = int(self.sentences.bounds[document])
        inside = slice(*np.searchsorted(self.hits.first, [low, high + 1]).tolist())
        whole = self.hits.last[inside] <= high
        numbers, counts = np.unique(self.hits.phenomena[inside][whole], return_counts=True)
        return {
            "order": order,
            "role": role,
            "document": self.ids[document],
            "source": str(self.batch.column("source")[document]) if "source" in self.batch.schema.names else "",
            "file": "",
            "offset": document,
            "first": low - begin,
            "text": self.texts[document][start:stop],
            "cut": 0,
            "gap": "",
            "words": self._measures.words[low : high + 1].tolist(),
            "sentences": [stable_hash(" ".join(piece.split())) for piece in self._pieces(low, high)],
            "core": core,
            "phenomena": numbers.tolist(),
            "counts": counts.tolist(),
            "replaced": [],
        }  # fmt: skip

    def _pieces(self, low: int, high: int) -> list[str]:
        return [piece.as_py() for piece in self.sentences.texts[low : high + 1]]
