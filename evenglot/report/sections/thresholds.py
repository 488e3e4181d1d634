"""The bounds that the filters derived from the data, per language."""

from __future__ import annotations

from collections import Counter

from evenglot.report import rows
from evenglot.report.blocks import Cell, Column, Group, Section, Table
from evenglot.report.numbers import plural, significant
from evenglot.report.sections.context import Context, median, words
from evenglot.report.svg import linear

_NAMED = 6
"""Languages named in a tip."""


def thresholds(context: Context) -> Section | None:
    """One strip per bound with a dot per language; all values in a table behind it."""
    found = context.facts.corpus.snapshot.thresholds
    bounds = sorted({bound for values in found.values() for bound in values})
    if not bounds:
        return None
    lines: list[list[Cell]] = []
    for bound in bounds:
        values = {lang: one[bound] for lang, one in found.items() if bound in one}
        scale = linear(values.values())
        middle = median(values.values())
        shared: dict[float, list[str]] = {}
        for lang in context.ordered(values):
            shared.setdefault(values[lang], []).append(context.name(lang).english)
        low, high = min(shared), max(shared)
        points = [
            (value, len(members), f"{significant(value)}: {_some(members)}")
            for value, members in sorted(shared.items())
        ]
        lines.append(
            [
                words(bound),
                significant(low),
                "all languages" if low == high else _who(shared[low]),
                rows.strip(scale, points, middle),
                significant(high),
                "" if low == high else _who(shared[high]),
                significant(middle),
            ]
        )
    strips = Table(
        [
            Column("Bound", "name"),
            Column("Lowest"),
            Column("", "text", minor=True),
            Column("Each bound on its own scale", "chart"),
            Column("Highest"),
            Column("", "text", minor=True),
            Column("Median", minor=True),
        ],
        [Group("", lines)],
        key=rows.key(("dot", "faint", "languages, larger where several share a bound"), ("tick", "", "median")),
    )

    def row(lang: str) -> list[Cell]:
        return [
            context.name(lang),
            *(significant(found[lang][bound]) if bound in found[lang] else "" for bound in bounds),
        ]

    table = Table(
        [Column("Language", "language"), *(Column(words(bound)) for bound in bounds)],
        context.groups(list(found), row),
        folded=f"All bounds of {plural(len(found), 'language')}",
    )
    sets = Counter(tuple(sorted(values.items())) for values in found.values())
    _, many = sets.most_common(1)[0]
    finding = f"{plural(len(bounds), 'bound')} for each of {plural(len(found), 'language')}"
    if many > 1:
        finding += f"; {plural(many, 'language')} share one set of them."
    else:
        finding += ", every language with its own."
    return Section("thresholds", "Thresholds per language", "Thresholds", finding, [strips, table])


def _who(members: list[str]) -> str:
    return members[0] if len(members) == 1 else plural(len(members), "language")


def _some(members: list[str]) -> str:
    return ", ".join(members[:_NAMED]) + (f" and {len(members) - _NAMED} more" if len(members) > _NAMED else "")
