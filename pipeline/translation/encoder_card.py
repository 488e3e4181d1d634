"""What a sentence encoder is: the card in the folder of a BERT or XLM-R that CTranslate2 reads."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from corpus.config import Config
from corpus.errors import ConfigurationError, InputError
from corpus.storage import Storage
from pipeline.translation.card import CARD_NAME

TOKENIZER: Final = "tokenizer.json"
"""The one tokenizer file of an encoder; its template puts the special tokens around a sentence."""
Pooling = Literal["cls", "mean", "pooler"]


class EncoderCard(Config):
    """What an encoder is called, where it comes from and how its vectors become that of a sentence."""

    kind: Literal["encoder"] = "encoder"
    """Sets its card apart from that of a translation model, which has no ``kind``."""
    name: str = Field(min_length=1, pattern=r"^[^@>\s]+$")
    """What it is called in the provenance; no blanks, ``@`` or ``>``."""
    architecture: Literal["bert", "xlm-roberta"]
    """Its ``model_type``; BERT takes token types, all of them 0 here."""
    source: str = ""
    """Where it comes from: id on a model hub, or a path."""
    revision: str = Field(min_length=1, pattern=r"^[^@>\s]+$")
    """Which state of the source it is."""
    licence: str = "unknown"
    """Licence of the weights as the source states it."""
    pooling: Pooling
    """``cls``: the last hidden state of the first token; ``mean``: of all tokens, special ones included; ``pooler``:
    the pooler's output, tanh of a linear map of the first token's."""
    prompt: str = ""
    """Text to put before every sentence (``query: `` for the E5 models)."""
    dimension: int = Field(ge=1)
    """Length of a sentence's vector."""
    max_tokens: int = Field(ge=3)
    """Most tokens of a sentence, special ones included."""
    quantisation: str = "float32"
    """Type in which the weights are stored."""
    files: dict[str, str] = Field(default={})
    """File name -> 32 hexadecimal digits of its XXH3 hash, of every file but the card."""
    parameters: int = Field(default=0, ge=0)
    """Number of weights; 0 where it is not known."""

    @property
    def generator(self) -> str:
        """Name and revision as provenance has them."""
        return f"{self.name}@{self.revision}"


def read_encoder_card(folder: str | Path) -> EncoderCard:
    """The card of an encoder's folder.

    Raises:
        InputError: there is no card.
        ConfigurationError: the card is not that of an encoder.
    """
    path = Path(folder) / CARD_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{folder} is no model folder: {CARD_NAME} cannot be read", "Make one with 'evenglot models convert'"
        ) from error
    try:
        return EncoderCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "card"
        raise ConfigurationError(
            f"{path} is no card of a sentence encoder: {field}: {first['msg']}",
            "Name the folder of a BERT or XLM-R that 'evenglot models convert' made",
        ) from error


def write_encoder_card(folder: str | Path, card: EncoderCard) -> None:
    """Write an encoder's card into its folder, in one atomic step."""
    Storage(Path(folder)).write_bytes(CARD_NAME, (card.model_dump_json(indent=1) + "\n").encode())
