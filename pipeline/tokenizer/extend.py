"""Pieces of another language appended to a vocabulary; the ids of the old ones stay.

A small model is trained on the new language's text alone. Of its pieces the ones that the old vocabulary lacks are
taken in the order of the tokens that they save: the piece's probability times the old pieces it stands for, less one.
They keep the score (a log-probability) of the small model. Old text must go on to be encoded with the old model: the
larger one may find new pieces in it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from corpus.errors import ConfigurationError
from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.model import SPACE, Tokenizer
from pipeline.tokenizer.train import sentencepiece, train


class Extended(NamedTuple):
    """A vocabulary with more pieces than before."""

    model: bytes
    pieces: list[str]
    """The new ones, as SentencePiece spells them, in the order of their ids."""
    replaced: list[list[int]]
    """The ids of the old pieces that each new one stands for."""


def extend(model: bytes, lines: Callable[[], Iterable[str]], pieces: int, *, size: int | None = None) -> Extended:
    """Append pieces to a vocabulary.

    Args:
        model: the old one's bytes.
        lines: gives the new language's text; called again when the small vocabulary has to be smaller.
        pieces: how many to append at most; there are fewer where the text has no more that the old model lacks.
        size: of the small model; None takes 600 and twice the pieces.

    Raises:
        ConfigurationError: the text has no piece that the old vocabulary lacks.
    """
    old = Tokenizer(model)
    known = {old.piece(token) for token in range(old.vocabulary)}
    config = TokenizerConfig(vocabulary=min(1_000_000, size or 600 + 2 * pieces), sample_bytes=1_000)
    small = sentencepiece().SentencePieceProcessor()
    small.LoadFromSerializedProto(train(lines, config))
    found = []
    for piece, score in _normal(small):
        if piece in known:
            continue
        replaced = old.encode(piece.replace(SPACE, " "))
        if len(replaced) > 1:
            found.append((-math.exp(score) * (len(replaced) - 1), piece, score, replaced))
    if not found:
        raise ConfigurationError(
            "the vocabulary has all pieces of the new language's text already", "Leave `--new-pieces` out"
        )
    chosen = sorted(found)[:pieces]
    # A repeated field of a protocol buffer goes on where the bytes of another message of its kind are appended.
    added = b"".join(entry(piece, score) for _, piece, score, _ in chosen)
    return Extended(model + added, [piece for _, piece, _, _ in chosen], [replaced for *_, replaced in chosen])


def _normal(processor: Any) -> Iterable[tuple[str, float]]:
    """The pieces that stand for text, with their scores: no control piece, no byte."""
    for token in range(processor.get_piece_size()):
        special = (processor.is_control, processor.is_unknown, processor.is_byte, processor.is_unused)
        piece = str(processor.id_to_piece(token))
        if not any(is_kind(token) for is_kind in special) and piece != "\n":
            yield piece, float(processor.get_score(token))


def entry(piece: str, score: float) -> bytes:
    """A piece as field 1 of SentencePiece's ModelProto: its text (field 1) and score (field 2, float32)."""
    text = piece.encode()
    inner = b"\x0a" + _length(len(text)) + text + b"\x15" + struct.pack("<f", score)
    return b"\x0a" + _length(len(inner)) + inner


def _length(value: int) -> bytes:
    """A protocol buffer's variable-length number."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
