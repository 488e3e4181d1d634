"""``evenglot demo``: the whole way on a sample that ships with the package."""

from __future__ import annotations

from typing import Annotated

import typer

from evenglot.cli.options import JsonOption, WorkersOption


def demo(
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="Folder for everything.")
    ] = "demo-output",
    quick: Annotated[bool, typer.Option("--quick", help="Train for a few seconds only: a smoke test.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove what an earlier demo left in the folder and start anew.")
    ] = False,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare, translate, tokenize, train twice and compare, on a sample corpus in minutes. Needs nothing from outside.

    One model sees languages as often as they occur, the other is balanced and regularized; the report shows what that
    does for each language. Run again, it goes on where it was stopped.

    [bold]Examples[/]

    evenglot demo

    evenglot demo --output /data/demo --fresh
    """
    from evenglot.cli.console import Reporter, note
    from evenglot.cli.console import output as result_output
    from evenglot.cli.summaries import demo_text
    from evenglot.demo.run import run_demo

    with result_output(as_json) as show:
        result = run_demo(output, quick=quick, fresh=fresh, workers=workers, reporter=Reporter, note=note)
        show(result.as_json(), demo_text(result))
