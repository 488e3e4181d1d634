"""Duplicates: how many copies, of which documents, in which languages."""

from __future__ import annotations

from collections.abc import Mapping

from evenglot.report import charts, rows
from evenglot.report.blocks import Block, Cell, Column, Facts, Figure, Note, QuoteGroup, Quotes, Section, Table
from evenglot.report.numbers import count, percent, percent_tick, plural, significant
from evenglot.report.sections.context import Context, words
from evenglot.report.sections.samples import quote
from evenglot.report.svg import linear

_NEAR_FACTS = {
    "bands": "bands of a signature",
    "rows": "values in a band",
    "candidates": "pairs that the bands brought together",
    "links": "of them near duplicates",
    "clusters": "clusters of near duplicates",
    "documents": "documents in them",
    "removed": "documents removed",
    "largest_cluster": "documents in the largest cluster",
}


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
    blocks += _near(context)
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


def _near(context: Context) -> list[Block]:
    """How alike near duplicates were, which pairs were looked at, and how their clusters were found."""
    found = context.facts.corpus.duplicates
    account = next(
        (
            run.record["near_duplicates"]
            for run in reversed(context.facts.corpus.runs)
            if run.record.get("near_duplicates")
        ),
        None,
    )
    if account is None and not found.similarity:
        return [Note("Near duplicates were not looked for.")]
    account = account or {}
    bars = [
        (f"{measure}", tone, found.similarity.get(measure, ()))
        for measure, tone in (("jaccard", "accent"), ("containment", "warm"))
    ]
    names = {"jaccard": "near duplicate from here", "containment": "part of another from here"}
    rules = [(float(account[name]), said) for name, said in names.items() if account.get(name)]
    curve = [(float(share), float(chance)) for share, chance in account.get("curve") or ()]
    blocks: list[Block] = [
        Figure(
            charts.shares(bars, curve, rules=rules, x_title="similarity of a pair"),
            caption="Removed near duplicates by their similarity to the document that stayed, measured exactly; under "
            "it the curve of the bands that decide which pairs are compared at all.",
            narrow=True,
            key=rows.key(
                ("bar", "accent", "shingles that both have, of all of either"),
                ("bar", "warm", "shingles of the removed one that the kept one has"),
            ),
        )
    ]
    facts = [
        (said, _number(account[name]))
        for name, said in _NEAR_FACTS.items()
        if isinstance(account.get(name), int | float)
    ]
    rounds = account.get("unsettled_by_round") or []
    if account:
        said = "none: one worker held all pairs"
        if rounds:
            left = ", ".join(count(number) for number in rounds)
            said = f"{len(rounds) - 1}; documents not settled before each and after the last: {left}"
        facts.append(("rounds of the search for clusters", said))
    if facts:
        blocks.append(Facts(facts))
    return blocks


def _number(value: float) -> str:
    return count(value) if isinstance(value, int) else significant(value)


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
        caption="Documents rejected as copies of a kept one. Copies are still counted: they can weigh in the balance. "
        f"To see what differs: {context.command('--clusters --lang LANG')}.",
    )
