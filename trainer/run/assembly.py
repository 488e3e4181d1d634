"""The parts of a run, put together before its first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from sampler.config import SamplerConfig
from sampler.stream import CurriculumStream
from trainer.config import TrainConfig
from trainer.continual.hold import begin, slow
from trainer.continual.measure import Place, adapter_losses
from trainer.distributed import World
from trainer.evaluate import Evaluator
from trainer.foreign.vocabulary import check_vocabulary
from trainer.heldout.rows import HeldoutLanguage, in_memory, load_heldout
from trainer.heldout.stopping import LanguageStops
from trainer.model.compiled import compile_blocks
from trainer.model.language_model import LanguageModel
from trainer.optimiser.build import Optimiser, make_optimiser
from trainer.parallel.retrieval import Retrieval
from trainer.parallel.setup import parallel_batches, retrieval
from trainer.row_schedule import RowSchedule
from trainer.run.late_start import LateStarts
from trainer.run.setup import (
    limit_tokens,
    loss_baseline,
    mask_token,
    new_model,
    occurrences,
    open_stream,
    passes_before,
    recent_baseline,
    settled,
)
from trainer.sharding import check_settings
from trainer.steps.batches import pass_rows
from trainer.steps.step import Stepper
from trainer.steps.tally import Tally


class Parts(NamedTuple):
    """What a run is made of."""

    sampler: SamplerConfig
    """With the run's budget filled in."""
    rows: RowSchedule
    """Rows of each step."""
    stream: CurriculumStream
    model: LanguageModel
    optimiser: Optimiser
    tally: Tally
    step: Stepper
    stops: LanguageStops
    late: LateStarts
    evaluator: Evaluator
    """Of the held-out rows."""
    retrieval: Retrieval | None
    """Of held-out translations; None where none are searched."""


def assemble(
    corpus: str,
    folder: Path,
    config: TrainConfig,
    sampler: SamplerConfig,
    tokenizer: str,
    seed: int,
    *,
    snapshot: int | None,
    world: World,
    described: Mapping[str, Any] | None,
) -> Parts:
    """Put a run together; the arguments are those of :class:`trainer.run.session.Session`."""
    total = config.total_steps(sampler.row_tokens)
    rows = config.row_schedule(total)
    sampler = settled(sampler, rows.before(total) * sampler.row_tokens)
    stream = open_stream(corpus, tokenizer, sampler, seed, snapshot, world)
    vocabulary = int(stream.corpus.described["vocabulary"])
    train_tokens = [stream.sizes[lang] for lang in stream.languages]
    if config.model.base is not None and described is None:
        check_vocabulary(config.model, stream.corpus.described, tokenizer)
    model, optimiser = _moved(config, stream, folder, vocabulary, train_tokens, seed, world, described)
    tally = Tally(len(stream.languages), world.device)
    in_a_pass = pass_rows(config, world.device, sampler.row_tokens, vocabulary)
    step = Stepper(
        config,
        model,
        optimiser,
        stream,
        tally,
        world,
        train_tokens=train_tokens,
        total=total,
        mask_id=mask_token(stream.corpus, config.objective.kind),
        pass_rows=in_a_pass,
        seed=seed,
        baseline=loss_baseline(config, stream, vocabulary),
        passes=passes_before(stream, rows),
        occurrences=occurrences(config, stream, vocabulary),
        recent_baseline=recent_baseline(config, stream, vocabulary),
        parallel=parallel_batches(
            config,
            stream.corpus,
            stream.languages,
            world,
            row_tokens=sampler.row_tokens,
            pass_rows=in_a_pass,
            total=total,
            seed=seed,
        ),
    )
    heldout = load_heldout(
        corpus,
        tokenizer,
        sampler.row_tokens,
        rows=config.heldout.rows,
        languages=stream.languages,
        snapshot=stream.snapshots[-1],
        cache=sampler.cache,
    )
    searched = retrieval(
        config,
        stream.corpus,
        stream.languages,
        world,
        pairs=config.parallel.heldout_pairs if config.parallel is not None else 0,
        layers=len(model.blocks),
        row_tokens=sampler.row_tokens,
        pass_rows=in_a_pass,
        precision=step.precision,
    )
    stops = LanguageStops(config, model, optimiser, stream.languages, train_tokens, lambda: evaluated(step))
    place = Place(corpus, tokenizer, sampler.row_tokens, None, vocabulary)

    def losses_of(lang: str, candidates: Sequence[str]) -> dict[str, float]:
        return _losses_under(step, stream, place, lang, candidates)

    late = LateStarts(config.late_start, stream, rows, model, optimiser, step.average, losses_of)
    evaluator = evaluator_of(step, heldout)
    return Parts(sampler, rows, stream, model, optimiser, tally, step, stops, late, evaluator, searched)


def evaluator_of(step: Stepper, rows: Mapping[str, HeldoutLanguage]) -> Evaluator:
    """What scores the model on some rows, in the way of the held-out evaluation."""
    return Evaluator(
        in_memory(rows),
        step.stream.languages,
        step.config.objective,
        mask_id=step.mask_id,
        pass_rows=step.pass_rows,
        precision=step.precision,
        world=step.world,
        attention=step.config.attention,
    )


def evaluated(step: Stepper) -> AbstractContextManager[None]:
    """While the block runs, the model has the weights that are evaluated."""
    average, config = step.average, step.config.average
    return nullcontext() if average is None or config is None or not config.evaluate else average.applied()


def _losses_under(
    step: Stepper, stream: CurriculumStream, place: Place, lang: str, candidates: Sequence[str]
) -> dict[str, float]:
    """Nats per token of a language's training text under the adapters of others and under the core alone.

    Args:
        step: has the model.
        stream: knows which snapshot has the language.
        place: of the text, but for the snapshot.
        lang: its tag.
        candidates: tags of the others.
    """
    # The text may need pieces that are not of the others' part of the vocabulary.
    step.model.limit_tokens([place.vocabulary] * len(stream.languages))
    try:
        return adapter_losses(
            step.model,
            step.config,
            place._replace(snapshot=stream.corpus_of(lang).snapshot.number),
            stream.languages,
            lang,
            step.world,
            rows=step.config.late_start.rows,
            candidates=candidates,
        )
    finally:
        limit_tokens(step.model, step.config, stream)


def _moved(
    config: TrainConfig,
    stream: CurriculumStream,
    folder: Path,
    vocabulary: int,
    train_tokens: list[int],
    seed: int,
    world: World,
    described: Mapping[str, Any] | None,
) -> tuple[LanguageModel, Optimiser]:
    """The model on its device, cut where asked for, and what moves it."""
    model = new_model(config, vocabulary, train_tokens, seed, described).to(world.device)
    limit_tokens(model, config, stream)
    held = begin(model, config.continual, stream.languages, folder) if config.continual else None
    if config.compile:
        compile_blocks(model, world.device)
    if world.sharded:
        check_settings(config, world.size)
    world.shard(model, keep=bool(config.regularisers))
    optimiser = make_optimiser(model, config.optimiser, config.learning_rate())
    if held is not None:
        slow(model, optimiser, held)
    return model, optimiser
