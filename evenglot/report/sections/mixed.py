"""Documents in several languages, by language, and which languages stand together."""

from __future__ import annotations

from evenglot.inspect.mixed import LanguageMix
from evenglot.report import rows
from evenglot.report.blocks import Block, Cell, Column, Group, Note, Section, Table
from evenglot.report.numbers import count, percent, percent_tick, plural
from evenglot.report.sections.context import Context
from evenglot.report.svg import linear

_PAIRS = 15
_ENOUGH = 30
"""Documents from which on a language counts for the scale."""
_TITLE = "Documents in several languages"


def mixed(context: Context) -> Section:
    """How many documents of each language hold others, and how much of its text is in others."""
    found = context.facts.corpus.mixing
    if not found.recorded:
        note = Note("Not measured: this snapshot does not say where its documents change language.")
        return Section("mixed", _TITLE, "Mixed", "", [note])
    documents = sum(one.documents for one in found.languages.values())
    finding = f"{plural(found.mixed, 'kept document is', 'kept documents are')} in several languages"
    finding += f" ({percent(found.mixed / max(1, documents))})"
    if found.pairs:
        (main, other), number = max(found.pairs.items(), key=lambda item: (item[1], item[0]))
        finding += (
            f"; most often {context.name(other).english} stands in {context.name(main).english} ({count(number)})"
        )
    involved = {lang: one for lang, one in found.languages.items() if one.some or one.mixed}
    if not involved:
        return Section("mixed", _TITLE, "Mixed", f"{finding}.", [])
    blocks: list[Block] = [_by_language(context, involved)]
    if found.pairs:
        blocks.append(_pairs(context))
    return Section("mixed", _TITLE, "Mixed", f"{finding}.", blocks)


def _by_language(context: Context, involved: dict[str, LanguageMix]) -> Table:
    shares = {lang: one.mixed / max(1, one.documents) for lang, one in involved.items()}
    # A language of a handful of documents, one of them mixed, would flatten all others.
    many = [share for lang, share in shares.items() if involved[lang].documents >= _ENOUGH]
    scale = linear(many or shares.values(), zero=True)

    def row(lang: str) -> list[Cell]:
        one = involved[lang]
        tip = f"{context.name(lang).english}: {count(one.mixed)} of {count(one.documents)} documents"
        return [
            context.name(lang),
            count(one.mixed),
            percent(shares[lang]),
            rows.lollipop(scale, shares[lang], tip),
            percent(one.switched / one.looked_at) if one.looked_at else "",
        ]

    return Table(
        [
            Column("Language", "language"),
            Column("Mixed", hint="Documents with segments in several languages"),
            Column("Share"),
            Column("Share of the language’s documents", "chart", axis=rows.axis(scale, percent_tick)),
            Column("Other text", hint="Mean share of a document’s letters in sentences of other languages"),
        ],
        context.groups(list(involved), row),
        caption="By the language of most of a document’s letters. To read some: "
        f"{context.command('--mixed --lang LANG')}.",
    )


def _pairs(context: Context) -> Table:
    pairs = context.facts.corpus.mixing.pairs
    top = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:_PAIRS]
    scale = linear((number for _, number in top), zero=True)
    lines: list[list[Cell]] = [
        [context.name(main), context.name(other), count(number), rows.bar(scale, number, count(number))]
        for (main, other), number in top
    ]
    return Table(
        [
            Column("Language", "language"),
            Column("With", "language"),
            Column("Documents"),
            Column("", "chart", axis=rows.axis(scale)),
        ],
        [Group("", lines)],
        caption="Which languages stand together most often.",
    )
