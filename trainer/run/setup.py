"""What a run is put together from: its rows, its model, and what is known of the languages before it starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from corpus.errors import ConfigurationError
from corpus.hashing import stable_hash
from sampler.config import SamplerConfig
from sampler.index import TokenCorpus
from sampler.stream import CurriculumStream
from trainer import regularisers
from trainer.build import build_model
from trainer.config import TrainConfig
from trainer.distributed import World
from trainer.model.language_model import LanguageModel
from trainer.row_schedule import RowSchedule
from trainer.weighting.baseline import baselines, token_counts


def settled(sampler: SamplerConfig, tokens: int) -> SamplerConfig:
    """The sampler's settings with its token budget set to the run's unless it is given."""
    return sampler if sampler.budget_tokens is not None else sampler.model_copy(update={"budget_tokens": tokens})


def open_stream(
    corpus: str, tokenizer: str, sampler: SamplerConfig, seed: int, snapshot: int | None, world: World
) -> CurriculumStream:
    """The rows, of the snapshots that the leading process finds: one may be committed while processes start."""

    def of(numbers: int | tuple[int, ...] | None) -> CurriculumStream:
        return CurriculumStream(corpus, tokenizer=tokenizer, config=sampler, seed=seed, snapshot=numbers)

    stream = of(snapshot)
    led = tuple(json.loads(world.from_leader(json.dumps(stream.snapshots))))
    return stream if stream.snapshots == led else of(led)


def mask_token(corpus: TokenCorpus, objective: str) -> int:
    """Id that is put in place of hidden tokens; not asked for where none is hidden.

    Raises:
        ConfigurationError: tokens are to be hidden, and the tokenizer has none for that.
    """
    if objective == "causal" and "mask" not in corpus.described["special"]:
        return int(corpus.described["special"]["pad"])
    if "mask" not in corpus.described["special"]:
        raise ConfigurationError(
            f"train.objective.kind is '{objective}', but the tokenizer '{corpus.tokenizer}' has no token for masks",
            "Set it to 'causal', or tokenise the corpus with a tokenizer that has one",
        )
    return corpus.special("mask")


def new_model(
    config: TrainConfig,
    vocabulary: int,
    train_tokens: list[int],
    seed: int,
    described: Mapping[str, Any] | None = None,
) -> LanguageModel:
    """The model as it is before the first step, on the CPU.

    Args:
        config: of the training.
        vocabulary: number of token ids.
        train_tokens: training tokens that exist of each language.
        seed: of the run.
        described: configuration of a foreign base, as the run's checkpoint holds it; None at the run's start.
    """
    torch.manual_seed(stable_hash("weights", seed) >> 1)
    return build_model(
        config.model,
        vocabulary,
        len(train_tokens),
        train_tokens,
        objective=config.objective.kind,
        described=described,
    )


def limit_tokens(model: LanguageModel, config: TrainConfig, stream: CurriculumStream) -> None:
    """Keep each language's predictions to the part of the vocabulary that its text is written in.

    Raises:
        ConfigurationError: labels are smoothed over a vocabulary that is not the same for all languages.
    """
    described = stream.corpus.described
    rows: dict[str, int] = described.get("token_rows", {})
    if rows and config.objective.label_smoothing:
        raise ConfigurationError(
            "train.objective.label_smoothing spreads probability over pieces that only some of the languages have",
            "Set it to 0, or add the language without new pieces",
        )
    model.limit_tokens([rows.get(lang, int(described["vocabulary"])) for lang in stream.languages])


def loss_baseline(config: TrainConfig, stream: CurriculumStream, vocabulary: int) -> list[float] | None:
    """Nats per token that the languages' losses are compared with; None where they are not compared."""
    if config.language_loss is None:
        return None
    return baselines(config.language_loss.baseline, stream.languages, _counts(stream, vocabulary))


def recent_baseline(config: TrainConfig, stream: CurriculumStream, vocabulary: int) -> list[float] | None:
    """Nats per token that the languages' losses are compared with in a penalty; None where none compares them."""
    for entry in config.regularisers:
        if "recent" in regularisers.needs(entry.name):
            kind = getattr(regularisers.check(entry.name, entry.options), "baseline", "none")
            setting = f"option 'baseline' of regulariser '{entry.name}'"
            return baselines(kind, stream.languages, _counts(stream, vocabulary), setting)
    return None


def occurrences(config: TrainConfig, stream: CurriculumStream, vocabulary: int) -> npt.NDArray[np.float32] | None:
    """How often each piece of the vocabulary occurs in the training text, float32 [V]; None where no penalty needs it.

    From a sample of each language, scaled up to the tokens that exist of it.
    """
    if not any("occurrences" in regularisers.needs(entry.name) for entry in config.regularisers):
        return None
    counts = _counts(stream, vocabulary)
    total = np.zeros(vocabulary)
    for lang in stream.languages:
        sample = counts(lang)
        total += sample * (stream.sizes[lang] / max(1, sample.sum()))
    return total.astype(np.float32)


def _counts(stream: CurriculumStream, vocabulary: int) -> Callable[[str], npt.NDArray[np.int64]]:
    """A function that counts the pieces in a sample of a language's training text."""
    return lambda lang: token_counts(stream.corpus_of(lang).documents(lang), vocabulary)


def passes_before(stream: CurriculumStream, rows: RowSchedule) -> Callable[[int], npt.NDArray[np.float64]]:
    """A function that gives the passes over each language's text before a step, [languages]."""

    def passes(step: int) -> npt.NDArray[np.float64]:
        stream.seek(rows.before(step))
        realised = stream.realised()
        return np.array([realised[lang].passes for lang in stream.languages])

    return passes
