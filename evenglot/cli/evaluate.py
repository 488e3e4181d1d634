"""``evenglot evaluate``: held-out bits per byte of each language."""

from __future__ import annotations

from typing import Annotated

import typer

from evenglot.cli.options import CorpusOption, JsonOption, RecipeOption, RunOption, SetOption, flags


def evaluate(
    corpus: CorpusOption = None,
    run: RunOption = None,
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", metavar="DIR", help="Checkpoint to evaluate.", show_default="the run's last"),
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a trained model on all held-out text: bits per byte of each language, and over all of them.

    Bits per byte compare models with different vocabularies; lower is better. Where the corpus has held-out parallel
    text, also how often a sentence lies nearest to its translation. Writes RUN/evaluation.json.

    [bold]Examples[/]

    evenglot evaluate --corpus out/corpus --run out/run

    evenglot evaluate --run out/run --checkpoint out/run/checkpoints/00001000 --json
    """
    from rich.console import Group

    from evenglot import steps as way
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.parallel import retrieval_text
    from evenglot.cli.summaries import heldout_table
    from evenglot.recipe.load import load_recipe

    settings = load_recipe(recipe, set_ or (), flags(corpus=("--corpus", corpus), run=("--run", run)))
    with result_output(as_json) as show:
        with Reporter() as progress:
            evaluation = way.evaluate(settings, checkpoint, progress if way.leads() else None)
        if way.leads():
            table = heldout_table({"bits per byte": evaluation})
            show({"run": settings.run, **evaluation}, Group(table, retrieval_text(evaluation.get("retrieval"))))
