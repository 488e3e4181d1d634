"""Losses of a model on held-out text, and of a language's text under the adapters of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from corpus.errors import CorpusError
from sampler.config import SamplerConfig
from sampler.heldout import HeldoutRows
from sampler.index import TokenCorpus
from sampler.stream import CurriculumStream
from trainer.config import TrainConfig
from trainer.distributed import World
from trainer.evaluate import Evaluator, Progress
from trainer.heldout.recent import recent_rows
from trainer.heldout.rows import Heldout, in_memory, streamed
from trainer.model.language_model import LanguageModel
from trainer.run.setup import mask_token
from trainer.steps.backward import autocast_type
from trainer.steps.batches import pass_rows

CORE = ""
"""Stands for the core alone, without any language's adapter."""


class Place(NamedTuple):
    """Where text is read from."""

    corpus: str
    tokenizer: str
    row_tokens: int
    snapshot: int | None
    """None takes the current one."""
    vocabulary: int
    """Token rows that the number of rows in a forward pass is reckoned with: figures that are compared to the last bit
    need batches of the same size."""


def heldout_losses(
    model: LanguageModel,
    config: TrainConfig,
    place: Place,
    known: Sequence[str],
    languages: Sequence[str],
    world: World,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Held-out figures of some languages, in batches of these languages alone.

    Whatever other languages a model has, the batches and so the last bits of the figures are the same.

    Args:
        model: on the processes' device.
        config: that it was trained with.
        place: of the text.
        known: tags of the model's languages, in its order; languages that are not among them get the core alone.
        languages: tags that are scored; those without held-out text are left out.
        world: the processes.
        progress: told of the rows done.
    """
    reader = HeldoutRows(place.corpus, tokenizer=place.tokenizer, row_tokens=place.row_tokens, snapshot=place.snapshot)
    return _evaluator(streamed(reader, languages), config, place, known, world)(model, progress)


def adapter_losses(
    model: LanguageModel,
    config: TrainConfig,
    place: Place,
    known: Sequence[str],
    language: str,
    world: World,
    *,
    rows: int = 16,
    candidates: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Nats per token of a new language's training text under others' adapters and under the core alone.

    Args:
        model: on the processes' device.
        config: that it was trained with.
        place: of the text.
        known: tags of the model's languages, in its order; the new one may be among them.
        language: the new one's tag.
        world: the processes.
        rows: of text; a few batches tell languages apart.
        candidates: tags of the languages whose adapters are tried; None for all known ones.
        progress: told of the adapters done.

    Returns:
        by tag, ``CORE`` among them, the lowest first.
    """
    sampler = SamplerConfig(row_tokens=place.row_tokens, languages=(language,), mixture="uniform")
    stream = CurriculumStream(place.corpus, tokenizer=place.tokenizer, config=sampler, seed=0, snapshot=place.snapshot)
    text = in_memory(recent_rows(stream, {language: 1.0}, end=rows, rows=rows))
    found: dict[str, float] = {}
    tried = [CORE, *(known if candidates is None else candidates)] if model.adapters() else [CORE]
    for number, candidate in enumerate(tried):
        # The evaluator gives a language the adapter of its place among the known ones; nobody is called CORE.
        names = [language if tag == candidate else CORE if tag == language else tag for tag in known]
        scores = _evaluator(text, config, place, names, world)(model)
        found[candidate] = float(scores["languages"][language]["loss"])
        if progress is not None:
            progress("try adapters", number + 1, len(tried))
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def nearest(losses: Mapping[str, float], count: int) -> tuple[str, ...]:
    """The languages whose adapters fit best, at most ``count``, those alone that fit better than the core."""
    better = [tag for tag, loss in losses.items() if tag != CORE and loss < losses[CORE]]
    return tuple(sorted(better, key=lambda tag: (losses[tag], tag))[:count])


def _evaluator(text: Heldout, config: TrainConfig, place: Place, known: Sequence[str], world: World) -> Evaluator:
    shards = TokenCorpus(place.corpus, place.tokenizer, "heldout", place.snapshot)
    if not text.rows:
        raise CorpusError(f"{place.corpus} has no held-out text of the languages that are to be scored")
    return Evaluator(
        text,
        known,
        config.objective,
        mask_id=mask_token(shards, config.objective.kind),
        pass_rows=pass_rows(config, world.device, place.row_tokens, place.vocabulary),
        precision=autocast_type(config, world.device),
        world=world,
    )
