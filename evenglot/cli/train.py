"""``evenglot train``: a model from a tokenized corpus."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from evenglot.cli.options import CorpusOption, JsonOption, RecipeOption, RunOption, SeedOption, SetOption, flags


def train(
    corpus: CorpusOption = None,
    run: RunOption = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", min=1, help="Optimiser steps.", show_default=False)
    ] = None,
    mixture: Annotated[
        str | None,
        typer.Option(
            "--mixture",
            metavar="NAME",
            help="How languages are balanced: unimax, temperature, proportional, uniform.",
            show_default="unimax",
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="NAME", help="Model: tiny, small, base.", show_default="tiny")
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    seed: SeedOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the run's checkpoints and begin anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model on a tokenized corpus. Started again on the same run, it goes on from the last checkpoint.

    Metrics go to RUN/metrics.jsonl and RUN/tensorboard, weights to RUN/checkpoints (safetensors). For several
    processes start it with torchrun: torchrun --nproc-per-node 4 -m -- evenglot train --recipe recipe.yaml

    [bold]Examples[/]

    evenglot train --corpus out/corpus --run out/run --steps 2000

    evenglot train --recipe recipe.yaml --set train.objective.kind=mixed
    """
    from evenglot import steps as way
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.summaries import trained_text
    from evenglot.recipe.load import load_recipe

    settings = load_recipe(
        recipe,
        set_ or (),
        flags(
            corpus=("--corpus", corpus),
            run=("--run", run),
            train__steps=("--steps", steps),
            sampler__mixture=("--mixture", mixture),
            train__model__size=("--size", size),
            seed=("--seed", seed),
        ),
    )
    started = time.monotonic()
    with result_output(as_json) as show:
        with Reporter() as progress:
            summary = way.train(settings, progress if way.leads() else None, fresh=fresh)
        seconds = time.monotonic() - started
        result = {"run": settings.run, "corpus": settings.corpus, "seconds": round(seconds, 3), **summary}
        if way.leads():
            show(result, trained_text(summary, settings.run, seconds))
