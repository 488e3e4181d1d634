"""Learning from translations: the loss of hidden tokens, and whether held-out translations are found."""

from __future__ import annotations

from typing import Final

from evenglot.report import charts, rows
from evenglot.report.blocks import Block, Cell, Column, Figure, Group, Section, Table
from evenglot.report.facts import TrainingRun
from evenglot.report.numbers import count, percent, percent_tick, significant, times
from evenglot.report.sections.context import Context
from evenglot.report.sections.lines import PALE, extent, moving, named, told_by
from evenglot.report.svg import linear

_WAYS: Final = (("cosine", "accent"), ("margin", "c2"), ("centred", "c3"))
_BASELINES: Final = (("embeddings", "warm"), ("chance", "soft"))
_PAIRS: Final = 40
"""Pairs of languages listed."""


def translations(context: Context) -> Section | None:
    """The chapter; None where no run read translations or searched them."""
    run = told_by(context, lambda one: one.course.translation or one.course.retrieval)
    if run is None:
        return None
    blocks: list[Block] = []
    if moving([run.course.translation]):
        blocks.append(_loss(context, run))
    if moving(run.course.retrieval.values()):
        blocks.append(_retrieval(run))
    if run.course.searched:
        blocks.append(_searched(context, run))
    return Section("translations", "What was learnt from translations", "Translations", _finding(run), blocks)


def _finding(run: TrainingRun) -> str:
    ends = {way: percent(points[-1][1]) for way, points in run.course.retrieval.items()}
    if "centred" in ends and "embeddings" in ends and "chance" in ends:  # the means of embeddings are centred as well
        plain = f" ({ends['cosine']} by the plain cosine)" if "cosine" in ends else ""
        return (
            f"At the end {ends['centred']} of held-out sentences lie nearest to their translation once each language’s "
            f"mean is taken off{plain}, against {ends['embeddings']} by their tokens’ embeddings alone and "
            f"{ends['chance']} by chance."
        )
    if not run.course.translation:
        return ""
    first, last = (significant(run.course.translation[place][1]) for place in (0, -1))
    return f"The loss of hidden tokens in translations went from {first} to {last} nats per token."


def _loss(context: Context, run: TrainingRun) -> Figure:
    """Of all languages together and of each."""
    by_language = {context.name(lang).english: points for lang, points in run.course.translations.items()}
    together = charts.Line(
        run.course.translation, f"all {significant(run.course.translation[-1][1])}", "ink", "all languages"
    )
    pale = [line for line in named(by_language, []) if len(line.points) > 1]
    return Figure(
        charts.lines([*pale, together], height=240, label="Loss of hidden tokens in translations over tokens"),
        caption=f"Translation language modelling of the run “{run.name}”: loss of hidden tokens that are read beside "
        f"the sentence’s translation, nats per token; {extent(len(by_language), PALE)}, and all together. Where it "
        "falls below the loss of hidden tokens without a translation, the model reads the other side.",
        labels=True,
    )


def _retrieval(run: TrainingRun) -> Figure:
    curves = [
        charts.Line(points, f"{way} {percent(points[-1][1])}", tone, way, dashed=way in dict(_BASELINES))
        for way, tone in (*_WAYS, *_BASELINES)
        if (points := run.course.retrieval.get(way))
    ]
    where = "" if run.course.layer is None else f" after block {run.course.layer}"
    return Figure(
        charts.lines(
            curves,
            height=240,
            zero=True,
            y_text=percent_tick,
            label="Held-out translations that are found, over tokens",
        ),
        caption=f"Share of held-out sentences whose translation is the nearest of all candidates{where}, mean over "
        f"pairs of languages and both directions, run “{run.name}”. Compared by the cosine, by the cosine over that of "
        "the nearest neighbours (margin), and after each language’s mean is taken off (centred). Dashed: what chance "
        "and the tokens’ embeddings alone give. Only what lies above both was learnt about sentences.",
        labels=True,
    )


def _searched(context: Context, run: TrainingRun) -> Table:
    """The last search, pair by pair; those that are found least often first."""
    found = run.course.searched
    order = sorted(found, key=lambda pair: (found[pair].get("cosine", 0.0), pair))
    shown = order if len(order) <= _PAIRS else [*order[: _PAIRS // 2], *order[-_PAIRS // 2 :]]
    scale = linear([value for pair in shown for way, value in found[pair].items() if way != "pairs"], zero=True)

    def row(pair: str) -> list[Cell]:
        values = found[pair]
        name = " and ".join(context.name(lang).english for lang in pair.split("-"))
        marks = [
            (values[way], tone, f"{name}, {way}: {percent(values[way])}")
            for way, tone in (*_BASELINES, *_WAYS)
            if way in values
        ]
        passes = max((one[pair] for one in run.course.passes.values() if pair in one), default=None)
        return [
            name,
            count(values["pairs"]) if "pairs" in values else "",
            rows.dots(scale, marks),
            *(percent(values[way]) if way in values else "" for way in ("cosine", "embeddings", "chance")),
            "" if passes is None else times(passes),
        ]

    caption = f"The last search of the run “{run.name}”, by languages, those found least often first."
    if len(shown) < len(order):
        caption = (
            f"The last search of the run “{run.name}”: of {len(order)} pairs of languages the {_PAIRS // 2} found "
            f"least often and the {_PAIRS // 2} found most often."
        )
    return Table(
        [
            Column("Languages", "name"),
            Column("Sentences", hint="Candidates on each side: the more, the harder", minor=True),
            Column("Share found", "chart", axis=rows.axis(scale, percent_tick)),
            Column("Cosine"),
            Column("Embeddings", minor=True),
            Column("Chance", minor=True),
            Column("Passes", hint="Over the pairs that the model learnt from", minor=True),
        ],
        [Group("", [row(pair) for pair in shown])],
        caption=caption,
        key=rows.key(*(("dot", tone, way) for way, tone in (*_WAYS, *_BASELINES))),
    )
