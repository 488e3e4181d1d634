"""How evenly the tokenizer serves the languages."""

from __future__ import annotations

from markupsafe import Markup

from corpus.tags import UNSPACED, script_of
from evenglot.report import rows
from evenglot.report.blocks import Block, Cell, Column, Missing, Section, Table
from evenglot.report.numbers import compact, count, significant
from evenglot.report.sections.context import Context, median, quoted
from evenglot.report.svg import Scale, linear


def tokens(context: Context) -> Section:
    """Bytes per token and fertility per language, for every tokenizer of the corpus."""
    snapshot = context.facts.corpus.snapshot
    blocks: list[Block] = []
    finding = ""
    for name in sorted(snapshot.tokenizers):
        rate = {
            lang: one.bytes_per_token[name]
            for lang, one in snapshot.languages.items()
            if one.bytes_per_token.get(name) and lang in context.sizes
        }
        if not rate:
            continue
        blocks.append(_table(context, name, rate))
        low = min(sorted(rate), key=lambda lang: rate[lang])
        high = max(sorted(rate), key=lambda lang: rate[lang])
        finding = (
            f"A token of “{name}” holds {significant(rate[low])} bytes in {context.name(low).english} and "
            f"{significant(rate[high])} in {context.name(high).english}; "
            f"the median is {significant(median(rate.values()))}."
        )
    if not blocks:
        blocks = [
            Missing(
                "The corpus has no tokens yet. To make them:",
                [f"evenglot tokenize --corpus {quoted(context.facts.corpus.url)}"],
            )
        ]
    return Section("tokens", "Tokens per language", "Tokens", finding, blocks)


def _table(context: Context, name: str, rate: dict[str, float]) -> Table:
    snapshot = context.facts.corpus.snapshot
    fertility = {lang: snapshot.languages[lang].fertility.get(name) for lang in rate}
    rate_scale = linear(rate.values(), zero=True)
    known = [value for lang, value in fertility.items() if value]
    worded = [value for lang, value in fertility.items() if value and script_of(lang) not in UNSPACED]
    fertility_scale = linear(known, zero=True)
    middle, middle_fertility = median(rate.values()), median(worded)

    def row(lang: str) -> list[Cell]:
        title = context.name(lang).english
        many = fertility[lang]
        return [
            context.name(lang),
            compact(snapshot.languages[lang].tokens.get(name, 0)),
            significant(rate[lang]),
            rows.lollipop(
                rate_scale,
                rate[lang],
                f"{title}: {significant(rate[lang])} bytes per token",
                reference=middle,
                tone="accent" if rate[lang] >= middle else "warm",
            ),
            significant(many) if many else "",
            _fertility(fertility_scale, many, middle_fertility, title, per_character=script_of(lang) in UNSPACED)
            if many
            else "",
        ]

    vocabulary = snapshot.tokenizers[name].get("vocabulary_size", snapshot.tokenizers[name].get("vocabulary"))
    pieces = f", {count(vocabulary)} pieces" if isinstance(vocabulary, int) else ""
    return Table(
        [
            Column("Language", "language"),
            Column("Tokens", hint="In the training text", minor=True),
            Column("Bytes / token"),
            Column("Bytes per token, from the median", "chart", axis=rows.axis(rate_scale)),
            Column("Fertility", hint="Tokens per word; per character in scripts without spaces"),
            Column("Fertility, from the median", "chart", axis=rows.axis(fertility_scale)),
        ],
        context.groups(list(rate), row),
        caption=f"Tokenizer “{name}”{pieces}. Few bytes per token mean long sequences: that language costs more and "
        "sees less context.",
        key=rows.key(
            ("dot", "accent", "better than the median"),
            ("dot", "warm", "worse"),
            ("dot", "soft", "per character: a script without spaces"),
        ),
    )


def _fertility(scale: Scale, value: float, middle: float, title: str, *, per_character: bool) -> Markup:
    """Tokens per word against the median; per character there is nothing to compare with."""
    if per_character:
        return rows.dots(scale, [(value, "soft", f"{title}: {significant(value)} tokens per character")])
    tone = "accent" if value <= middle else "warm"
    return rows.lollipop(scale, value, f"{title}: {significant(value)} tokens per word", reference=middle, tone=tone)
