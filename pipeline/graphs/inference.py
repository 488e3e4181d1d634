"""Translation in a Beam graph: a model handler for RunInference, whose elements are requests and not sentences.

A request holds all sentences of a piece of work, so a batch is cut where the lengths of its sentences are known, inside
the engine, and nothing is shuffled. The engine is shared by all threads, and all steps with the same settings, of a
process; with ``large_model`` by all processes of a machine, to which only sentences and translations travel.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import ModelHandler

from pipeline.translation.config import TranslationConfig
from pipeline.translation.engine import Engine
from pipeline.translation.request import Request
from pipeline.translation.result import Translation

NAMESPACE: Final = "translation"
"""Of the counters that a translating step reports."""
REQUESTS: Final = 1
"""Requests that an engine is given at a time. Each is translated as if it were alone, so more gain nothing, and what
comes after would wait for all of them."""
_ENGINES: WeakValueDictionary[str, Engine] = WeakValueDictionary()
_OPENING: Final = threading.Lock()


@dataclass(frozen=True)
class Translated:
    """A request and what became of it."""

    request: Request
    translations: tuple[Translation, ...]
    """One of each of its sentences."""


class TranslationHandler(ModelHandler[Request, Translated, Engine]):
    """Translates requests in ``RunInference``.

    Counters (namespace ``translation``): ``sentences`` asked for, of them ``too_long`` and ``kept`` in the cache,
    ``source_tokens`` and ``target_tokens`` of the others, ``batches``, ``halved`` batches that did not fit into memory,
    ``failed`` sentences. RunInference adds its own of time and batches.

    Args:
        config: models, device, cache.
        large_model: load the models once for all worker processes of a machine: for models that do not fit into memory
            several times. Translations then come from one process, by threads of its own.
        requests: that the engine is given at a time.
    """

    def __init__(self, config: TranslationConfig, *, large_model: bool = False, requests: int = REQUESTS) -> None:
        super().__init__(min_batch_size=requests, max_batch_size=requests, large_model=large_model)
        self.config = config

    def load_model(self) -> Engine:
        """The engine of this process; models are loaded by it when they are first needed."""
        return shared_engine(self.config)

    def run_inference(
        self, batch: Sequence[Request], model: Engine, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[Translated]:
        """Translate requests; ``model`` may stand for an engine of another process."""
        found, counts = model.translate_and_count(list(batch))
        for name, value in asdict(counts).items():
            Metrics.counter(NAMESPACE, name).inc(value)
        return [Translated(request, tuple(translations)) for request, translations in zip(batch, found, strict=True)]

    def get_num_bytes(self, batch: Sequence[Request]) -> int:
        """Bytes of the sentences; RunInference would pickle them to know."""
        return sum(len(sentence.encode("utf-8", "surrogatepass")) for one in batch for sentence in one.sentences)

    def get_metrics_namespace(self) -> str:
        """Of RunInference's own metrics."""
        return NAMESPACE


def shared_engine(config: TranslationConfig) -> Engine:
    """The process's engine of these settings, as long as anyone holds it."""
    key = config.model_dump_json()
    with _OPENING:
        engine = _ENGINES.get(key)
        if engine is None:
            engine = Engine(config)
            _ENGINES[key] = engine
        return engine


def close_engines() -> None:
    """Write what the engines of this process have not yet written to their caches, and let go of their models.

    Nothing does it when a job ends that ran in this process: an engine lives until the last step that knows it is
    collected.
    """
    with _OPENING:
        for engine in list(_ENGINES.values()):
            engine.close()
