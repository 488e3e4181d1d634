"""The translation engine: sentences along routes of models, and the same sentences always to the same translations."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from pathlib import Path

from corpus.errors import ConfigurationError
from pipeline.translation.cache import Cache
from pipeline.translation.card import ModelCard, read_card
from pipeline.translation.cells import Counts, Done, Kept, NothingKept, translate_step
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding
from pipeline.translation.devices import Device, choose_device
from pipeline.translation.loaded import LoadedModel
from pipeline.translation.model_folders import model_folder
from pipeline.translation.request import Request
from pipeline.translation.result import Translation
from pipeline.translation.routes import Route, Routes, Step


@dataclass(frozen=True)
class Model:
    """A model folder and its card."""

    folder: Path
    card: ModelCard


def read_models(config: TranslationConfig) -> dict[str, Model]:
    """The models of a configuration by ``name@revision``, in their order; reads the cards only.

    Raises:
        InputError: a folder has no card.
        ConfigurationError: a card is wrong, or two models have one name and revision.
    """
    models: dict[str, Model] = {}
    for folder in map(model_folder, config.models):
        card = read_card(folder)
        other = models.setdefault(card.generator, Model(folder, card))
        if other.folder != folder:
            raise ConfigurationError(
                f"{other.folder} and {folder} are both {card.generator}", "Give one of them another name or revision"
            )
    return models


class Engine:
    """Translates sentences; any number of threads may use one.

    Models are loaded when they are first needed and held up to ``keep_loaded``. What an engine returns depends on its
    arguments (all sentences of a request, whatever their order), the models' files, the type of arithmetic, the size of
    batches, CTranslate2's version and, in last bits, the kind of processor: not on other requests, translators, or what
    is in the cache.

    Args:
        config: models and device.
        kept: translations made before; without, those of the configuration's cache, where it names one.

    Raises:
        InputError: a model folder has no card.
        ConfigurationError: a card is wrong, or the device cannot be used.
    """

    def __init__(self, config: TranslationConfig, kept: Kept | None = None) -> None:
        self.config = config
        self.models = read_models(config)
        self.routes = Routes([model.card for model in self.models.values()], config.pivots, config.max_hops)
        self.counts = Counts()
        """What was done since the beginning."""
        self.loads = 0
        """How often a model was loaded."""
        self._kept: Kept = kept or (Cache(config.cache) if config.cache is not None else NothingKept())
        # At the end of the process too: a worker has no other moment to write the last few.
        weakref.finalize(self, self._kept.close)
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._device: Device | None = None
        self._lock = threading.Lock()
        self._counting = threading.Lock()

    def translate(
        self, sentences: Sequence[str], route: Route, decoding: Decoding, *, seed: int = 0
    ) -> list[Translation]:
        """Translate sentences along a route.

        Args:
            sentences: in the route's first language.
            route: of :attr:`routes`.
            decoding: how to search, at every step.
            seed: for sampling: another seed, another sample.

        Returns:
            A translation of each sentence, in their order.

        Raises:
            ConfigurationError: a model of the route is not one of the configuration's, or the device cannot be used.
            DeviceFailed: the device failed on the way.
        """
        return self.translate_requests([Request("", tuple(sentences), route, decoding, seed)])[0]

    def translate_requests(self, requests: Sequence[Request]) -> list[list[Translation]]:
        """Translate several requests; each as if it were alone.

        Args:
            requests: each with a route and a decoding of its own.

        Returns:
            For each request what :meth:`translate` returns for it alone.
        """
        return self.translate_and_count(requests)[0]

    def translate_and_count(self, requests: Sequence[Request]) -> tuple[list[list[Translation]], Counts]:
        """As :meth:`translate_requests`, and what was done for it."""
        counts = Counts()
        for request in requests:
            _check_route(request.route, self.models)
        found = [[Translation(sentence) for sentence in request.sentences] for request in requests]
        for hop in range(max((len(request.route) for request in requests), default=0)):
            groups: dict[tuple[Step, Decoding], list[int]] = {}
            for index, request in enumerate(requests):
                if hop < len(request.route):
                    groups.setdefault((request.route[hop], request.decoding), []).append(index)
            for (step, decoding), indices in groups.items():
                asked = [[one.text for one in found[index] if _goes_on(one)] for index in indices]
                done = self._step(step, decoding, asked, [requests[index].seed for index in indices], counts)
                for index, by_text in zip(indices, done, strict=True):
                    found[index] = [_after(one, by_text[one.text]) if _goes_on(one) else one for one in found[index]]
        with self._counting:
            for field, value in zip(fields(counts), astuple(counts), strict=True):
                setattr(self.counts, field.name, getattr(self.counts, field.name) + value)
        return found, counts

    def close(self) -> None:
        """Write what the cache has not written and let go of the models."""
        with self._lock:
            self._loaded.clear()
            self._kept.close()

    def _step(
        self,
        step: Step,
        decoding: Decoding,
        asked: Sequence[Sequence[str]],
        seeds: Sequence[int],
        counts: Counts,
    ) -> list[Mapping[str, Done]]:
        if not any(asked):
            return [{} for _ in asked]
        model = self._model(step.model)
        done: list[Mapping[str, Done]] = []
        for texts, seed in zip(asked, seeds, strict=True):
            done.append(translate_step(model, step, decoding, texts, seed, self._kept, counts))
        return done

    def _model(self, name: str) -> LoadedModel:
        """The model in memory; loads it, and lets go of the one used longest ago where there are too many."""
        with self._lock:
            if name not in self._loaded:
                if self._device is None:
                    self._device = choose_device(self.config)
                # First out, then in: two large models may not fit beside each other.
                while len(self._loaded) >= self.config.keep_loaded:
                    self._loaded.popitem(last=False)
                model = self.models[name]
                self._loaded[name] = LoadedModel(model.folder, model.card, self._device, self.config)
                self.loads += 1
            self._loaded.move_to_end(name)
            return self._loaded[name]


def _check_route(route: Route, models: Mapping[str, Model]) -> None:
    for before, after in pairwise(route):
        if before.target != after.source:
            raise ConfigurationError(f"the route makes {before.target} and goes on from {after.source}")
    for step in route:
        if step.model not in models:
            raise ConfigurationError(f"the route's model {step.model} is not among the models", "Name its folder too")
        if not models[step.model].card.serves(step.source, step.target):
            raise ConfigurationError(f"{step.model} does not translate from {step.source} to {step.target}")


def _goes_on(one: Translation) -> bool:
    return one.problem is None and bool(one.text.strip())


def _after(one: Translation, done: Done) -> Translation:
    scores = one.scores if done.score is None else (*one.scores, done.score)
    return Translation(
        done.text,
        None if done.problem else done.score,
        one.tokens + done.tokens,
        done.problem,
        scores,
        one.truncated or done.truncated,
    )
