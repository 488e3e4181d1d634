"""``evenglot augment``: synthetic text over a prepared corpus."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from evenglot.cli.options import CorpusOption, JsonOption, RecipeOption, SeedOption, SetOption, WorkersOption, flags


def augment(
    corpus: CorpusOption = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="DIR",
            help="Folder of a translation model; may be given several times.",
            show_default=False,
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            "--language",
            "-l",
            metavar="TAG",
            help="Language that gets text; may be given several times.",
            show_default="all that augment.budget allows any",
        ),
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print budgets, routes and what is missing; loads no model and writes nothing."),
    ] = False,
    if_enabled: Annotated[
        bool,
        typer.Option("--if-enabled", help="Make nothing unless the recipe says augment.enabled: for schedules."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make synthetic text for languages with little natural text: back-translation, paraphrase, rare phenomena.

    Starts from the corpus as prepare left it and adds text that passed the gates, up to each language's budget. Text
    that an earlier augmentation made is replaced; natural text is never changed.

    [bold]Examples[/]

    evenglot augment --corpus out/corpus --model models/opus-mt-en-sw

    evenglot augment --corpus out/corpus --recipe recipe.yaml --dry-run

    evenglot augment --corpus out/corpus --model models/nllb-600M --language swh_Latn --set augment.budget.share=0.3
    """
    from corpus.manifest import current_number
    from corpus.storage import Storage
    from evenglot import steps
    from evenglot.cli.augmented import augmented_result, augmented_text, planned_result, planned_text
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.recipe.load import load_recipe

    settings = load_recipe(
        recipe,
        set_ or (),
        flags(
            corpus=("--corpus", corpus),
            augment__translation__models=("--model", model or None),
            augment__languages=("--language", language or None),
            seed=("--seed", seed),
        ),
    )
    started = time.monotonic()
    with result_output(as_json) as show:
        if if_enabled and not settings.augment.enabled:
            result = {"corpus": settings.corpus, "enabled": False}
            show(result, "nothing is made: the recipe does not say augment.enabled")
            return
        if dry_run:
            plan = steps.plan_augmentation(settings)
            show(planned_result(plan, settings.corpus), planned_text(plan, settings.corpus))
            return
        before = current_number(Storage(settings.corpus))
        with Reporter() as progress:
            snapshot = steps.augment(settings, workers, progress)
        seconds = time.monotonic() - started
        unchanged = snapshot.number == before
        following = f"evenglot tokenize {f'--recipe {recipe}' if recipe else f'--corpus {settings.corpus}'}"
        show(
            augmented_result(snapshot, settings.corpus, seconds, unchanged),
            augmented_text(snapshot, settings.corpus, seconds, unchanged, following),
        )
