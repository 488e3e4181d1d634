"""The command itself: its subcommands, and what an error looks like."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Final

import typer

import evenglot
from corpus.errors import EvenglotError
from evenglot.cli import (
    add_language,
    augment,
    decide,
    demo,
    evaluate,
    export,
    lid,
    mixture,
    models,
    prepare,
    report,
    tokenize,
    train,
    translator,
    verify,
)
from evenglot.cli import inspect as inspect_command
from evenglot.cli.interrupts import EXIT_CODE, Interrupts, end_process, until_interrupted
from evenglot.cli.logs import configure_logging

_DEBUG: Final = "EVENGLOT_DEBUG"
_AFTER_INTERRUPT: Final = "interrupted; what was committed before is untouched"
_DEFECT: Final = 1
_EXTRAS: Final = {
    "apache_beam": "pipeline", "datasets": "pipeline", "fasttext": "pipeline", "ftfy": "pipeline", "orjson": "pipeline",
    "regex": "pipeline", "sentencepiece": "pipeline", "warcio": "pipeline", "zstandard": "pipeline",
    "tokenizers": "transformers", "transformers": "transformers",
    "ctranslate2": "translate", "sacrebleu": "translate", "sentencex": "translate", "sklearn": "translate",
    "safetensors": "train", "tensorboard": "train", "torch": "train", "jinja2": "review",
}  # fmt: skip


def unwrapped(text: str) -> str:
    """A docstring with each paragraph on one line, for the terminal to wrap at its own width."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


app = typer.Typer(
    name="evenglot",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, 1 defect of evenglot, 2 wrong recipe or flag, 3 wrong input, 4 corpus missing or "
    "damaged, 5 records lost, 6 training cannot go on, 130 interrupted, 143 terminated. EVENGLOT_DEBUG=1 shows "
    "where an error arose.",
)
_OWN_PARSING: Final = {"inspect": inspect_command.InspectCommand}
for _name, _command in (
    ("demo", demo.demo),
    ("prepare", prepare.prepare),
    ("augment", augment.augment),
    ("tokenize", tokenize.tokenize),
    ("train", train.train),
    ("add-language", add_language.add_language),
    ("mixture", mixture.mixture),
    ("evaluate", evaluate.evaluate),
    ("export", export.export),
    ("report", report.report),
    ("inspect", inspect_command.inspect),
    ("decide", decide.decide),
    ("verify", verify.verify),
):
    app.command(_name, cls=_OWN_PARSING.get(_name), help=unwrapped(_command.__doc__ or ""))(_command)

_lid = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
for _name, _lid_command in (("score", lid.score), ("compare", lid.compare), ("train", lid.train)):
    _lid.command(_name, help=unwrapped(_lid_command.__doc__ or ""))(_lid_command)
app.add_typer(_lid, name="lid", help="Train, score and compare language identification models.")

_models = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
for _name, _models_command in (
    ("list", models.list_models),
    ("fetch", models.fetch),
    ("convert", models.convert),
    ("verify", models.verify),
    ("pairs", models.pairs),
    ("remove", models.remove),
):
    _models.command(_name, help=unwrapped(_models_command.__doc__ or ""))(_models_command)
app.add_typer(_models, name="models", help="Fetch, convert, list and check the models that translate.")

_translator = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
for _name, _translator_command in (("fit", translator.fit), ("score", translator.score)):
    _translator.command(_name, help=unwrapped(_translator_command.__doc__ or ""))(_translator_command)
app.add_typer(_translator, name="translator", help="Train translators on your own parallel text, and score them.")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"evenglot {evenglot.__version__}")
        raise typer.Exit


_ABOUT: Final = """
Multilingual pretraining that does not overfit to the major languages.

Raw text becomes a cleaned, labelled, balanced corpus ([bold]prepare[/]), a vocabulary ([bold]tokenize[/]), a model
([bold]train[/], [bold]evaluate[/]) and one HTML page that shows what happened to each language ([bold]report[/]).

New here? [bold]evenglot demo[/] does all of it on a sample corpus in a few minutes.
"""


@app.callback(help=unwrapped(_ABOUT))
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are one line on standard error."""
    configure_logging()
    interrupts = Interrupts()
    code = _run(arguments, interrupts)
    if arguments is None and interrupts.pressed:
        end_process()
    return code


def _run(arguments: Sequence[str] | None, interrupts: Interrupts) -> int:
    given = None if arguments is None else list(arguments)
    try:
        with interrupts.heeded():
            code = until_interrupted(lambda: app(args=given, prog_name="evenglot", standalone_mode=False))
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail(_AFTER_INTERRUPT, EXIT_CODE)
    except Exception as error:  # noqa: BLE001 - the one place where any error becomes a line and an exit code
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        if interrupts.pressed:
            return _fail(_AFTER_INTERRUPT, EXIT_CODE)
        return _fail(*_describe(error))
    if interrupts.pressed:  # the command-line parser turned it into a silent exit
        return _fail(_AFTER_INTERRUPT, EXIT_CODE)
    return code if isinstance(code, int) else 0


def _describe(error: Exception) -> tuple[str, int]:
    if isinstance(error, EvenglotError):
        return str(error), error.exit_code
    describe = getattr(error, "format_message", None)  # what the command-line parser raises
    if callable(describe):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "evenglot"
        problem = str(describe()).rstrip(".") or "no command is given"
        return f"{problem}. `{command} --help` shows what it takes", int(getattr(error, "exit_code", 2))
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] in _EXTRAS:
        extra = _EXTRAS[error.name.partition(".")[0]]
        return f"{error.name} is not installed. Install it with `pip install 'evenglot[{extra}]'`", 2
    if isinstance(error, MemoryError):
        return "out of memory. Use fewer workers (`--workers 1`) or smaller batches", _DEFECT
    if isinstance(error, OSError) and error.strerror:
        place = f" {error.filename}" if error.filename else ""
        return f"{error.strerror[0].lower()}{error.strerror[1:]}:{place}", 2
    hint = "" if os.environ.get(_DEBUG) else f"; {_DEBUG}=1 shows where"
    return f"unexpected {type(error).__name__}: {error} (a defect of evenglot{hint})", _DEFECT


def _fail(message: str, code: int) -> int:
    sys.stdout.flush()
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code
