"""What ``evenglot inspect`` shows to people. Nothing that a document holds reaches the terminal as it is."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from corpus.manifest import Snapshot
from corpus.tags import english_name
from evenglot.inspect.boilerplate import Boilerplate
from evenglot.inspect.borderline import Borderline
from evenglot.inspect.clusters import Cluster, ClusterCount, Copy
from evenglot.inspect.difference import Change
from evenglot.inspect.mixed import Mixing
from evenglot.inspect.reasons import Numbers, Reason
from evenglot.inspect.selection import Selection
from evenglot.inspect.shown import shortened, visible
from evenglot.inspect.thresholds import MEANINGS, Threshold

_PAIRS: Final = 10
_SEGMENTS: Final = 8
LINES: Final = 8
"""Lines of a site that are shown, at least."""
COPIES: Final = 4
"""Copies of a cluster that are shown."""
_EXCERPT: Final = 600
_SHORT: Final = 240
_VALUE: Final = 200
_LANGUAGES: Final = 6
"""Languages named in a line."""
_FACTS: Final = ("declared_lang", "copies", "url", "duplicate_of")
_ALL_FACTS: Final = (
    "lang", "lang_score", "declared_lang", "split", "copies", "weight", "quality", "url", "source", "key", "path",
    "file", "offset", "duplicate_of", "origin", "parent", "generator", "provenance", "meta",
)  # fmt: skip


def samples(rows: Sequence[Mapping[str, Any]], total: int, selection: Selection) -> RenderableType:
    """Kept documents."""
    heading = f"{len(rows)} of {total:,} documents{_of(selection)}"
    return listing(heading, [document(row, around=selection.contains) for row in rows])


def rejected(
    rows: Sequence[Mapping[str, Any]],
    total: int,
    found: Sequence[Numbers],
    names: Sequence[str],
    selection: Selection,
    corpus: str,
) -> RenderableType:
    """Rejected documents, under the numbers that decided on all of them and with what to do next."""
    heading = f"{len(rows)} of {total:,} documents{_of(selection)} rejected for {', '.join(names)}"
    parts: list[RenderableType] = []
    for entry in found:
        low, high = entry.bounds
        bounds = _number(low) if low == high else f"{_number(low)} to {_number(high)}, by language"
        side = "below" if entry.sign == "<" else "above"
        parts.append(
            Text(
                f"  {entry.measure} {side} {entry.limit} ({bounds}): {entry.documents:,} documents, "
                f"{_number(entry.lowest)} to {_number(entry.highest)}, median {_number(entry.median)}"
            )
        )
    parts += [document(row, around=selection.contains) for row in rows]
    lang = f" --lang {selection.lang}" if selection.lang else ""
    for entry in found[:1]:
        parts.append(
            _hint(
                f"\nnear this limit: evenglot inspect {shlex.quote(corpus)} --borderline {entry.limit}{lang}\n"
                f"to change it: prepare.filter.{entry.limit} in the recipe, or for one language "
                f"prepare.filter.languages.{selection.lang or 'LANG'}.{entry.limit}"
            )
        )
    return listing(heading, parts)


def reasons(found: Sequence[Reason], state: Snapshot, corpus: str, lang: str | None) -> RenderableType:
    """All reasons with their counts."""
    whole = sum(state.ledger.language_totals().get(lang, (0, 0))) if lang else state.ledger.read + state.ledger.made
    of = f"{whole:,} documents of {lang}" if lang else f"{whole:,} records read"
    total = sum(reason.documents for reason in found)
    heading = Text(f"{total:,} of {of} were rejected", style="bold")
    if not found:
        return heading
    table = _table("reason", ("documents", 1), ("share", 1), *(() if lang else (("languages", 0),)))
    for reason in found:
        cells = [reason.name, f"{reason.documents:,}", f"{reason.share:.2%}"]
        table.add_row(*cells, *(() if lang else (_some(reason.languages),)))
    given = f" --lang {lang}" if lang else ""
    return Group(
        heading,
        table,
        _hint(f"\ndocuments: evenglot inspect {shlex.quote(corpus)} --rejected {found[0].name}{given}"),
    )


def unreadable(records: Sequence[Mapping[str, Any]], total: int) -> RenderableType:
    """Broken records."""
    return listing(f"{len(records)} of {total:,} unreadable records", [_broken(record) for record in records])


def borderline(found: Sequence[Borderline], state: Snapshot, selection: Selection) -> RenderableType:
    """Documents next to limits."""
    parts: list[RenderableType] = []
    for one in found:
        rule, limits = one.rule, state.thresholds
        own = limits.get(selection.lang or "", {}).get(rule.name)
        anywhere = any(rule.name in of for of in limits.values())
        value = f" {_number(own)}" if own is not None else " (each language has its own)" if anywhere else " (not set)"
        sign = "below" if rule.side == "min" else "above"
        parts.append(Text(f"\n{rule.name}{value}: rejects {rule.feature} {sign} it", style="bold"))
        guard = f", in documents with {rule.guard[0]} of {_number(rule.guard[1])} or more" if rule.guard else ""
        parts.append(Text(f"  {one.measured:,} kept documents measured{guard}", style="dim"))
        if one.choices:
            parts.append(_choices(one, own))
        elif selection.lang is None:
            parts.append(_hint("  with --lang: what other limits would do"))
        for title, rows in (("kept, nearest first", one.kept), ("rejected, nearest first", one.rejected)):
            parts.append(Text(f"\n{title}" if rows else f"\n{title}: none", style="bold"))
            parts += [document(row, limit=_SHORT, around=selection.contains) for row in rows]
    return Group(*parts)


def _choices(one: Borderline, own: float | None) -> RenderableType:
    table = _table("limit", ("documents", 1), ("share", 1), ("", 0))
    for choice in one.choices:
        said = "today" if choice.limit == own else "more rejected" if choice.rejected > 0 else "kept again"
        number = "" if choice.limit == own else f"{abs(choice.rejected):,}"
        table.add_row(_number(choice.limit), number, f"{abs(choice.share):.2%}" if number else "", said)
    return Padding(table, (0, 0, 0, 2))


def thresholds(found: Sequence[Threshold], lang: str | None, stop_words: Sequence[str] = ()) -> RenderableType:
    """Limits per language; of one language with their measures, of many as one line each."""
    if not found:
        return Text("this snapshot holds no limits")
    origins = Counter(one.origin for one in found if one.origin)
    first = found[0]
    of = (
        f" of {first.documents:,} documents from {_number(first.sources or 0)} effective sources"
        if first.documents
        else ""
    )
    summary = f"limits of {lang}{of}" if lang else f"limits of {len({one.lang for one in found})} languages"
    columns = (("", 0),) if lang else (("limit", 0),)
    table = _table(
        "limit" if lang else "language", *columns, ("value", 1), ("from", 0), ("measured", 1), ("rejected", 1)
    )
    if not lang:
        table.add_column("documents", justify="right")
        table.add_column("sources", justify="right")
    for one in found:
        named = (one.limit, f"{one.measure} {'<' if one.side == 'min' else '>'}") if lang else (one.lang, one.limit)
        cells = [*named, _number(one.value), one.origin or "not recorded"]
        cells += ["" if one.measured is None else _number(one.measured), f"{one.rejected:,}"]
        if not lang:
            cells += [
                "" if one.documents is None else f"{one.documents:,}",
                "" if one.sources is None else _number(one.sources),
            ]
        table.add_row(*cells)
    meanings = [f"{origin} ({number:,}): {MEANINGS[origin]}" for origin, number in origins.most_common()]
    words = [Text(f"stop words: {visible(' '.join(stop_words))}")] if stop_words else []
    return Group(Text(summary, style="bold"), table, _hint("\n".join(meanings)), *words)


def clusters(
    found: Sequence[Cluster], sizes: Mapping[str, int], languages: Sequence[ClusterCount], selection: Selection
) -> RenderableType:
    """Clusters of duplicates."""
    total = sum(sizes.values())
    heading = f"{total:,} removed copies{_of(selection)} of {len(sizes):,} kept documents; the largest clusters first"
    parts: list[RenderableType] = []
    if len(languages) > 1:
        table = _table("language", ("", 0), ("clusters", 1), ("copies", 1), ("largest", 1))
        for one in languages[:20]:
            table.add_row(
                one.lang, english_name(one.lang), f"{one.clusters:,}", f"{one.copies:,}", f"{one.largest + 1:,}"
            )
        parts.append(table)
        if len(languages) > 20:
            parts.append(_hint(f"and {len(languages) - 20} more languages"))
    return listing(heading, [*parts, *(_cluster(cluster) for cluster in found)])


def _cluster(cluster: Cluster) -> RenderableType:
    parts: list[RenderableType] = []
    title = f"\n{cluster.copies:,} {'copy' if cluster.copies == 1 else 'copies'} of"
    if cluster.kept is None:
        parts.append(Text(f"{title} {cluster.id}, which is not in this snapshot", style="bold"))
    else:
        parts += [Text(title, style="bold"), document(cluster.kept, limit=_SHORT, lead="")]
    parts += [Padding(_copy(copy, cluster.kept is not None), (0, 0, 0, 2)) for copy in cluster.shown]
    if cluster.copies > len(cluster.shown):
        parts.append(_hint(f"  and {cluster.copies - len(cluster.shown):,} more"))
    return Group(*parts)


def _copy(copy: Copy, compared: bool) -> Text:
    row = copy.row
    text = Text(f"{row['id']}  {row['stage']}/{row['reason']}", style="cyan")
    if row.get("detail"):
        text.append(f"  {_value(row['detail'])}")
    elif compared and copy.changes:
        text.append(f"  similarity {copy.jaccard:.2f}, contained {copy.containment:.2f}")
    elif compared:
        text.append("  the same words")
    if row.get("url"):
        text.append(f"\n  url: {_value(row['url'])}", style="dim")
    if copy.changes:
        text.append("\n  ")
        for change in copy.changes:
            text.append_text(_change(change))
    return text


def _change(change: Change) -> Text:
    said = visible(change.text).replace("\n", " ")
    if change.kind == "gap":
        return Text(f"[{said}] ", style="dim")
    if change.kind == "removed":
        return Text(f"[-{said}-] ", style="red")
    if change.kind == "added":
        return Text(f"{{+{said}+}} ", style="green")
    return Text(f"{said} ", style="default")


def mixed(rows: Sequence[Mapping[str, Any]], total: int, mixing: Mixing, selection: Selection) -> RenderableType:
    """Documents in several languages, with a table of which stand together."""
    if not mixing.recorded:
        return Text(
            "this snapshot does not say where its documents change language; `evenglot prepare` records it unless "
            "prepare.identify.mixed is `keep`"
        )
    heading = f"{len(rows)} of {total:,} documents{_of(selection)} in several languages"
    table = _table("main language", ("with", 0), ("documents", 1))
    pairs = [
        (pair, number)
        for pair, number in sorted(mixing.pairs.items(), key=lambda item: (-item[1], item[0]))
        if selection.lang is None or selection.lang in pair
    ]
    for (main, other), number in pairs[:_PAIRS]:
        table.add_row(main, other, f"{number:,}")
    parts: list[RenderableType] = [table] if pairs else []
    if len(pairs) > _PAIRS:
        parts.append(_hint(f"and {len(pairs) - _PAIRS:,} more pairs"))
    return listing(heading, [*parts, *(_segmented(row, selection.contains) for row in rows)])


def extremes(rows: Mapping[str, Sequence[Mapping[str, Any]]], total: int, selection: Selection) -> RenderableType:
    """Documents at the ends of difficulty and diversity."""
    parts: list[RenderableType] = []
    for name, some in rows.items():
        for row in some:
            scores = f"difficulty {row['difficulty']:.2f} bits per character, diversity {row['diversity']:.2f}"
            text = Text(f"\n{name}  {row['id']}  {row['lang']}  {scores}\n", style="cyan")
            body = visible(shortened(row["text"], _SHORT, selection.contains)).strip("\n").replace("\n", "\n    ")
            parts.append(text.append(f"    {body}", style="default"))
    return listing(f"the ends of {total:,} documents with scores{_of(selection)}", parts)


def _segmented(row: Mapping[str, Any], around: str | None) -> Text:
    shares = ", ".join(f"{lang} {share:.0%}" for lang, share in row["shares"].items())
    text = Text(f"\n{row['id']}  {row['lang']}  {shares}\n", style="cyan")
    for fact in ("declared_lang", "url"):
        if row.get(fact):
            text.append(f"  {fact}: {_value(row[fact])}\n", style="dim")
    for place, part in enumerate(row["segments"]):
        if place == _SEGMENTS:
            text.append(f"  and {len(row['segments']) - _SEGMENTS:,} more segments\n", style="dim")
            break
        text.append(f"  {part['lang']} ", style="magenta").append(
            f"{part['start']:,} to {part['end']:,}\n", style="dim"
        )
        body = visible(shortened(part["text"], _SHORT, around)).strip("\n").replace("\n", "\n    ")
        text.append(f"    {body}\n", style="default")
    return text


def boilerplate(found: Boilerplate, selection: Selection) -> RenderableType:
    """Removed lines by site."""
    if not found.removed:
        return Text(f"no line was removed as boilerplate{_of(selection)}")
    heading = f"{found.removed:,} lines removed as boilerplate{_of(selection)}, from {found.sites:,} sites"
    parts: list[RenderableType] = []
    for site in found.shown:
        name = visible(site.site) or "documents without an address"
        text = Text(f"\n{name}  {site.removed:,} removed, {site.different:,} different\n", style="cyan")
        for line, number in site.lines:
            text.append(f"{number:>8,}  ", style="dim").append(f"{_value(line)}\n", style="default")
        if site.different > len(site.lines):
            text.append(f"{'':10}and {site.different - len(site.lines):,} more\n", style="dim")
        parts.append(text)
    return listing(heading, parts)


def listing(heading: str, items: Sequence[RenderableType]) -> RenderableType:
    """A heading and what stands under it."""
    return Group(Text(heading, style="bold"), *items)


def document(
    row: Mapping[str, Any], *, full: bool = False, limit: int = _EXCERPT, around: str | None = None, lead: str = "\n"
) -> Text:
    """One document: its id, language and verdict, a few facts, its text.

    Args:
        row: its columns.
        full: everything, uncut.
        limit: characters of the text otherwise.
        around: keep this part of the text in sight.
        lead: before it.
    """
    reason = f"  rejected: {row['stage']}/{row['reason']}" if row.get("reason") else ""
    detail = f" ({visible(row['detail'])})" if row.get("detail") else ""
    measured = row.get("measured")
    if measured and not detail:
        detail = (
            f"  kept: {measured['measure']} {_number(measured['value'])} {measured['sign']} "
            f"{measured['limit']} {_number(measured['bound'])}"
            if measured["bound"] is not None
            else f"  kept: {measured['measure']} {_number(measured['value'])}"
        )
    text = Text(f"{lead}{row['id']}  {row.get('lang') or 'und'}{reason}{detail}\n", style="cyan")
    for fact in _ALL_FACTS if full else _FACTS:
        value = row.get(fact)
        if value is not None and value != "" and (full or (fact, value) != ("copies", 1)):
            said = f"{value:.4g}" if isinstance(value, float) else visible(str(value))
            text.append(f"  {fact}: {said if full else _value(said)}\n", style="dim")
    body = row.get("text") or ""
    text.append(visible(body if full else shortened(body, limit, around)), style="default")
    other = row.get("duplicate_of_document")
    if other:
        text.append(f"\n\nis a duplicate of {other['id']} ({other['lang']}, {other['path']}):\n", style="cyan")
        text.append(visible(shortened(str(other["text"]), _EXCERPT)), style="default")
    parent = row.get("parent_document")
    if parent:
        text.append(f"\n\nwas made from {parent['id']} ({parent['lang']}, {parent['path']}):\n", style="cyan")
        text.append(visible(shortened(str(parent["text"]), _EXCERPT)), style="default")
    if row.get("duplicates"):
        text.append(f"\n\nrejected as its duplicates: {', '.join(row['duplicates'])}", style="cyan")
    return text


def _broken(record: Mapping[str, Any]) -> RenderableType:
    line = f"line {record['line']}" if record["line"] is not None else f"offset {record['offset']}"
    detail = f": {visible(record['detail'])}" if record["detail"] else ""
    text = Text(f"\n{visible(record['file'])}, {line}  {record['reason']}{detail}\n", style="cyan")
    text.append(visible(shortened(record["raw"], _EXCERPT)), style="default")
    return text


def _of(selection: Selection) -> str:
    found = f" of {selection.lang}" if selection.lang else ""
    found += f" from {visible(selection.source)}" if selection.source else ""
    return found + (f" with '{visible(selection.contains)}'" if selection.contains else "")


def _some(languages: Mapping[str, int]) -> str:
    named = [f"{lang} {number:,}" for lang, number in list(languages.items())[:_LANGUAGES]]
    more = len(languages) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _value(text: object) -> str:
    said = visible(str(text)).replace("\n", " ")
    return said if len(said) <= _VALUE else f"{said[:_VALUE]} ..."


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _table(first: str, *columns: tuple[str, int]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True)
    for label, right in columns:
        table.add_column(label, justify="right" if right else "left", no_wrap=bool(right))
    return table


def _hint(text: str) -> Text:
    return Text(text, style="dim")
