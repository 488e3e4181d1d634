"""``evenglot tokenize``: a vocabulary and token shards for a corpus."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from evenglot.cli.options import (
    CorpusOption,
    JsonOption,
    RecipeOption,
    SeedOption,
    SetOption,
    WorkersOption,
    flags,
    worker_count,
)


def tokenize(
    corpus: CorpusOption = None,
    vocabulary: Annotated[
        int | None,
        typer.Option("--vocabulary", metavar="N", min=1, help="Pieces in the vocabulary.", show_default=False),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="PATH_OR_ID",
            help="Take the tokenizer of this Hugging Face model (folder, tokenizer.json or hub id) and learn none.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the tokenizer in the corpus.", show_default=False),
    ] = None,
    parallel: Annotated[
        list[str] | None,
        typer.Option(
            "--parallel",
            metavar="GLOB",
            help="Files of translations (JSONL or TSV) to encode as well; may be given several times.",
            show_default=False,
        ),
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a SentencePiece vocabulary on a language-balanced sample and write token shards beside the text.

    With --source the tokenizer of a Hugging Face model takes its place, for training on from that model.

    The corpus gets a new snapshot that holds the tokens and, for each language, tokens per word and bytes per token.

    [bold]Examples[/]

    evenglot tokenize --corpus out/corpus

    evenglot tokenize --corpus out/corpus --vocabulary 32000 --workers 8

    evenglot tokenize --corpus out/corpus --source FacebookAI/xlm-roberta-base --name xlmr

    evenglot tokenize --corpus out/corpus --parallel 'parallel/*.jsonl.zst'
    """
    from evenglot import steps
    from evenglot.cli.console import Reporter, duration
    from evenglot.cli.console import output as result_output
    from evenglot.cli.parallel import parallel_result, parallel_text
    from evenglot.recipe.load import load_recipe

    settings = load_recipe(
        recipe,
        set_ or (),
        flags(
            corpus=("--corpus", corpus),
            tokenizer__vocabulary=("--vocabulary", vocabulary),
            tokenizer__source=("--source", source),
            tokenizer__name=("--name", name),
            parallel__inputs=("--parallel", [{"path": path} for path in parallel] if parallel else None),
            seed=("--seed", seed),
        ),
    )
    started = time.monotonic()
    with result_output(as_json) as show:
        with Reporter() as progress:
            snapshot = steps.tokenize(settings, worker_count(workers), progress)
        seconds = time.monotonic() - started
        chosen = settings.tokenizer.name
        tokens = {lang: evidence.tokens.get(chosen, 0) for lang, evidence in snapshot.languages.items()}
        ratios = {lang: evidence.bytes_per_token.get(chosen) for lang, evidence in snapshot.languages.items()}
        result = {
            "corpus": settings.corpus,
            "snapshot": snapshot.number,
            "tokenizer": chosen,
            **snapshot.tokenizers[chosen],
            "seconds": round(seconds, 3),
            "tokens": sum(tokens.values()),
            "tokens_by_language": tokens,
            "bytes_per_token": ratios,
            **parallel_result(snapshot.parallel.get(chosen)),
        }
        known = sorted(ratio for ratio in ratios.values() if ratio)
        spread = f", {known[0]:.2f} to {known[-1]:.2f} bytes per token over the languages" if known else ""
        show(
            result,
            f"{sum(tokens.values()):,} training tokens with tokenizer '{chosen}'{spread}\n"
            f"{parallel_text(snapshot.parallel.get(chosen))}"
            f"snapshot {snapshot.number} of {settings.corpus}, in {duration(seconds)}\n"
            f"next: evenglot train --corpus {settings.corpus}",
        )
