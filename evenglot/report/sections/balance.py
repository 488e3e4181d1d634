"""Languages before and after balancing."""

from __future__ import annotations

from corpus.mixtures import proportional, repeats
from evenglot.report import rows
from evenglot.report.blocks import Cell, Column, Section, Table
from evenglot.report.numbers import count, percent, percent_tick, size, times
from evenglot.report.sections.context import Context
from evenglot.report.svg import logarithmic


def balance(context: Context) -> Section | None:
    """Natural share against the share in the mixture, on a logarithmic scale, with the repeats that follow."""
    snapshot = context.facts.corpus.snapshot
    sizes = {lang: number for lang, number in context.sizes.items() if number > 0}
    mixture = snapshot.mixtures.get(snapshot.mixture)
    if not sizes or not mixture:
        return None
    natural = proportional(sizes)
    mixed = {lang: mixture.get(lang, 0.0) for lang in sizes}
    once = repeats(mixed, sizes, float(sum(sizes.values())))
    others = {
        name: shares for name, shares in snapshot.mixtures.items() if name not in (snapshot.mixture, "proportional")
    }
    shown = [
        *natural.values(),
        *mixed.values(),
        *(shares.get(lang, 0.0) for shares in others.values() for lang in sizes),
    ]
    scale = logarithmic(max(share, 1e-7) for share in shown if share > 0)
    copies = {lang: one for lang, one in snapshot.languages.items() if lang in sizes}

    def row(lang: str) -> list[Cell]:
        before, after = natural[lang], mixed[lang]
        name = context.name(lang)
        tip = f"{name.english}: {percent(before)} of the text, {percent(after)} of the {snapshot.mixture} mixture"
        marks = [
            (shares[lang], f"{other}: {percent(shares[lang])}") for other, shares in others.items() if shares.get(lang)
        ]
        return [
            name,
            size(sizes[lang]),
            count(copies[lang].documents),
            percent(before),
            rows.dumbbell(scale, before, after or None, tip, better=after >= before, marks=marks),
            percent(after),
            times(after / before) if before else "",
            times(once[lang]) if once[lang] else "0",
        ]

    entries = [
        ("hollow", "", "natural share"),
        ("dot", "accent", f"share in “{snapshot.mixture}”, raised"),
        ("dot", "warm", "lowered"),
    ]
    if others:
        entries.append(("tick", "", ", ".join(others)))
    top = max(natural, key=lambda lang: natural[lang])
    smallest = context.ordered(sizes)[len(sizes) // 2 :]
    before_half, after_half = sum(natural[lang] for lang in smallest), sum(mixed[lang] for lang in smallest)
    most = max(once, key=lambda lang: once[lang])
    finding = (
        f"{context.name(top).english} {'falls' if mixed[top] < natural[top] else 'goes'} from "
        f"{percent(natural[top])} of the text to {percent(mixed[top])} of what is sampled"
    )
    finding += (
        f"; the smaller half of the languages goes from {percent(before_half)} to {percent(after_half)}. "
        f"In one pass over the corpus’s size, {context.name(most).english} is seen {times(once[most])}."
    )
    return Section(
        "balance",
        "Languages before and after balancing",
        "Balance",
        finding,
        [
            Table(
                [
                    Column("Language", "name"),
                    Column("Text", minor=True),
                    Column("Documents", minor=True),
                    Column("Natural", hint="Share of the training text, in bytes", minor=True),
                    Column("Share, logarithmic", "chart", axis=rows.axis(scale, percent_tick)),
                    Column("Mixture", hint=f"Share under the {snapshot.mixture} mixture"),
                    Column("Weight", hint="Sampling weight relative to proportional sampling", minor=True),
                    Column("Repeats", hint="Passes over the language while as much as the whole corpus is sampled"),
                ],
                context.groups(list(sizes), row),
                key=rows.key(*entries),
            )
        ],
    )
