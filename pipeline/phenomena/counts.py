"""Counting a language: record batches in, counts of bounded size out, which add up in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.schema import NATURAL, TRAIN
from pipeline.curriculum.features import read_features
from pipeline.phenomena.config import KINDS, Kind, PhenomenaConfig
from pipeline.phenomena.lexicon import Lexicon, read_lexicon
from pipeline.phenomena.observe import observe, switches
from pipeline.phenomena.sentences import read_sentences
from pipeline.phenomena.tally import SOURCES, Tally, tally
from pipeline.quality.sources import hashes, sources

NEEDED = ("id", "text", "lang", "split", "origin")
"""Columns of a text shard without which nothing can be chosen."""
MOST = 1 << 21
"""Features of the kinds that are few by nature: code points, cells, pairs of languages."""


@dataclass(frozen=True)
class Counts:
    """What is in a language's natural training text."""

    lang: str
    documents: int = 0
    sentences: int = 0
    bytes: int = 0
    """UTF-8."""
    sources: int = 0
    """A bit for each bucket of sources."""
    tallies: Mapping[Kind, Tally] = field(default_factory=dict)
    forms: Tally = field(default_factory=Tally)
    """Words of the lexicon, by number; only where its forms are wanted."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Of code-switches, by key."""
    unsegmented: int = 0
    """Documents said to hold other languages of which no segments are known, so that no switch can be seen."""

    def merge(self, other: Counts, config: PhenomenaConfig) -> Counts:
        """The counts of other documents of the same language together."""
        if self.lang != other.lang:
            raise ValueError(f"counts of {self.lang} and {other.lang} do not add up")
        tallies = {
            kind: self.tallies.get(kind, Tally()).merge(other.tallies.get(kind, Tally()), limit(kind, config))
            for kind in KINDS
            if kind in self.tallies or kind in other.tallies
        }
        return Counts(
            self.lang,
            self.documents + other.documents,
            self.sentences + other.sentences,
            self.bytes + other.bytes,
            self.sources | other.sources,
            tallies,
            self.forms.merge(other.forms, MOST),
            dict(sorted({**self.names, **other.names}.items())),
            self.unsegmented + other.unsegmented,
        )


def limit(kind: Kind, config: PhenomenaConfig) -> int:
    """Most features of a kind that are counted."""
    return config.table if kind == "ngrams" else MOST


def natural(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Rows of a batch that may be used: natural text for training. Held-out text is never looked at.

    Raises:
        CorpusError: the batch lacks a column that tells.
    """
    missing = [name for name in NEEDED if batch.schema.get_field_index(name) < 0]
    if missing:
        raise CorpusError(f"a batch of text lacks the columns {', '.join(missing)}", "give batches of text shards")
    split, origin = batch.column("split").cast(pa.string()), batch.column("origin").cast(pa.string())
    usable = pc.and_(pc.equal(split, TRAIN), pc.equal(origin, NATURAL))
    return np.flatnonzero(usable.fill_null(False).to_numpy(zero_copy_only=False))


def lexicon_of(lang: str, config: PhenomenaConfig) -> Lexicon | None:
    """The lexicon of a language, where inflections are wanted and there is one."""
    path = config.lexicons.get(lang)
    return read_lexicon(path) if path is not None and config.inflections else None


def count(batch: pa.RecordBatch, lang: str, config: PhenomenaConfig) -> Counts:
    """Count one batch.

    Args:
        batch: n records of one language, as text shards have them.
        lang: the language.
        config: what is counted.
    """
    batch = batch.take(pa.array(natural(batch)))
    if not batch.num_rows:
        return Counts(lang)
    texts = batch.column("text").to_pylist()
    sentences = read_sentences(texts, lang)
    lexicon = lexicon_of(lang, config)
    origins = hashes(sources(batch))
    tallies: dict[Kind, Tally] = {}
    for kind, seen in observe(sentences.texts, lang, config.kinds(), lexicon).items():
        tallies[kind] = tally(seen.keys, seen.first, sentences.documents, origins, limit(kind, config))
    names: dict[int, str] = {}
    unsegmented = 0
    if config.switches and batch.schema.get_field_index("segments") >= 0:
        segments = batch.column("segments").to_pylist()
        seen, names = switches(segments, sentences)
        tallies["switches"] = tally(seen.keys, seen.first, sentences.documents, origins, MOST)
        if batch.schema.get_field_index("code_switching") >= 0:
            shares = batch.column("code_switching").to_pylist()
            unsegmented = sum(bool(share) and not parts for share, parts in zip(shares, segments, strict=True))
    forms = Tally()
    if lexicon is not None and config.lexicon_forms:
        forms = _forms(sentences.texts, sentences.documents, origins, lexicon)
    return Counts(
        lang,
        batch.num_rows,
        len(sentences.texts),
        sum(len(text.encode("utf-8", "surrogatepass")) for text in texts),
        int(np.bitwise_or.reduce(np.uint64(1) << origins % np.uint64(SOURCES))),
        tallies,
        forms,
        names,
        unsegmented,
    )


def _forms(
    texts: pa.Array, documents: npt.NDArray[np.int64], origins: npt.NDArray[np.uint64], lexicon: Lexicon
) -> Tally:
    """The words of the lexicon that occur."""
    keys, rows = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for found in read_features(texts):
        numbers = lexicon.find(found.words.hashes)
        known = numbers >= 0
        keys.append(numbers[known].astype(np.uint64))
        rows.append(found.first + found.words.owners[known])
    return tally(np.concatenate(keys), np.concatenate(rows), documents, origins, MOST)
