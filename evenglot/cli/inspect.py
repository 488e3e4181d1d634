"""``evenglot inspect``: look at a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand

from evenglot.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from corpus.manifest import Snapshot
    from corpus.storage import Storage
    from evenglot.inspect.selection import Selection

ALL: Final = "all"
_OPTIONAL: Final = ("--rejected", "--thresholds", "--clusters", "--synthetic")
"""Options that may stand without a value."""


class InspectCommand(TyperCommand):
    """A command some of whose options have a value only if one is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give those that stand without one the value ``all``."""
        filled: list[str] = []
        for place, argument in enumerate(args):
            filled.append(argument)
            following = args[place + 1] if place + 1 < len(args) else "-"
            if argument in _OPTIONAL and following.startswith("-"):
                filled.append(ALL)
        return super().parse_args(ctx, filled)


class View(NamedTuple):
    """What one way of looking found."""

    result: dict[str, Any]
    """For machines."""
    items: str
    """Key of the result whose entries ``--jsonl`` prints."""
    text: RenderableType


def inspect(
    corpus: Annotated[str, typer.Argument(metavar="[CORPUS]", help="Corpus folder or URL.")] = "out/corpus",
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang", "-l", metavar="LANG", help="Only this language: sw, swh_Latn, Swahili ... Alone: samples of it."
        ),
    ] = None,
    rejected: Annotated[
        str | None,
        typer.Option(
            "--rejected",
            metavar="[REASON]",
            help="Documents rejected for this stage, reason, stage/reason or limit, with the numbers that decided. "
            "Without a reason: all reasons with their counts.",
            show_default=False,
        ),
    ] = None,
    borderline: Annotated[
        str | None,
        typer.Option(
            "--borderline",
            metavar="LIMIT",
            help="Documents next to a limit on both sides, and with --lang what other limits would do.",
            show_default=False,
        ),
    ] = None,
    thresholds: Annotated[
        str | None,
        typer.Option(
            "--thresholds",
            metavar="[LIMIT]",
            help="The limits of every language and how they came about.",
            show_default=False,
        ),
    ] = None,
    clusters: Annotated[
        str | None,
        typer.Option(
            "--clusters",
            metavar="[REASON]",
            help="Duplicates: what stayed, its copies, what differs; largest first. With a reason such as "
            "near_duplicate: only those.",
            show_default=False,
        ),
    ] = None,
    synthetic: Annotated[
        str | None,
        typer.Option(
            "--synthetic",
            metavar="[WHAT]",
            help="Synthetic documents beside the natural ones they were made from, and rejected candidates with their "
            "scores. With kept, rejected, back_translation, paraphrase, insertion or a reason: only those.",
            show_default=False,
        ),
    ] = None,
    mixed: Annotated[bool, typer.Option("--mixed", help="Documents in several languages, segment by segment.")] = False,
    boilerplate: Annotated[
        bool,
        typer.Option("--boilerplate", help="Lines removed because the pages of a site share them, by site."),
    ] = False,
    scores: Annotated[
        bool,
        typer.Option("--scores", help="The hardest, easiest, most and least diverse documents, once tokenised."),
    ] = False,
    unreadable: Annotated[bool, typer.Option("--unreadable", help="Show broken records as they were found.")] = False,
    document: Annotated[
        str | None,
        typer.Option(
            "--id", "--document", "-d", metavar="ID", help="One document, by its id or the first digits of it."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Only of this input, or of this site (host of the address)."),
    ] = None,
    contains: Annotated[
        str | None, typer.Option("--contains", metavar="TEXT", help="Only documents with this in their text.")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option("--origin", metavar="ORIGIN", help="Only natural, back_translation, paraphrase or insertion."),
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option("--generator", metavar="NAME", help="Only what a model with this in its name or revision made."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "--count", "-n", metavar="N", min=1, help="How many to show.")] = 5,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another number shows other documents.")] = 0,
    snapshot: Annotated[
        int | None,
        typer.Option("--snapshot", metavar="N", help="An earlier state of the corpus.", show_default="current"),
    ] = None,
    as_json: JsonOption = False,
    as_lines: Annotated[
        bool, typer.Option("--jsonl", help="Print one JSON object per line: a document, a reason, a language ...")
    ] = False,
    reason: Annotated[str | None, typer.Option("--reason", hidden=True)] = None,
) -> None:
    """Look at a corpus: its languages, samples, what was removed and why, copies, and what lies next to a limit.

    [bold]Examples[/]

    evenglot inspect out/corpus

    evenglot inspect out/corpus --lang swahili

    evenglot inspect out/corpus --rejected

    evenglot inspect out/corpus --rejected filter/too_short --lang swh_Latn --limit 20

    evenglot inspect out/corpus --borderline min_words --lang swh_Latn

    evenglot inspect out/corpus --clusters near_duplicate --lang deu_Latn

    evenglot inspect out/corpus --thresholds --lang swh_Latn

    evenglot inspect out/corpus --synthetic --lang swh_Latn

    evenglot inspect out/corpus --mixed --lang swh_Latn

    evenglot inspect out/corpus --boilerplate --source news.example

    evenglot inspect out/corpus --scores --lang swh_Latn

    evenglot inspect out/corpus --id 3f9a
    """
    from corpus.manifest import read_snapshot
    from corpus.storage import Storage
    from corpus.tags import is_tag, to_tag
    from evenglot.cli.console import Reporter
    from evenglot.cli.console import output as result_output
    from evenglot.inspect.selection import Selection
    from evenglot.inspect.watched import WatchedStorage

    asked = {
        "--rejected": reason if rejected in (None, ALL) and reason is not None else rejected,
        "--borderline": borderline,
        "--thresholds": thresholds,
        "--clusters": clusters,
        "--synthetic": synthetic,
        "--mixed": mixed or None,
        "--boilerplate": boilerplate or None,
        "--scores": scores or None,
        "--unreadable": unreadable or None,
        "--id": document,
    }
    way, value = _one_of(asked)
    _require_no_path(way, value)
    storage = Storage(corpus)
    state = read_snapshot(storage, snapshot)
    tag = None if lang is None else lang if is_tag(lang) else to_tag(lang)
    if tag is not None:
        _require_language(tag, str(lang), {*state.languages, *state.ledger.language_totals()}, corpus)
    if origin is not None:
        _require_origin(origin)
    origins = None if origin is None else frozenset({origin})
    selection = Selection(lang=tag, source=source, contains=contains, origins=origins, generator=generator)
    with result_output(as_json or as_lines) as show:
        with Reporter() as progress:
            watched = WatchedStorage(corpus, progress)
            view = _view(way, value, Look(watched, state, corpus, selection, limit, seed))
        if as_lines:
            for item in view.result[view.items]:
                show(item, "")
        else:
            show({"corpus": corpus, "snapshot": state.number, **view.result}, view.text)


class Look(NamedTuple):
    """What is looked at, and how much of it."""

    storage: Storage
    state: Snapshot
    corpus: str
    selection: Selection
    limit: int
    seed: int


def _view(way: str | None, value: str, look: Look) -> View:
    selection = look.selection
    if way == "--id":
        return _document(value, look)
    if way == "--unreadable":
        return _unreadable(look)
    if way == "--rejected":
        return _reasons(look) if value == ALL else _rejected(value, look)
    if way == "--borderline":
        return _borderline(value, look)
    if way == "--thresholds":
        return _thresholds(None if value == ALL else value, look)
    if way == "--clusters":
        return _clusters(None if value == ALL else value, look)
    if way == "--synthetic":
        return _synthetic(value, look)
    if way == "--mixed":
        return _mixed(look)
    if way == "--boilerplate":
        return _boilerplate(look)
    if way == "--scores":
        return _scores(look)
    if any((selection.lang, selection.source, selection.contains, selection.origins, selection.generator)):
        return _samples(look)
    return _languages(look)


def _languages(look: Look) -> View:
    from evenglot.cli import summaries
    from evenglot.inspect.languages import language_rows

    result = summaries.languages_result(look.state, look.corpus)
    return View(result, "languages", summaries.language_table(look.state, language_rows(look.state)))


def _samples(look: Look) -> View:
    from evenglot.cli import inspect_views as views
    from evenglot.inspect.sample import sample

    files = look.state.select("text", lang=look.selection.lang)
    rows, total = sample(look.storage, files, look.selection, look.limit, look.seed)
    text = views.samples(rows, total, look.selection)
    return View({"lang": look.selection.lang, "total": total, "documents": rows}, "documents", text)


def _document(identity: str, look: Look) -> View:
    from evenglot.cli import inspect_views as views
    from evenglot.inspect.documents import find_document

    row = find_document(look.storage, look.state, identity)
    return View({"document": row, "documents": [row]}, "documents", views.document(row, full=True))


def _unreadable(look: Look) -> View:
    from evenglot.cli import inspect_views as views
    from evenglot.inspect.documents import unreadable_records

    records = [
        {
            "file": record.file,
            "offset": record.offset,
            "line": record.line,
            "reason": record.reason,
            "detail": record.detail,
            "raw": record.raw.decode("utf-8", "backslashreplace"),
        }
        for record in unreadable_records(look.storage, look.state, count=look.limit)
    ]
    total = look.state.ledger.unreadable_total
    return View({"total": total, "records": records}, "records", views.unreadable(records, total))


def _reasons(look: Look) -> View:
    from dataclasses import asdict

    from evenglot.cli import inspect_views as views
    from evenglot.inspect.reasons import reasons

    found = reasons(look.state, look.selection.lang)
    result = {
        "lang": look.selection.lang,
        "total": sum(reason.documents for reason in found),
        "reasons": [asdict(reason) for reason in found],
    }
    return View(result, "reasons", views.reasons(found, look.state, look.corpus, look.selection.lang))


def _rejected(asked: str, look: Look) -> View:
    from dataclasses import asdict

    from evenglot.cli import inspect_views as views
    from evenglot.inspect.reasons import decided, limit_of, numbers, resolve
    from evenglot.inspect.sample import sample

    names = resolve(look.state, asked)
    selection = look.selection.of_reasons(names, limit_of(asked))
    files = look.state.select("rejected")
    rows, total = sample(look.storage, files, selection, look.limit, look.seed)
    rows = [{**row, "decided": decided(row["detail"])} for row in rows]
    found = numbers(look.storage, files, selection)
    result = {
        "reasons": names,
        "lang": selection.lang,
        "total": total,
        "numbers": [asdict(entry) for entry in found],
        "documents": rows,
    }
    return View(result, "documents", views.rejected(rows, total, found, names, selection, look.corpus))


def _borderline(asked: str, look: Look) -> View:
    from dataclasses import asdict

    from evenglot.cli import inspect_views as views
    from evenglot.inspect.borderline import borderline, rules_of

    found = borderline(look.storage, look.state, rules_of(asked, look.state), look.selection, look.limit)
    limits = [
        {
            "limit": one.rule.name,
            "measure": one.rule.feature,
            "reason": f"{one.rule.stage}/{one.rule.reason}",
            "value": look.state.thresholds.get(look.selection.lang or "", {}).get(one.rule.name),
            "measured": one.measured,
            "choices": [asdict(choice) for choice in one.choices],
            "kept": one.kept,
            "rejected": one.rejected,
        }
        for one in found
    ]
    return View(
        {"lang": look.selection.lang, "limits": limits}, "limits", views.borderline(found, look.state, look.selection)
    )


def _thresholds(limit: str | None, look: Look) -> View:
    from dataclasses import asdict

    from evenglot.cli import inspect_views as views
    from evenglot.inspect.borderline import rules_of
    from evenglot.inspect.thresholds import thresholds

    limits = [None] if limit is None else [rule.name for rule in rules_of(limit, look.state)]
    found = [one for name in limits for one in thresholds(look.state, look.selection.lang, name)]
    facts = look.state.threshold_facts.get(look.selection.lang or "")
    words = facts.stop_words if facts and limit is None else []
    result = {"thresholds": [asdict(one) for one in found], "stop_words": words}
    return View(result, "thresholds", views.thresholds(found, look.selection.lang, words))


def _clusters(reason: str | None, look: Look) -> View:
    from evenglot.cli import inspect_views as views
    from evenglot.inspect.clusters import as_json, clusters, counts
    from evenglot.inspect.reasons import resolve

    selection = look.selection if reason is None else look.selection.of_reasons(resolve(look.state, reason))
    sizes, languages = counts(look.storage, look.state, selection)
    found = clusters(look.storage, look.state, sizes, selection, count=look.limit, copies=views.COPIES)
    result = {
        "lang": look.selection.lang,
        "total": len(sizes),
        "copies": sum(sizes.values()),
        "languages": [one._asdict() for one in languages],
        "clusters": [as_json(cluster) for cluster in found],
    }
    return View(result, "clusters", views.clusters(found, sizes, languages, look.selection))


def _synthetic(asked: str, look: Look) -> View:
    from evenglot.cli.inspect_synthetic import synthetic as text
    from evenglot.inspect.synthetic import synthetic

    found = synthetic(look.storage, look.state, look.selection, asked, look.limit, look.seed)
    about = look.state.augmentation
    languages = {} if about is None else about.languages
    result = {
        "lang": look.selection.lang,
        "languages": {lang: one.model_dump() for lang, one in languages.items()},
        "kept_total": found.kept_total,
        "rejected_total": found.rejected_total,
        "documents": [*found.kept, *found.rejected],
    }
    return View(result, "documents", text(found, look.state, look.selection, look.corpus))


def _mixed(look: Look) -> View:
    from dataclasses import asdict, replace

    from evenglot.cli import inspect_views as views
    from evenglot.inspect.mixed import Mixing, language_shares
    from evenglot.inspect.sample import batches, sample

    selection = replace(look.selection, mixed=True)
    files = look.state.select("text")
    mixing = Mixing()
    for file in files:
        for batch in batches(look.storage, file):
            mixing.add(file.lang or "", batch)
    rows, total = sample(look.storage, files, selection, look.limit, look.seed)
    for row in rows:
        row["shares"] = {lang: round(share, 4) for lang, share in language_shares(row["segments"]).items()}
        row["segments"] = [{**part, "text": row["text"][part["start"] : part["end"]]} for part in row["segments"]]
    result = {
        "lang": selection.lang,
        "recorded": mixing.recorded,
        "total": total,
        "languages": {lang: asdict(one) for lang, one in mixing.languages.items() if one.looked_at},
        "pairs": [[*pair, number] for pair, number in mixing.pairs.most_common()],
        "documents": rows,
    }
    return View(result, "documents", views.mixed(rows, total, mixing, selection))


def _boilerplate(look: Look) -> View:
    from dataclasses import asdict

    from corpus.errors import ConfigurationError
    from evenglot.cli import inspect_views as views
    from evenglot.inspect.boilerplate import boilerplate

    selection = look.selection
    if selection.lang is not None:
        raise ConfigurationError(
            "removed lines are known by site, not by language", "Leave out --lang, or give a site with --source"
        )
    found = boilerplate(
        look.storage,
        look.state,
        site=selection.source,
        contains=selection.contains,
        sites=look.limit,
        lines=max(views.LINES, look.limit),
    )
    result = {"total": found.removed, "sites": found.sites, "different": found.different}
    text = views.boilerplate(found, selection)
    return View({**result, "shown": [asdict(site) for site in found.shown]}, "shown", text)


def _scores(look: Look) -> View:
    from evenglot.cli import inspect_views as views
    from evenglot.inspect.extremes import extremes

    found, total = extremes(look.storage, look.state, look.selection, look.limit)
    documents = [{"end": name, **row} for name, rows in found.items() for row in rows]
    result = {"lang": look.selection.lang, "total": total, "documents": documents}
    return View(result, "documents", views.extremes(found, total, look.selection))


def _one_of(asked: Mapping[str, str | bool | None]) -> tuple[str | None, str]:
    """The one way of looking that was asked for, and its value."""
    from corpus.errors import ConfigurationError

    given = [(way, value) for way, value in asked.items() if value is not None]
    if len(given) > 1:
        raise ConfigurationError(f"{' and '.join(way for way, _ in given)} cannot be shown at once", "Give one of them")
    way, value = given[0] if given else (None, "")
    return way, str(value)


def _require_no_path(way: str | None, value: str) -> None:
    """``--rejected out/corpus`` would take the corpus for a reason."""
    from corpus.errors import ConfigurationError

    if way in _OPTIONAL and (Path(value) / "manifest.json").exists():
        raise ConfigurationError(
            f"'{value}' stands where {way} expects a reason", f"Put it first: `evenglot inspect {value} {way}`"
        )


def _require_origin(origin: str) -> None:
    from corpus.errors import ConfigurationError
    from corpus.schema import ORIGINS

    if origin not in ORIGINS:
        raise ConfigurationError(f"'{origin}' is no origin", f"Origins: {', '.join(ORIGINS)}")


def _require_language(tag: str, given: str, known: set[str], corpus: str) -> None:
    import difflib

    from corpus.errors import ConfigurationError

    if tag not in known:
        near = difflib.get_close_matches(tag, sorted(known), n=3, cutoff=0.4)
        some = ", ".join(near or sorted(known)[:10])
        asked = tag if given == tag else f"{tag} ('{given}')"
        raise ConfigurationError(f"{corpus} has no document of {asked}", f"Languages there: {some}")
