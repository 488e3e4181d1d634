"""Train and score translators: parallel text of the pipeline, training of the trainer, CTranslate2 models and scores.

A run's folder holds ``checkpoints/``, ``metrics.jsonl``, ``fit.json``, the best state as ``transformers`` reads it
(``transformers/``), the model folder that ``augment`` takes (``model/``) and ``scores.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from corpus.errors import ConfigurationError, InputError
from corpus.manifest import read_snapshot
from corpus.storage import Storage
from corpus.translations import SentencePair, direction_name
from evenglot.recipe.load import dump_recipe
from evenglot.recipe.models import Recipe
from evenglot.steps import RECIPE, Stopped, share_cores
from trainer.translator.config import TranslatorConfig

if TYPE_CHECKING:
    from pipeline.parallel.pairs import ParallelPairs
    from pipeline.translation.card import ModelCard
    from pipeline.translation.engine import Engine

Progress = Callable[[str, int, int], None]

MODEL: Final = "model"
"""Folder of a run with the converted model."""
SCORES: Final = "scores.json"
_CHUNK: Final = 256
"""Sentences translated between two words on progress."""


class FittedModel(NamedTuple):
    """A translator that is ready to translate."""

    folder: Path
    """Of the model, as ``augment.translation.models`` takes it."""
    card: ModelCard
    summary: dict[str, Any]
    """What ``fit.json`` holds."""


def fit(
    recipe: Recipe,
    output: str,
    *,
    corpus: str | None = None,
    name: str | None = None,
    licence: str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a translator on the recipe's parallel text, convert it and score it on the test part.

    Args:
        recipe: its sections ``parallel`` and ``translator``.
        output: the run's folder.
        corpus: sentences found in its held-out documents are not trained on.
        name: of the model; None takes the folder's.
        licence: of the weights, for the card.
        fresh: begin anew although there are checkpoints.
        progress: told of the work.

    Raises:
        ConfigurationError: no direction or no file is given, or checkpoints belong to other settings.
        InputError: a direction has no sentences to train on.
        CorpusError: there is no such corpus.
        Stopped: SIGTERM came.
    """
    directions = recipe.translator.directions
    if not directions:
        raise ConfigurationError(
            "no direction is given to translate in", "Name them, for example `--pairs eng_Latn-swh_Latn`"
        )
    text = parallel_text(recipe, directions, corpus, progress)
    _require(text, directions)
    if recipe.translator.glosses and corpus is None:
        raise ConfigurationError(
            "`translator.glosses` takes sentences of a corpus, and none is given",
            "Name one with `--corpus`, or set it to 0",
        )
    folder = Path(output)
    try:
        made = fit_pairs(
            text.parts["train"],
            recipe.translator,
            folder,
            dev=text.parts["dev"],
            texts=_natural(recipe, corpus, text) if recipe.translator.glosses and corpus else None,
            seed=recipe.seed,
            name=name,
            licence=licence,
            sources=text.sources,
            fresh=fresh,
            progress=progress,
        )
    except Stopped:
        _write_recipe(recipe, folder)
        raise
    # Not before: a folder keeps the recipe of what lies in it when nothing was trained with this one.
    _write_recipe(recipe, folder)
    from pipeline.translation.card import write_card

    scores = score_pairs(made.folder, text.parts["test"], text.parts["train"], progress) if text.parts["test"] else {}
    _write_scores(folder / SCORES, {"model": made.card.generator, "part": "test", "directions": scores})
    card = made.card.model_copy(update={"made_of": f"{made.card.made_of} {_said(scores)}".strip()})
    write_card(made.folder, card)
    return {
        "run": output,
        "model": str(made.folder),
        "name": card.generator,
        "corpus": corpus,
        "text": _text_account(text),
        "fit": made.summary,
        "scores": scores,
    }


def fit_pairs(
    pairs: Sequence[SentencePair],
    config: TranslatorConfig,
    output: str | Path,
    *,
    dev: Sequence[SentencePair] = (),
    texts: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    name: str | None = None,
    licence: str | None = None,
    sources: Sequence[str] = (),
    fresh: bool = False,
    progress: Progress | None = None,
) -> FittedModel:
    """Train a translator on sentence pairs and convert it; a run that was stopped goes on.

    Args:
        pairs: to train on.
        config: the recipe's section; ``pairs`` there is not looked at.
        output: the run's folder; the model goes to ``model/`` in it.
        dev: sentences to judge on; without any, a share of the pairs.
        texts: language -> sentences that nobody has translated, for ``glosses``.
        seed: of weights, order and dropout.
        name: of the model; None takes the folder's.
        licence: of the weights.
        sources: names of what the pairs come from, for the card.
        fresh: begin anew.
        progress: told of the steps.

    Raises:
        Stopped: SIGTERM came.
    """
    share_cores()
    from pipeline.translation.convert import convert
    from trainer.translator.fit import fit as train

    folder = Path(output)
    done = train(pairs, config, folder, dev=dev, texts=texts, seed=seed, resume=not fresh, progress=progress)
    if not done.finished:
        raise Stopped(
            f"stopped by a signal after {done.summary['step']:,} steps; the state is saved in {folder}",
            "Run the same command again to go on",
        )
    card = convert(
        done.folder,
        folder / MODEL,
        pairs=sorted({pair.direction for pair in pairs}),
        licence=licence,
        made_of=_made_of(done.summary, sources),
        quantisation=config.quantisation,
        name=name or folder.resolve().name,
        origin="evenglot translator fit",
        replace=True,
    )
    return FittedModel(folder / MODEL, card, done.summary)


def score(
    recipe: Recipe,
    model: str,
    part: str,
    *,
    corpus: str | None = None,
    output: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """chrF of a model on parallel text, beside what copying and a lexicon score on the same sentences.

    Args:
        recipe: its sections ``parallel`` and ``translator``; directions there choose among the model's.
        model: model folder, or the run's folder that has one.
        part: ``test``, ``dev`` or ``train``.
        corpus: as for :func:`fit`, so that the lexicon learns from the same pairs.
        output: file for the scores; None writes ``scores.json`` into the run's folder if the model lies in one.
        progress: told of the work.

    Raises:
        InputError: there is no model, or no sentence in its directions.
        ConfigurationError: it does not serve a direction asked for.
    """
    from pipeline.parallel.pairs import PARTS
    from pipeline.translation.card import CARD_NAME, read_card

    chosen = next((known for known in PARTS if known == part), None)
    if chosen is None:
        raise ConfigurationError(f"there is no part '{part}'", f"Take one of {', '.join(PARTS)}")
    folder = Path(model)
    if not (folder / CARD_NAME).exists() and (folder / MODEL / CARD_NAME).exists():
        folder = folder / MODEL
    card = read_card(folder)
    directions = recipe.translator.directions or tuple(card.directions())
    for source, target in directions:
        if not card.serves(source, target):
            raise ConfigurationError(
                f"{card.generator} does not translate from {source} to {target}",
                f"It does: {', '.join(direction_name(d) for d in card.directions()[:8])}",
            )
    text = parallel_text(recipe, directions, corpus, progress)
    if not text.parts[chosen]:
        raise InputError(
            f"the parallel text has no {part} sentences in the model's directions",
            "Choose another --split, or look at `parallel.inputs`",
        )
    scores = score_pairs(folder, text.parts[chosen], text.parts["train"], progress)
    result = {"model": card.generator, "part": part, "directions": scores}
    place = Path(output) if output else folder.parent / (SCORES if part == "test" else f"scores-{part}.json")
    if output or (folder.name == MODEL and (folder.parent / "fit.json").exists()):
        _write_scores(place, result)
        result["written"] = str(place)
    return result


def score_pairs(
    folder: Path, pairs: Sequence[SentencePair], train: Sequence[SentencePair], progress: Progress | None = None
) -> dict[str, dict[str, Any]]:
    """Scores of a model folder by direction: the model's, copying's, the lexicon's.

    Args:
        folder: of the model.
        pairs: to translate.
        train: what the lexicon learns from.
        progress: told of the sentences translated.
    """
    from pipeline.translation.config import TranslationConfig
    from pipeline.translation.engine import Engine
    from trainer.translator.lexicon import learn
    from trainer.translator.score import RESAMPLES, chrf

    engine = Engine(TranslationConfig(models=(str(folder),)))
    found: dict[str, dict[str, Any]] = {}
    done = 0
    for direction in sorted({pair.direction for pair in pairs}):
        chosen = [pair for pair in pairs if pair.direction == direction]
        texts, references = [pair.text for pair in chosen], [pair.translation for pair in chosen]
        outputs: list[str] = []
        failed = 0
        for start in range(0, len(texts), _CHUNK):
            made, wrong = _translate(engine, direction, texts[start : start + _CHUNK])
            outputs, failed = outputs + made, failed + wrong
            done += len(made)
            if progress is not None:
                progress("translate", done, len(pairs))
        known = [(pair.text, pair.translation) for pair in train if pair.direction == direction]
        lexicon = learn(known)
        by_word = [lexicon.translate(text) for text in texts]
        scores = {"model": outputs, "copy": texts, "word_by_word": by_word}
        measured = {way: chrf(made, references, resamples=RESAMPLES) for way, made in scores.items()}
        found[direction_name(direction)] = {
            "sentences": len(chosen),
            "training_pairs": len(known),
            "failed": failed,
            **{way: {"chrf": round(one.chrf, 3), "interval": round(one.interval, 3)} for way, one in measured.items()},
        }
    return found


def parallel_text(
    recipe: Recipe, directions: Sequence[tuple[str, str]], corpus: str | None, progress: Progress | None
) -> ParallelPairs:
    """The sentence pairs of the recipe's parallel text.

    Raises:
        ConfigurationError: no file is named.
    """
    if not recipe.parallel.inputs:
        raise ConfigurationError(
            "no parallel text is given",
            "Name files with `--parallel 'parallel/*.jsonl'`, or list them under `parallel.inputs` in a recipe",
        )
    if corpus is not None:
        read_snapshot(corpus)  # a missing corpus is said before files are read
    from pipeline.parallel.pairs import read_pairs

    return read_pairs(
        recipe.parallel,
        directions,
        dev_share=recipe.translator.dev_share,
        seed=recipe.seed,
        corpus=corpus,
        progress=progress or _silent,
    )


def _natural(recipe: Recipe, corpus: str, text: ParallelPairs) -> dict[str, list[str]]:
    """Sentences of the corpus in the languages translated into, without those that the translator is judged on."""
    from pipeline.parallel.natural import natural_sentences

    storage = Storage(corpus)
    snapshot = read_snapshot(storage)
    judged = [*text.parts["dev"], *text.parts["test"]]
    found = {}
    for lang in sorted({target for _, target in recipe.translator.directions}):
        unwanted = [
            side
            for pair in judged
            for side, tag in ((pair.text, pair.source), (pair.translation, pair.target))
            if tag == lang
        ]
        found[lang] = natural_sentences(
            storage, snapshot, lang, unwanted, words=recipe.parallel.overlap_words, seed=recipe.seed
        )
    return found


def _translate(engine: Engine, direction: tuple[str, str], texts: Sequence[str]) -> tuple[list[str], int]:
    """Translations, and how many sentences have none: those count as empty."""
    from pipeline.translation.decoding import Decoding

    made = engine.translate(texts, engine.routes.find(*direction), Decoding())
    return [one.text for one in made], sum(one.problem is not None for one in made)


def _require(text: ParallelPairs, directions: Sequence[tuple[str, str]]) -> None:
    trained = text.counts()["train"]
    missing = [direction_name(d) for d in directions if direction_name(d) not in trained]
    if missing:
        why = sorted(text.left_out, key=lambda reason: -sum(text.left_out[reason].values()))
        said = f" (left out most: {why[0]})" if why else ""
        raise InputError(
            f"there are no sentence pairs to train {missing[0]} on{said}",
            "Take it out of the pairs, or look at the files of `parallel.inputs`",
        )


def _made_of(summary: dict[str, Any], sources: Sequence[str]) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in summary["pairs"].items())
    origin = f" of {', '.join(sources)}" if sources else ""
    return (
        f"Trained from scratch with `evenglot translator fit` on {sum(summary['pairs'].values()):,} sentence pairs"
        f"{origin} ({counts}); {summary['best_step']:,} steps."
    )


def _said(scores: dict[str, dict[str, Any]]) -> str:
    told = ", ".join(f"{name} {one['model']['chrf']:.1f}" for name, one in scores.items())
    return f"chrF on held-out test sentences: {told}." if told else ""


def _text_account(text: ParallelPairs) -> dict[str, Any]:
    return {
        "read": text.read,
        "pairs": text.counts(),
        "left_out": text.left_out,
        "unreadable": text.unreadable,
        "sources": list(text.sources),
    }


def _write_recipe(recipe: Recipe, folder: Path) -> None:
    Storage(folder).write_bytes(RECIPE, dump_recipe(recipe).encode())


def _write_scores(path: Path, result: dict[str, Any]) -> None:
    from trainer.run.files import write_json

    write_json(path.parent, path.name, result)


def _silent(step: str, done: int, total: int) -> None:
    """No progress was asked for."""
