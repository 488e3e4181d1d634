"""Families of translation models: how their text becomes tokens, how they are told the languages, and the way back.

Tokens are those that CTranslate2's vocabularies hold, as strings. SentencePiece makes them where its model is in the
folder; a ``tokenizer.json`` (of the tokenizers library) is used where that is all there is. Sentences go in without
the punctuation rules of Moses that some Marian models were trained with: a sentence is translated as it is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from corpus.errors import InputError
from corpus.lexicon import read_lexicons
from corpus.translations import direction_name
from pipeline.translation.card import ModelCard

END: Final = "</s>"
"""The token that ends a sentence in all families."""
_SPECIAL: Final = frozenset({END, "<s>", "<pad>", "<unk>"})


class Pieces(Protocol):
    """Text to subword pieces and back."""

    def encode(self, texts: Sequence[str]) -> list[list[str]]:
        """Pieces of each text."""
        ...

    def decode(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """The text of each list of pieces."""
        ...


class SentencePieces:
    """Pieces by a SentencePiece model."""

    def __init__(self, path: Path) -> None:
        import sentencepiece

        try:
            self._model: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"{path} is no SentencePiece model: {error}", "Fetch or convert the model again"
            ) from error

    def encode(self, texts: Sequence[str]) -> list[list[str]]:
        """Pieces of each text."""
        found: list[list[str]] = self._model.encode(list(texts), out_type=str)
        return found

    def decode(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """The text of each list of pieces."""
        return [str(self._model.decode_pieces(list(one))).strip() for one in pieces]


class TokenizerPieces:
    """Pieces by a ``tokenizer.json``; what its template would add around a sentence is left out."""

    def __init__(self, path: Path) -> None:
        try:
            import tokenizers

            self._model: Any = tokenizers.Tokenizer.from_file(str(path))
        except ImportError as error:
            raise InputError(f"{path} needs the tokenizers library", "pip install 'evenglot[translate]'") from error
        except Exception as error:  # the library raises bare exceptions
            raise InputError(f"{path} is no tokenizer: {error}", "Fetch or convert the model again") from error
        self._model.no_truncation()
        self._model.no_padding()

    def encode(self, texts: Sequence[str]) -> list[list[str]]:
        """Pieces of each text."""
        return [list(one.tokens) for one in self._model.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """The text of each list of pieces."""
        decoder = self._model.decoder
        if decoder is not None:
            return [str(decoder.decode(list(one))).strip() for one in pieces]
        return ["".join(one).replace("▁", " ").strip() for one in pieces]


class Family:
    """Text of one language to a model's tokens, and its output back to text.

    Args:
        folder: of the model.
        card: the model's card.

    Raises:
        InputError: the tokenizer's files are missing or damaged.
    """

    source_files: tuple[str, ...] = ("sentencepiece.bpe.model", "spiece.model", "tokenizer.json")
    """Names of the tokenizer's file, the first one found is used."""
    target_files: tuple[str, ...] = ()
    """The same for the target's; empty: one tokenizer for both sides."""

    def __init__(self, folder: str | Path, card: ModelCard) -> None:
        self.card = card
        self._source = _open_pieces(Path(folder), self.source_files)
        self._target = _open_pieces(Path(folder), self.target_files) if self.target_files else self._source
        self._ends = not _adds_end(Path(folder))

    def encode(self, sentences: Sequence[str], source: str, target: str) -> list[list[str]]:
        """Tokens of each sentence as the model takes them, language tokens and the end included."""
        begin = self.begin(source, target)
        end = [END] if self._ends else []
        return [[*begin, *pieces, *end] for pieces in self._source.encode(sentences)]

    def decode(self, outputs: Sequence[Sequence[str]], target: str) -> list[str]:
        """The text of each output, without the tokens that are no text."""
        drop = _SPECIAL | set(self.prefix(target))
        return self._target.decode([[token for token in output if token not in drop] for output in outputs])

    def begin(self, source: str, target: str) -> list[str]:
        """Tokens before a sentence's own."""
        return []

    def prefix(self, target: str) -> list[str]:
        """Tokens that every output must begin with; CTranslate2 gives them back at its beginning."""
        return []


class Marian(Family):
    """Marian and OPUS-MT (https://github.com/Helsinki-NLP/Opus-MT): two SentencePiece models, one for each side.

    A model of several targets is told which by a token ``>>xxx<<`` before the sentence. One with a lexicon in its
    folder reads sentences word by word in the target language.
    """

    source_files = ("source.spm", "tokenizer.json")
    target_files = ("target.spm", "source.spm", "tokenizer.json")

    def __init__(self, folder: str | Path, card: ModelCard) -> None:
        super().__init__(folder, card)
        self._lexicons = read_lexicons(Path(folder))

    def encode(self, sentences: Sequence[str], source: str, target: str) -> list[list[str]]:
        """Tokens of each sentence, or of its words in the target language, with the target's token before them."""
        lexicon = self._lexicons.get(direction_name((source, target)))
        return super().encode(
            sentences if lexicon is None else [lexicon.translate(text) for text in sentences], source, target
        )

    def begin(self, source: str, target: str) -> list[str]:
        """The target's token, where the model has several targets."""
        code = self.card.codes.get(target)
        return [f">>{code}<<"] if code else []


class Nllb(Family):
    """NLLB-200 (https://arxiv.org/abs/2207.04672): the source's token, the sentence, its end; outputs begin with the
    target's."""

    def begin(self, source: str, target: str) -> list[str]:
        """The source's token."""
        return [self.card.codes[source]]

    def prefix(self, target: str) -> list[str]:
        """The target's token."""
        return [self.card.codes[target]]


class M2M100(Nllb):
    """M2M-100 (https://arxiv.org/abs/2010.11125): as NLLB, with tokens such as ``__sw__``."""

    def begin(self, source: str, target: str) -> list[str]:
        """The source's token."""
        return [f"__{self.card.codes[source]}__"]

    def prefix(self, target: str) -> list[str]:
        """The target's token."""
        return [f"__{self.card.codes[target]}__"]


class T5(Family):
    """T5 models that translate, MADLAD-400 (https://arxiv.org/abs/2309.04662) above all: text is ``<2xx> sentence``.

    The code of the target is text to the tokenizer, as it was in training.
    """

    source_files = ("spiece.model", "sentencepiece.model", "tokenizer.json")

    def encode(self, sentences: Sequence[str], source: str, target: str) -> list[list[str]]:
        """Tokens of each sentence with the code of the target before it."""
        code = self.card.codes[target]
        return super().encode([f"<2{code}> {sentence}" for sentence in sentences], source, target)


_FAMILIES: Final[dict[str, type[Family]]] = {"marian": Marian, "nllb": Nllb, "m2m100": M2M100, "t5": T5}


def open_family(folder: str | Path, card: ModelCard) -> Family:
    """The tokens of a model, by its card's family.

    Raises:
        InputError: the tokenizer's files are missing or damaged.
    """
    return _FAMILIES[card.family](folder, card)


def _open_pieces(folder: Path, names: Sequence[str]) -> Pieces:
    for name in names:
        if (folder / name).is_file():
            return TokenizerPieces(folder / name) if name.endswith(".json") else SentencePieces(folder / name)
    raise InputError(f"{folder} has none of {', '.join(names)}", "Fetch or convert the model again")


def _adds_end(folder: Path) -> bool:
    """Whether CTranslate2 puts the end after a source by itself: so it is with models of Marian's own format."""
    path = folder / "config.json"
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")).get("add_source_eos", False))
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Fetch or convert the model again") from error
