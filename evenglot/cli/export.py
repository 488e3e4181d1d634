"""``evenglot export``: a trained model for use elsewhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from evenglot.cli.options import CorpusOption, JsonOption, RecipeOption, RunOption, SetOption, flags


class Form(StrEnum):
    """What is written."""

    safetensors = "safetensors"
    transformers = "transformers"


def export(
    output: Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="New folder for the model.")],
    to: Annotated[
        Form,
        typer.Option("--to", help="safetensors: all of it, for `trainer.load`. transformers: a stock architecture."),
    ] = Form.safetensors,
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            metavar="TAG",
            help="Build in the adapters of this language, or 'core' for none.",
            show_default=False,
        ),
    ] = None,
    corpus: CorpusOption = None,
    run: RunOption = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a trained model for use elsewhere; others load it without evenglot where transformers has its architecture.

    With --to transformers, XLM-R and RoBERTa with language adapters become X-MOD with all languages; the project's own
    transformer becomes Apertus or Arcee for one language or the core. What was written is read back and compared.
    Tokenizer files are put beside it where the run's corpus is at hand.

    [bold]Examples[/]

    evenglot export --run out/run --output out/model

    evenglot export --run out/run --to transformers --language swh_Latn --output out/swahili
    """
    from evenglot import steps
    from evenglot.cli.console import output as result_output
    from evenglot.recipe.load import load_recipe

    settings = load_recipe(recipe, set_ or (), flags(corpus=("--corpus", corpus), run=("--run", run)))
    with result_output(as_json) as show:
        result = steps.export(settings, output, to.value, language, corpus)
        languages = result["languages"]
        holds = f"{len(languages)} languages" if len(languages) > 1 else languages[0] if languages else "the core"
        equal = f"; logits differ by {result['difference']:.1g} at most" if "difference" in result else ""
        show(
            {"run": settings.run, **result},
            f"{result['architecture']} with {holds}, step {result['step']} of {settings.run}{equal}\n{output}",
        )
