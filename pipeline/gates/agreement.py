"""Whether a sentence and its translation mean the same: vectors of a multilingual sentence encoder.

As in LASER, LaBSE and the filters built on them (Artetxe and Schwenk 2019, https://aclanthology.org/P19-1309; Feng et
al. 2022, https://aclanthology.org/2022.acl-long.62): the cosine of the two vectors. Optional, and no model ships: a
folder that ``evenglot models convert`` made of a BERT or XLM-R encoder is named in ``agreement_model``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.errors import ConfigurationError
from pipeline.translation.card import check_files
from pipeline.translation.config import TranslationConfig
from pipeline.translation.devices import choose_compute_type, choose_device
from pipeline.translation.encoder_card import TOKENIZER, EncoderCard, read_encoder_card
from pipeline.translation.model_folders import model_folder

Vectors = npt.NDArray[np.float32]

_BATCH_TOKENS: Final = 4096
"""Tokens of a batch, padding included."""


class SentenceEncoder:
    """An encoder in memory. It holds native memory and does not pickle: load it in the process that uses it.

    Args:
        folder: model folder with the card of an encoder.
        config: device, type of arithmetic and threads; its models are not looked at.

    Raises:
        InputError: a file is missing or is not the card's.
        ConfigurationError: the card is no encoder's, a package is missing, or the device cannot be used.
    """

    def __init__(self, folder: str | Path, config: TranslationConfig | None = None) -> None:
        try:
            import ctranslate2
            import tokenizers
        except ImportError as error:
            raise ConfigurationError(
                f"sentences cannot be compared without the package {error.name}",
                "Install it with `pip install 'evenglot[translate]'`",
            ) from error
        config = config or TranslationConfig()
        folder = model_folder(folder)
        self.card: EncoderCard = read_encoder_card(folder)
        check_files(folder, self.card)
        device = choose_device(config)
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(Path(folder) / TOKENIZER))
        self._tokenizer.enable_truncation(self.card.max_tokens)
        self._tokenizer.no_padding()
        self._encoder: Any = ctranslate2.Encoder(
            str(folder),
            device=device.name,
            device_index=list(device.indices),
            compute_type=choose_compute_type(config.compute_type, self.card.quantisation, device),
            intra_threads=device.threads,
        )

    def embed(self, sentences: Sequence[str]) -> Vectors:
        """[n, d] vectors of sentences; what is longer than the model takes is cut, an empty sentence has only zeros.

        Sentences of about equal length share a batch. With arithmetic other than int8 the last bits of a vector may
        depend on the others of the call; the sentences of a unit are one call, and so always the same.
        """
        vectors = np.zeros((len(sentences), self.card.dimension), np.float32)
        texts = [self.card.prompt + sentence.encode("utf-8", "replace").decode() for sentence in sentences]
        ids = [found.ids for found in self._tokenizer.encode_batch(texts)]
        rows = sorted(
            (row for row, sentence in enumerate(sentences) if sentence.strip()), key=lambda row: (len(ids[row]), row)
        )
        start = 0
        while start < len(rows):
            stop = start + 1
            while stop < len(rows) and (stop + 1 - start) * len(ids[rows[stop]]) <= _BATCH_TOKENS:
                stop += 1
            batch = rows[start:stop]
            vectors[batch] = self._pooled([ids[row] for row in batch])
            start = stop
        return vectors

    def _pooled(self, ids: Sequence[Sequence[int]]) -> Vectors:
        found = self._encoder.forward_batch(ids)
        if self.card.pooling == "pooler":
            return _array(found.pooler_output)
        hidden = _array(found.last_hidden_state)
        if self.card.pooling == "cls":
            return hidden[:, 0]
        return np.stack([hidden[row, : len(tokens)].mean(axis=0) for row, tokens in enumerate(ids)])


@lru_cache(maxsize=1)
def load_encoder(folder: str, config: TranslationConfig) -> SentenceEncoder:
    """An encoder, loaded once in a process; see ``SentenceEncoder`` for what may go wrong."""
    return SentenceEncoder(folder, config)


def _array(storage: Any) -> Vectors:
    """What CTranslate2 returned, in the memory of this machine as float32."""
    import ctranslate2

    return np.array(storage.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32), np.float32)
