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
    with a reason, or set aside as unreadable; the sums are checked before the corpus is committed. Where the recipe
    says augment.enabled, synthetic text is made right after.

    [bold]Examples[/]

    evenglot prepare --input 'data/*.jsonl.zst' --output out/corpus

    evenglot prepare --recipe recipe.yaml --workers 8

    evenglot prepare --input 'today/*.jsonl.zst' --output out/corpus --append

    evenglot prepare -i crawl.parquet -o out/corpus --set prepare.balance.mixture=temperature

    evenglot prepare -i 'data/*.jsonl.zst' --dry-run --workers 64 --cpu-hour-price 0.03
    """
    from rich.console import Group

    from corpus.manifest import current_number
    from corpus.storage import Storage
    from evenglot import steps
    from evenglot.cli.augmented import augmented_result, augmented_text
    from evenglot.cli.console import Reporter, note
    from evenglot.cli.console import output as result_output
    from evenglot.cli.prepared import natural_state, prepared_result, prepared_text, run_record
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
        unchanged = snapshot.number == before
        snapshot = natural_state(Storage(settings.corpus), snapshot)
        left = unfinished(Storage(settings.corpus), "")
        if left:
            size = sum(work.bytes for work in left) / 1e6
            note(f"{size:,.0f} MB of unfinished work of other inputs or settings are kept; --clean-work removes them")
        following = f"--recipe {recipe}" if recipe else f"--corpus {settings.corpus}"
        record = run_record(Storage(settings.corpus), snapshot)
        result = prepared_result(snapshot, settings.corpus, seconds, unchanged, record)
        step = f"evenglot tokenize {following}"
        if not settings.augment.enabled:
            show(result, prepared_text(snapshot, settings.corpus, seconds, step, unchanged, record))
            return
        before, started = current_number(Storage(settings.corpus)), time.monotonic()
        with Reporter() as progress:
            augmented = steps.augment(settings, workers, progress)
        took, same = time.monotonic() - started, augmented.number == before
        result["augmented"] = augmented_result(augmented, settings.corpus, took, same)
        text = prepared_text(snapshot, settings.corpus, seconds, None, unchanged, record)
        show(result, Group(text, augmented_text(augmented, settings.corpus, took, same, step)))
