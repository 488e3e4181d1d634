"""``evenglot verify``: is the corpus what its snapshot says?"""

from __future__ import annotations

from typing import Annotated

import typer

from evenglot.cli.options import JsonOption, RecipeOption, SetOption


def verify(
    corpus: Annotated[
        str | None, typer.Argument(metavar="[CORPUS]", help="Corpus folder or URL.", show_default="out/corpus")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Also prove the sampler's order: rows are the same when resumed and when read by several processes.",
        ),
    ] = False,
    snapshot: Annotated[
        int | None,
        typer.Option("--snapshot", metavar="N", help="An earlier state of the corpus.", show_default="current"),
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every file of a corpus (presence, hash, rows, columns), its ledger against the files, and leftovers.

    Exit code 4 when anything is damaged. Files that no snapshot names are reported, they do no harm.

    [bold]Examples[/]

    evenglot verify out/corpus

    evenglot verify out/corpus --resume --json
    """
    from dataclasses import asdict

    from corpus.errors import CorpusError
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.options import flags
    from evenglot.cli.summaries import verified_text
    from evenglot.recipe.load import load_recipe
    from evenglot.verify.corpus_files import verify_corpus

    settings = load_recipe(recipe, set_ or (), flags(corpus=("CORPUS", corpus)))
    with result_output(as_json) as show:
        order = None
        with Reporter("verify") as progress:
            found = verify_corpus(settings.corpus, snapshot, progress)
            if resume and found.ok:
                from evenglot.verify.row_order import verify_order

                order = verify_order(
                    settings.corpus,
                    settings.sampler,
                    settings.seed,
                    progress,
                    tokenizer=settings.tokenizer.name if recipe is not None or set_ else None,
                    snapshot=snapshot,
                )
        problems = list(found.problems if order is None else order.problems)
        result = {"corpus": settings.corpus, **asdict(found)}
        if order is not None:
            result["order"] = asdict(order)
        show({**result, "ok": not problems}, verified_text(settings.corpus, found, order))
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        if order is not None:
            raise CorpusError(f"the sampler's order is not the same every time: {problems[0]}{more}")
        raise CorpusError(
            f"{settings.corpus} is damaged: {problems[0]}{more}",
            "Run `evenglot prepare` into a new folder, or read an earlier snapshot",
        )
