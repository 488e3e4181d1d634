"""``evenglot report``: one HTML page on a corpus and its training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenglot.cli.options import CorpusOption, JsonOption, RecipeOption, SetOption, flags


def report(
    corpus: CorpusOption = None,
    run: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            metavar="DIR",
            help="Training run to show; several are compared in the order given.",
            show_default="the recipe's run, if it is there",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="HTML file to write.",
            show_default="report.html in the last run, else in the corpus",
        ),
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML page: where each document went, balance, samples, training curves per language.

    [bold]Examples[/]

    evenglot report --corpus out/corpus

    evenglot report --corpus out/corpus --run out/proportional --run out/balanced --output report.html
    """
    from evenglot import steps
    from evenglot.cli.console import output as result_output
    from evenglot.recipe.load import load_recipe

    settings = load_recipe(recipe, set_ or (), flags(corpus=("--corpus", corpus)))
    runs = list(run) if run else [settings.run] if (Path(settings.run) / "metrics.jsonl").exists() else []
    target = output or _beside(settings.corpus, runs)
    with result_output(as_json) as show:
        path = steps.report(settings.corpus, runs, target, settings)
        show({"report": str(path), "corpus": settings.corpus, "runs": runs}, f"report: {path}")


def _beside(corpus: str, runs: list[str]) -> str:
    """Where the report goes when nobody said: in the run's folder, else in the local corpus, else here."""
    if runs:
        return str(Path(runs[-1]) / "report.html")
    return "report.html" if "://" in corpus else str(Path(corpus) / "report.html")
