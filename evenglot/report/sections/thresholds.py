"""The bounds that the filters derived from the data, per language."""

from __future__ import annotations

from collections import Counter
from typing import Final

from corpus.manifest import LimitOrigin
from corpus.schema import NO_LANGUAGE, UNDETERMINED
from evenglot.inspect.thresholds import MEANINGS
from evenglot.report import rows
from evenglot.report.blocks import Block, Cell, Column, Group, Note, Section, Table
from evenglot.report.numbers import count, plural, significant
from evenglot.report.sections.context import Context, median, words
from evenglot.report.svg import Scale, linear

_TONES: Final[dict[LimitOrigin, str]] = {
    "derived": "accent", "strictest": "c3", "loosest": "c1", "few_sources": "c2", "few_documents": "rest",
    "rare_language": "c4", "by_hand": "warm",
}  # fmt: skip
_NAMES: Final[dict[LimitOrigin, str]] = {
    "derived": "from its own documents", "strictest": "held at the strictest allowed",
    "loosest": "held at the widest allowed", "few_sources": "few sources: not tightened",
    "few_documents": "default, few documents", "rare_language": "rare language", "by_hand": "by hand",
}  # fmt: skip
_NAMED = 6
"""Languages named in a tip."""


def thresholds(context: Context) -> Section | None:
    """One strip per bound with a dot per language; all values in a table behind it."""
    # Documents without a language are rejected before any bound of theirs is looked at.
    found = {
        lang: bounds
        for lang, bounds in context.facts.corpus.snapshot.thresholds.items()
        if lang not in (UNDETERMINED, NO_LANGUAGE)
    }
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
    origins = _origins(context)
    blocks: list[Block] = [strips, origins or Note("Where the bounds come from was not recorded."), table]
    return Section("thresholds", "Thresholds per language", "Thresholds", finding, blocks)


def _origins(context: Context) -> Table | None:
    """Per language: from how many documents and sources its bounds were set, and where each comes from."""
    everything = context.facts.corpus.snapshot.threshold_facts
    facts = {lang: one for lang, one in everything.items() if lang not in (UNDETERMINED, NO_LANGUAGE)}
    if not facts:
        return None
    scale = Scale(0, max(1, *(len(one.origins) for one in facts.values())))
    there = {origin for one in facts.values() for origin in one.origins.values()}
    tones = {origin: tone for origin, tone in _TONES.items() if origin in there}

    def row(lang: str) -> list[Cell]:
        one = facts[lang]
        found = Counter(one.origins.values())
        parts = []
        for origin, tone in tones.items():
            names = sorted(bound for bound, its in one.origins.items() if its == origin)
            parts.append(
                (float(found[origin]), tone, f"{MEANINGS[origin]}: {', '.join(words(name) for name in names)}")
            )
        return [context.name(lang), count(one.documents), significant(one.sources), rows.stacked(scale, parts)]

    return Table(
        [
            Column("Language", "language"),
            Column("Documents", hint="When the bounds were set, before any was rejected by them"),
            Column("Sources", hint="Effective number of sources: 1 / Σ (share of each source)²"),
            Column("Bounds, by where they come from", "chart"),
        ],
        context.groups(list(facts), row),
        caption="Where each language’s bounds come from. A bound from few documents or few sources says little of the "
        "language: there the defaults protect it. Documents next to a bound: "
        f"{context.command('--borderline BOUND --lang LANG')}.",
        key=rows.key(*(("bar", tone, _NAMES[origin]) for origin, tone in tones.items())),
    )


def _who(members: list[str]) -> str:
    return members[0] if len(members) == 1 else plural(len(members), "language")


def _some(members: list[str]) -> str:
    return ", ".join(members[:_NAMED]) + (f" and {len(members) - _NAMED} more" if len(members) > _NAMED else "")
