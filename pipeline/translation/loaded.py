"""A model in memory: its tokens, and the translator that CTranslate2 made of its weights."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from corpus.errors import ConfigurationError, EvenglotError
from pipeline.translation.batches import SAMPLE_TOKENS, automatic_tokens
from pipeline.translation.card import ModelCard, check_files
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding
from pipeline.translation.devices import (
    CUDA_LIBRARIES,
    Device,
    choose_compute_type,
    device_memory,
)
from pipeline.translation.families import END, Family, open_family
from pipeline.translation.search import Events, Output, Translate, search

WEIGHTS: Final = "model.bin"
AHEAD: Final = 3
"""Batches that a translator is given at a time: one that it computes and what it goes on with."""
_SEEDING: Final = threading.Lock()
"""The seed of CTranslate2 is one for the process."""


class LoadedModel:
    """One model on one device; used by any number of threads at a time.

    Args:
        folder: of the model.
        card: its card.
        device: where it runs.
        config: how large batches are, in which type it computes.

    Raises:
        InputError: a file is missing or is not the card's.
        ConfigurationError: the device does not support the type of arithmetic.
    """

    def __init__(self, folder: str | Path, card: ModelCard, device: Device, config: TranslationConfig) -> None:
        check_files(folder, card)
        self.folder = Path(folder)
        self.card = card
        self.device = device
        self.family: Family = open_family(folder, card)
        self.compute_type = choose_compute_type(config.compute_type, card.quantisation, device)
        self._config = config
        self._lock = threading.Lock()
        self._translator: Any = None

    def most_tokens(self, decoding: Decoding) -> int:
        """Most tokens of a source that the model takes, language tokens and the end included."""
        bound = self.card.max_positions
        return decoding.max_source_tokens if bound is None else min(decoding.max_source_tokens, bound)

    def output_limit(self, source_tokens: int, decoding: Decoding) -> int:
        """Most tokens of an output, for sentences up to so many tokens."""
        limit = decoding.output_limit(min(source_tokens, self.most_tokens(decoding)))
        # The prefix and the end take positions too.
        return limit if self.card.max_positions is None else max(1, min(limit, self.card.max_positions - 2))

    def batch_tokens(self, decoding: Decoding) -> int:
        """Source tokens of a batch."""
        if decoding.samples:
            return SAMPLE_TOKENS
        if self._config.batch_tokens != "auto":
            return self._config.batch_tokens
        weights = (self.folder / WEIGHTS).stat().st_size
        return automatic_tokens(
            device_memory(self.device), weights, self.card.parameters or weights, decoding.beam_size, self.device
        )

    def search(
        self,
        batches: Sequence[Sequence[list[str]]],
        limits: Sequence[int],
        prefix: list[str],
        decoding: Decoding,
        seed: int,
        events: Events,
    ) -> Iterator[list[Output | str]]:
        """Translate batches of tokens, see :func:`pipeline.translation.search.search`.

        Args:
            batches: tokens of each sentence.
            limits: most output tokens of each batch.
            prefix: tokens that every output begins with.
            decoding: how to search.
            seed: for sampling: the same batches with the same seed have the same outputs.
            events: counts what went wrong.
        """
        if decoding.samples:
            with self._seeded(seed) as translate:
                yield from search(translate, batches, limits, prefix, decoding, events)
            return
        ahead = AHEAD * self.device.translators * len(self.device.indices)
        yield from search(self._resident(), batches, limits, prefix, decoding, events, ahead)

    def _resident(self) -> Translate:
        with self._lock:
            if self._translator is None:
                self._translator = self._open(self.device.translators, self.device.indices)
            translate: Translate = self._translator.translate_batch
            return translate

    @contextmanager
    def _seeded(self, seed: int) -> Iterator[Translate]:
        """A translator whose generator of random numbers begins at a seed.

        In CTranslate2 every thread of a translator has a generator of its own, which takes the process's seed when it
        first draws and never again. So each seed needs a new translator. On the CPU one draw makes sure of its
        generator before another thread sets the next seed; on CUDA a generator for more sentences may be made later,
        so that others wait until the end.
        """
        import ctranslate2

        with ExitStack() as held:
            held.enter_context(_SEEDING)
            ctranslate2.set_random_seed(1 + seed % 0xFFFF_FFFD)  # the largest number is CTranslate2's sign for none
            translator = self._open(1, self.device.indices[:1])
            if self.device.name == "cpu":
                # An empty sentence would not be translated, and draw nothing.
                translator.translate_batch([["<unk>", END]], beam_size=1, max_decoding_length=1, sampling_topk=0)
                held.close()
            yield translator.translate_batch

    def _open(self, translators: int, indices: tuple[int, ...]) -> Any:
        import ctranslate2

        try:
            return ctranslate2.Translator(
                str(self.folder),
                device=self.device.name,
                device_index=list(indices) if self.device.name == "cuda" else 0,
                compute_type=self.compute_type,
                inter_threads=translators,
                intra_threads=self.device.threads,
            )
        except (RuntimeError, ValueError, MemoryError) as error:
            for name, fix in CUDA_LIBRARIES.items():
                if name in str(error):
                    raise ConfigurationError(
                        f"{name} cannot be loaded, which CTranslate2 needs on CUDA", fix
                    ) from error
            raise EvenglotError(
                f"the model {self.folder} cannot be loaded on {self.device.name}: {error}",
                "Convert it again, or take a device with more memory",
            ) from error
