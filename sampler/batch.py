"""Rows as the trainer gets them: tokens, and a table of the pieces of documents in them.

The table says everything else. Which document a token belongs to, its place in it and its language are arrays
larger than the tokens; they are worked out when they are first asked for, so that whoever needs lengths alone
never pays for them.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sampler.pieces import BEGINS, ENDS, FLAGS, LANGUAGE, LENGTH

PADDING = -1
"""Segment of positions that hold no token."""

MIXED = -1
"""Language of a row that holds documents of several languages."""


class Batch:
    """B full rows of L tokens, made of P pieces of documents.

    A piece is a document, or the part of one that lies in a row. Pieces are listed row after row, in the order in
    which they lie.

    Args:
        compact: uint16 or uint32 [B, L].
        languages: int32 [B].
        pieces: int32 [5, P], the rows of a table of pieces, see :mod:`sampler.pieces`; their lengths sum to B * L.
        bounds: int64 [B + 1], the first piece of each row, and P.
    """

    def __init__(
        self,
        compact: NDArray[np.uint16] | NDArray[np.uint32],
        languages: NDArray[np.int32],
        pieces: NDArray[np.int32],
        bounds: NDArray[np.int64],
    ) -> None:
        self.compact = compact
        """Token ids in the type of the shards, uint16 or uint32, [B, L]."""
        self.languages = languages
        """Index of each row's language in the stream's languages; ``MIXED`` where a row holds several, [B]."""
        self.piece_lengths: NDArray[np.int32] = pieces[LENGTH]
        """Tokens of each piece, [P]."""
        self.piece_languages: NDArray[np.int32] = pieces[LANGUAGE]
        """Index of each piece's language, [P]."""
        self._flags: NDArray[np.int32] = pieces[FLAGS]
        self._pieces = pieces
        self._bounds = bounds

    def __len__(self) -> int:
        return len(self.languages)

    @cached_property
    def tokens(self) -> NDArray[np.int64]:
        """Token ids, [B, L]."""
        return self.compact.astype(np.int64)

    @cached_property
    def piece_rows(self) -> NDArray[np.int32]:
        """Row that each piece lies in, [P]."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self._bounds))

    @cached_property
    def piece_begins(self) -> NDArray[np.bool_]:
        """Whether a piece begins its document, [P]."""
        return (self._flags & BEGINS) > 0

    @cached_property
    def piece_ends(self) -> NDArray[np.bool_]:
        """Whether a piece ends its document, [P]."""
        return (self._flags & ENDS) > 0

    @cached_property
    def cu_seqlens(self) -> NDArray[np.int32]:
        """Where each piece begins in the tokens laid end to end, and B * L, [P + 1].

        The argument of that name of attention kernels for sequences of varying length, such as FlashAttention's
        ``flash_attn_varlen_func``; the longest sequence is ``piece_lengths.max()``.
        """
        found = np.zeros(len(self.piece_lengths) + 1, dtype=np.int32)
        np.cumsum(self.piece_lengths, out=found[1:])
        return found

    @cached_property
    def segments(self) -> NDArray[np.int32]:
        """Piece that each token belongs to, counted from 0 within its row, [B, L]."""
        numbers = np.arange(len(self.piece_lengths), dtype=np.int32)
        numbers -= np.repeat(self._bounds[:-1].astype(np.int32), np.diff(self._bounds))
        return np.repeat(numbers, self.piece_lengths).reshape(self.compact.shape)

    @cached_property
    def positions(self) -> NDArray[np.int32]:
        """Position of each token, from 0 where its document begins or goes on in this row, [B, L]."""
        found = np.arange(self.compact.size, dtype=np.int32)
        found -= np.repeat(self.cu_seqlens[:-1], self.piece_lengths)
        return found.reshape(self.compact.shape)

    @cached_property
    def token_languages(self) -> NDArray[np.int32]:
        """Index of each token's language, [B, L]."""
        return np.repeat(self.piece_languages, self.piece_lengths).reshape(self.compact.shape)

    def row(self, index: int) -> Row:
        """One of the rows, sharing memory with the batch."""
        first, last = int(self._bounds[index]), int(self._bounds[index + 1])
        return Row(
            Batch(
                self.compact[index : index + 1],
                self.languages[index : index + 1],
                self._pieces[:, first:last],
                np.array([0, last - first], dtype=np.int64),
            )
        )


class Row:
    """One row of L tokens, made of P pieces of documents.

    Args:
        batch: that holds this row alone.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    @property
    def tokens(self) -> NDArray[np.int64]:
        """Token ids, [L]."""
        return self._batch.tokens.reshape(-1)

    @property
    def language(self) -> int:
        """Index into the stream's languages; ``MIXED`` if the row holds several."""
        return int(self._batch.languages[0])

    @property
    def segments(self) -> NDArray[np.int32]:
        """Piece that each token belongs to, counted from 0, [L]."""
        return self._batch.segments.reshape(-1)

    @property
    def positions(self) -> NDArray[np.int32]:
        """Position of each token, from 0 where its document begins or goes on in this row, [L]."""
        return self._batch.positions.reshape(-1)

    @property
    def token_languages(self) -> NDArray[np.int32]:
        """Index of each token's language, [L]."""
        return self._batch.token_languages.reshape(-1)

    @property
    def piece_lengths(self) -> NDArray[np.int32]:
        """Tokens of each piece, [P]."""
        return self._batch.piece_lengths

    @property
    def piece_languages(self) -> NDArray[np.int32]:
        """Index of each piece's language, [P]."""
        return self._batch.piece_languages

    @property
    def piece_begins(self) -> NDArray[np.bool_]:
        """Whether a piece begins its document, [P]."""
        return self._batch.piece_begins

    @property
    def piece_ends(self) -> NDArray[np.bool_]:
        """Whether a piece ends its document, [P]."""
        return self._batch.piece_ends

    @property
    def cu_seqlens(self) -> NDArray[np.int32]:
        """Where each piece begins in the row, and L, [P + 1]."""
        return self._batch.cu_seqlens
