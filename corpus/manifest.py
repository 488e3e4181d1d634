"""The manifest and its snapshots: what a corpus consists of, immutable, committed in one step.

``manifest.json`` names the current snapshot; ``snapshots/<n>.json`` describes one. A run writes all its
files first, then its snapshot, then swaps the manifest: one that dies on the way leaves the last snapshot
current and whole. A snapshot holds nothing that differs between two runs over the same input (no clock, no
machine); that goes to ``runs/<n>.json``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError

from corpus.augmentation import Augmentation
from corpus.config import Config
from corpus.errors import CorpusError
from corpus.interrupt import INTERRUPT
from corpus.ledger import Ledger
from corpus.parallel import ParallelText
from corpus.schema import FORMAT_VERSION
from corpus.storage import Storage

FileKind = Literal[
    "text",
    "tokens",
    "rejected",
    "unreadable",
    "tokenizer",
    "index",
    "boilerplate",
    "scores",
    "parallel",
    "parallel_rejected",
]
MANIFEST = "manifest.json"


def _numbers(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _line(numbers: tuple[float, ...]) -> str:
    return " ".join(map(str, numbers))


Numbers = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...],
    BeforeValidator(_numbers),
    PlainSerializer(_line, return_type=str, when_used="json"),
]
"""Whole numbers that JSON holds as one line of text, ``"812 4711"``: ten thousand of them stay one line."""

Quantiles = Annotated[
    tuple[float, ...], BeforeValidator(_numbers), PlainSerializer(_line, return_type=str, when_used="json")
]
"""The least value of documents, quantiles at equal distances and the greatest, as one line of text in JSON."""


class ScoreQuantiles(Config):
    """How the scores of a language's training documents are spread, each document counted once."""

    difficulty: Quantiles = ()
    """Bits per character, see ``pipeline.curriculum``; empty where no document has a score."""
    diversity: Quantiles = ()
    """Rare features relative to the language's mean, which is 1; empty where no document has a score."""


class ShardFile(Config):
    """One file of a snapshot."""

    path: str
    """Relative to the corpus root."""
    kind: FileKind
    lang: str | None = None
    split: str | None = None
    tokenizer: str | None = None
    rows: int = 0
    size: int = 0
    """Bytes on disk."""
    hash: str = ""
    """XXH3-128 of the bytes, hexadecimal."""
    run_tokens: Numbers | None = None
    """Of a token shard, the tokens of each run of ``corpus.schema.RUN_DOCUMENTS`` documents in order, the end of each
    document included; only the last run may have fewer documents. None in snapshots of older versions."""


class LanguageEvidence(Config):
    """What is known of one language's text; the balance is decided from it."""

    documents: int = 0
    """Training documents kept."""
    bytes: int = 0
    """UTF-8 bytes of the training documents."""
    characters: int = 0
    """Code points of the training documents."""
    copies: int = 0
    """Documents the kept training ones stand for, themselves included."""
    synthetic_documents: int = 0
    """Training documents that are not natural."""
    synthetic_bytes: int = 0
    """UTF-8 bytes of those; ``bytes`` holds them too."""
    heldout_documents: int = 0
    heldout_bytes: int = 0
    rejected: int = 0
    """Records of this language that were rejected."""
    tokens: dict[str, int] = Field(default_factory=dict)
    """Training tokens, by tokenizer."""
    synthetic_tokens: dict[str, int] = Field(default_factory=dict)
    """Of ``tokens``, those of documents that are not natural, by tokenizer; absent in snapshots of older versions."""
    fertility: dict[str, float] = Field(default_factory=dict)
    """Tokens per word (per character for scripts without spaces), by tokenizer."""
    bytes_per_token: dict[str, float] = Field(default_factory=dict)
    scores: dict[str, ScoreQuantiles] = Field(default_factory=dict)
    """Quantiles of the scores in the token shards, by tokenizer; absent in snapshots of older versions."""


LimitOrigin = Literal["derived", "strictest", "loosest", "few_documents", "few_sources", "by_hand", "rare_language"]
"""Where a limit of the filters comes from.

derived: the language's own documents. strictest, loosest: they asked for a limit beyond this bound of the recipe.
few_documents: the default, for want of documents. few_sources: the documents come from too few sources to be
trusted: of the default and what they asked for, within the bounds, the one that rejects less. by_hand: the recipe.
rare_language: the probability asked of a language of a handful of documents.
"""


class ThresholdFacts(Config):
    """What the limits of one language rest on; the limits themselves stand in ``Snapshot.thresholds``."""

    documents: int
    """Documents of the language when the limits were set: before any was rejected by them."""
    sources: float
    """Effective number of sources they come from: 1 / Σ (share of each source)², to a tenth."""
    origins: dict[str, LimitOrigin]
    """By limit."""
    measured: dict[str, float] = Field(default_factory=dict)
    """What the documents alone would set, by limit, bounds and sources left aside; absent where too few."""
    stop_words: list[str] = Field(default_factory=list)
    """Stop words that documents were judged by, the most widely used first."""


class Snapshot(Config):
    """One immutable state of a corpus."""

    format_version: int = FORMAT_VERSION
    number: int
    parent: int | None = None
    made_by: Literal["prepare", "tokenize", "augment"]
    goes_on_with: int | None = None
    """The prepared snapshot whose documents this one has as well; None where a run began anew. Of one made by
    ``augment`` the natural one below the synthetic text."""
    languages: dict[str, LanguageEvidence]
    mixtures: dict[str, dict[str, float]]
    """Sampling probability of each language under each named mixture, in documents' bytes."""
    mixture: str
    """The mixture that the records' weights follow."""
    ledger: Ledger
    added: Ledger | None = None
    """Where it goes on with another snapshot, the part of the ledger that is this run's alone."""
    thresholds: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Per language, the bounds that the filters derived from the data."""
    threshold_facts: dict[str, ThresholdFacts] = Field(default_factory=dict)
    """Per language, what those bounds rest on and where each comes from; empty in snapshots of older versions."""
    identifier: dict[str, Any] = Field(default_factory=dict)
    """The language-identification model: name, hash, licence, labels."""
    tokenizers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Per tokenizer name: vocabulary size, path and hash of its model, special ids."""
    parallel: dict[str, ParallelText] = Field(default_factory=dict)
    """Per tokenizer name: what there is of parallel text."""
    augmentation: Augmentation | None = None
    """What is known of its synthetic text; None where it has none."""
    recipe: dict[str, Any] = Field(default_factory=dict)
    """The whole resolved recipe of the run."""
    fingerprint: str = ""
    """Hash of recipe, code version and inputs."""
    warnings: list[str] = Field(default_factory=list)
    files: list[ShardFile]

    def select(
        self,
        kind: FileKind,
        *,
        lang: str | None = None,
        split: str | None = None,
        tokenizer: str | None = None,
    ) -> list[ShardFile]:
        """Files of one kind, narrowed by language, split and tokenizer, in the order of their paths."""
        chosen = [
            file
            for file in self.files
            if file.kind == kind
            and (lang is None or file.lang == lang)
            and (split is None or file.split == split)
            and (tokenizer is None or file.tokenizer == tokenizer)
        ]
        return sorted(chosen, key=lambda file: file.path)

    def natural_text(self, *, lang: str | None = None, split: str | None = None) -> list[ShardFile]:
        """Text shards without those of synthetic documents, narrowed by language and split, in the order of paths."""
        made = set() if self.augmentation is None else set(self.augmentation.shards)
        return [file for file in self.select("text", lang=lang, split=split) if file.path not in made]


def current_number(storage: Storage) -> int | None:
    """The number of the current snapshot, or None where no run has been committed yet.

    Raises:
        CorpusError: the manifest is damaged or written by a newer version.
    """
    if not storage.exists(MANIFEST):
        return None
    try:
        manifest = json.loads(storage.read_bytes(MANIFEST))
        version, number = int(manifest["format_version"]), int(manifest["current"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{storage.path(MANIFEST)} is damaged: {error}") from error
    if version > FORMAT_VERSION:
        raise CorpusError(
            f"{storage.url} has corpus format {version}, this evenglot reads up to {FORMAT_VERSION}",
            "Upgrade evenglot",
        )
    return number


def read_snapshot(root: Storage | str, number: int | None = None) -> Snapshot:
    """A snapshot of a corpus, the current one unless a number is given.

    Raises:
        CorpusError: there is no corpus at that place, no such snapshot, or it is damaged.
    """
    storage = root if isinstance(root, Storage) else Storage(root)
    chosen = current_number(storage) if number is None else number
    if chosen is None:
        raise CorpusError(
            f"{storage.url} holds no corpus (no {MANIFEST})",
            "Make one with `evenglot prepare --input FILES --output DIR`, or correct the path",
        )
    name = f"snapshots/{chosen:06d}.json"
    if not storage.exists(name):
        raise CorpusError(f"{storage.url} has no snapshot {chosen}")
    try:
        return Snapshot.model_validate_json(storage.read_bytes(name))
    except ValidationError as error:
        raise CorpusError(f"{storage.path(name)} is damaged: {error.error_count()} fields are wrong") from error


def commit(storage: Storage, snapshot: Snapshot, run: dict[str, Any]) -> None:
    """Make a snapshot current.

    Args:
        storage: the corpus.
        snapshot: the new state; all its files are already written.
        run: what belongs to this run alone (times, machine, counters), kept in ``runs/<n>.json``.

    Raises:
        LedgerError: its ledger does not close.
        CorpusError: another run has committed meanwhile.
        KeyboardInterrupt: Ctrl-C was pressed, and the run has come here all the same.
    """
    snapshot.ledger.check()
    now = current_number(storage)
    if now != snapshot.parent:
        raise CorpusError(
            f"another run committed snapshot {now} to {storage.url} meanwhile", "Run the same command again"
        )
    text = json.dumps(snapshot.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    storage.write_bytes(f"snapshots/{snapshot.number:06d}.json", text.encode())
    storage.write_bytes(f"runs/{snapshot.number:06d}.json", (json.dumps(run, indent=1, sort_keys=True) + "\n").encode())
    manifest = {"format_version": FORMAT_VERSION, "current": snapshot.number}
    INTERRUPT.check()
    storage.write_bytes(MANIFEST, (json.dumps(manifest) + "\n").encode())
