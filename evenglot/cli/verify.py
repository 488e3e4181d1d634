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
    from evenglot.cli.console import Reporter, note
    from evenglot.cli.console import output as result_output
    from evenglot.cli.options import flags
    from evenglot.cli.summaries import size
    from evenglot.recipe.load import load_recipe
    from evenglot.verify.corpus_files import verify_corpus

    settings = load_recipe(recipe, set_ or (), flags(corpus=("CORPUS", corpus)))
    with result_output(as_json) as show, Reporter("verify") as progress:
        found = verify_corpus(settings.corpus, snapshot, progress)
        result = {"corpus": settings.corpus, "ok": found.ok, **asdict(found)}
        lines = [
            f"{check.name:9} {'ok' if not check.problems else 'DAMAGED'} ({check.passed:,} passed"
            + (f", {len(check.problems):,} wrong)" if check.problems else ")")
            for check in found.checks
            if check.passed or check.problems
        ]
        lines += [f"  {problem}" for problem in found.problems[:20]]
        if len(found.problems) > 20:
            lines.append(f"  and {len(found.problems) - 20} more")
        if found.orphans:
            lines.append(f"{len(found.orphans)} files belong to no snapshot: {', '.join(found.orphans[:5])}")
        problems = found.problems
        if resume and found.ok:
            from evenglot.verify.row_order import verify_order

            order = verify_order(settings.corpus, settings.sampler, settings.seed, progress)
            result["order"] = asdict(order)
            result["ok"] = order.ok
            problems = list(order.problems)
            verdict = "ok" if order.ok else "WRONG"
            lines.append(
                f"{'order':9} {verdict} ({order.rows:,} rows, resumed at {order.resumed}, {order.ranks} processes)"
            )
            lines += [f"  {problem}" for problem in problems]
        lines.append(f"snapshot {found.snapshot} of {settings.corpus}: {found.files:,} files, {size(found.bytes)}")
        show(result, "\n".join(lines))
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise CorpusError(
            f"{settings.corpus} is damaged: {problems[0]}{more}",
            "Run `evenglot prepare` again, or read an earlier snapshot with `--snapshot`",
        )
    if not as_json:
        note("ok")
