"""``evenglot lid``: train, score and compare language identification models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from evenglot.cli.options import JsonOption

_InputOption = Annotated[
    list[str],
    typer.Option(
        "--input",
        "-i",
        metavar="FILE",
        help="Rows {text, lang}: JSONL, CSV, Parquet ..., compressed or not; a path, a glob or a URL; may be given "
        "several times.",
        show_default=False,
    ),
]
_TextField = Annotated[str, typer.Option("--text-field", metavar="NAME", help="What the files call the text.")]
_LangField = Annotated[
    str,
    typer.Option("--lang-field", metavar="NAME", help="What the files call the label: any scheme, sw, swh_Latn ..."),
]
_LangOption = Annotated[
    str | None,
    typer.Option(
        "--lang", "-l", metavar="LANG", help="Label of rows that have none, such as plain text.", show_default=False
    ),
]
_A_MODEL = "'evenglot' (ships with the package), a fastText file, a hub id, or several with commas, voting by agreement"


def score(
    input: _InputOption,
    model: Annotated[str, typer.Option("--model", "-m", metavar="MODEL", help=f"{_A_MODEL}.")] = "evenglot",
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="FIELD", help="Also score each value of this field, such as source."),
    ] = None,
    text_field: _TextField = "text",
    lang_field: _LangField = "lang",
    lang: _LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a model on labelled rows: accuracy, macro F1, precision, recall and F1 of each language, confusions.

    Labels of any scheme are mapped to tags. Rows whose label names no language and broken lines are counted and
    reported. Languages that the model does not know count as errors; the result says which they are.

    [bold]Examples[/]

    evenglot lid score --input test.jsonl.gz

    evenglot lid score --input test.jsonl.gz --model models/ewe/model.ftz --by source --json
    """
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.lid_results import score_result, score_text
    from pipeline.language_id.judge import judge
    from pipeline.language_id.model import load_model
    from pipeline.language_id.rows import RowAccount, RowFields, read_rows

    judged = load_model(_model_names(model))
    account = RowAccount()
    fields = RowFields(text_field, lang_field, source=by)
    with result_output(as_json) as show:
        with Reporter() as progress, _flags_in_fixes():
            rows = read_rows(input, account, fields, lang)
            verdicts = judge([judged], rows, progress=lambda done: progress("score", done, 0))
        result = score_result(judged, verdicts, account, by)
        show(result, score_text(result))


def compare(
    input: _InputOption,
    model: Annotated[list[str], typer.Option("--model", "-m", metavar="MODEL", help=f"Given twice. Each: {_A_MODEL}.")],
    text_field: _TextField = "text",
    lang_field: _LangField = "lang",
    lang: _LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two models on the same labelled rows, over all languages and over those that both know.

    Shows accuracy, macro F1, how often both agree, on how many rows one alone is right (with the p-value of McNemar's
    test), speed and licences.

    [bold]Examples[/]

    evenglot lid compare --input test.jsonl.gz --model evenglot --model lid.176.ftz

    evenglot lid compare -i test.jsonl.gz -m evenglot -m evenglot,models/ewe/model.ftz --json
    """
    from corpus.errors import ConfigurationError
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.lid_results import compare_result, compare_text
    from pipeline.language_id.judge import judge
    from pipeline.language_id.model import load_model
    from pipeline.language_id.rows import RowAccount, RowFields, read_rows

    if len(model) != 2:
        raise ConfigurationError(
            f"{len(model)} model{'' if len(model) == 1 else 's'} to compare", "Give --model exactly twice"
        )
    models = [load_model(_model_names(name)) for name in model]
    account = RowAccount()
    with result_output(as_json) as show:
        with Reporter() as progress, _flags_in_fixes():
            rows = read_rows(input, account, RowFields(text_field, lang_field), lang)
            verdicts = judge(models, rows, progress=lambda done: progress("compare", done, 0))
        result = compare_result(models, verdicts, account)
        show(result, compare_text(result))


def train(
    input: _InputOption,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for model.ftz and its card model.json.")
    ],
    licence: Annotated[
        str, typer.Option("--licence", metavar="TEXT", help="Licence of the model, for its card: CC BY 4.0, say.")
    ],
    base: Annotated[
        list[str] | None,
        typer.Option(
            "--base",
            metavar="FILE",
            help="Further rows: the languages that yours may be taken for; may be given several times.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the model.", show_default="the folder's")
    ] = None,
    group_field: Annotated[
        str, typer.Option("--group-field", metavar="NAME", help="Rows that share its value are held out together.")
    ] = "doc",
    held_out: Annotated[
        float, typer.Option("--held-out", metavar="SHARE", help="Share of the groups held out to score the model.")
    ] = 0.1,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", min=1, help="Passes over the examples.")] = 10,
    dim: Annotated[int, typer.Option("--dim", metavar="N", min=4, help="Numbers in a feature's vector.")] = 64,
    buckets: Annotated[
        int, typer.Option("--buckets", metavar="N", min=256, help="Features; sets the size of the file.")
    ] = 150_000,
    cap: Annotated[
        int, typer.Option("--cap", metavar="N", min=1000, help="Characters taken of a language at most.")
    ] = 100_000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of every choice.")] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a model that is there.")] = False,
    text_field: _TextField = "text",
    lang_field: _LangField = "lang",
    lang: _LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on labelled rows of your own, as the one that ships was trained, and score it on held-out rows.

    The model knows the languages of these rows and no others: text in any other language is labelled as one of them.
    Give the languages that yours may be taken for with --base. To add your languages to those of the model that
    ships, list both under [bold]prepare.identify.model[/] in the recipe: they label by agreement.

    [bold]Examples[/]

    evenglot lid train --input ewe.jsonl --base neighbours.jsonl --licence 'CC BY 4.0' --output models/ewe

    evenglot lid train -i ewe.txt --lang ewe --base neighbours.jsonl --licence CC0-1.0 -o models/ewe
    """
    import time

    from evenglot.cli.console import Reporter, note
    from evenglot.cli.console import output as result_output
    from evenglot.cli.lid_results import trained_result, trained_text
    from pipeline.language_id.examples import Balance
    from pipeline.language_id.fit import Settings
    from pipeline.language_id.own import train_own, units_of
    from pipeline.language_id.rows import RowAccount, RowFields, read_rows
    from pipeline.language_id.sources import Unit

    started = time.monotonic()
    account = RowAccount()
    fields = RowFields(text_field, lang_field, group=group_field, source="source")

    def units() -> Iterator[Unit]:
        with Reporter() as progress, _flags_in_fixes():
            for rows in read_rows(input, account, fields, lang, base or ()):
                yield from units_of(rows)
                progress("read", account.read, 0)

    with result_output(as_json) as show:
        found = train_own(
            units(),
            output,
            name=name or output.resolve().name,
            licence=licence,
            settings=Settings(dim=dim, epoch=epochs, bucket=buckets),
            balance=Balance(cap=cap),
            held_out=held_out,
            seed=seed,
            replace=replace,
            say=note,
        )
        result = trained_result(found, account, time.monotonic() - started)
        show(result, trained_text(result))


def _model_names(given: str) -> str | tuple[str, ...]:
    """One model, or several with commas between them."""
    names = tuple(name.strip() for name in given.split(",") if name.strip())
    return names if len(names) > 1 else given.strip()


@contextmanager
def _flags_in_fixes() -> Iterator[None]:
    """Recipes name the text field in ``fields``; here that is a flag."""
    from corpus.errors import InputError

    try:
        yield
    except InputError as error:
        if error.fix is None or "`fields: {text: " not in error.fix:
            raise
        fix = error.fix.replace("`fields: {text: ", "`--text-field ").replace("}`", "`")
        raise InputError(error.message, fix) from error
