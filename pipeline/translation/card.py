"""What a translation model is: the card ``evenglot-model.json`` in its folder, beside the files CTranslate2 reads.

A model folder holds CTranslate2's files (``model.bin``, ``config.json``, vocabularies), those of the tokenizer and the
card. The card says which languages the model serves and by which code of its own it knows each, and has a hash of every
file: what was translated is filed under these hashes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, Protocol

from pydantic import Field, ValidationError, field_validator, model_validator

from corpus.config import Config
from corpus.errors import ConfigurationError, InputError
from corpus.hashing import file_hash, fingerprint
from corpus.storage import Storage
from corpus.tags import is_tag

CARD_NAME: Final = "evenglot-model.json"
"""Name of the card in a model's folder."""
Family = Literal["marian", "nllb", "m2m100", "t5"]


class ModelCard(Config):
    """What a model is called, where it comes from and what it translates."""

    name: str = Field(min_length=1, pattern=r"^[^@>\s]+$")
    """What the model is called in routes and in the provenance of what it makes; no blanks, ``@`` or ``>``."""
    family: Family
    """How text becomes tokens, and how the target language is asked for."""
    source: str = ""
    """Where it comes from: id on a model hub, or a path."""
    revision: str = Field(min_length=1, pattern=r"^[^@>\s]+$")
    """Which state of the source it is: a commit, a version, or a hash of the weights."""
    licence: str = "unknown"
    """Licence of the weights as the source states it."""
    pairs: tuple[tuple[str, str], ...] = ()
    """(source, target) of every direction it serves, as tags (``eng_Latn``); empty where ``languages`` is given."""
    languages: tuple[str, ...] = ()
    """Tags of the languages among which it translates in all directions."""
    codes: dict[str, str] = Field(default_factory=dict)
    """Tag -> the model's own code of that language: ``swh_Latn`` (NLLB), ``sw`` (M2M100, MADLAD), ``>>swh<<`` without
    its arrows (Marian models of several targets; one that has a single target needs none)."""
    unmapped: tuple[str, ...] = ()
    """The model's own codes that name no single language known here (``ROMANCE``): it is never asked for these."""
    quantisation: str = "float32"
    """Type in which the weights are stored."""
    files: dict[str, str] = Field(default_factory=dict)
    """File name -> 32 hexadecimal digits of its XXH3 hash, of every file but the card."""
    parameters: int = Field(default=0, ge=0)
    """Number of weights; 0 where it is not known."""
    max_positions: int | None = Field(default=None, ge=1)
    """Most tokens of a source or target for which it has positions; None: no bound."""
    made_of: str = ""
    """What it was trained on, and how: free text."""

    @field_validator("pairs")
    @classmethod
    def _known_pairs(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for pair in pairs:
            for tag in pair:
                _check_tag(tag)
        return tuple(sorted(set(pairs)))

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for tag in languages:
            _check_tag(tag)
        return tuple(sorted(set(languages)))

    @model_validator(mode="after")
    def _serves_something(self) -> ModelCard:
        if bool(self.pairs) == bool(self.languages):
            raise ValueError("give either `pairs`, or `languages` for all directions among them")
        if self.family != "marian":
            served = set(self.languages) | {tag for pair in self.pairs for tag in pair}
            if missing := sorted(served - self.codes.keys()):
                raise ValueError(f"`codes` lacks the model's own code of {missing[0]}")
        return self

    @property
    def generator(self) -> str:
        """Name and revision as provenance has them."""
        return f"{self.name}@{self.revision}"

    @property
    def identity(self) -> str:
        """32 hexadecimal digits of all that decides what the model makes of a sentence."""
        return fingerprint([self.family, self.files, self.codes, self.max_positions])

    def serves(self, source: str, target: str) -> bool:
        """Whether it translates from one language to another."""
        if self.languages:
            return source != target and source in self.languages and target in self.languages
        return (source, target) in self.pairs

    def directions(self) -> list[tuple[str, str]]:
        """All pairs it serves, sorted."""
        if self.languages:
            return [(source, target) for source in self.languages for target in self.languages if source != target]
        return list(self.pairs)


def read_card(folder: str | Path) -> ModelCard:
    """The card of a model folder.

    Raises:
        InputError: there is no card.
        ConfigurationError: the card is not what a card is.
    """
    path = Path(folder) / CARD_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder} is no model folder: {CARD_NAME} cannot be read ({error.strerror or error})",
            "Make one with 'evenglot models convert' or 'evenglot translator fit'",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8") from error
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "card"
        raise ConfigurationError(
            f"{path}: {field}: {first['msg']}", "Mend the card or convert the model again"
        ) from error


def write_card(folder: str | Path, card: ModelCard) -> None:
    """Write a model's card into its folder, in one atomic step."""
    text = card.model_dump_json(indent=1) + "\n"
    Storage(Path(folder)).write_bytes(CARD_NAME, text.encode())


def hash_files(folder: str | Path) -> dict[str, str]:
    """Name -> hash of every file directly in a model folder but the card and hidden files, sorted by name."""
    paths = (path for path in Path(folder).iterdir() if path.is_file())
    chosen = sorted(path.name for path in paths if path.name != CARD_NAME and not path.name.startswith("."))
    return {name: file_hash(Path(folder) / name) for name in chosen}


class HasFiles(Protocol):
    """A card with the hashes of its files: of a translation model or of a sentence encoder."""

    @property
    def files(self) -> dict[str, str]: ...


def check_files(folder: str | Path, card: HasFiles) -> None:
    """Compare a model's files with the hashes on its card.

    Raises:
        InputError: a file is missing, or is not the one that the card was written for.
    """
    for name, expected in sorted(card.files.items()):
        path = Path(folder) / name
        if not path.is_file():
            raise InputError(f"{path} is missing", "Fetch or convert the model again")
        if file_hash(path) != expected:
            raise InputError(f"{path} is not the file that {CARD_NAME} names", "Fetch or convert the model again")


def _check_tag(tag: str) -> None:
    if not is_tag(tag):
        raise ValueError(f"'{tag}' is no language tag such as swh_Latn")
