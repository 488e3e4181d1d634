"""Duplicates: how many copies, of which documents, in which languages."""

from __future__ import annotations

from collections.abc import Mapping

from evenglot.report import charts, rows
from evenglot.report.blocks import Block, Cell, Column, Figure, QuoteGroup, Quotes, Section, Table
from evenglot.report.numbers import count, percent, percent_tick, plural
from evenglot.report.sections.context import Context, words
from evenglot.report.sections.samples import quote
from evenglot.report.svg import linear


def duplicates(context: Context) -> Section | None:
    """Histogram of copies, the most copied documents, shares per language."""
    found = context.facts.corpus.duplicates
    removed = sum(found.by_language.values())
    copied = {copies: number for copies, number in found.histogram.items() if copies > 1}
    if not removed and not copied:
        return None
    ledger = context.facts.corpus.snapshot.ledger
    blocks: list[Block] = []
    if copied:
        singles = found.histogram.get(1, 0)
        blocks.append(
            Figure(
                charts.histogram(copy_bins(copied)),
                caption="Kept documents by the number of documents each stands for, itself included. "
                "Heights are logarithmic.",
                narrow=True,
                note=f"{plural(singles, 'further document')} had no copy.",
            )
        )
    blocks.append(_by_language(context))
    if found.clusters:
        blocks.append(
            Quotes(
                [
                    QuoteGroup(
                        "The most copied documents",
                        plural(len(found.clusters), "document"),
                        [quote(context, sample) for sample in found.clusters],
                        open=False,
                    )
                ],
                "",
            )
        )
    kinds = ", ".join(
        f"{words(reason.partition('/')[2] or reason)} {count(number)}"
        for reason, number in sorted(found.reasons.items(), key=lambda item: -item[1])
    )
    finding = (
        f"{count(removed)} documents ({percent(removed / max(1, ledger.read))} of those read) repeat one that was kept"
        f"{f' ({kinds})' if kinds else ''}; "
        f"{plural(sum(copied.values()), 'kept document stands', 'kept documents stand')} for more than one."
    )
    return Section("duplicates", "Duplicates", "Duplicates", finding, blocks)


def copy_bins(copied: Mapping[int, int]) -> list[tuple[str, int, str]]:
    """Bins 2, 3, 4, 5–8, 9–16 and so on, up to the largest number of copies: (label, documents, tip)."""
    edges = [(2, 2), (3, 3), (4, 4)]
    while edges[-1][1] < max(copied):
        edges.append((edges[-1][1] + 1, edges[-1][1] * 2))
    bins = []
    for low, high in edges:
        number = sum(documents for copies, documents in copied.items() if low <= copies <= high)
        label = str(low) if low == high else f"{low}–{high}"
        bins.append((label, number, f"{plural(number, 'document')} with {label} copies"))
    return bins


def _by_language(context: Context) -> Table:
    found = context.facts.corpus.duplicates.by_language
    totals = context.facts.corpus.snapshot.ledger.language_totals()
    read = {lang: kept + rejected for lang, (kept, rejected) in totals.items()}
    shares = {lang: number / max(1, read.get(lang, number)) for lang, number in found.items()}
    scale = linear(shares.values(), zero=True)

    def row(lang: str) -> list[Cell]:
        name = context.name(lang)
        tip = f"{name.english}: {count(found[lang])} of {count(read.get(lang, found[lang]))} documents"
        return [name, count(found[lang]), percent(shares[lang]), rows.lollipop(scale, shares[lang], tip, tone="warm")]

    return Table(
        [
            Column("Language", "language"),
            Column("Duplicates"),
            Column("Share"),
            Column("Share of the language’s documents", "chart", axis=rows.axis(scale, percent_tick)),
        ],
        context.groups(list(found), row),
        caption="Documents rejected as copies of a kept one. Copies are still counted: they can weigh in the balance.",
    )
