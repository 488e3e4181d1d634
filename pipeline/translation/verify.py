"""Whether a model folder is whole, and whether its model translates at all."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from corpus.errors import EvenglotError
from corpus.hashing import file_hash
from pipeline.translation.card import ModelCard
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding
from pipeline.translation.encoder_card import TOKENIZER, EncoderCard
from pipeline.translation.model_folders import described

SENTENCE: Final = "The river rose in the night."
_SOURCE: Final = "eng_Latn"


@dataclass(frozen=True)
class Tried:
    """One sentence through the model."""

    source: str
    target: str
    """Tags; empty for an encoder."""
    text: str
    """The translation; of an encoder, nothing."""
    score: float | None
    """Mean log-probability of an output token."""


@dataclass(frozen=True)
class Verified:
    """What was found of a model folder."""

    folder: Path
    files: int
    """Files that the card lists."""
    problems: tuple[str, ...]
    tried: Tried | None


def verify(folder: Path, *, load: bool = False, text: str = SENTENCE) -> Verified:
    """Compare all files with the card, and where asked let the model do one sentence on the CPU; raises nothing.

    Args:
        folder: of the model.
        load: whether to load the model and to give it the text.
        text: a sentence; in English where the model translates from it, else in the language of its first direction.
    """
    model = described(folder)
    if model.card is None:
        return Verified(folder, 0, (str(model.problem),), None)
    problems = file_problems(folder, model.card.files)
    tried = None
    if load and not problems:
        try:
            if isinstance(model.card, EncoderCard):
                tried = _encode(folder, model.card, text)
            else:
                tried = _translate(folder, model.card, text)
        except EvenglotError as error:
            problems = [str(error)]
        except (ImportError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a damaged model does in the library, it is damaged
            problems = [f"{folder} cannot be used: {type(error).__name__}: {error}"]
    return Verified(folder, len(model.card.files), tuple(problems), tried)


def file_problems(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What is wrong with the files of a folder, one line for each that is missing or differs from its hash.

    Args:
        folder: of the model.
        files: name -> hash, as the card has them.
    """
    problems = [] if files else [f"the card of {folder} lists no files"]
    for name, expected in sorted(files.items()):
        path = folder / name
        if Path(name).name != name:
            problems.append(f"the card of {folder} names '{name}', which is no file of the folder")
        elif not path.is_file():
            problems.append(f"{path} is missing")
        elif file_hash(path) != expected:
            problems.append(f"{path} is not the file that the card was written for")
    return problems


def _translate(folder: Path, card: ModelCard, text: str) -> Tried:
    from pipeline.translation.engine import Engine

    directions = card.directions()
    source, target = next((pair for pair in directions if pair[0] == _SOURCE), directions[0])
    engine = Engine(TranslationConfig(models=(str(folder),), device="cpu", max_hops=1))
    (found,) = engine.translate([text], engine.routes.find(source, target), Decoding())
    if found.problem is not None:
        raise EvenglotError(f"{folder} does not translate from {source} to {target}: {found.problem}")
    return Tried(source, target, found.text, found.score)


def _encode(folder: Path, card: EncoderCard, text: str) -> Tried:
    ctranslate2 = importlib.import_module("ctranslate2")
    tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(folder / TOKENIZER))
    encoder = ctranslate2.Encoder(str(folder), device="cpu", compute_type="default", intra_threads=1)
    found = encoder.forward_batch([tokenizer.encode(card.prompt + text).ids[: card.max_tokens]])
    vector = np.array(found.pooler_output if card.pooling == "pooler" else found.last_hidden_state, dtype=np.float32)
    if vector.shape[-1] != card.dimension or not np.isfinite(vector).all():
        raise EvenglotError(f"{folder} gives vectors of {vector.shape[-1]} numbers, or some that are no numbers")
    return Tried("", "", "", None)
