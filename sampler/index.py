"""Where each document's tokens lie, without copying them.

Token shards are memory-mapped; of each run of up to 1,024 neighbouring documents only two views are kept, the
tokens and their list offsets. Runs are dealt out to chunks at a stride, so that a chunk of eight runs holds
documents from eight places of the language: permuting the chunks and then the documents of each chunk mixes
the whole language, while no array is longer than a chunk has documents or the language has chunks.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import CorpusError
from corpus.hashing import fingerprint
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, read_snapshot
from corpus.schema import RUN_DOCUMENTS
from corpus.shards import open_shard
from corpus.storage import Storage, explain

CHUNK_RUNS = 8

Tokens = NDArray[np.uint16] | NDArray[np.uint32]


class Run(NamedTuple):
    """Neighbouring documents of one shard."""

    tokens: Tokens
    """Tokens of the whole record batch, a view of the mapped file."""
    offsets: NDArray[np.int32]
    """Start of each of the n documents in ``tokens`` and the end of the last, [n + 1]."""
    sizes: NDArray[np.int32]
    """UTF-8 bytes of each document, [n]."""


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
        paths: local token shards, in order.

    Raises:
        CorpusError: a shard is missing or damaged.
    """

    def __init__(self, lang: str, paths: Sequence[Path]) -> None:
        self.lang = lang
        self.runs: list[Run] = []
        for path in paths:
            self.runs.extend(_runs(path))
        self.documents = sum(len(run.sizes) for run in self.runs)
        self.chunks = -(-len(self.runs) // CHUNK_RUNS)
        totals = np.array([int(run.offsets[-1]) - int(run.offsets[0]) + len(run.sizes) for run in self.runs], np.int64)
        self.chunk_tokens = np.array([totals[chunk :: self.chunks].sum() for chunk in range(self.chunks)], np.int64)
        self.tokens = int(totals.sum())

    def chunk(self, index: int) -> Chunk:
        """The documents of one chunk."""
        members = range(index, len(self.runs), self.chunks)
        runs = [self.runs[member] for member in members]
        return Chunk(
            lengths=np.concatenate([np.diff(run.offsets) for run in runs]).astype(np.int64) + 1,
            starts=np.concatenate([run.offsets[:-1] for run in runs]),
            runs=np.repeat(np.array(members, dtype=np.int32), [len(run.sizes) for run in runs]),
            sizes=np.concatenate([run.sizes for run in runs]),
        )


def _runs(path: Path) -> list[Run]:
    runs = []
    reader = open_shard(path)
    for index in range(reader.num_record_batches):
        batch = reader.get_batch(index)
        try:
            lists, sizes = batch.column("tokens"), batch.column("bytes")
            values = lists.values
        except (KeyError, AttributeError) as error:
            raise CorpusError(f"{path} is no token shard: {error}", "Run `evenglot tokenize` again") from error
        if values.type not in (pa.uint16(), pa.uint32()):
            raise CorpusError(f"{path} holds tokens of type {values.type}", "Run `evenglot tokenize` again")
        tokens = values.to_numpy(zero_copy_only=True)
        offsets = lists.offsets.to_numpy(zero_copy_only=True)
        counts = sizes.to_numpy(zero_copy_only=True)
        for start in range(0, len(counts), RUN_DOCUMENTS):
            end = min(start + RUN_DOCUMENTS, len(counts))
            runs.append(Run(tokens, offsets[start : end + 1], counts[start:end]))
    return runs


class TokenCorpus:
    """One snapshot's token shards under one tokenizer and split.

    Opening reads the snapshot alone; a language's shards are mapped when it is first asked for. From an
    object store they are copied into a temporary folder that goes with this object.

    Args:
        root: corpus root, path or URL.
        tokenizer: its name in the snapshot.
        split: ``train`` or ``heldout``.
        snapshot: number; None takes the current one.

    Raises:
        CorpusError: there is no such corpus, snapshot or tokenizer.
    """

    def __init__(self, root: str, tokenizer: str, split: str, snapshot: int | None = None) -> None:
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
        self._folder: tempfile.TemporaryDirectory[str] | None = None
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

    def documents(self, lang: str) -> Documents:
        """The documents of a language.

        Raises:
            CorpusError: its shards are missing, damaged or not what the snapshot says.
        """
        found = self._documents.get(lang)
        if found is None:
            found = Documents(lang, [self._local(file.path) for file in self._files[lang]])
            rows = sum(file.rows for file in self._files[lang])
            if found.documents != rows:
                raise CorpusError(
                    f"the token shards of {lang} hold {found.documents:,} documents, the snapshot says {rows:,}",
                    "Run `evenglot verify` on the corpus to see what is damaged",
                )
            self._documents[lang] = found
        return found

    def _local(self, name: str) -> Path:
        path = self.storage.path(name)
        if self.storage.is_local:
            return Path(path)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="evenglot-tokens-")
        copy = Path(self._folder.name) / name.replace("/", "_")
        if not copy.exists():
            try:
                self.storage.filesystem.get_file(path, str(copy))
            except OSError as error:
                raise CorpusError(f"cannot read {path}: {explain(error)}") from error
        return copy
