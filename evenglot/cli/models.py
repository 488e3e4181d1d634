"""``evenglot models``: fetch, convert, list, check and remove the models that translate and compare."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenglot.cli.options import JsonOption

if TYPE_CHECKING:
    from pipeline.translation.install import Wishes


class Quantisation(StrEnum):
    """Types in which weights are stored."""

    int8 = "int8"
    int8_float16 = "int8_float16"
    int8_bfloat16 = "int8_bfloat16"
    int8_float32 = "int8_float32"
    int16 = "int16"
    float16 = "float16"
    bfloat16 = "bfloat16"
    float32 = "float32"


class Pooling(StrEnum):
    """How an encoder's vectors of tokens become one."""

    cls = "cls"
    mean = "mean"
    pooler = "pooler"


_ModelsOption = Annotated[
    Path | None,
    typer.Option(
        "--models", metavar="DIR", help="Folder of models.", show_default="EVENGLOT_MODELS, else the user's cache"
    ),
]
_PairOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pair",
        metavar="SOURCE-TARGET",
        help="A direction that it translates, en-sw say; may be given several times.",
        show_default="all that its files name",
    ),
]
_QuantisationOption = Annotated[
    Quantisation, typer.Option("--quantisation", help="Type in which weights are stored; int8 suits CPUs.")
]
_LicenceOption = Annotated[
    str | None,
    typer.Option("--licence", metavar="TEXT", help="Licence of the model.", show_default="what its README says"),
]
_MadeOfOption = Annotated[
    str | None, typer.Option("--made-of", metavar="TEXT", help="What it was trained on.", show_default=False)
]
_NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the model.", show_default="its source's")
]
_PickleOption = Annotated[
    bool,
    typer.Option(
        "--allow-pickle", help="Read weights from a pickle where there are no safetensors: tensors and nothing else."
    ),
]
_PoolingOption = Annotated[
    Pooling | None,
    typer.Option("--pooling", help="Of an encoder: how it makes a sentence's vector.", show_default="as noted"),
]
_PromptOption = Annotated[
    str, typer.Option("--prompt", metavar="TEXT", help="Of an encoder: text before every sentence ('query: ').")
]
_ReplaceOption = Annotated[bool, typer.Option("--replace", help="Replace a model that is there.")]


def list_models(models: _ModelsOption = None, as_json: JsonOption = False) -> None:
    """List the models at hand: those in the folder of models, and those that identify languages.

    [bold]Examples[/]

    evenglot models list

    evenglot models list --models /data/models --json
    """
    from evenglot.cli.console import output as result_output
    from evenglot.cli.models_results import list_result, list_text
    from pipeline.language_id.model import known_models
    from pipeline.translation.model_folders import installed, models_folder

    root = models_folder(models)
    with result_output(as_json) as show:
        result = list_result(root, installed(root), known_models())
        show(result, list_text(result))


def fetch(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Hub id (owner/name), or a folder.", show_default=False)
    ],
    revision: Annotated[
        str | None,
        typer.Option("--revision", metavar="REV", help="Branch, tag or commit.", show_default="default branch"),
    ] = None,
    models: _ModelsOption = None,
    name: _NameOption = None,
    pair: _PairOption = None,
    quantisation: _QuantisationOption = Quantisation.int8,
    licence: _LicenceOption = None,
    made_of: _MadeOfOption = None,
    pooling: _PoolingOption = None,
    prompt: _PromptOption = "",
    allow_pickle: _PickleOption = False,
    keep_download: Annotated[
        bool, typer.Option("--keep-download", help="Keep what was fetched once it is converted.")
    ] = False,
    replace: _ReplaceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch a model by its hub id and convert it: Marian (OPUS-MT), NLLB, M2M100, MADLAD; BERT and XLM-R encoders.

    The commit is pinned on the model's card, every file is checked against its hash, code that comes with a model is
    never run, and an interrupted fetch goes on where it was. Converting needs the extras train and transformers. On a
    machine without a connection, copy the model's folder there and use [bold]evenglot models convert[/].

    [bold]Examples[/]

    evenglot models fetch Helsinki-NLP/opus-mt-en-sw --allow-pickle

    evenglot models fetch facebook/nllb-200-distilled-600M --pair en-ewe --pair ewe-en --allow-pickle
    """
    import shutil

    from evenglot.cli.console import Reporter, note
    from evenglot.cli.console import output as result_output
    from evenglot.cli.models_results import installed_result, installed_text
    from pipeline.translation.convert import check_free
    from pipeline.translation.fetch import fetch as fetch_files
    from pipeline.translation.install import default_name, install
    from pipeline.translation.model_folders import DOWNLOADS, described, is_state_of, models_folder
    from pipeline.translation.readme import licence_warning

    root = models_folder(models)
    wishes = _wishes(pair, licence, made_of, quantisation, name, allow_pickle, replace, pooling, prompt)
    with result_output(as_json) as show:
        if Path(model).is_dir():
            source, origin, commit, fetched = Path(model), None, None, None
        else:
            there = root / default_name(Path(model), model, name)
            if not replace and is_state_of(there, model, revision):
                note(f"{model} is here already; --replace fetches it again")
                result = installed_result(described(there))
                show(result, installed_text(result))
                return
            check_free(there, replace)
            with Reporter() as progress:
                fetched = fetch_files(
                    model,
                    root / DOWNLOADS,
                    revision=revision,
                    allow_pickle=allow_pickle,
                    progress=lambda done, total: progress("fetch (bytes)", done, total),
                )
            source, origin, commit = fetched.folder, model, fetched.revision
        folder = root / default_name(source, origin, name)
        card = install(source, folder, wishes, origin=origin, revision=commit, say=note)
        if fetched is not None and not keep_download:
            shutil.rmtree(fetched.folder)
        if warning := licence_warning(card.name, card.licence):
            note(f"warning: {warning}")
        result = installed_result(described(folder))
        show(result, installed_text(result))


def convert(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the model, or of a release of OPUS-MT.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Model folder to make.", show_default="in --models"),
    ] = None,
    models: _ModelsOption = None,
    name: _NameOption = None,
    pair: _PairOption = None,
    quantisation: _QuantisationOption = Quantisation.int8,
    licence: _LicenceOption = None,
    made_of: _MadeOfOption = None,
    pooling: _PoolingOption = None,
    prompt: _PromptOption = "",
    allow_pickle: _PickleOption = False,
    replace: _ReplaceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Convert a folder of transformers, or an unpacked release of OPUS-MT, into a model folder; needs no connection.

    A folder that was converted before is checked and copied. Converting needs the extras train and transformers (not
    for OPUS-MT's own releases); translating with what was made does not.

    [bold]Examples[/]

    evenglot models convert downloads/opus-mt-en-sw

    evenglot models convert my-model --pair ewe-en --licence CC0-1.0 --output models/ewe-en
    """
    from evenglot.cli.console import note
    from evenglot.cli.console import output as result_output
    from evenglot.cli.models_results import installed_result, installed_text
    from pipeline.translation.install import default_name, install
    from pipeline.translation.model_folders import described, models_folder
    from pipeline.translation.readme import licence_warning

    wishes = _wishes(pair, licence, made_of, quantisation, name, allow_pickle, replace, pooling, prompt)
    with result_output(as_json) as show:
        folder = output or models_folder(models) / default_name(source, None, name)
        card = install(source, folder, wishes, say=note)
        if warning := licence_warning(card.name, card.licence):
            note(f"warning: {warning}")
        result = installed_result(described(folder))
        show(result, installed_text(result))


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Names in the folder of models, or folders.", show_default="all"),
    ] = None,
    load: Annotated[bool, typer.Option("--load", help="Also load each model and give it one sentence.")] = False,
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="The sentence.", show_default="one in English")
    ] = None,
    models: _ModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the files of models with the hashes on their cards, and with --load let each translate a sentence.

    [bold]Examples[/]

    evenglot models verify

    evenglot models verify opus-mt-en-sw --load --text 'The river rose in the night.'
    """
    from corpus.errors import InputError
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.cli.models_results import verify_result, verify_text
    from pipeline.translation.model_folders import found, installed, models_folder
    from pipeline.translation.verify import SENTENCE
    from pipeline.translation.verify import verify as verify_one

    root = models_folder(models)
    folders = [found(root, name) for name in names] if names else [model.folder for model in installed(root)]
    with result_output(as_json) as show:
        checked = []
        with Reporter() as progress:
            for folder in folders:
                checked.append(verify_one(folder, load=load, text=text or SENTENCE))
                progress("verify", len(checked), len(folders))
        result = verify_result(root, checked)
        show(result, verify_text(result))
    if problems := [problem for one in checked for problem in one.problems]:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{problems[0]}{more}", "Fetch or convert the model again")


def pairs(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Language, in any scheme: en, eng_Latn, English.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Language to translate to.")],
    pivot: Annotated[
        list[str] | None,
        typer.Option("--pivot", metavar="LANG", help="Preferred language to go through.", show_default="eng_Latn"),
    ] = None,
    max_hops: Annotated[int, typer.Option("--max-hops", min=1, max=4, help="Most models one after another.")] = 2,
    models: _ModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which models would translate from one language to another, through which pivots, or what is missing.

    [bold]Examples[/]

    evenglot models pairs en sw

    evenglot models pairs Ewe Yoruba --pivot fr --max-hops 3
    """
    from corpus.tags import to_tag
    from evenglot.cli.console import output as result_output
    from evenglot.cli.models_results import route_result, route_text
    from pipeline.translation.model_folders import installed, models_folder, translators
    from pipeline.translation.routes import Routes

    start, end = to_tag(source), to_tag(target)
    pivots = tuple(dict.fromkeys(to_tag(label) for label in pivot or ("eng_Latn",)))
    with result_output(as_json) as show:
        routes = Routes(translators(installed(models_folder(models))), pivots, max_hops)
        result = route_result(start, end, routes)
        show(result, route_text(result))


def remove(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Name in the folder of models.")],
    models: _ModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a model from the folder of models.

    [bold]Examples[/]

    evenglot models remove opus-mt-en-sw
    """
    from evenglot.cli.console import output as result_output
    from pipeline.translation.model_folders import models_folder
    from pipeline.translation.model_folders import remove as remove_folder

    with result_output(as_json) as show:
        folder = remove_folder(models_folder(models), name)
        show({"removed": str(folder)}, f"removed {folder}")


def _wishes(
    pair: list[str] | None,
    licence: str | None,
    made_of: str | None,
    quantisation: Quantisation,
    name: str | None,
    allow_pickle: bool,
    replace: bool,
    pooling: Pooling | None,
    prompt: str,
) -> Wishes:
    from pipeline.translation.install import Wishes

    given: dict[str, Any] = {"quantisation": quantisation.value, "pooling": pooling.value if pooling else None}
    return Wishes(
        pairs=tuple(_pair(one) for one in pair or ()),
        licence=licence,
        made_of=made_of,
        name=name,
        allow_pickle=allow_pickle,
        replace=replace,
        prompt=prompt,
        **given,
    )


def _pair(given: str) -> tuple[str, str]:
    """``en-sw``, or with a colon where a language has a hyphen: ``zh-Hant:en``."""
    from corpus.errors import ConfigurationError

    parts = given.split(":") if ":" in given else given.split("-")
    if len(parts) != 2 or not all(parts):
        raise ConfigurationError(
            f"--pair {given} does not name two languages", "Write SOURCE-TARGET, or SOURCE:TARGET, as in zh-Hant:en"
        )
    return parts[0], parts[1]
