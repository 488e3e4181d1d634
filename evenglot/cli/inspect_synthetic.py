"""What ``evenglot inspect --synthetic`` shows: documents that a model made beside those they were made from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from corpus.manifest import Snapshot
from evenglot.inspect.selection import Selection
from evenglot.inspect.shown import shortened, visible
from evenglot.inspect.synthetic import Made, scores

_SHOWN: Final = 420
"""Characters of either text."""
_REASONS: Final = 8


def synthetic(found: Made, state: Snapshot, selection: Selection, corpus: str) -> RenderableType:
    """Languages with what became of their candidates, then documents and rejected candidates with their parents."""
    from evenglot.cli.inspect_views import listing

    about = state.augmentation
    if about is None and not found.kept_total and not found.rejected_total:
        return Text("this snapshot holds no synthetic text; `evenglot augment` makes some")
    parts: list[RenderableType] = []
    if about is not None and about.languages:
        parts.append(_languages(state, selection.lang))
    for title, rows, total in (
        ("kept synthetic documents", found.kept, found.kept_total),
        ("rejected candidates", found.rejected, found.rejected_total),
    ):
        if rows:
            parts.append(Text(f"\n{len(rows)} of {total:,} {title}", style="bold"))
            parts += [_beside(row) for row in rows]
    if found.rejected:
        where = f"evenglot inspect {shlex.quote(corpus)} --synthetic {found.rejected[0]['reason']}"
        parts.append(Text(f"\nmore of one reason: {where}", style="dim"))
    kept = f"{found.kept_total:,} synthetic documents kept" if found.kept_total or not found.rejected_total else ""
    lost = f"{found.rejected_total:,} candidates rejected" if found.rejected_total else ""
    heading = ", ".join(part for part in (kept, lost) if part)
    return listing(heading, parts)


def _languages(state: Snapshot, lang: str | None) -> Table:
    about = state.augmentation
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("language", no_wrap=True)
    for label in ("candidates", "kept", "bytes", "of budget", "of text"):
        table.add_column(label, justify="right", no_wrap=True)
    table.add_column("rejected, or why there is none")
    for tag, one in sorted(about.languages.items() if about is not None else ()):
        if lang not in (None, tag):
            continue
        reasons = sorted(one.rejected.items(), key=lambda item: (-item[1], item[0]))
        said = ", ".join(f"{name} {number:,}" for name, number in reasons[:_REASONS])
        whole = one.natural_bytes + one.kept_bytes
        table.add_row(
            tag,
            f"{one.candidates:,}",
            f"{one.kept:,}",
            f"{one.kept_bytes:,}",
            f"{one.kept_bytes / one.budget:.0%}" if one.budget else "",
            f"{one.kept_bytes / whole:.0%}" if whole else "",
            said or visible(one.why),
        )
    return table


def _beside(row: Mapping[str, Any]) -> Table:
    """One document with its verdict and numbers, and under that the natural text left of the text made from it."""
    made = row["made"]
    verdict = f"  rejected: {row['stage']}/{row['reason']}" if row.get("reason") else "  kept"
    detail = f" ({visible(row['detail'])})" if row.get("detail") else ""
    method = str(made.get("method") or row.get("origin") or "")
    text = Text(f"\n{row['id']}  {row.get('lang') or 'und'}  {visible(method)}{verdict}{detail}\n", style="cyan")
    text.append(visible(_facts(row, made)), style="dim")
    both = Table.grid(padding=(0, 2), expand=True)
    both.add_column(ratio=1)
    both.add_column(ratio=1)
    parent = row.get("parent_document")
    natural = "not in this snapshot" if parent is None else f"{parent['lang']}  {parent['id'][:8]}"
    both.add_row(Text(f"from {natural}", style="magenta"), Text(str(row.get("lang") or "und"), style="magenta"))
    both.add_row(_text("" if parent is None else parent["text"]), _text(row.get("text") or ""))
    table = Table.grid(expand=True)
    table.add_row(text)
    table.add_row(both)
    return table


def _facts(row: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    models = made.get("models")
    by = row.get("generator") or (" > ".join(map(str, models)) if isinstance(models, Sequence) else models)
    numbers = ", ".join(f"{name} {value:.3g}" for name, value in sorted(scores(dict(made)).items()))
    dropped = made.get("dropped")
    said = [f"by {by}" if by else "", numbers]
    if isinstance(dropped, Mapping) and dropped:
        said.append("dropped sentences: " + ", ".join(f"{name} {number}" for name, number in sorted(dropped.items())))
    return "\n".join(f"  {line}" for line in said if line)


def _text(text: str) -> Text:
    return Text(visible(shortened(text, _SHOWN)))
