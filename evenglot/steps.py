"""The steps of the way from raw files to a report, each called with a whole recipe.

Everything heavy is imported inside the functions: reading a recipe or asking for help needs neither Beam nor
torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from corpus.errors import ConfigurationError, CorpusError, EvenglotError, InputError
from corpus.manifest import Snapshot, read_snapshot
from corpus.storage import Storage
from evenglot.recipe.load import dump_recipe, resolved
from evenglot.recipe.models import Recipe

if TYPE_CHECKING:
    from pipeline.augment.plan import Plan
    from pipeline.dry_run import Estimate

RECIPE: Final = "recipe.yaml"
"""Name of the resolved recipe in a run's folder."""

Progress = Callable[[str, int, int], None]


class Stopped(EvenglotError):
    """SIGTERM ended the training early, after it had saved its state."""

    exit_code = 143


def prepare(
    recipe: Recipe, workers: int | None, progress: Progress | None = None, *, clean_work: bool = False
) -> Snapshot:
    """Raw files to a corpus.

    Raises:
        ConfigurationError: the recipe names no input.
    """
    _require_inputs(recipe)
    from pipeline.prepare import prepare as run

    return run(
        recipe.inputs,
        recipe.corpus,
        recipe.prepare,
        seed=recipe.seed,
        workers=workers,
        recipe=resolved(recipe),
        progress=progress,
        clean_work=clean_work,
    )


def augment(recipe: Recipe, workers: int | None, progress: Progress | None = None) -> Snapshot:
    """Synthetic text over the corpus as ``prepare`` left it.

    Raises:
        CorpusError: there is no corpus.
        ConfigurationError: no translation model is given, or one cannot be used.
    """
    read_snapshot(recipe.corpus)  # a missing corpus is said before anything heavy loads
    from pipeline.augment.run import augment as run

    return run(recipe.corpus, recipe.augment, recipe.prepare, seed=recipe.seed, workers=workers, progress=progress)


def plan_augmentation(recipe: Recipe) -> Plan:
    """What ``augment`` would make of the recipe's corpus: budgets, routes, and what is missing."""
    read_snapshot(recipe.corpus)
    from pipeline.augment.run import AugmentRun

    return AugmentRun(recipe.corpus, recipe.augment, recipe.prepare, recipe.seed, None, None).prepare_plan()


def estimate(
    recipe: Recipe, workers: int | None, cpu_hour_price: float | None, progress: Progress | None = None
) -> Estimate:
    """What preparing the recipe's corpus would take and give.

    Raises:
        ConfigurationError: the recipe names no input.
    """
    _require_inputs(recipe)
    from pipeline.dry_run import dry_run

    return dry_run(
        recipe.inputs,
        recipe.prepare,
        seed=recipe.seed,
        workers=workers,
        cpu_hour_price=cpu_hour_price,
        progress=progress,
    )


def _require_inputs(recipe: Recipe) -> None:
    if not recipe.inputs:
        raise ConfigurationError(
            "no input is given", "Name the files with `--input 'data/*.jsonl'`, or list them under `inputs` in a recipe"
        )


def tokenize(recipe: Recipe, workers: int, progress: Progress | None = None) -> Snapshot:
    """A vocabulary and token shards for the corpus, and for the recipe's parallel text if it names any."""
    read_snapshot(recipe.corpus)  # a missing corpus is said before anything heavy loads
    from pipeline.tokenizer import tokenize_corpus

    snapshot = tokenize_corpus(recipe.corpus, recipe.tokenizer, seed=recipe.seed, workers=workers, progress=progress)
    if recipe.parallel.inputs:
        from pipeline.parallel.job import add_parallel

        return add_parallel(recipe.corpus, recipe.parallel, recipe.tokenizer.name, seed=recipe.seed, progress=progress)
    return snapshot


def train(recipe: Recipe, progress: Progress | None = None, *, fresh: bool = False) -> dict[str, Any]:
    """A model from the tokenized corpus, or the rest of a run that was stopped; gives what ``summary.json`` holds.

    The resolved recipe goes into the run's folder.

    Args:
        recipe: of the run.
        progress: told of the steps done.
        fresh: begin anew although the folder holds checkpoints.

    Raises:
        CorpusError: there is no corpus, or it was not tokenized.
        ConfigurationError: the folder's checkpoints belong to other settings.
        Stopped: SIGTERM came.
    """
    tokenizer = recipe.tokenizer.name
    if tokenizer not in read_snapshot(recipe.corpus).tokenizers:
        raise CorpusError(
            f"{recipe.corpus} has no token shards of tokenizer '{tokenizer}'",
            f"Make them with `evenglot tokenize --corpus {recipe.corpus}`",
        )
    share_cores()
    from trainer.loop import train as run

    written = Path(recipe.run) / RECIPE
    before = written.read_bytes() if written.exists() else None
    if leads() and (fresh or before is None):
        _write_recipe(recipe, written)
    try:
        summary = run(
            recipe.corpus,
            recipe.run,
            recipe.train,
            recipe.sampler,
            tokenizer=tokenizer,
            seed=recipe.seed,
            resume=not fresh,
            progress=progress,
        )
    except (ConfigurationError, CorpusError):
        # Nothing was trained with this recipe: the folder keeps the one of what lies in it.
        if leads() and before is not None:
            Storage(recipe.run).write_bytes(RECIPE, before)
        elif leads():
            written.unlink(missing_ok=True)
        raise
    if leads():
        _write_recipe(recipe, written)
    if not summary.finished:
        raise Stopped(
            f"stopped by a signal after {summary.step:,} steps; the state is saved in {recipe.run}",
            "Run the same command again to go on",
        )
    return asdict(summary)


def evaluate(recipe: Recipe, checkpoint: str | None, progress: Progress | None = None) -> dict[str, Any]:
    """Held-out bits per byte of each language under a run's checkpoint, the newest unless one is named.

    Raises:
        CorpusError: there is no corpus.
        InputError: there is no run, or no such checkpoint.
    """
    read_snapshot(recipe.corpus)
    require_run(recipe.run)
    share_cores()
    from trainer.evaluate import evaluate as run

    return run(recipe.run, recipe.corpus, checkpoint, progress)


def export(recipe: Recipe, output: str, form: str, language: str | None, corpus: str | None) -> dict[str, Any]:
    """Write a run's model for use elsewhere, with the tokenizer's files where the corpus is at hand.

    Args:
        recipe: names the run, and the corpus where ``corpus`` does not.
        output: folder to be made.
        form: ``safetensors`` or ``transformers``.
        language: the one whose adapters are built in, ``core`` for none.
        corpus: that the run was trained on, if it was asked for; None takes the recipe's where it is there.

    Raises:
        ConfigurationError: the model cannot be written so.
        InputError: there is no run.
    """
    require_run(recipe.run)
    share_cores()
    from trainer.continual.trained import read_trained
    from trainer.export.export import export as run

    special, files = _tokenizer_of(recipe.corpus, corpus is not None, read_trained(recipe.run, finished=False).state)
    result = run(recipe.run, output, "safetensors" if form == "safetensors" else "transformers",
                 language=language, special=special, files=files)  # fmt: skip
    return {**result, "files": sorted(files)}


def _tokenizer_of(root: str, asked: bool, state: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, bytes]]:
    """Special ids and files of a run's tokenizer; empty where its corpus is not at hand and nobody asked for it."""
    from pipeline.tokenizer.fast import unpacked
    from pipeline.tokenizer.model import read_model

    name, expected = state["identity"]["tokenizer"], state["identity"]["tokenizer_hash"]
    try:
        storage = Storage(root)
        described = read_snapshot(storage).tokenizers[name]
        if described["hash"] != expected:
            raise CorpusError(f"tokenizer '{name}' of {root} is not the run's", "Name the corpus of the run")
        model = read_model(storage, str(described["path"]), str(expected))
    except (CorpusError, KeyError):
        if asked:
            raise
        return {}, {}
    files = unpacked(model) if described["kind"] == "tokenizers" else {"tokenizer.model": model}
    return dict(described["special"]), files


def share_cores() -> None:
    """Let threads that wait for each other sleep, not spin: on a busy machine spinning doubles the time.

    OpenMP reads this once, when torch loads it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def leads() -> bool:
    """Whether this process is the one that speaks, among those that torchrun started."""
    return os.environ.get("RANK", "0") == "0"


def _write_recipe(recipe: Recipe, path: Path) -> None:
    Storage(path.parent).write_bytes(path.name, dump_recipe(recipe).encode())


def report(corpus: str, runs: Sequence[str], output: str, recipe: Recipe) -> Path:
    """One HTML page on a corpus and the runs over it.

    Raises:
        InputError: a run's folder is not there.
    """
    read_snapshot(corpus)
    for run in runs:
        require_run(run)
    from evenglot.report.build import build_report

    return build_report(corpus, runs, output, recipe.report)


def require_run(run: str) -> None:
    """Confirm that a folder holds a training run.

    Raises:
        InputError: it does not.
    """
    if not (Path(run) / "metrics.jsonl").exists():
        raise InputError(
            f"{run} holds no training run (no metrics.jsonl)", "Train one with `evenglot train`, or correct `--run`"
        )
