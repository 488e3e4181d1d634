"""Parallel text as pairs of sentences in chosen directions, cut into training, development and test parts.

Files, rules and the choice of what is held out are those of ``tokenize --parallel``; nothing is encoded here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from corpus.hashing import fingerprint, stable_hash
from corpus.ledger import sort
from corpus.manifest import read_snapshot
from corpus.storage import Storage
from corpus.translations import SentencePair, direction_name
from pipeline.parallel.batches import Batch, batches
from pipeline.parallel.config import ParallelConfig
from pipeline.parallel.documents import KnownText, heldout_documents
from pipeline.parallel.read import find_files
from pipeline.parallel.rules import REASONS, Found, judge
from pipeline.parallel.survey import repeated, survey

Part = Literal["train", "dev", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "dev", "test")
_DEV: Final = frozenset({"dev", "valid", "validation", "development", "devtest"})
"""What sources call the part to choose by; any other that is not ``train`` is a test."""


class ParallelPairs(NamedTuple):
    """Pairs of all files, in their order."""

    parts: dict[Part, list[SentencePair]]
    digest: str
    """Of what was read: files, and what was asked of them."""
    read: int
    """Sentences in the languages asked for, and broken lines."""
    kept: dict[str, int]
    """Language -> sentences that may be in a pair."""
    left_out: dict[str, dict[str, int]]
    """Reason -> language -> sentences, as the rules of ``pipeline.parallel.rules`` judged them."""
    unreadable: dict[str, int]
    """Reason -> lines."""
    sources: tuple[str, ...]
    """Names of the inputs that gave pairs."""

    def counts(self) -> dict[str, dict[str, int]]:
        """Part -> direction -> pairs."""
        return {part: sort(Counter(direction_name(pair.direction) for pair in self.parts[part])) for part in PARTS}


def read_pairs(
    config: ParallelConfig,
    directions: Sequence[tuple[str, str]],
    *,
    dev_share: float,
    seed: int = 0,
    corpus: str | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> ParallelPairs:
    """Read the sentence pairs of some directions.

    Args:
        config: the recipe's section: files and rules.
        directions: (source, target) tags.
        dev_share: of the documents whose split no file says, for development; ``heldout_share`` of them are test.
        seed: of that choice.
        corpus: root of a corpus, sentences of whose held-out documents must not be trained on; None for none.
        progress: called as the work goes on.

    Raises:
        CorpusError: there is no such corpus.
        InputError: a file is missing, or of an unknown form.
    """
    languages = {tag for direction in directions for tag in direction}
    share = min(config.heldout_share + dev_share, 1.0)
    files = find_files(config.inputs)
    found = survey(files, share, seed, languages=languages, progress=progress)
    documents = _heldout_documents(corpus, config, found.languages)
    parts: dict[Part, list[SentencePair]] = {part: [] for part in PARTS}
    left_out: dict[str, Counter[str]] = {}
    unreadable: Counter[str] = Counter()
    seen: set[int] = set()
    kept: Counter[str] = Counter()
    sources: dict[str, None] = {}
    read = 0
    for number, file in enumerate(files):
        progress("parallel text: judge", number, len(files))
        for batch in batches(file, share, seed, languages=languages):
            read += batch.read
            unreadable.update(broken.reason for broken in batch.broken)
            sentences = batch.sentences
            if not len(sentences.groups):
                continue
            known = np.zeros(len(sentences.groups), bool) if documents is None else documents.contain(sentences.texts)
            facts = Found(found.offsets, found.heldout_keys, repeated(batch, seen), known)
            reasons = judge(sentences, facts, config.max_length_ratio, config.max_bytes)
            tags: list[str] = sentences.langs.to_pylist()
            for place in np.flatnonzero(reasons >= 0).tolist():
                left_out.setdefault(REASONS[reasons[place]], Counter())[tags[place]] += 1
            kept.update(tags[place] for place in np.flatnonzero(reasons < 0).tolist())
            if (reasons < 0).any():
                sources[file.source] = None
            _add(parts, batch, reasons < 0, directions, config.heldout_share, seed)
    progress("parallel text: judge", len(files), len(files))
    digest = fingerprint([found.digests, sorted(directions), config.model_dump(mode="json", exclude={"inputs"})])
    counted = {reason: sort(left_out[reason]) for reason in sorted(left_out)}
    return ParallelPairs(parts, digest, read, sort(kept), counted, sort(unreadable), tuple(sources))


def part_of(split: str | None, document: str, heldout_share: float, heldout: bool, seed: int) -> Part:
    """The part that a group is of: as its source says, else by the hash that decides what is held out.

    Args:
        split: as the source says, if it does.
        document: what is held out whole or not at all.
        heldout_share: of the documents, for tests.
        heldout: whether it is in development or test.
        seed: of the choice.
    """
    if not heldout:
        return "train"
    if split is not None:
        return "dev" if split.casefold() in _DEV else "test"
    return "test" if stable_hash("parallel heldout", document, seed=seed) < heldout_share * 2.0**64 else "dev"


def _add(
    parts: dict[Part, list[SentencePair]],
    batch: Batch,
    kept: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    directions: Sequence[tuple[str, str]],
    heldout_share: float,
    seed: int,
) -> None:
    chosen = np.flatnonzero(kept)
    owners = batch.sentences.groups[chosen].tolist()
    tags = batch.sentences.langs.take(pa.array(chosen)).to_pylist()
    texts = batch.sentences.texts.take(pa.array(chosen)).to_pylist()
    heldout = batch.sentences.heldout[chosen].tolist()
    groups: dict[int, dict[str, str]] = {}
    held: dict[int, bool] = {}
    for owner, tag, text, is_held in zip(owners, tags, texts, heldout, strict=True):
        # A sentence is one line to a translator, however its source had broken it.
        groups.setdefault(owner, {})[tag] = " ".join(text.split())
        held[owner] = is_held
    for owner, sides in groups.items():
        part = part_of(batch.records[owner].split, batch.documents[owner], heldout_share, held[owner], seed)
        parts[part] += [SentencePair(s, t, sides[s], sides[t]) for s, t in directions if s in sides and t in sides]


def _heldout_documents(root: str | None, config: ParallelConfig, languages: Sequence[str]) -> KnownText | None:
    if root is None:
        return None
    storage = Storage(root)
    return heldout_documents(storage, read_snapshot(storage), languages, config.overlap_words)
