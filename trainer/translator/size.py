"""Size of a translator by the text there is for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from corpus.errors import ConfigurationError
from corpus.translations import SentencePair
from trainer.translator.config import TranslatorModelConfig

Size = Literal["tiny", "small", "base"]


class Shape(NamedTuple):
    """Measures of an encoder and decoder."""

    dimensions: int
    feed_forward: int
    encoder_layers: int
    decoder_layers: int
    heads: int


SHAPES: Final[dict[Size, Shape]] = {
    "tiny": Shape(128, 512, 2, 2, 4),
    "small": Shape(256, 1024, 3, 3, 4),
    "base": Shape(512, 2048, 6, 6, 8),
}
_SMALL_FROM: Final = 100_000
_BASE_FROM: Final = 5_000_000
_WORDS_PER_PIECE: Final = 100
_LETTERS_PER_WORD: Final = 6


def words_of(pairs: Iterable[SentencePair]) -> int:
    """Words on both sides; of text without spaces, a sixth of its letters."""
    return sum(_words(pair.text) + _words(pair.translation) for pair in pairs)


def shape_of(config: TranslatorModelConfig, words: int) -> Shape:
    """The model's measures.

    Args:
        config: what the user chose.
        words: to train on, both sides together.

    Raises:
        ConfigurationError: the heads do not divide the dimensions.
    """
    size: Size = ("tiny" if words < _SMALL_FROM else "small" if words < _BASE_FROM else "base")  # fmt: skip
    base = SHAPES[size if config.size == "auto" else config.size]
    dimensions = config.dimensions or base.dimensions
    heads = config.heads or (base.heads if config.dimensions is None else max(4, dimensions // 64))
    if dimensions % heads:
        raise ConfigurationError(
            f"{heads} heads do not divide {dimensions} dimensions", "Set `translator.model.heads` to one that does"
        )
    return Shape(
        dimensions,
        config.feed_forward or 4 * dimensions,
        config.encoder_layers or base.encoder_layers,
        config.decoder_layers or base.decoder_layers,
        heads,
    )


def vocabulary_size(words: int, letters: int) -> int:
    """Pieces for so much text: one for each hundred words, 500 to 32,000, and room for all letters.

    Translation is best where nearly all pieces are met about a hundred times or more in training (Gowda & May 2020,
    https://arxiv.org/abs/2004.02334).

    Args:
        words: to train on, both sides together.
        letters: different characters among them.
    """
    return max(min(max(words // _WORDS_PER_PIECE, 500), 32_000), letters + 64)


def _words(text: str) -> int:
    return max(len(text.split()), len(text) // (4 * _LETTERS_PER_WORD))
