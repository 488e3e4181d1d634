"""``evenglot decide``: what other limits would keep and reject."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from evenglot.cli.options import JsonOption, RecipeOption, SetOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from corpus.manifest import Snapshot
    from pipeline.quality.config import FilterConfig
    from pipeline.quality.preview import Preview

_LANGUAGES: Final = 20
"""Languages in the table for people; the JSON has all."""


def decide(
    corpus: Annotated[str, typer.Argument(metavar="[CORPUS]", help="Corpus folder or URL.")] = "out/corpus",
    recipe: RecipeOption = None,
    set_: SetOption = None,
    lang: Annotated[
        str | None,
        typer.Option("--lang", "-l", metavar="LANG", help="Only this language: sw, swh_Latn, Swahili ..."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=0, help="Documents to name for each change, at most.")
    ] = 2,
    as_json: JsonOption = False,
) -> None:
    """Show what other limits of the filter would keep and reject, from the scores of a corpus; nothing is changed.

    The corpus is judged as by a new run with the recipe's `prepare.filter`: limits are derived anew, and every document
    that was scored is decided again. Without a recipe the corpus's own is taken, and --set changes it.

    [bold]Examples[/]

    evenglot decide out/corpus --set prepare.filter.max_urls=0.3

    evenglot decide out/corpus --set prepare.filter.languages.swh_Latn.min_words=20 --lang swh_Latn

    evenglot decide out/corpus --recipe stricter.yaml --json
    """
    from corpus.manifest import read_snapshot
    from corpus.storage import Storage
    from corpus.tags import is_tag, to_tag
    from evenglot.cli.console import output
    from evenglot.inspect.scores import scored_rows
    from pipeline.quality.preview import preview

    storage = Storage(corpus)
    state = read_snapshot(storage)
    tag = None if lang is None else lang if is_tag(lang) else to_tag(lang)
    config = _settings(recipe, set_ or (), state)
    with output(as_json) as show:
        found = preview(scored_rows(storage, state, tag), config, limit)
        show(_result(found, corpus, state), _text(found, corpus, state))


def _settings(recipe: Path | None, overrides: Sequence[str], state: Snapshot) -> FilterConfig:
    """The filter's settings in a recipe, or in that of the corpus, with ``--set`` laid over."""
    from evenglot.recipe.load import load_recipe

    if recipe is not None:
        return load_recipe(recipe, overrides).prepare.filter
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "recipe.yaml"
        own.write_text(json.dumps(state.recipe), encoding="utf-8")  # JSON is YAML
        return load_recipe(own, overrides).prepare.filter


def _result(found: Preview, corpus: str, state: Snapshot) -> dict[str, Any]:
    """For machines."""
    return {
        "corpus": corpus,
        "snapshot": state.number,
        "scored": found.scored,
        "unscored": found.unscored,
        "kept": found.kept.total(),
        "back": found.back().total(),
        "gone": found.gone().total(),
        "languages": {
            tag: {"kept": found.kept[tag], "back": back, "gone": gone} for tag, back, gone in _by_language(found)
        },
        "changes": [
            {"before": before, "after": after, "lang": tag, "documents": number}
            for (before, after, tag), number in found.changes.items()
        ],
        "examples": [vars(example) for example in found.examples],
        "thresholds": found.thresholds,
    }


def _by_language(found: Preview) -> list[tuple[str, int, int]]:
    """Language, documents back and gone; those of most change first."""
    back, gone = found.back(), found.gone()
    tags = sorted({*back, *gone}, key=lambda tag: (-back[tag] - gone[tag], tag))
    return [(tag, back[tag], gone[tag]) for tag in tags]


def _text(found: Preview, corpus: str, state: Snapshot) -> RenderableType:
    """For people."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from evenglot.inspect.shown import visible

    back, gone = found.back().total(), found.gone().total()
    heading = Text(
        f"{gone:,} of {found.kept.total():,} documents would go and {back:,} of those rejected would come back",
        style="bold",
    )
    parts: list[RenderableType] = [heading]
    if found.changes:
        totals: dict[tuple[str, str], int] = {}
        for (before, after, _), number in found.changes.items():
            totals[before, after] = totals.get((before, after), 0) + number
        changes = Table(box=None, pad_edge=False)
        for name, right in (("now", False), ("then", False), ("documents", True)):
            changes.add_column(name, justify="right" if right else "left")
        for (before, after), number in sorted(totals.items(), key=lambda item: (-item[1], item[0])):
            changes.add_row(before, after, f"{number:,}")
        languages = Table(box=None, pad_edge=False)
        for name, right in (("language", False), ("kept", True), ("back", True), ("gone", True), ("then kept", True)):
            languages.add_column(name, justify="right" if right else "left")
        rows = _by_language(found)
        for tag, came, went in rows[:_LANGUAGES]:
            kept = found.kept[tag]
            languages.add_row(tag, f"{kept:,}", f"{came:,}", f"{went:,}", f"{kept + came - went:,}")
        parts += [Text(""), changes, Text(""), languages]
        if len(rows) > _LANGUAGES:
            parts.append(Text(f"and {len(rows) - _LANGUAGES:,} languages more (--json has all)", style="dim"))
    for example in found.examples:
        line = f"{example.id[:12]}  {example.lang}  {example.before} -> {example.after}"
        parts.append(Text(f"{line}  {visible(example.detail or '')}"))
    if found.examples:
        parts.append(Text(f"\nread one: evenglot inspect {shlex.quote(corpus)} --id {found.examples[0].id[:12]}"))
    parts.append(
        Text(
            "Duplicates are not compared again: only a run tells what of it is kept. To apply: the same settings in "
            "the recipe of `evenglot prepare`.",
            style="dim",
        )
    )
    return Group(*parts)
