"""What ``augment`` says at its end, and before it begins: a table of languages, and what became of the candidates."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus.augmentation import Augmentation, LanguageAugmentation
from corpus.manifest import Snapshot
from evenglot.cli.console import duration
from evenglot.cli.summaries import size

if TYPE_CHECKING:
    from pipeline.augment.plan import Plan
    from pipeline.augment.ways import Way

_REASONS: Final = 3
"""Reasons named of a language."""
_SHOWN: Final = 40
"""Languages shown one by one."""


def augmented_result(snapshot: Snapshot, corpus: str, seconds: float, unchanged: bool) -> dict[str, Any]:
    """The result of ``augment`` for machines.

    Args:
        snapshot: the state that is current now.
        corpus: where it lies.
        seconds: on the clock.
        unchanged: whether the synthetic text of these settings was there already.
    """
    made = snapshot.augmentation
    return {
        "corpus": corpus,
        "snapshot": snapshot.number,
        "goes_on_with": snapshot.goes_on_with,
        "unchanged": unchanged,
        "seconds": round(seconds, 3),
        "added": None if snapshot.added is None else snapshot.added.model_dump(),
        "augmentation": None if made is None else made.model_dump(mode="json"),
        "warnings": snapshot.warnings,
    }


def augmented_text(snapshot: Snapshot, corpus: str, seconds: float, unchanged: bool, following: str) -> RenderableType:
    """The result of ``augment`` for people."""
    made, added = snapshot.augmentation, snapshot.added
    if made is None or added is None:
        return Text(f"snapshot {snapshot.number} of {corpus} has no synthetic text")
    heading = f"{added.read:,} candidates = {added.kept_total:,} kept + {added.rejected_total:,} rejected"
    lines = [f"warning: {warning}" for warning in snapshot.warnings]
    if unchanged:
        lines.append(f"snapshot {snapshot.number} of {corpus} has the text of these settings: nothing new to augment")
    else:
        lines.append(
            f"snapshot {snapshot.number} of {corpus}, over the natural text of snapshot {snapshot.goes_on_with}, "
            f"in {duration(seconds)}"
        )
    place = shlex.quote(corpus)
    if added.rejected_total:
        lines.append(f"look: evenglot inspect {place} --rejected, evenglot report --corpus {place}")
    lines.append(f"next: {following}")
    return Group(Text(heading, style="bold"), _table(made), Text("\n".join(lines)))


def _table(made: Augmentation) -> Table:
    table = _columns("language", "natural", "budget", "candidates", "kept", "bytes", "rejected for")
    languages = sorted(made.languages.items(), key=lambda item: (-item[1].kept_bytes, -item[1].candidates, item[0]))
    for lang, one in languages[:_SHOWN]:
        reasons = sorted(one.rejected.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{reason} {count:,}" for reason, count in reasons[:_REASONS])
        more = f" and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
        table.add_row(
            lang, size(one.natural_bytes), size(_allowed(one)), f"{one.candidates:,}", f"{one.kept:,}",
            size(one.kept_bytes), named + more if named else "" if one.budget else one.why,
        )  # fmt: skip
    if len(languages) > _SHOWN:
        table.add_row(f"and {len(languages) - _SHOWN:,} more", *[""] * 6)
    return table


def _allowed(one: LanguageAugmentation) -> float:
    return one.budget * one.naturalness.share


def planned_result(plan: Plan, corpus: str) -> dict[str, Any]:
    """What ``augment`` would make, for machines."""
    return {
        "corpus": corpus,
        "languages": {
            lang: {
                "budget": plan.budgets[lang].bytes,
                "why": plan.budgets[lang].why,
                "methods": dict(plan.budgets[lang].methods),
                "routes": [_route(way) for way in plan.ways_of(lang)],
                "missing": list(ways.missing),
            }
            for lang, ways in plan.ways.items()
        },
        "warnings": list(plan.warnings),
    }


def planned_text(plan: Plan, corpus: str) -> RenderableType:
    """What ``augment`` would make, for people."""
    table = _columns("language", "budget", "routes", "why")
    languages = sorted(plan.ways, key=lambda lang: (-plan.budgets[lang].bytes, lang))
    for lang in languages[:_SHOWN]:
        routes = "; ".join(_route(way) for way in plan.ways_of(lang)) or "none"
        table.add_row(lang, size(plan.budgets[lang].bytes), routes, plan.budgets[lang].why)
    if len(languages) > _SHOWN:
        table.add_row(f"and {len(languages) - _SHOWN:,} more", "", "", "")
    total = sum(found.bytes for found in plan.budgets.values())
    heading = f"{size(total)} of synthetic text for {len(plan.targets)} of {len(plan.budgets)} languages of {corpus}"
    lines = [f"warning: {warning}" for warning in plan.warnings]
    return Group(Text(heading, style="bold"), table, Text("\n".join(lines)))


def _route(way: Way) -> str:
    """``eng_Latn > swh_Latn by opus@1, and back``."""
    tags = " > ".join([way.source, *(step.target for step in way.route)])
    models = ", ".join(dict.fromkeys(step.model for step in way.route))
    return f"{tags} by {models}{', and back' if way.back else ''}"


def _columns(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="left" if name in ("routes", "why", "rejected for") else "right")
    return table
