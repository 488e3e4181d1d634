"""``evenglot prepare``: raw files to a corpus."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from evenglot.cli.options import JsonOption, RecipeOption, SeedOption, SetOption, WorkersOption, flags


def prepare(
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="GLOB",
            help="Files to read: a path, a glob or a URL; quote globs; may be given several times.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="DIR", help="Corpus to write.", show_default="out/corpus"),
    ] = None,
    append: Annotated[
        bool,
        typer.Option(
            "--append",
            help="Go on with the corpus that is there: keep its documents, add those that are new.",
        ),
    ] = False,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    clean_work: Annotated[
        bool,
        typer.Option(
            "--clean-work",
            help="First remove the unfinished work of runs with other inputs or settings from the corpus.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Run the stages on a sample and print what the whole would take and give; writes nothing.",
        ),
    ] = False,
    cpu_hour_price: Annotated[
        float | None,
        typer.Option(
            "--cpu-hour-price", metavar="PRICE", min=0, help="With --dry-run: price of one processor for an hour."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn raw multilingual files into a cleaned, labelled, deduplicated, balanced corpus.

    Reads JSONL, text, Parquet, Arrow, CSV/TSV and WARC/WET, compressed or not. Every record ends up kept, rejected
    with a reason, or set aside as unreadable; the sums are checked before the corpus is committed.

    [bold]Examples[/]

    evenglot prepare --input 'data/*.jsonl.zst' --output out/corpus

    evenglot prepare --recipe recipe.yaml --workers 8

    evenglot prepare --input 'today/*.jsonl.zst' --output out/corpus --append

    evenglot prepare -i crawl.parquet -o out/corpus --set prepare.balance.mixture=temperature

    evenglot prepare -i 'data/*.jsonl.zst' --dry-run --workers 64 --cpu-hour-price 0.03
    """
    from corpus.manifest import current_number
    from corpus.storage import Storage
    from evenglot import steps
    from evenglot.cli.console import Reporter, note
    from evenglot.cli.console import output as result_output
    from evenglot.cli.prepared import prepared_result, prepared_text, run_record
    from evenglot.recipe.load import load_recipe
    from pipeline.leftovers import unfinished

    settings = load_recipe(
        recipe,
        set_ or (),
        flags(
            inputs=("--input", [{"path": path} for path in input] if input else None),
            corpus=("--output", output),
            seed=("--seed", seed),
            prepare__append=("--append", append or None),
        ),
    )
    if dry_run:
        from evenglot.cli.estimated import estimated_text

        with result_output(as_json) as show:
            with Reporter() as progress:
                estimate = steps.estimate(settings, workers, cpu_hour_price, progress)
            show(estimate.as_json(), estimated_text(estimate))
        return
    started = time.monotonic()
    with result_output(as_json) as show:
        before = current_number(Storage(settings.corpus))
        with Reporter() as progress:
            snapshot = steps.prepare(settings, workers, progress, clean_work=clean_work)
        seconds = time.monotonic() - started
        left = unfinished(Storage(settings.corpus), "")
        if left:
            size = sum(work.bytes for work in left) / 1e6
            note(f"{size:,.0f} MB of unfinished work of other inputs or settings are kept; --clean-work removes them")
        following = f"--recipe {recipe}" if recipe else f"--corpus {settings.corpus}"
        unchanged = snapshot.number == before
        record = run_record(Storage(settings.corpus), snapshot)
        show(
            prepared_result(snapshot, settings.corpus, seconds, unchanged, record),
            prepared_text(snapshot, settings.corpus, seconds, f"evenglot tokenize {following}", unchanged, record),
        )
