"""Synthetic text: how much each language got and why, what became of the candidates, and how natural it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from corpus.augmentation import Augmentation, LanguageAugmentation
from evenglot.report import charts, rows
from evenglot.report.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Figure,
    Group,
    Heat,
    HeatCell,
    HeatRow,
    Parent,
    Quote,
    QuoteGroup,
    Quotes,
    Section,
    Table,
)  # fmt: skip
from evenglot.report.made import MadeSample
from evenglot.report.numbers import count, percent, plural, significant, size
from evenglot.report.sections.context import Context, listed, words
from evenglot.report.sections.removed import shade
from evenglot.report.svg import linear

_TITLE: Final = "Synthetic text"
_PAIRS: Final = 60
"""Pairs of languages whose thresholds are listed."""
_ACROSS: Final = 4
"""Pairs that get a column each."""
_NUMBER: Final = "passages"
"""Stands among the measures of naturalness and is none: how many passages were compared."""
_SCORES: Final = ("round_trip_chrf", "score", "language", "length_ratio", "copy_rate", "distance", "agreement")
"""Shown under a quote, in this order."""


def synthetic(context: Context) -> Section | None:
    """The chapter; None where the snapshot has no synthetic layer."""
    about = context.facts.corpus.snapshot.augmentation
    if about is None or not about.languages:
        return None
    blocks: list[Block] = [_amounts(context, about)]
    blocks += _candidates(context, about)
    blocks += _thresholds(context, about)
    blocks += _naturalness(context, about)
    blocks += _phenomena(context, about)
    blocks += _models(about)
    blocks += _quotes(context)
    return Section("synthetic", _TITLE, "Synthetic", _finding(context, about), blocks)


def share(one: LanguageAugmentation) -> float:
    """Synthetic bytes of all training bytes of a language."""
    whole = one.natural_bytes + one.kept_bytes
    return one.kept_bytes / whole if whole else 0.0


def _finding(context: Context, about: Augmentation) -> str:
    got = {lang: one for lang, one in about.languages.items() if one.kept}
    candidates = sum(one.candidates for one in about.languages.values())
    kept = sum(one.kept for one in about.languages.values())
    if not candidates:
        return "No candidate was generated: the table says why for every language."
    said = f"{count(kept)} of {plural(candidates, 'candidate')} stayed"
    if not got:
        return f"{said}: no language got synthetic text."
    most = max(sorted(got), key=lambda lang: share(got[lang]))
    said += (
        f", in {plural(len(got), 'language')}; the largest share of synthetic text has {context.name(most).english}, "
        f"{percent(share(got[most]))} of its training bytes."
    )
    shrunk = [lang for lang, one in about.languages.items() if one.naturalness.share < 1]
    if shrunk:
        names = listed([context.name(lang).english for lang in context.ordered(shrunk)[:4]])
        said += f" The budget of {names} shrank, because what was made reads too little like natural text."
    return said


def _amounts(context: Context, about: Augmentation) -> Table:
    found = about.languages
    scale = linear([one.natural_bytes + max(one.budget, one.kept_bytes) for one in found.values()], zero=True)
    cap = _setting(context, "budget", "share")

    def row(lang: str) -> list[Cell]:
        one = found[lang]
        parts = [
            (float(one.natural_bytes), "accent", f"natural: {size(one.natural_bytes)}"),
            (float(one.kept_bytes), "c2", f"synthetic: {size(one.kept_bytes)}"),
            (float(max(0, one.budget - one.kept_bytes)), "rest", f"left of the budget of {size(one.budget)}"),
        ]
        return [
            context.name(lang),
            size(one.natural_bytes),
            size(one.kept_bytes) if one.kept else "",
            percent(share(one)) if one.kept else "",
            rows.stacked(scale, parts),
            size(one.budget) if one.budget else "none",
            "; ".join([one.why, *(f"parents of {method}: {how}" for method, how in one.parents.items())]),
        ]

    caption = "Training text of the languages that may have synthetic text: natural, synthetic, and what is left of "
    caption += "the budget. Held-out text is natural in all languages."
    if cap is not None:
        caption += f" No language may have more than {percent(cap)} of synthetic text."
    return Table(
        [
            Column("Language", "language"),
            Column("Natural"),
            Column("Synthetic"),
            Column("Share", hint="Synthetic bytes of all training bytes"),
            Column("", "chart", axis=rows.axis(scale, size)),
            Column("Budget", minor=True),
            Column("Why", "text", minor=True),
        ],
        context.groups(list(found), row),
        caption=caption,
        key=rows.key(("bar", "accent", "natural"), ("bar", "c2", "synthetic"), ("bar", "rest", "left of the budget")),
    )


def _setting(context: Context, *path: str) -> float | None:
    """A number of the recipe's ``augment`` section."""
    found: Any = context.facts.corpus.snapshot.recipe.get("augment")
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _candidates(context: Context, about: Augmentation) -> list[Block]:
    """From candidates to kept documents, by reason; by language, shaded; by method; sentences that were dropped."""
    total = sum(one.candidates for one in about.languages.values())
    kept = sum(one.kept for one in about.languages.values())
    if not total:
        return []
    lost: Counter[str] = Counter()
    for one in about.languages.values():
        lost.update(one.rejected)
    blocks: list[Block] = []
    if lost:
        # branches in the order of their size: all are decisions on the same candidates
        drops = [charts.Drop(_reason(reason), number, reason) for reason, number in lost.most_common()]
        blocks.append(
            Figure(
                charts.river(total, drops, kept, "candidates"),
                caption="From candidates to kept documents, by the reason that turned them away"
                + ("." if charts.is_whole(total, kept) else "; the stream is cut at its top."),
                small=charts.stairs(total, drops, kept, "candidates"),
            )
        )
        blocks.append(_by_reason(context, about, [reason for reason, _ in lost.most_common()]))
    blocks += _methods(context, about)
    dropped: Counter[str] = Counter()
    for one in about.languages.values():
        dropped.update(one.dropped_sentences)
    if dropped:
        facts = [(words(gate), plural(number, "sentence")) for gate, number in dropped.most_common()]
        blocks.append(Facts(facts, "Sentences that gates took out of candidates, by gate"))
    return blocks


def _reason(reason: str) -> str:
    return words(reason.partition("/")[2] or reason)


def _by_reason(context: Context, about: Augmentation, reasons: list[str]) -> Heat:
    """Languages against reasons, shaded by the share of the language's candidates."""
    found = {lang: one for lang, one in about.languages.items() if one.candidates}
    stages: dict[str, list[str]] = {}
    for reason in reasons:
        stages.setdefault(reason.partition("/")[0], []).append(reason)
    order = [reason for members in stages.values() for reason in members]

    def row(lang: str) -> HeatRow:
        one = found[lang]
        cells = []
        for reason in order:
            number = one.rejected.get(reason, 0)
            part = number / one.candidates
            cells.append(
                HeatCell(
                    percent(part) if number else "",
                    shade(part) if number else 0,
                    f"{words(reason)}: {count(number)}" if number else "",
                )
            )
        return HeatRow(context.name(lang), count(one.candidates), cells)

    return Heat(
        [(words(stage), [_reason(reason) for reason in members]) for stage, members in stages.items()],
        [("", [row(lang) for lang in context.ordered(found)])],
        caption="Share of each language’s candidates that each reason turned away. To read some, beside the documents "
        f"they were made from: {context.command('--synthetic REASON --lang LANG')}.",
        total="Candidates",
    )


def _methods(context: Context, about: Augmentation) -> list[Block]:
    lines: list[list[Cell]] = [
        [
            context.name(lang),
            words(method),
            count(one.candidates),
            count(one.kept),
            percent(one.kept / one.candidates) if one.candidates else "",
            size(one.bytes),
        ]
        for lang in context.ordered(about.languages)
        for method, one in sorted(about.languages[lang].methods.items())
    ]
    if not lines:
        return []
    columns = [
        Column("Language", "language"),
        Column("Method", "text"),
        Column("Candidates"),
        Column("Kept"),
        Column("Share kept"),
        Column("Text kept"),
    ]
    return [Table(columns, [Group("", lines)], caption="The same by method.")]


def _thresholds(context: Context, about: Augmentation) -> list[Block]:
    """What a sentence of each pair must reach."""
    found = about.thresholds
    gates = sorted({gate for limits in found.values() for gate in limits})
    if not gates:
        return []
    pairs = sorted(found)[:_PAIRS]
    caption = "What a sentence must reach to stay, by direction of translation: set from natural sentences that went "
    caption += "through the same models, within the bounds of the recipe."
    if len(found) > _PAIRS:
        caption += f" The first {_PAIRS} of {count(len(found))} directions."

    def cell(pair: str, gate: str) -> Cell:
        return significant(found[pair][gate]) if gate in found[pair] else ""

    if len(pairs) <= _ACROSS:  # few directions stand side by side, many below each other
        columns = [Column("Gate", "name"), *(Column(_pair(context, pair)) for pair in pairs)]
        lines: list[list[Cell]] = [[words(gate), *(cell(pair, gate) for pair in pairs)] for gate in gates]
    else:
        columns = [Column("Direction", "name"), *(Column(words(gate)) for gate in gates)]
        lines = [[_pair(context, pair), *(cell(pair, gate) for gate in gates)] for pair in pairs]
    folded = "" if len(pairs) <= _ACROSS else f"Thresholds of {plural(len(found), 'direction')}"
    return [Table(columns, [Group("", lines)], caption=caption, folded=folded)]


def _pair(context: Context, pair: str) -> str:
    return " → ".join(context.name(tag).english for tag in pair.split(">"))


def _naturalness(context: Context, about: Augmentation) -> list[Block]:
    """How far synthetic text is from natural text, and what that did to the budget."""
    found = {lang: one.naturalness for lang, one in about.languages.items() if one.naturalness.measures}
    measures = sorted({name for one in found.values() for name in one.measures} - {_NUMBER})
    if not measures:
        return []
    limits = {name: _setting(context, "naturalness", "limits", name) for name in measures}

    def row(lang: str) -> list[Cell]:
        one = found[lang]
        return [
            context.name(lang),
            *(significant(one.measures[name]) if name in one.measures else "" for name in measures),
            percent(one.share),
            one.why or "within the limits",
        ]

    def column(name: str) -> Column:
        limit = limits[name]
        return Column(words(name), hint="" if limit is None else f"Above {significant(limit)} the budget shrinks")

    said = [f"{words(name)} {significant(limit)}" for name, limit in limits.items() if limit is not None]
    return [
        Table(
            [
                Column("Language", "language"),
                *map(column, measures),
                Column("Budget left", hint="Part of the budget that stayed"),
                Column("Why", "text"),
            ],
            context.groups(list(found), row),
            caption="How far synthetic text is from natural text of the language: the larger, the easier to tell them "
            "apart" + (f". Limits: {', '.join(said)}." if said else "."),
        )
    ]


def _phenomena(context: Context, about: Augmentation) -> list[Block]:
    """How often rare phenomena stood in the text before and after."""
    pairs = [(lang, kind) for lang in context.ordered(about.phenomena) for kind in sorted(about.phenomena[lang])]
    if not pairs:
        return []
    counts = {(lang, kind): about.phenomena[lang][kind] for lang, kind in pairs}
    scale = linear([float(max(one.before, one.after, one.target)) for one in counts.values()], zero=True)
    lines: list[list[Cell]] = []
    for (lang, kind), one in counts.items():
        tip = f"{words(kind)}: {count(one.before)} before, {count(one.after)} after"
        marks = [(float(one.target), f"asked for: {count(one.target)}")]
        chart = rows.dumbbell(scale, float(one.before), float(one.after), tip, marks=marks)
        lines.append([context.name(lang), words(kind), count(one.before), chart, count(one.after), count(one.target)])
    return [
        Table(
            [
                Column("Language", "language"),
                Column("Phenomenon", "text"),
                Column("Before"),
                Column("", "chart", axis=rows.axis(scale)),
                Column("After"),
                Column("Asked for"),
            ],
            [Group("", lines)],
            caption="How often rare phenomena stand in the training text, before and after.",
            key=rows.key(("hollow", "", "before"), ("dot", "accent", "after"), ("tick", "", "asked for")),
        )
    ]


def _models(about: Augmentation) -> list[Block]:
    if not about.models:
        return []
    facts = [
        (name, ", ".join(part for part in (f"revision {one.revision}", one.licence or "no licence stated") if part))
        for name, one in sorted(about.models.items())
    ]
    return [Facts(facts, "Models that made or judged the text, with the licence of their weights")]


def _quotes(context: Context) -> list[Block]:
    made = context.facts.corpus.made
    groups = []
    if made.kept:
        total = sum(one.kept for one in (_about(context).languages.values()))
        groups.append(
            QuoteGroup("Kept", plural(total, "document"), [_quote(context, sample) for sample in made.kept], open=True)
        )
    by_reason: dict[str, list[MadeSample]] = {}
    for sample in made.rejected:
        by_reason.setdefault(f"{sample.stage}/{sample.reason}", []).append(sample)
    for reason, samples in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        total = sum(one.rejected.get(reason, 0) for one in _about(context).languages.values())
        heading = " · ".join(words(part) for part in reason.split("/", 1))
        groups.append(
            QuoteGroup(
                heading, plural(max(total, len(samples)), "candidate"), [_quote(context, one) for one in samples]
            )
        )
    return (
        [Quotes(groups, "Synthetic documents and rejected candidates beside what they were made from")]
        if groups
        else []
    )


def _about(context: Context) -> Augmentation:
    about = context.facts.corpus.snapshot.augmentation
    assert about is not None
    return about


def _quote(context: Context, sample: MadeSample) -> Quote:
    facts = [("method", words(sample.method)), ("by", sample.generator)]
    facts += [(words(name), significant(sample.scores[name])) for name in _SCORES if name in sample.scores]
    if sample.dropped:
        facts.append(("dropped sentences", count(sample.dropped)))
    facts.append(("id", sample.id))
    verdict = f"{words(sample.stage)} · {words(sample.reason)}" if sample.stage else ""
    parent = None
    if sample.parent_text:
        parent = Parent(context.name(sample.parent_lang), sample.parent_text, sample.parent_cut, sample.parent)
    return Quote(
        sample.text, sample.cut, context.name(sample.lang), [fact for fact in facts if fact[1]], verdict, sample.detail,
        parent,
    )  # fmt: skip
