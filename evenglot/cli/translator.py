"""``evenglot translator``: train a translator on one's own parallel text, and score translators on it."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from evenglot.cli.options import JsonOption, RecipeOption, SeedOption, SetOption, flags

_ParallelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parallel",
        metavar="GLOB",
        help="Files of translations (JSONL or TSV), as `tokenize` takes them; may be given several times.",
        show_default=False,
    ),
]
_PairsOption = Annotated[
    str | None,
    typer.Option(
        "--pairs", metavar="PAIRS", help="Directions with commas: eng_Latn-swh_Latn,swh_Latn-eng_Latn.",
        show_default=False,
    ),
]  # fmt: skip
_CorpusOption = Annotated[
    str | None,
    typer.Option(
        "--corpus",
        "-c",
        metavar="DIR",
        help="Do not learn from sentences that occur in the held-out documents of this corpus.",
        show_default=False,
    ),
]


def fit(
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="Folder of the run.", show_default=False)
    ],
    parallel: _ParallelOption = None,
    pairs: _PairsOption = None,
    corpus: _CorpusOption = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the model.", show_default="the folder's"),
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", metavar="TEXT", help="Licence of the weights.", show_default="unknown")
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    seed: SeedOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the run's checkpoints and begin anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a small translator on parallel text; one model serves all directions given.

    The training part teaches, the development part says when to stop, and the test part gives chrF beside two
    baselines: copying the source, and a lexicon word by word. Started again on the same folder, it goes on from the
    last checkpoint. DIR/model is the model folder that `augment` takes.

    [bold]Examples[/]

    evenglot translator fit --parallel 'parallel/*.jsonl.zst' --pairs eng_Latn-swh_Latn -o out/eng-swh

    evenglot translator fit --parallel pairs.tsv --pairs eng_Latn-swh_Latn,swh_Latn-eng_Latn -o out/mt -c out/corpus
    """
    from evenglot import translator as way
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.translator_results import fitted_text

    settings = _settings(recipe, set_, parallel, pairs, seed)
    started = time.monotonic()
    with result_output(as_json) as show:
        with Reporter() as progress:
            result = way.fit(
                settings, output, corpus=corpus, name=name, licence=licence, fresh=fresh, progress=progress
            )
        result["seconds"] = round(time.monotonic() - started, 3)
        show(result, fitted_text(result))


def score(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model folder, or the run's folder that has one.")],
    parallel: _ParallelOption = None,
    split: Annotated[
        str, typer.Option("--split", metavar="PART", help="Part of the text to translate: test, dev, train.")
    ] = "test",
    pairs: _PairsOption = None,
    corpus: _CorpusOption = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where the scores go.", show_default="RUN/scores.json"),
    ] = None,
    recipe: RecipeOption = None,
    set_: SetOption = None,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score any model folder on parallel text: chrF by direction, with 95 % intervals, beside two baselines.

    Baselines on the same sentences: copying the source, and a lexicon learnt from the training part, word by word.
    Give the same files, seed and --corpus as to `fit`, so that the same sentences are test.

    [bold]Examples[/]

    evenglot translator score out/eng-swh --parallel 'parallel/*.jsonl.zst'

    evenglot translator score models/opus-mt-en-sw --parallel 'parallel/*.jsonl.zst' --pairs eng_Latn-swh_Latn --json
    """
    from evenglot import translator as way
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.translator_results import scores_text

    settings = _settings(recipe, set_, parallel, pairs, seed)
    with result_output(as_json) as show:
        with Reporter() as progress:
            result = way.score(settings, model, split, corpus=corpus, output=output, progress=progress)
        show(result, scores_text(result))


def _settings(
    recipe: Any, set_: list[str] | None, parallel: list[str] | None, pairs: str | None, seed: int | None
) -> Any:
    from evenglot.recipe.load import load_recipe

    return load_recipe(
        recipe,
        set_ or (),
        flags(
            parallel__inputs=("--parallel", [{"path": path} for path in parallel] if parallel else None),
            translator__pairs=("--pairs", [pair for pair in pairs.split(",") if pair.strip()] if pairs else None),
            seed=("--seed", seed),
        ),
    )
