"""``evenglot add-language``: a trained model that knows a language more."""

from __future__ import annotations

from typing import Annotated

import typer

from evenglot.cli.options import JsonOption, RecipeOption, SetOption


def add_language(
    run: Annotated[str, typer.Option("--run", metavar="DIR", help="Folder of the trained run.")],
    language: Annotated[
        str, typer.Option("--language", "-l", metavar="TAG[,TAG]", help="Languages to add, with commas.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="Folder of the new run.")],
    corpus: Annotated[
        str | None,
        typer.Option(
            "--corpus", "-c", metavar="DIR", help="Corpus with the new languages.", show_default="the run's own"
        ),
    ] = None,
    old_corpus: Annotated[
        str | None,
        typer.Option("--old-corpus", metavar="DIR", help="Corpus of the trained run.", show_default="the run's own"),
    ] = None,
    mode: Annotated[
        str, typer.Option("--mode", metavar="NAME", help="frozen (old languages stay to the bit) or open.")
    ] = "frozen",
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="NAME", help="core, nearest or relatives.", show_default="nearest"),
    ] = None,
    relatives: Annotated[
        str | None,
        typer.Option("--relatives", metavar="TAG[,TAG]", help="Old languages to start from.", show_default=False),
    ] = None,
    new_pieces: Annotated[
        int, typer.Option("--new-pieces", metavar="N", min=0, help="Pieces to add to the vocabulary at most.")
    ] = 0,
    replay: Annotated[
        float | None,
        typer.Option(
            "--replay", metavar="SHARE", help="Share of old languages' rows.", show_default="0 frozen, 0.3 open"
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", metavar="SHARE", help="Open core's learning rate, as a share of the run's.")
    ] = 0.1,
    blocks: Annotated[
        str | None,
        typer.Option("--blocks", metavar="N[,N]", help="Open blocks, from 0 at the bottom.", show_default="all"),
    ] = None,
    l2_sp: Annotated[float, typer.Option("--l2-sp", metavar="STRENGTH", help="Hold the core near its weights.")] = 0.0,
    ewc: Annotated[float, typer.Option("--ewc", metavar="STRENGTH", help="The same, weighed by Fisher.")] = 0.0,
    open_adapters: Annotated[
        bool, typer.Option("--open-adapters", help="Open: let old languages' adapters move too.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option("--steps", metavar="N", min=1, help="Optimiser steps.", show_default="4 passes over the text"),
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove what the folder holds and begin anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Teach a trained model new languages, and show what that did to the old ones.

    Everything not said here is as in the old run. Started again on the same folder, it goes on. The new run is an
    ordinary run: evaluate it, report it, or add further languages to it. Figures go to OUTPUT/continual.json.

    [bold]Examples[/]

    evenglot add-language --run out/run --language swh_Latn --output out/run-swh

    evenglot add-language --run out/run --corpus more/corpus -l fin_Latn,est_Latn -o out/more --mode open --replay 0.5
    """
    from evenglot.cli.add_language_text import added_text, settings_of
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.continual.add import add_languages
    from evenglot.recipe.load import load_recipe
    from evenglot.steps import leads, share_cores

    settings = settings_of(
        languages=_tags(language),
        mode=mode,
        start=start or ("relatives" if relatives else "nearest"),
        relatives=_tags(relatives),
        replay=replay,
        rate=rate,
        blocks=None if blocks is None else _tags(blocks),
        adapters=open_adapters,
        l2_sp=l2_sp,
        ewc=ewc,
        new_pieces=new_pieces,
        steps=steps,
    )
    share_cores()
    with result_output(as_json) as show:
        with Reporter() as progress:
            found = add_languages(
                run,
                corpus,
                output,
                settings,
                lambda had: load_recipe(recipe, set_ or (), base=(f"recipe of {run}", had)),
                old_corpus=old_corpus,
                fresh=fresh,
                progress=progress if leads() else None,
            )
        if leads():
            show({"output": output, **found}, added_text(found, output))


def _tags(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
