"""Stop words of every language, found in the corpus itself: words that many sources use, not that one uses often.

Lists made from frequencies alone hold what robots wrote: those of FineWeb-2 for Yoruba name planets and asteroids,
from thousands of encyclopaedia stubs on one site. Here every source has one vote, divided among its documents, so a
word must be among the most frequent of documents of many sources.

What is kept of a language to find them is a sample that merges in any order: the sources with the smallest hashes
(HOSTS of them), and of each the documents with the smallest hashes (PER_HOST), of which only the most frequent words
are known. It holds about 50 kB a language and no more, whatever the size of the corpus. Copies count once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import stable_hash
from pipeline.quality.config import StopWordsConfig

HOSTS: Final = 64
PER_HOST: Final = 8
FEWEST: Final = 3
"""Sources that must use a word for it to be a stop word, whatever share of all they are."""
ENOUGH: Final = 8
"""Repeated words that a document must have to say anything about stop words."""

UInt64s = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class WordSample:
    """Some documents of one language, each array of shape (documents,), ordered by host and document."""

    hosts: UInt64s
    """Hash of the source."""
    documents: UInt64s
    """Hash of the document's words."""
    words: tuple[str, ...]
    """The most frequent words of each, with spaces between."""

    @classmethod
    def of(cls, hosts: UInt64s, words: Sequence[str]) -> WordSample:
        """The sample of some documents, those of few repeated words left out."""
        rows = [row for row, text in enumerate(words) if text.count(" ") >= ENOUGH - 1]
        hashes = np.array([stable_hash("words", words[row]) for row in rows], np.uint64)
        return _smallest(hosts[np.array(rows, np.int64)], hashes, [words[row] for row in rows])

    def __add__(self, other: WordSample) -> WordSample:
        return _smallest(
            np.concatenate((self.hosts, other.hosts)),
            np.concatenate((self.documents, other.documents)),
            [*self.words, *other.words],
        )


def _smallest(hosts: UInt64s, documents: UInt64s, words: Sequence[str]) -> WordSample:
    order = np.lexsort((documents, hosts))
    hosts, documents = hosts[order], documents[order]
    same_host = np.zeros(len(hosts), np.bool_)
    same_host[1:] = hosts[1:] == hosts[:-1]
    new = np.ones(len(hosts), np.bool_)
    new[1:] = ~same_host[1:] | (documents[1:] != documents[:-1])
    order, hosts, documents, same_host = order[new], hosts[new], documents[new], same_host[new]
    begins = np.flatnonzero(~same_host)
    host_number = np.cumsum(~same_host) - 1
    within = np.arange(len(hosts)) - begins[host_number] if len(hosts) else host_number
    kept = (host_number < HOSTS) & (within < PER_HOST)
    return WordSample(hosts[kept], documents[kept], tuple(words[row] for row in order[kept].tolist()))


def stop_words(sample: WordSample, config: StopWordsConfig) -> list[str]:
    """The stop words of a language, the most widely used first; none where too few sources could vote."""
    hosts, counts = np.unique(sample.hosts, return_counts=True)
    if len(hosts) < config.min_sources:
        return []
    weights = (1 / counts / len(hosts))[np.searchsorted(hosts, sample.hosts)]
    votes: Counter[str] = Counter()
    voters: Counter[str] = Counter()
    seen: set[tuple[int, str]] = set()
    for host, weight, words in zip(sample.hosts.tolist(), weights.tolist(), sample.words, strict=True):
        for word in words.split(" "):
            votes[word] += weight
            if (host, word) not in seen:
                seen.add((host, word))
                voters[word] += 1
    wide = [
        (-round(vote, 9), word)
        for word, vote in votes.items()
        if round(vote, 9) >= config.source_share and voters[word] >= FEWEST
    ]
    return [word for _, word in sorted(wide)[: config.most]]


def shares(batch: pa.RecordBatch, lists: Mapping[str, Sequence[str]]) -> npt.NDArray[np.float32]:
    """Which share of each document's most frequent words are stop words of its language.

    Args:
        batch: n rows with ``lang`` and ``top_words``.
        lists: stop words by language.

    Returns:
        n shares; NaN where the language has no list, or the document fewer than ENOUGH repeated words.
    """
    found = np.full(batch.num_rows, np.nan, np.float32)
    known = {lang: frozenset(words) for lang, words in lists.items() if words}
    if not known:
        return found
    judged = pc.greater_equal(pc.count_substring(batch.column("top_words"), " "), ENOUGH - 1)
    rows = np.flatnonzero(judged.fill_null(False).to_numpy(zero_copy_only=False))
    chosen = pa.array(rows)
    languages = batch.column("lang").take(chosen).to_pylist()
    for row, lang, words in zip(rows, languages, batch.column("top_words").take(chosen).to_pylist(), strict=True):
        listed = known.get(lang)
        if listed is not None:
            top = words.split(" ")
            found[row] = sum(word in listed for word in top) / len(top)
    return found
