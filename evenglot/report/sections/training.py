"""Training: curves per language, bits per byte compared between runs, repeats against the gap."""

from __future__ import annotations

from collections.abc import Sequence

from evenglot.report import charts, rows
from evenglot.report.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Group,
    Missing,
    Panel,
    Panels,
    Section,
    Table,
)
from evenglot.report.facts import LanguageEvidence, TrainingRun
from evenglot.report.numbers import compact, count, duration, percent, signed, significant, size, times
from evenglot.report.sections.comparison import differences_table
from evenglot.report.sections.context import Context, listed, median, quoted
from evenglot.report.sections.lines import run_tones
from evenglot.report.sections.overview import effect
from evenglot.report.svg import Scale, linear, logarithmic

_LABELLED_DOTS = 14
GHOST = "mean-curve"
"""Identifier of the curve that all panels repeat."""


def training(context: Context) -> list[Section]:
    """The sections on training; one that names the command when there is no run."""
    if not context.facts.runs:
        corpus = quoted(context.facts.corpus.url)
        commands = [f"evenglot train --corpus {corpus} --run RUN", f"evenglot report --corpus {corpus} --run RUN"]
        missing = Missing("This report was given no training run. To make one and show it here:", commands)
        return [Section("training", "Training", "Training", "", [missing])]
    found = [_compared(context), _curves(context), _overfitting(context)]
    return [section for section in found if section is not None]


def _compared(context: Context) -> Section | None:
    measured = [run for run in context.facts.runs if run.final]
    if not measured:
        return None
    main = context.facts.run if context.facts.run in measured else measured[0]
    baseline = context.facts.baseline if context.facts.baseline in measured else None
    assert main is not None
    differing = differences_table(measured)
    blocks: list[Block] = [_summary(context, measured), *([differing] if differing else [])]
    langs = sorted(set(main.final) | set(baseline.final if baseline else ()))
    values = [value for run in measured_alike(measured, main)[0] for value in run.final.values()]
    scale = linear(values)
    extra = [run for run in measured_alike(measured, main)[0] if run is not main and run is not baseline]

    def row(lang: str) -> list[Cell]:
        name = context.name(lang)
        after, before = main.final.get(lang), baseline.final.get(lang) if baseline else None
        evidence = main.evidence.get(lang)
        cells: list[Cell] = [name, size(context.sizes.get(lang, 0))]
        if baseline is None:
            tip = f"{name.english}: {significant(after)} bits per byte" if after is not None else ""
            drawing = rows.dots(scale, [(after, "accent", tip)]) if after is not None else ""
            return [*cells, _text(after), drawing, _repeats(evidence)]
        marks = [(run.final[lang], f"{run.name}: {significant(run.final[lang])}") for run in extra if lang in run.final]
        tip = f"{name.english}\n{baseline.name}: {_text(before)}\n{main.name}: {_text(after)}"
        change = (after / before - 1) if after is not None and before else None
        better = change is None or change <= 0
        return [
            *cells,
            _text(before),
            rows.dumbbell(scale, before, after, tip, better=better, marks=marks),
            _text(after),
            f"{signed(change * 100, 1)} %" if change is not None else "",
            _repeats(evidence),
        ]

    text = Column("Text", hint="Training bytes", minor=True)
    axis = rows.axis(scale)
    repeats = Column("Repeats", hint=f"Passes over the training text in the run {main.name}", minor=True)
    if baseline is None:
        columns = [
            Column("Language", "language"),
            text,
            Column("Bits per byte"),
            Column("", "chart", axis=axis),
            repeats,
        ]
        key = None
    else:
        columns = [
            Column("Language", "language"),
            text,
            Column(baseline.name, minor=True),
            Column("Held-out bits per byte, left is better", "chart", axis=axis),
            Column(main.name),
            Column("Change"),
            repeats,
        ]
        entries = [
            ("hollow", "", baseline.name),
            ("dot", "accent", f"{main.name}, better"),
            ("dot", "warm", f"{main.name}, worse"),
        ]
        if extra:
            entries.append(("tick", "", listed([run.name for run in extra])))
        key = rows.key(*entries)
    blocks.append(
        Table(
            columns,
            context.groups(langs, row),
            caption="Bits per byte of held-out text, languages by the size of their training text.",
            key=key,
        )
    )
    finding = effect(context) or _single(context, main)
    return Section("bits", "Bits per byte, language by language", "Bits per byte", finding, blocks)


def _single(context: Context, run: TrainingRun) -> str:
    worst = run.worst
    if worst is None or run.final_macro is None:
        return ""
    return (
        f"{significant(run.final_macro)} bits per byte of held-out text as the mean over languages; "
        f"{context.name(worst[0]).english} has the most, {significant(worst[1])}."
    )


def _summary(context: Context, runs: Sequence[TrainingRun]) -> Table:
    def row(run: TrainingRun) -> list[Cell]:
        worst = run.worst
        return [
            run.name,
            run.mixture,
            _text(run.final_macro),
            _text(run.final_micro),
            f"{significant(worst[1])} {context.name(worst[0]).english}" if worst else "",
            compact(run.tokens) if run.tokens else "",
            count(run.step) if run.step else "",
            compact(run.parameters) if run.parameters else "",
            duration(run.wall_seconds) if run.wall_seconds else "",
            compact(run.tokens_per_second) if run.tokens_per_second else "",
            run.objective,
        ]

    return Table(
        [
            Column("Run", "name"),
            Column("Mixture", "text", minor=True),
            Column("Macro", hint="Mean of the languages’ bits per byte"),
            Column("Micro", hint="Bits per byte of all held-out bytes together"),
            Column("Worst language"),
            Column("Tokens", minor=True),
            Column("Steps", minor=True),
            Column("Parameters", minor=True),
            Column("Time", minor=True),
            Column("Tokens / s", minor=True),
            Column("Objective", "text", minor=True),
        ],
        [Group("", [row(run) for run in runs])],
        caption="Held-out bits per byte at the end; fewer are better.",
    )


def _curves(context: Context) -> Section | None:
    runs = [run for run in context.facts.runs if run.losses or run.heldout or run.loss]
    main = context.facts.run if context.facts.run in runs else next(iter(runs), None)
    if main is None:
        return None
    tones = run_tones(context)
    blocks: list[Block] = []
    alike, others = measured_alike(runs, main)
    for shown, behind in ((alike, main), (others, others[0] if others else main)):
        figure = _overall(context, shown, behind, tones, several=bool(others))
        blocks += [figure] if figure is not None else []
    blocks += _panels(context, alike, main, tones)
    if main.losses:
        blocks.append(_losses(context, main))
    first, last = (main.macro[0][1], main.macro[-1][1]) if main.macro else (None, None)
    finding = (
        f"Over {compact(main.macro[-1][0])} tokens the mean of held-out bits per byte went from {significant(first)} "
        f"to {significant(last)}."
        if first is not None and last is not None and len(main.macro) > 1
        else f"{count(len(main.losses))} languages were trained together."
    )
    return Section("curves", "Training curves", "Curves", finding, blocks)


def measured_alike(runs: Sequence[TrainingRun], main: TrainingRun) -> tuple[list[TrainingRun], list[TrainingRun]]:
    """The runs whose held-out figures may stand on one axis with those of the main one, and the others.

    A model that was only trained on masks is measured by masking held-out text, all others by predicting it from
    the left: the figures are of different tasks.
    """
    masked = main.objective == "masked"
    alike = [run for run in runs if (run.objective == "masked") == masked]
    return alike, [run for run in runs if (run.objective == "masked") != masked]


def _overall(
    context: Context, runs: Sequence[TrainingRun], main: TrainingRun, tones: dict[str, str], *, several: bool
) -> Figure | None:
    """The mean over languages of each run, with the languages of one behind."""
    overall = [
        charts.Line(run.macro, f"{run.name}", tones[run.name], f"{run.name}: macro average")
        for run in runs
        if run.macro
    ]
    if not any(len(line.points) > 1 for line in overall):
        return None
    background = [charts.Line(points, tip=context.name(lang).english) for lang, points in main.heldout.items()]
    how = "predicting masked tokens" if main.objective == "masked" else "predicting from the left"
    caption = "Held-out bits per byte over the tokens seen: the mean over languages, labelled, and every language of "
    caption += f"the run “{main.name}” behind it."
    if several:
        caption += f" Measured by {how}; not to be compared with runs measured otherwise."
    return Figure(
        charts.lines([*background, *overall], label="Held-out bits per byte over tokens"), caption=caption, labels=True
    )


def _panels(context: Context, runs: Sequence[TrainingRun], main: TrainingRun, tones: dict[str, str]) -> list[Block]:
    curved = [run for run in runs if run.heldout]
    if not curved:
        return []
    points = [point for run in curved for curve in run.heldout.values() for point in curve]
    tokens = [point[0] for point in points]
    if max(tokens) <= min(tokens):
        return []
    x, y = Scale(min(tokens), max(tokens)), charts.settled([curve for run in curved for curve in run.heldout.values()])
    cut = any(value > y.high for run in curved for points in run.heldout.values() for _, value in points)
    panels = []
    for lang in context.ordered({lang for run in curved for lang in run.heldout}):
        drawn = [
            charts.Line(run.heldout[lang], tone=tones[run.name], tip=run.name)
            for run in reversed(curved)
            if lang in run.heldout
        ]
        end = main.heldout.get(lang)
        panels.append(Panel(context.name(lang), f"{end[-1][1]:.2f}" if end else "", charts.panel(drawn, x, y, GHOST)))
    key = rows.key(
        *(("line", tones[run.name], run.name) for run in curved), ("line", "faint", f"mean over languages, {main.name}")
    )
    return [
        Panels(
            panels,
            caption="Held-out bits per byte, one panel per language, all on one scale; largest language first, "
            f"the number is the last value of “{main.name}”.",
            key=key,
            shared=charts.shared_curve(GHOST, main.macro, x, y, "mean over languages"),
            note=f"Left to right: {compact(x.low)} to {compact(x.high)} tokens. "
            f"Bottom to top: {significant(y.low)} to {significant(y.high)} bits per byte"
            + ("; the steep start is cut off." if cut else "."),
        )
    ]


def _losses(context: Context, run: TrainingRun) -> Figure:
    """All languages' training losses; the lowest, the highest, the largest and the smallest language are named."""
    ends = {lang: points[-1][1] for lang, points in run.losses.items()}
    ordered = context.ordered(ends)
    named = {min(ends, key=lambda lang: ends[lang]): "c2", max(ends, key=lambda lang: ends[lang]): "warm"}
    named[ordered[-1]] = "accent"
    named[ordered[0]] = "ink"
    curves = []
    for lang, points in run.losses.items():
        name = context.name(lang).english
        label = f"{name} {significant(ends[lang])}" if lang in named else ""
        curves.append(charts.Line(smoothed(points), label, named.get(lang, "faint"), name))
    return Figure(
        charts.lines(curves, label="Training loss over tokens"),
        caption=f"Training loss in nats per token of the run “{run.name}”, every language a line, smoothed. Named: the "
        "largest and the smallest language, the highest and the lowest loss. Tokens differ between languages; compare "
        "courses here and languages in bits per byte.",
        labels=True,
    )


def smoothed(points: Sequence[tuple[float, float]], weight: float = 0.7) -> list[tuple[float, float]]:
    """Exponential moving average, corrected for its start (Kingma and Ba 2015, section 3)."""
    result, mean, norm = [], 0.0, 0.0
    for tokens, value in points:
        mean = weight * mean + (1 - weight) * value
        norm = weight * norm + (1 - weight)
        result.append((tokens, mean / norm))
    return result


def _overfitting(context: Context) -> Section | None:
    run = context.facts.run
    candidates = [run, *context.facts.runs] if run is not None else []
    chosen = next((one for one in candidates if any(e.gap is not None for e in one.evidence.values())), None)
    if chosen is None:
        return None
    evidence = {lang: one for lang, one in chosen.evidence.items() if one.gap is not None}
    gaps = {lang: one.gap for lang, one in evidence.items() if one.gap is not None}
    blocks: list[Block] = []
    repeated = {lang: one.repeats for lang, one in evidence.items() if one.repeats}
    if len(repeated) > 2:
        order = sorted(repeated, key=lambda lang: abs(gaps[lang] - median(gaps.values())), reverse=True)
        weight = {lang: float(_LABELLED_DOTS - place) for place, lang in enumerate(order[:_LABELLED_DOTS])}
        dots = [
            charts.Dot(
                repeats,
                gaps[lang],
                context.name(lang).english,
                f"{context.name(lang).english}: {times(repeats)}, gap {signed(gaps[lang])}",
                weight.get(lang, 0.0),
            )
            for lang, repeats in repeated.items()
        ]
        blocks.append(
            Figure(
                charts.scatter(
                    dots,
                    x=logarithmic(repeated.values()),
                    y=linear(gaps.values(), zero=True),
                    x_title="passes over the language’s training text",
                    y_title="gap: held-out minus training bits per byte",
                    x_text=times,
                    rules=((1.0, "seen once"), (4.0, "seen four times")),
                ),
                caption=f"Repeats against overfitting, run “{chosen.name}”, every dot a language. Up to about four "
                "passes repeated text is nearly as good as fresh text (Muennighoff et al. 2023).",
            )
        )
    blocks.append(_gap_table(context, chosen, evidence))
    most = max(sorted(gaps), key=lambda lang: gaps[lang])
    finding = (
        f"The gap between held-out and training text is {signed(median(gaps.values()))} bits per byte in the median "
        f"and largest for {context.name(most).english} ({signed(gaps[most])}"
    )
    finding += f" after {times(repeated[most])} passes)." if most in repeated else ")."
    return Section("gap", "Repeats and overfitting", "Overfitting", finding, blocks)


def _gap_table(context: Context, run: TrainingRun, evidence: dict[str, LanguageEvidence]) -> Table:
    values = [
        value
        for one in evidence.values()
        for value in (one.train_bits_per_byte, one.heldout_bits_per_byte)
        if value is not None
    ]
    scale = linear(values)
    followed = any(one.best_step is not None for one in evidence.values())
    middle = median(one.gap or 0.0 for one in evidence.values())

    def row(lang: str) -> list[Cell]:
        one = evidence[lang]
        gap = one.gap or 0.0
        tip = (
            f"{context.name(lang).english}: {_text(one.train_bits_per_byte)} on training text, "
            f"{_text(one.heldout_bits_per_byte)} on held-out text"
        )
        return [
            context.name(lang),
            compact(one.tokens) if one.tokens is not None else "",
            percent(one.share_asked) if one.share_asked is not None else "",
            percent(one.share_realised) if one.share_realised is not None else "",
            _repeats(one),
            rows.dumbbell(
                scale, one.train_bits_per_byte, one.heldout_bits_per_byte, tip, better=gap <= 2 * max(middle, 0.0)
            ),
            signed(gap),
            *([_ended(one)] if followed else []),
        ]

    return Table(
        [
            Column("Language", "language"),
            Column("Tokens seen", minor=True),
            Column("Asked", hint="Share of the tokens that the mixture asked for", minor=True),
            Column("Realised", hint="Share of the tokens that were of this language", minor=True),
            Column("Repeats", hint="Passes over the training text"),
            Column("Bits per byte", "chart", axis=rows.axis(scale)),
            Column("Gap", hint="Held-out minus training bits per byte"),
            *([Column("Best at step", hint="Of its lowest held-out figure; where it stopped, the step")] * followed),
        ],
        context.groups(list(evidence), row),
        caption=f"Run “{run.name}”.",
        key=rows.key(
            ("hollow", "", "training text"),
            ("dot", "accent", "held-out text"),
            ("dot", "warm", "gap more than twice the median"),
        ),
    )


def _ended(evidence: LanguageEvidence) -> str:
    """When a language was at its best and when it stopped."""
    if evidence.best_step is None:
        return ""
    best = count(evidence.best_step)
    return best if evidence.stopped_at is None else f"{best}, stopped at {count(evidence.stopped_at)}"


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _repeats(evidence: LanguageEvidence | None) -> str:
    return times(evidence.repeats) if evidence is not None and evidence.repeats is not None else ""
