"""Regularizers and the factors of the languages' losses: what weighed how much over the run."""

from __future__ import annotations

from typing import Final

from evenglot.report import charts
from evenglot.report.blocks import Block, Figure, Section
from evenglot.report.facts import TrainingRun
from evenglot.report.numbers import percent, percent_tick, times
from evenglot.report.sections.context import Context, listed
from evenglot.report.sections.lines import moving, named, run_tones, told_by

_SHARES: Final = (
    (
        "share_of_loss",
        "Share of each penalty in what was minimised",
        "Strength times value over all that was minimised. A share that grows while the loss falls is a penalty that "
        "takes over; one that stays near 0 costs time and does little.",
    ),
    (
        "share_of_gradient",
        "Gradient of each penalty over the whole gradient",
        "Norm of each penalty’s gradient over that of the whole, where it was measured (train.log.shares_every). It is "
        "what moves the weights: a penalty with a small share of the loss can have a large one here, and the other "
        "way round. Gradients that point in different directions shorten each other, so the shares need not sum "
        "to 100\u202f%.",
    ),
)


def penalties(context: Context) -> Section | None:
    """Each penalty's value and strength by run, and the shares of all of them in the run the report is about."""
    tones = run_tones(context)
    blocks: list[Block] = []
    names = sorted({name for run in context.facts.runs for name in run.penalties})
    for name in names:
        curves, strengths = [], []
        for run in context.facts.runs:
            penalty = run.penalties.get(name)
            if penalty is None:
                continue
            if penalty.value:
                curves.append(charts.Line(penalty.value, run.name, tones[run.name], run.name))
            if penalty.strength:
                strengths.append(charts.Line(penalty.strength, run.name, tones[run.name], run.name))
        if curves:
            blocks.append(
                Figure(
                    charts.lines(curves, height=210, zero=True, label=f"Penalty {name} over tokens"),
                    caption=f"Value of the penalty “{name}” before its strength, over the tokens seen.",
                    labels=True,
                )
            )
        if any(len({value for _, value in line.points}) > 1 for line in strengths):
            blocks.append(
                Figure(
                    charts.lines(strengths, height=170, zero=True, label=f"Strength of {name} over tokens"),
                    caption=f"Strength of “{name}”.",
                    labels=True,
                )
            )
    if not blocks:
        return None
    weighed = told_by(context, lambda run: any(one.share_of_loss for one in run.penalties.values()))
    if weighed is not None:
        blocks += _shares(weighed)
    finding = (
        _finding(weighed) if weighed else f"{listed(names).capitalize()}: how far each term weighed in over the run."
    )
    return Section("penalties", "Regularizers", "Regularizers", finding, blocks)


def _shares(run: TrainingRun) -> list[Block]:
    found: list[Block] = []
    for field, label, caption in _SHARES:
        curves = {name: getattr(penalty, field) for name, penalty in run.penalties.items()}
        if moving(curves.values()):
            drawn = charts.lines(
                named(curves, text=percent), height=210, zero=True, y_text=percent_tick, label=f"{label} over tokens"
            )
            found.append(Figure(drawn, caption=f"{caption} Run “{run.name}”.", labels=True))
    return found


def _finding(run: TrainingRun) -> str:
    """What each penalty amounts to at the end."""
    parts = []
    for name, penalty in sorted(run.penalties.items()):
        if penalty.share_of_loss:
            text = f"{name} is {percent(penalty.share_of_loss[-1][1])} of what is minimised"
            if penalty.share_of_gradient:
                text += f", its gradient {percent(penalty.share_of_gradient[-1][1])} of the whole in norm"
            parts.append(text)
    return f"At the end {'; '.join(parts)}."


def factors(context: Context) -> Section | None:
    """What a language-aware loss multiplied each language's loss by; None where no run logged it."""
    run = told_by(context, lambda one: one.course.factors)
    if run is None:
        return None
    ends = {lang: points[-1][1] for lang, points in run.course.factors.items()}
    highest, lowest = (pick(sorted(ends), key=lambda lang: ends[lang]) for pick in (max, min))
    finding = (
        f"At the end the loss of {context.name(highest).english} counts most ({times(ends[highest])}), that of "
        f"{context.name(lowest).english} least ({times(ends[lowest])})."
    )
    blocks: list[Block] = []
    if moving(run.course.factors.values()):
        curves = {context.name(lang).english: points for lang, points in run.course.factors.items()}
        drawn = charts.lines(
            named(curves, text=times), zero=True, y_text=times, label="Factor of each language’s loss over tokens"
        )
        caption = (
            f"What each language’s loss was multiplied by, run “{run.name}”; ×1 is an ordinary token. Look for "
            "languages that stay at the top to the end: their loss does not fall however much it counts, because they "
            "are hard, noisy, or at the limit of their text."
        )
        blocks.append(Figure(drawn, caption=caption, labels=True))
    return Section("factors", "What each language’s loss counted", "Loss factors", finding, blocks)
