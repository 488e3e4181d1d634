"""Language identification: what was declared against what was found."""

from __future__ import annotations

from collections import Counter

from corpus.schema import NO_LANGUAGE, UNDETERMINED
from evenglot.report import rows
from evenglot.report.blocks import Block, Cell, Column, Facts, Group, Matrix, Section, Table
from evenglot.report.numbers import compact, count, percent
from evenglot.report.sections.context import Context
from evenglot.report.svg import linear

_PAIRS = 15


def identification(context: Context) -> Section | None:
    """The matrix of the most frequent disagreements, and a list of the pairs."""
    found = context.facts.corpus.identification
    if not found.declared and not found.unknown_labels:
        return None
    wrong = Counter({pair: number for pair, number in found.pairs.items() if pair[0] != pair[1]})
    blocks: list[Block] = []
    if wrong:
        blocks += [_matrix(context, wrong), _list(context, wrong)]
    facts = [
        *_without_language(context),
        ("documents without a declared language", count(found.undeclared)),
    ]
    if found.unknown_labels:
        shown = ", ".join(
            f"“{label[:40]}” ({count(number)})" for label, number in list(found.unknown_labels.items())[:12]
        )
        facts.append(("declared labels that name no language", shown))
    model = context.facts.corpus.snapshot.identifier
    facts += [
        (f"model: {name}", str(value)) for name, value in sorted(model.items()) if isinstance(value, str | int | float)
    ]
    blocks.append(Facts(facts))
    finding = (
        f"Of {count(found.declared)} documents that declared a language, {count(found.disagreeing)} "
        f"({percent(found.disagreeing / max(1, found.declared))}) were identified as another one."
    )
    return Section("identification", "Declared against identified language", "Identification", finding, blocks)


def _without_language(context: Context) -> list[tuple[str, str]]:
    """How many documents were found to be of no language or of one that could not be told, kept or not."""
    totals = context.facts.corpus.snapshot.ledger.language_totals()
    read = max(1, sum(kept + rejected for kept, rejected in totals.values()))
    found = []
    for tag, said in ((NO_LANGUAGE, "no language (zxx)"), (UNDETERMINED, "undetermined (und)")):
        number = sum(totals.get(tag, (0, 0)))
        found.append((said, f"{count(number)}, {percent(number / read)} of the documents"))
    return found


def _matrix(context: Context, wrong: Counter[tuple[str, str]]) -> Matrix:
    """The languages with most disagreements, those of one pair near each other because both follow size."""
    declared: Counter[str] = Counter()
    identified: Counter[str] = Counter()
    for (was, became), number in wrong.items():
        declared[was] += number
        identified[became] += number
    size = context.config.matrix_size
    across = context.ordered(lang for lang, _ in identified.most_common(size))
    down = context.ordered(lang for lang, _ in declared.most_common(size))
    highest = max(wrong.values())
    cells = []
    for was in down:
        line = []
        for became in across:
            number = wrong.get((was, became), 0)
            shade = 0 if not number else max(1, round(10 * (number / highest) ** 0.5))
            tip = f"declared {context.name(was).english}, identified {context.name(became).english}: {count(number)}"
            line.append((compact(number) if number else "", shade, tip))
        cells.append(line)
    return Matrix(
        [context.name(lang) for lang in down],
        [context.name(lang) for lang in across],
        cells,
        caption="Documents by declared language (rows) and identified language (columns), "
        "for the languages that disagree most; agreement is left out.",
        row_label="declared",
        column_label="identified",
    )


def _list(context: Context, wrong: Counter[tuple[str, str]]) -> Table:
    totals: Counter[str] = Counter()
    for (was, _), number in context.facts.corpus.identification.pairs.items():
        totals[was] += number
    top = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:_PAIRS]
    scale = linear((number for _, number in top), zero=True)
    lines: list[list[Cell]] = [
        [
            context.name(was),
            context.name(became),
            count(number),
            percent(number / totals[was]),
            rows.bar(
                scale, number, f"{count(number)} of {count(totals[was])} declared {context.name(was).english}", "warm"
            ),
        ]
        for (was, became), number in top
    ]
    return Table(
        [
            Column("Declared", "language"),
            Column("Identified", "language"),
            Column("Documents"),
            Column("Of the declared", hint="Share of the documents declared as that language"),
            Column("", "chart", axis=rows.axis(scale)),
        ],
        [Group("", lines)],
        caption="The most frequent disagreements. Between related languages it may be the identifier’s error, "
        "between distant ones a wrong label.",
    )
