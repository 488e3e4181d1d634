"""A trained tokenizer: text to ids and back, without loss."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Protocol

import numpy as np
import xxhash
from numpy.typing import NDArray

from corpus.errors import CorpusError
from corpus.manifest import Snapshot, read_snapshot
from corpus.storage import Storage
from pipeline.tokenizer.fast import FastTokenizer
from pipeline.tokenizer.train import SPECIAL, sentencepiece

SPACE = "\u2581"
"""SentencePiece writes a space so, and would read this character back as one."""


class TextTokenizer(Protocol):
    """Text to ids and back, whoever made the vocabulary."""

    special: dict[str, int]
    """Ids of the special pieces: bos, eos, pad and, where there are such, unk and mask."""

    @property
    def vocabulary(self) -> int:
        """Number of ids."""
        ...

    def piece(self, token: int) -> str:
        """A piece as it is spelt in the vocabulary."""
        ...

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without special ones."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """The ids of n texts, each followed by the one that ends a document, and their offsets, [n + 1]."""
        ...

    def decode(self, tokens: Sequence[int] | NDArray[Any]) -> str:
        """The text of ids; special ones are left out."""
        ...


class Tokenizer:
    """A SentencePiece model.

    Args:
        model: its bytes.

    Raises:
        CorpusError: they are no SentencePiece model.
    """

    def __init__(self, model: bytes) -> None:
        self._processor: Any = sentencepiece().SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
        except RuntimeError as error:
            raise CorpusError(f"the tokenizer's model is damaged: {error}", "Run `evenglot tokenize` again") from error
        self.special: dict[str, int] = dict(SPECIAL)
        """Ids of the special pieces: pad, unk, bos, eos and mask."""
        self._space = [int(self._processor.piece_to_id(f"<0x{byte:02X}>")) for byte in SPACE.encode()]

    @property
    def vocabulary(self) -> int:
        """Number of pieces."""
        return int(self._processor.get_piece_size())

    def piece(self, token: int) -> str:
        """A piece as SentencePiece spells it."""
        return str(self._processor.id_to_piece(token))

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without special ones. The empty text has none."""
        if SPACE not in text:
            ids: list[int] = self._processor.encode(text, out_type=int)
            return ids
        # The one character that the model cannot tell from a space is spelt in bytes.
        parts = [self._processor.encode(part, out_type=int) for part in text.split(SPACE)]
        return [*parts[0], *chain.from_iterable([*self._space, *part] for part in parts[1:])]

    def encode_documents(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """The ids of several texts, each followed by ``</s>``.

        Args:
            texts: n documents.

        Returns:
            the ids one after the other, uint32, and the offsets of the documents in them, int32 [n + 1].
        """
        encoded: list[list[int]] = self._processor.encode(list(texts), out_type=int, num_threads=1)
        for index, text in enumerate(texts):
            if SPACE in text:
                encoded[index] = self.encode(text)
        offsets = np.zeros(len(texts) + 1, dtype=np.int32)
        np.cumsum([len(ids) + 1 for ids in encoded], out=offsets[1:])
        tokens = np.empty(int(offsets[-1]), dtype=np.uint32)
        own = np.ones(len(tokens), dtype=np.bool_)
        own[offsets[1:] - 1] = False
        tokens[own] = np.fromiter(chain.from_iterable(encoded), dtype=np.uint32, count=len(tokens) - len(texts))
        tokens[~own] = self.special["eos"]
        return tokens, offsets

    def decode(self, tokens: Sequence[int] | NDArray[Any]) -> str:
        """The text of ids; special ones are left out."""
        return str(self._processor.decode([int(token) for token in tokens]))


def load_tokenizer(root: str, snapshot: Snapshot | None = None, name: str = "spm") -> TextTokenizer:
    """A tokenizer of a corpus.

    Args:
        root: corpus root, path or URL.
        snapshot: that names it; None takes the current one.
        name: of the tokenizer.

    Raises:
        CorpusError: the snapshot has none of that name, or its model is missing or damaged.
    """
    storage = Storage(root)
    state = read_snapshot(storage) if snapshot is None else snapshot
    described = state.tokenizers.get(name)
    if described is None:
        known = ", ".join(sorted(state.tokenizers)) or "none"
        raise CorpusError(
            f"snapshot {state.number} of {root} has no tokenizer '{name}' (it has {known})",
            "Run `evenglot tokenize` on the corpus, or correct the name",
        )
    return open_tokenizer(read_model(storage, str(described["path"]), str(described["hash"])))


def open_tokenizer(model: bytes) -> TextTokenizer:
    """The tokenizer that some bytes hold: a SentencePiece model, or one of a Hugging Face model.

    Raises:
        CorpusError: they are neither.
    """
    return FastTokenizer(model) if model.startswith(b"{") else Tokenizer(model)


def read_model(storage: Storage, path: str, expected: str) -> bytes:
    """The bytes of a model.

    Raises:
        CorpusError: it is missing or its hash is not the expected one.
    """
    model = storage.read_bytes(path)
    if model_hash(model) != expected:
        raise CorpusError(
            f"{storage.path(path)} is damaged: its hash has changed", "Run `evenglot verify` on the corpus"
        )
    return model


def model_hash(model: bytes) -> str:
    """XXH3-128 of a model's bytes, hexadecimal; the same as :func:`corpus.hashing.file_hash` of its file."""
    return xxhash.xxh3_128_hexdigest(model)
