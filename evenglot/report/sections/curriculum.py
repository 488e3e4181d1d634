"""What was sampled: languages over the course of training, shares asked for and got, passes, stages."""

from __future__ import annotations

from collections import Counter

from evenglot.report import rows
from evenglot.report.areas import areas
from evenglot.report.blocks import Block, Cell, Column, Figure, Group, Section, Table
from evenglot.report.facts import LanguageEvidence, TrainingRun
from evenglot.report.numbers import compact, percent, percent_tick, significant, times
from evenglot.report.sections.context import Context
from evenglot.report.svg import logarithmic

_TONES = ("accent", "c0", "c1", "c2", "c3", "c4", "c5")
"""Of the languages with the most tokens; the others are one pale layer."""
_RULES = 8
"""Changes of the mixture that are marked."""


def curriculum(context: Context) -> Section | None:
    """What the sampler gave each language in the run that the report is about; None where no run tells."""
    run = context.facts.run
    if run is None:
        return None
    told = {lang: one for lang, one in run.evidence.items() if one.share_asked or one.share_realised}
    blocks: list[Block] = []
    if len(run.windows) > 1:
        blocks.append(_course(context, run))
    if told:
        blocks.append(_shares(context, run, told))
    stages = _stages(context, run)
    if stages is not None:
        blocks.append(stages)
    if run.packing:
        blocks.append(_packing(run))
    if not blocks:
        return None
    return Section("sampled", "What was sampled, and when", "Sampling", _finding(context, told), blocks)


def _finding(context: Context, told: dict[str, LanguageEvidence]) -> str:
    if not told:
        return ""
    off = {lang: abs((one.share_realised or 0.0) - (one.share_asked or 0.0)) for lang, one in told.items()}
    most = max(sorted(off), key=lambda lang: off[lang])
    passes = {lang: one.repeats for lang, one in told.items() if one.repeats is not None}
    text = (
        f"The share that a language got differs from what was asked for by {significant(100 * off[most])} percentage "
        f"points at most ({context.name(most).english})"
    )
    if not passes:
        return text + "."
    top = max(sorted(passes), key=lambda lang: passes[lang])
    over = sum(value > 4 for value in passes.values())
    text += f". {context.name(top).english} was seen most often, {times(passes[top])}"
    return text + (f"; {over} languages more than four times." if over > 1 else ".")


def _course(context: Context, run: TrainingRun) -> Figure:
    """The languages' shares of the tokens between two lines of the log."""
    totals: Counter[str] = Counter()
    for _, tokens in run.windows:
        totals.update(tokens)
    named = [lang for lang, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[: len(_TONES)]]
    others = len(totals) - len(named)
    layers = []
    sums = [sum(tokens.values()) or 1 for _, tokens in run.windows]
    for lang, tone in zip(named, _TONES, strict=False):
        shares = [tokens.get(lang, 0) / total for (_, tokens), total in zip(run.windows, sums, strict=True)]
        layers.append((context.name(lang).english, tone, shares))
    if others:
        rest = [1 - sum(values) for values in zip(*(shares for _, _, shares in layers), strict=True)]
        layers.append((f"{others} other languages", "rest", rest))
    key = rows.key(*(("bar", tone, name) for name, tone, _ in layers))
    kept = run.changes[:_RULES]
    left = len(run.changes) - len(kept)
    caption = f"Share of each language in the tokens of the run “{run.name}” over its course."
    if kept:
        caption += " The lines are the beginnings of stages and changes of the mixture" + (
            f"; {left} later ones are not drawn." if left else "."
        )
    return Figure(areas([end for end, _ in run.windows], layers, rules=kept), caption=caption, key=key)


def _shares(context: Context, run: TrainingRun, told: dict[str, LanguageEvidence]) -> Table:
    shown = [share for one in told.values() for share in (one.share_asked, one.share_realised) if share]
    scale = logarithmic(shown)
    seen = logarithmic([one.repeats for one in told.values() if one.repeats])

    def row(lang: str) -> list[Cell]:
        one = told[lang]
        asked, got = one.share_asked or 0.0, one.share_realised or 0.0
        name = context.name(lang)
        tip = f"{name.english}: {percent(asked)} asked for, {percent(got)} got"
        passes = one.repeats
        drawing = rows.lollipop(seen, passes, f"{name.english}: {times(passes)}", reference=1.0) if passes else ""
        return [
            name,
            compact(one.tokens) if one.tokens is not None else "",
            percent(asked),
            rows.dumbbell(scale, asked or None, got or None, tip),
            percent(got),
            drawing,
            times(passes) if passes is not None else "",
        ]

    return Table(
        [
            Column("Language", "language"),
            Column("Tokens", hint="Tokens of the language that were read", minor=True),
            Column("Asked", hint="Share of the rows that the mixtures asked for, over the whole run"),
            Column("Share, logarithmic", "chart", axis=rows.axis(scale, percent_tick)),
            Column("Got", hint="Share of the rows that were of the language"),
            Column("Passes, logarithmic", "chart", axis=rows.axis(seen, times)),
            Column("Passes", hint="How often the language’s training text was gone through"),
        ],
        context.groups(list(told), row),
        caption=f"Run “{run.name}”. At the end of every block of rows a language is within about a row of its share; a "
        "run that stops inside a block may leave it some rows off.",
        key=rows.key(("hollow", "", "share asked for"), ("dot", "accent", "share got; passes, from once on")),
    )


def _stages(context: Context, run: TrainingRun) -> Table | None:
    """The share of each language in each stage; None for a run of one."""
    names = list(dict.fromkeys(name for one in run.evidence.values() for name in one.stages))
    if len(names) < 2:
        return None

    def row(lang: str) -> list[Cell]:
        stages = run.evidence[lang].stages
        found = [stages.get(name) for name in names]
        return [context.name(lang), *("" if share is None else percent(share) if share else "–" for share in found)]

    langs = [lang for lang, one in run.evidence.items() if one.stages]
    return Table(
        [Column("Language", "language"), *(Column(name) for name in names)],
        context.groups(langs, row),
        caption=f"Share that each language got in the stages of the run “{run.name}”.",
    )


def _packing(run: TrainingRun) -> Table:
    packing = run.packing
    cells: list[Cell] = [
        compact(packing["documents"]),
        percent(packing["documents_cut_share"]),
        percent(packing["tokens_cut_share"]),
        compact(packing["waste"]) if packing["waste"] else "0",
    ]
    return Table(
        [
            Column("Documents begun"),
            Column("Documents cut", hint="Documents that go on in another row than they begin in"),
            Column("Tokens in cut documents", hint="Share of the tokens that lie in documents that are cut"),
            Column("Empty places", hint="Places in rows that hold no token"),
        ],
        [Group("", [cells])],
        caption=f"What packing did in the last {compact(packing['rows'])} rows of the run “{run.name}”.",
    )
