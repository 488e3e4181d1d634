"""``evenglot mixture``: see and change how often languages are sampled while a run trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from evenglot.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sampler.feedback.requests import Request

_LANGUAGES: Final = 20
"""Languages in the table for people; the JSON has all."""


def mixture(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="Folder of the training run.")] = "out/run",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="LANG=SHARE",
            help="Ask for this share of a language from 0 to 1, for example swh_Latn=0.3; may be given several times.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Shares from a YAML or JSON file of LANG: SHARE."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept in the run's log.")] = "not said",
    as_json: JsonOption = False,
) -> None:
    """Show the mixture of a run, and ask for another one while it trains.

    Languages that are not named keep their proportions in what is left. The run takes a change up at its next decision
    block (`sampler.feedback.every`), one at a time, within its floor and its largest number of passes, and logs it.
    Without --set and --file nothing is asked for: what was asked before is shown with its answer.

    [bold]Examples[/]

    evenglot mixture out/run

    evenglot mixture out/run --set swh_Latn=0.3 --set tgl_Latn=0.1 --reason "held-out loss still falls"

    evenglot mixture out/run --file shares.yaml --json
    """
    from evenglot.cli.console import output
    from sampler.feedback import requests

    folder = Path(run)
    asked = _asked(set_ or (), file)
    with output(as_json) as show:
        now = _now(folder)
        number = None
        if asked:
            _check(asked, now["shares"])
            number = requests.ask(folder, asked, reason)
        found = requests.read(folder)
        show(_result(run, number, now, found), _text(number, now, found))


def _now(folder: Path) -> dict[str, Any]:
    from corpus.errors import InputError
    from sampler.feedback import requests

    now = requests.now(folder) if folder.is_dir() else None
    if now is None:
        raise InputError(f"{folder} is no training run that has begun", "Start it: `evenglot train --run DIR`")
    return now


def _asked(pairs: Sequence[str], file: Path | None) -> dict[str, Any]:
    """Shares by tag, from a file and then from flags."""
    import yaml

    from corpus.errors import ConfigurationError, InputError
    from corpus.tags import is_tag, to_tag

    given: dict[str, Any] = {}
    if file is not None:
        try:
            value = yaml.safe_load(file.read_text(encoding="utf-8"))  # JSON is YAML
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise InputError(f"{file}: {' '.join(str(error).split())}", "Write one `LANG: SHARE` a line") from error
        if not isinstance(value, dict):
            raise InputError(f"{file} holds no shares", "Write one `LANG: SHARE` a line")
        given.update({str(lang): share for lang, share in value.items()})
    for pair in pairs:
        lang, equals, number = pair.partition("=")
        try:
            given[lang.strip()] = float(number)
        except ValueError:
            raise ConfigurationError(f"--set {pair} is no LANG=SHARE", "Write for example --set swh_Latn=0.3") from None
        if not equals:
            raise ConfigurationError(f"--set {pair} is no LANG=SHARE", "Write for example --set swh_Latn=0.3")
    return {lang if is_tag(lang) else to_tag(lang): share for lang, share in given.items()}


def _check(asked: Mapping[str, Any], shares: Mapping[str, float]) -> None:
    """Say at once what the run would refuse later."""
    import numpy as np

    from sampler.feedback.decisions import named_shares

    named_shares(asked, np.array(list(shares.values())), tuple(shares))


def _status(request: Request) -> str:
    if request.answer is None:
        return "pending"
    place = f"{request.answer['status']} at block {request.answer['block']}"
    return place if "why" not in request.answer else f"{place}: {request.answer['why']}"


def _result(run: str, number: int | None, now: Mapping[str, Any], found: Sequence[Request]) -> dict[str, Any]:
    return {
        "run": run,
        "asked": number,
        **now,
        "requests": [
            {
                "number": request.number,
                "shares": request.shares,
                "reason": request.reason,
                **(request.answer or {"status": "pending"}),
            }
            for request in found
        ],
    }


def _text(number: int | None, now: Mapping[str, Any], found: Sequence[Request]) -> RenderableType:
    """For people."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    if number is not None:
        parts += [Text(f"request {number} waits for the run's next decision block", style="bold"), Text("")]
    shares = Table(box=None, pad_edge=False)
    shares.add_column("language")
    shares.add_column(f"share from block {now['block']:,}", justify="right")
    ranked = sorted(now["shares"].items(), key=lambda item: (-item[1], item[0]))
    for lang, share in ranked[:_LANGUAGES]:
        shares.add_row(lang, f"{share:.3%}")
    parts.append(shares)
    if len(ranked) > _LANGUAGES:
        parts.append(Text(f"and {len(ranked) - _LANGUAGES:,} languages more (--json has all)", style="dim"))
    if found:
        requests = Table(box=None, pad_edge=False)
        for name in ("request", "shares", "reason", "status"):
            requests.add_column(name)
        for request in found:
            named = ", ".join(f"{lang}={share:g}" for lang, share in request.shares.items())
            requests.add_row(str(request.number), named, request.reason, _status(request))
        parts += [Text(""), requests]
    return Group(*parts)
