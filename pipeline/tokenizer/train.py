"""Training of a SentencePiece unigram model (Kudo 2018, arXiv 1804.10959; Kudo & Richardson 2018, 1808.06226)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

from corpus.errors import ConfigurationError, CorpusError, EvenglotError
from pipeline.tokenizer.config import TokenizerConfig

PAD, UNKNOWN, BEGIN, END, MASK = "<pad>", "<unk>", "<s>", "</s>", "<mask>"
SPECIAL = {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}
"""Ids of the special pieces; no text ever encodes to one of them."""

_TOO_LARGE = re.compile(r"Vocabulary size too high \(\d+\)\. Please set it to a value <= (\d+)")
_TOO_SMALL = re.compile(r"Vocabulary size is smaller than required_chars\. \d+ vs (\d+)")


def sentencepiece() -> ModuleType:
    """The sentencepiece package, imported when it is first needed.

    Raises:
        EvenglotError: it is not installed.
    """
    try:
        import sentencepiece as module
    except ImportError as error:
        raise EvenglotError("sentencepiece is not installed", "pip install 'evenglot[pipeline]'") from error
    checked: ModuleType = module
    return checked


def train(lines: Callable[[], Iterable[str]], config: TokenizerConfig) -> bytes:
    """Learn a vocabulary.

    White space is kept as it is: no normalisation, no space put before the text, a line break is a piece of
    its own. Characters without a piece are spelt in UTF-8 bytes. One thread, so that the same lines give the
    same bytes on every machine.

    Args:
        lines: gives the sample; called again when the vocabulary has to be smaller.
        config: size and coverage.

    Returns:
        the model's bytes; it has fewer pieces than asked for where the sample supports no more.

    Raises:
        ConfigurationError: the vocabulary is too small for the characters, or too large for the sample and
            ``shrink`` is off.
        CorpusError: the sample holds nothing to learn from.
    """
    try:
        return _train(lines(), config, config.vocabulary)
    except RuntimeError as error:
        largest, required = _TOO_LARGE.search(str(error)), _TOO_SMALL.search(str(error))
        if required:
            raise ConfigurationError(
                f"tokenizer.vocabulary is {config.vocabulary:,}, but the characters of the sample alone need "
                f"{int(required[1]):,} pieces",
                f"Set tokenizer.vocabulary above {int(required[1]):,}, or lower tokenizer.character_coverage "
                f"({config.character_coverage})",
            ) from error
        if not largest:
            raise CorpusError(
                f"no vocabulary can be learnt from the training text: {error}", "Give the corpus more text"
            ) from error
    possible = int(largest[1])
    if not config.shrink:
        raise ConfigurationError(
            f"tokenizer.vocabulary is {config.vocabulary:,}, but the sample supports {possible:,} pieces at most",
            f"Set tokenizer.vocabulary to {possible:,} or less, raise tokenizer.sample_bytes "
            f"({config.sample_bytes:,}), or set tokenizer.shrink to true",
        )
    return _train(lines(), config, possible)


def _train(lines: Iterable[str], config: TokenizerConfig, vocabulary: int) -> bytes:
    model = io.BytesIO()
    sentencepiece().SentencePieceTrainer.train(
        sentence_iterator=_counted(lines),
        model_writer=model,
        model_type="unigram",
        vocab_size=vocabulary,
        character_coverage=config.character_coverage,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        allow_whitespace_only_pieces=True,
        # A control piece, unlike a user-defined one, is never found in text: a document that spells out
        # "<mask>" is encoded as those six characters.
        control_symbols=[MASK],
        user_defined_symbols=["\n"],
        pad_id=SPECIAL["pad"],
        unk_id=SPECIAL["unk"],
        bos_id=SPECIAL["bos"],
        eos_id=SPECIAL["eos"],
        pad_piece=PAD,
        unk_piece=UNKNOWN,
        bos_piece=BEGIN,
        eos_piece=END,
        max_sentence_length=1 << 20,
        input_sentence_size=0,
        num_threads=1,
        minloglevel=3,
    )
    return model.getvalue()


def _counted(lines: Iterable[str]) -> Iterator[str]:
    found = False
    for line in lines:
        if line.strip():
            found = True
            yield line
    if not found:
        raise CorpusError("the training text holds no characters", "Look at the corpus: `evenglot inspect`")
