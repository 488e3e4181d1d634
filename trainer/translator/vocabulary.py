"""The translator's vocabulary: one SentencePiece model for both sides, and ids laid out as in a Marian model.

Ids: ``</s>`` 0, ``<unk>`` 1, the pieces, a token ``>>xxx<<`` for each target where there are several, ``<pad>`` last,
which also begins the decoder's input. The token is put before the source, as in OPUS-MT.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.errors import InputError
from corpus.storage import Storage
from corpus.tags import to_tag
from corpus.translations import SentencePair
from trainer.translator.size import vocabulary_size, words_of

Ids = npt.NDArray[np.int32]

END: Final = 0
UNKNOWN: Final = 1
_PIECES: Final = "source.spm"
_IDS: Final = "vocab.json"
_BLANK: Final = "\u2581"
_LONGEST_SENTENCE: Final = 16_384
"""Bytes; the library would leave longer sentences out of its training without a word."""


class Vocabulary:
    """Text to ids and back.

    Args:
        model: a serialised SentencePiece model.
        ids: token -> id, as ``vocab.json`` has them.
    """

    def __init__(self, model: bytes, ids: Mapping[str, int]) -> None:
        import sentencepiece

        self.model = model
        self.ids = dict(ids)
        self.tokens = sorted(self.ids, key=self.ids.__getitem__)
        self.pad = self.ids["<pad>"]
        self.begins_word = np.array([token.startswith(_BLANK) for token in self.tokens])
        """Whether a token stands at the beginning of a word, by id."""
        self._pieces: Any = sentencepiece.SentencePieceProcessor(model_proto=model)
        # From the library's ids to ours: its own <unk>, <s> and </s> lie elsewhere.
        self._ours = np.array(
            [self.ids.get(self._pieces.id_to_piece(n), UNKNOWN) for n in range(self._pieces.get_piece_size())], np.int32
        )

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, texts: Sequence[str], target: str | None = None) -> list[Ids]:
        """Ids of each text with the end.

        Args:
            texts: to encode.
            target: tag of the language that a source is to be translated to; None for targets, and where the model
                has one target only.
        """
        begin = self.begin(target)
        found = self._pieces.encode(list(texts))
        return [np.concatenate([begin, self._ours[one], [END]]).astype(np.int32) for one in found]

    def begin(self, target: str | None) -> list[int]:
        """What stands before a source: the token that asks for its target, where the model has several."""
        return [] if target is None or (code := target_token(target)) not in self.ids else [self.ids[code]]

    def words(self, texts: Sequence[str]) -> list[list[str]]:
        """The stretches of each text that are cut into pieces one by one: words, with the mark of the blank before."""
        found: list[list[str]] = []
        for pieces in self._pieces.encode(list(texts), out_type=str):
            row: list[str] = []
            for piece in pieces:
                if row and not piece.startswith(_BLANK):
                    row[-1] += piece
                else:
                    row.append(piece)
            found.append(row)
        return found

    def ways(self, word: str, most: int) -> list[tuple[Ids, float]]:
        """The likeliest ways to cut one of :meth:`words`, best first: ids, and the logarithm of their probability."""
        # The library puts the blank before a text by itself.
        found = self._pieces.nbest_encode(word.removeprefix(_BLANK), nbest_size=most, out_type=int)
        made = {tuple(row): sum(self._pieces.get_score(n) for n in row) for row in found}
        return [(self._ours[list(row)], score) for row, score in made.items()]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of a translation's ids; tokens that are no text are left out."""
        special = {END, UNKNOWN, self.pad}
        kept = [self.tokens[n] for n in ids if n not in special]
        return str(self._pieces.decode_pieces([token for token in kept if not token.startswith(">>")])).strip()

    def write(self, folder: Path) -> None:
        """Write the files of a Marian model's tokenizer: ``source.spm``, ``target.spm``, ``vocab.json``."""
        storage = Storage(folder)
        storage.write_bytes("source.spm", self.model)
        storage.write_bytes("target.spm", self.model)
        text = json.dumps(self.ids, ensure_ascii=False, indent=0)
        storage.write_bytes(_IDS, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Vocabulary:
        """The vocabulary that :meth:`write` wrote.

        Raises:
            InputError: a file is missing or damaged.
        """
        try:
            ids = json.loads((folder / _IDS).read_text(encoding="utf-8"))
            return cls((folder / _PIECES).read_bytes(), ids)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise InputError(f"{folder} holds no vocabulary: {error}", "Begin anew (`--fresh`)") from error


def train_vocabulary(pairs: Sequence[SentencePair], size: int | None) -> Vocabulary:
    """Learn a vocabulary from both sides of the training pairs; the same pairs give the same pieces.

    Args:
        pairs: to train on.
        size: pieces; None takes :func:`~trainer.translator.size.vocabulary_size`. Where the text does not have so
            many, there are fewer.

    Raises:
        InputError: there is no text, or fewer pieces are asked for than it has letters.
    """
    import sentencepiece

    # A sentence of a text in many languages comes once for each direction: it counts once here.
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.text, pair.translation) if text.strip()))
    if not texts:
        raise InputError("there is no text to train a translator on", "Look at the files of `parallel.inputs`")
    letters = len(set().union(*map(set, texts)))
    chosen = size or vocabulary_size(words_of(pairs), letters)
    made = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=made,
            vocab_size=chosen,
            hard_vocab_limit=False,
            character_coverage=1.0,
            max_sentence_length=_LONGEST_SENTENCE,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise InputError(
            f"no vocabulary of {chosen:,} pieces can be learnt from text of {letters:,} different characters: {error}",
            "Set `translator.vocabulary` to more",
        ) from error
    model = made.getvalue()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    words = [pieces.id_to_piece(n) for n in range(pieces.get_piece_size())]
    targets = sorted({pair.target for pair in pairs})
    asked = [target_token(target) for target in targets] if len(targets) > 1 else []
    names = ["</s>", "<unk>", *(w for w in words if w not in ("<unk>", "<s>", "</s>", "<pad>", *asked)), *asked]
    return Vocabulary(model, {name: number for number, name in enumerate([*names, "<pad>"])})


def target_token(tag: str) -> str:
    """What asks for a target: ``>>swh<<``, with the script where it is not the language's usual one."""
    return f">>{tag[:3] if to_tag(tag[:3]) == tag else tag}<<"
