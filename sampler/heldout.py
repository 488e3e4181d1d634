"""Held-out rows, laid out so that bits per byte can be computed exactly.

Every held-out token is predicted once, from the longest context its row allows. A document begins with the
tokenizer's ``<s>``; where it is cut at the end of a row, its last token is repeated as the first context of
the next row. Neither is scored: ``scored`` marks the tokens that are, and the bytes of the text they stand
for are known. With total = sum of -log2 p over the scored tokens, bits per byte = total / bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError
from sampler.batch import PADDING
from sampler.config import CacheConfig
from sampler.index import Documents, TokenCorpus
from sampler.order import permutation


class HeldoutBatch(NamedTuple):
    """B rows of L tokens of one language; the last batch of a language may have fewer rows."""

    tokens: NDArray[np.int64]
    """Token ids, the padding piece where there is none, [B, L]."""
    segments: NDArray[np.int32]
    """Document of each token, counted from 0 within its row; ``PADDING`` where there is none, [B, L]."""
    positions: NDArray[np.int32]
    """Position of each token, from 0 at the first context of its document in this row, [B, L]."""
    scored: NDArray[np.bool_]
    """Tokens to be predicted, each from the tokens before it in its segment, [B, L]."""


class HeldoutSize(NamedTuple):
    """What the rows of one language hold."""

    documents: int
    bytes: int
    """UTF-8 bytes of the documents' text."""
    tokens: int
    """Scored tokens, the end of each document included."""
    rows: int


class _Selection(NamedTuple):
    runs: list[int]
    starts: list[int]
    lengths: list[int]
    size: HeldoutSize


class HeldoutRows:
    """The held-out documents of each language, in rows; the same on every machine and in every run.

    Args:
        corpus: corpus root, path or URL.
        tokenizer: name of the tokenizer in the snapshot.
        row_tokens: L, at least 2.
        max_rows: rows of each language, about: whole documents, in hashed order, that fit; None takes all. A
            language whose shortest document needs more rows gets that document.
        languages: tags; None takes all with held-out text.
        snapshot: number; None takes the current one.
        cache: of what is read from an object store; None takes the defaults.

    Raises:
        CorpusError: there is no such corpus or tokenizer.
        ConfigurationError: a language has no held-out text, or a number is too small.
    """

    def __init__(
        self,
        corpus: str,
        *,
        tokenizer: str,
        row_tokens: int,
        max_rows: int | None = None,
        languages: Sequence[str] | None = None,
        snapshot: int | None = None,
        cache: CacheConfig | None = None,
    ) -> None:
        if row_tokens < 2 or (max_rows is not None and max_rows < 1):
            raise ConfigurationError(
                f"held-out rows of {row_tokens} tokens, at most {max_rows} of a language",
                "Use at least 2 tokens and 1 row",
            )
        self.corpus = TokenCorpus(corpus, tokenizer, "heldout", snapshot, cache)
        self.row_tokens = row_tokens
        self.max_rows = max_rows
        known = self.corpus.languages
        unknown = sorted(set(languages or ()) - set(known))
        if unknown:
            raise ConfigurationError(
                f"{unknown[0]} has no held-out text",
                f"Choose among {', '.join(known) or 'none: the corpus has no held-out text'}",
            )
        self.languages: tuple[str, ...] = known if languages is None else tuple(sorted(set(languages)))
        self._bos = self.corpus.special("bos")
        self._pad = self.corpus.special("pad")
        self._selections: dict[str, _Selection] = {}

    def size(self, lang: str) -> HeldoutSize:
        """What the rows of a language hold."""
        return self._select(lang).size

    def batches(self, lang: str, rows: int) -> Iterator[HeldoutBatch]:
        """The rows of a language, from the first to the last.

        Args:
            lang: one of ``languages``.
            rows: B, at least 1.
        """
        if rows < 1:
            raise ConfigurationError(f"batches of {rows} rows", "Use at least 1 row")
        selection = self._select(lang)
        documents = self.corpus.documents(lang)
        length = self.row_tokens
        batch, row, filled, segment = self._blank(rows), 0, 0, 0
        for run, start, count in zip(selection.runs, selection.starts, selection.lengths, strict=True):
            text = documents.run(run).tokens[start : start + count]
            done = 0
            while done < count:
                if length - filled < 2:
                    row, filled, segment = row + 1, 0, 0
                    if row == rows:
                        yield batch
                        batch, row = self._blank(rows), 0
                end = filled + 1 + min(length - filled - 1, count - done)
                batch.tokens[row, filled] = text[done - 1] if done else self._bos
                batch.tokens[row, filled + 1 : end] = text[done : done + end - filled - 1]
                batch.segments[row, filled:end] = segment
                batch.positions[row, filled:end] = np.arange(end - filled)
                batch.scored[row, filled + 1 : end] = True
                done += end - filled - 1
                filled, segment = end, segment + 1
        if filled:
            yield HeldoutBatch(
                tokens=batch.tokens[: row + 1],
                segments=batch.segments[: row + 1],
                positions=batch.positions[: row + 1],
                scored=batch.scored[: row + 1],
            )

    def _blank(self, rows: int) -> HeldoutBatch:
        shape = (rows, self.row_tokens)
        return HeldoutBatch(
            tokens=np.full(shape, self._pad, dtype=np.int64),
            segments=np.full(shape, PADDING, dtype=np.int32),
            positions=np.zeros(shape, dtype=np.int32),
            scored=np.zeros(shape, dtype=np.bool_),
        )

    def _select(self, lang: str) -> _Selection:
        selection = self._selections.get(lang)
        if selection is None:
            selection = self._choose(self.corpus.documents(lang))
            self._selections[lang] = selection
        return selection

    def _choose(self, documents: Documents) -> _Selection:
        runs: list[int] = []
        starts: list[int] = []
        lengths: list[int] = []
        length, filled, text_bytes = self.row_tokens, 0, 0
        limit = None if self.max_rows is None else self.max_rows * length
        shortest: tuple[int, int, int, int] | None = None
        for run, start, count, size in _in_order(documents):
            after = _after(filled, count, length)
            if limit is not None and after > limit:
                if shortest is None or count < shortest[2]:
                    shortest = (run, start, count, size)
                continue
            runs.append(run)
            starts.append(start)
            lengths.append(count)
            text_bytes += size
            filled = after
        if not runs and shortest is not None:
            run, start, count, text_bytes = shortest
            runs, starts, lengths = [run], [start], [count]
            filled = _after(0, count, length)
        return _Selection(runs, starts, lengths, HeldoutSize(len(runs), text_bytes, sum(lengths), -(-filled // length)))


def _in_order(documents: Documents) -> Iterator[tuple[int, int, int, int]]:
    """Run, start, own tokens and bytes of each document that has tokens, in hashed order."""
    for index in permutation(documents.chunks, "heldout", documents.lang).tolist():
        chunk = documents.chunk(index)
        order = permutation(len(chunk.runs), "heldout", documents.lang, index)
        columns = (chunk.runs[order], chunk.starts[order], chunk.lengths[order] - 1, chunk.sizes[order])
        for run, start, count, size in zip(*(column.tolist() for column in columns), strict=True):
            if count:
                yield run, start, count, size


def _after(filled: int, count: int, length: int) -> int:
    """Where the layout stands after a document, in positions from the first row's begin.

    Args:
        filled: where it stood before.
        count: the document's own tokens, at least 1.
        length: L.
    """
    room = length - filled % length
    if room < 2:
        filled += room
        room = length
    take = min(room - 1, count)
    full, rest = divmod(count - take, length - 1)
    # A piece that ends its row exactly leaves no room, and the next one begins a row.
    return filled + 1 + take + full * length + (rest + 1 if rest else 0)
