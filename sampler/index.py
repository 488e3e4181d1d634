"""Where each document's tokens lie, without copying them.

A language's runs of up to 1,024 neighbouring documents are dealt out to chunks at a stride, so that a chunk of
eight runs holds documents from eight places of the language: permuting the chunks and then the documents of each
chunk mixes the whole language, while no array is longer than a chunk has documents or the language has runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CorpusError
from corpus.hashing import fingerprint
from corpus.manifest import LanguageEvidence, ScoreQuantiles, ShardFile, Snapshot, read_snapshot
from corpus.schema import TRAIN
from corpus.storage import Storage
from sampler.cache import PieceCache
from sampler.config import CacheConfig
from sampler.remote import RemoteBatches
from sampler.runs import Batches, MappedBatches, Run, RunCache, open_run, places

CHUNK_RUNS = 8


class Chunk(NamedTuple):
    """Documents that are permuted together; n of them, in the order they lie on disk."""

    lengths: NDArray[np.int64]
    """Tokens of each document in a row, the piece that begins it included, [n]."""
    starts: NDArray[np.int32]
    """Start of each document in its run's tokens, [n]."""
    runs: NDArray[np.int32]
    """Index of each document's run, [n]."""
    sizes: NDArray[np.int32]
    """UTF-8 bytes of each document, [n]."""


class Documents:
    """The tokenised documents of one language and split.

    A document counts one token more than its shard holds: rows begin each document with the tokenizer's
    ``<s>``, so that its first own token can be predicted.

    Args:
        lang: tag, for messages.
        files: token shards, in order.
        batches: where their record batches come from.
        cache: runs in use, of all languages.
        scores: quantiles of the documents' scores, where the snapshot knows them.

    Raises:
        CorpusError: a shard had to be read and is missing or damaged.
    """

    def __init__(
        self,
        lang: str,
        files: Sequence[ShardFile],
        batches: Batches,
        cache: RunCache,
        scores: ScoreQuantiles | None = None,
    ) -> None:
        self.lang = lang
        self.scores = scores or ScoreQuantiles()
        self._files = files
        self._batches = batches
        self._cache = cache
        self._places = [places(file, batches) for file in files]
        self._ends = np.cumsum([len(where.tokens) for where in self._places])
        self._open: dict[int, Run] = {}
        self.count = int(self._ends[-1]) if files else 0
        """Runs."""
        self.run_documents: NDArray[np.int32] = np.concatenate([where.documents for where in self._places])
        """Documents of each run, [count]."""
        totals = np.concatenate([where.tokens for where in self._places]) + self.run_documents
        self.documents = int(self.run_documents.sum(dtype=np.int64))
        self.chunks = -(-self.count // CHUNK_RUNS)
        self.chunk_tokens = np.array([totals[chunk :: self.chunks].sum() for chunk in range(self.chunks)], np.int64)
        self.tokens = int(totals.sum())

    def run(self, index: int, names: tuple[str, ...] = (), keep: bool = True) -> Run:
        """A run, opened if it is not.

        Args:
            index: from 0.
            names: of ``corpus.schema.TOKEN_ATTRIBUTES``, those that are wanted beside the tokens.
            keep: keep it open, as far as the cache allows; False for a look at many runs in turn.

        Raises:
            CorpusError: its shard is missing, damaged, without such a column, or not what the manifest says.
        """
        run = self._open.get(index)
        if run is None or not (names == () or run.columns.keys() >= set(names)):
            shard, place = self._where(index)
            run = open_run(self._files[shard], self._batches, self._places[shard], place, names)
            if keep:
                self._cache.put(self._open, index, run)
        return run

    def prefetch(self, runs: Sequence[int] | range) -> None:
        """Say that these runs will be used soon."""
        for index in runs if self._batches.ahead else ():
            if index not in self._open:
                shard, place = self._where(index)
                self._batches.prefetch(self._files[shard], int(self._places[shard].batches[place]))

    def members(self, chunk: int, chunks: int | None = None) -> range:
        """The runs of a chunk, where the language is dealt out to so many chunks."""
        return range(chunk, self.count, chunks or self.chunks)

    def chunk(self, index: int) -> Chunk:
        """The documents of one chunk."""
        members = self.members(index)
        self.prefetch(members)
        runs = [self.run(member) for member in members]
        return Chunk(
            lengths=np.concatenate([np.diff(run.offsets) for run in runs]).astype(np.int64) + 1,
            starts=np.concatenate([run.offsets[:-1] for run in runs]),
            runs=np.repeat(np.array(members, dtype=np.int32), [len(run.sizes) for run in runs]),
            sizes=np.concatenate([run.sizes for run in runs]),
        )

    def _where(self, index: int) -> tuple[int, int]:
        shard = int(self._ends.searchsorted(index, "right"))
        return shard, index - (int(self._ends[shard - 1]) if shard else 0)


class TokenCorpus:
    """One snapshot's token shards under one tokenizer and split.

    Opening reads the snapshot alone, and so does a language where the snapshot counts the tokens of its runs; shards
    are opened when their documents are first used.

    Args:
        root: corpus root, path or URL.
        tokenizer: its name in the snapshot.
        split: ``train`` or ``heldout``.
        snapshot: number; None takes the current one.
        cache: of what is read from an object store; None takes the defaults.

    Raises:
        CorpusError: there is no such corpus, snapshot or tokenizer.
    """

    def __init__(
        self, root: str, tokenizer: str, split: str, snapshot: int | None = None, cache: CacheConfig | None = None
    ) -> None:
        self.storage = Storage(root)
        self.snapshot: Snapshot = read_snapshot(self.storage, snapshot)
        self.tokenizer = tokenizer
        self.split = split
        described = self.snapshot.tokenizers.get(tokenizer)
        if described is None:
            known = ", ".join(sorted(self.snapshot.tokenizers)) or "none"
            raise CorpusError(
                f"snapshot {self.snapshot.number} of {root} has no tokens of tokenizer '{tokenizer}' (it has {known})",
                "Run `evenglot tokenize` on the corpus, or correct the tokenizer's name",
            )
        self.described: dict[str, Any] = described
        self._files: dict[str, list[ShardFile]] = {}
        for file in self.snapshot.files:
            if file.kind == "tokens" and file.tokenizer == tokenizer and file.split == split and file.rows:
                self._files.setdefault(str(file.lang), []).append(file)
        for files in self._files.values():
            files.sort(key=lambda file: file.path)
        settings = CacheConfig() if cache is None else cache
        self.kept = None if settings.folder is None else PieceCache(settings.folder, settings.bytes)
        """The folder that outlives the process and is shared with others, where one is given."""
        self._batches: Batches
        if self.storage.is_local:
            self._batches = MappedBatches(Path(self.storage.path()))
            self._runs = RunCache()
        else:
            self._batches = RemoteBatches(root, self.kept or PieceCache(None, settings.bytes))
            # A map keeps the bytes of a piece that was removed from the cache meanwhile.
            self._runs = RunCache(room=settings.bytes // 4)
        self._documents: dict[str, Documents] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags with tokens, sorted."""
        return tuple(sorted(self._files))

    def special(self, name: str) -> int:
        """The id of a special piece: pad, unk, bos, eos or mask.

        Raises:
            CorpusError: the tokenizer has none of that name.
        """
        try:
            return int(self.described["special"][name])
        except (KeyError, TypeError, ValueError) as error:
            raise CorpusError(
                f"tokenizer '{self.tokenizer}' has no special piece '{name}'", "Run `evenglot tokenize` again"
            ) from error

    def sizes(self) -> dict[str, int]:
        """Tokens of each language in rows, one for the beginning of each document included (training split).

        Raises:
            CorpusError: the evidence does not count a language's tokens.
        """
        sizes = {}
        for lang in self.languages:
            evidence = self.snapshot.languages.get(lang, LanguageEvidence())
            if self.tokenizer not in evidence.tokens:
                raise CorpusError(
                    f"snapshot {self.snapshot.number} does not count {lang} in tokens of '{self.tokenizer}'",
                    "Run `evenglot tokenize` again",
                )
            sizes[lang] = evidence.tokens[self.tokenizer] + sum(file.rows for file in self._files[lang])
        return sizes

    def fingerprint(self, languages: Sequence[str]) -> str:
        """Hash of the token files of some languages: equal fingerprints, equal rows."""
        files = [[file.path, file.rows, file.hash] for lang in languages for file in self._files[lang]]
        return fingerprint([json.dumps(self.described.get("fingerprint")), files])

    def scores(self, lang: str) -> ScoreQuantiles:
        """Quantiles of the scores of a language's documents, empty where the snapshot does not know them."""
        evidence = self.snapshot.languages.get(lang, LanguageEvidence())
        found = evidence.scores.get(self.tokenizer) if self.split == TRAIN else None
        return found or ScoreQuantiles()

    def documents(self, lang: str) -> Documents:
        """The documents of a language.

        Raises:
            CorpusError: its shards are missing, damaged or not what the snapshot says.
        """
        found = self._documents.get(lang)
        if found is None:
            found = Documents(lang, self._files[lang], self._batches, self._runs, self.scores(lang))
            rows = sum(file.rows for file in self._files[lang])
            if found.documents != rows:
                raise CorpusError(
                    f"the token shards of {lang} hold {found.documents:,} documents, the snapshot says {rows:,}",
                    "Run `evenglot verify` on the corpus to see what is damaged",
                )
            self._documents[lang] = found
        return found
