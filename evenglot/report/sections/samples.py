"""Samples of kept and rejected text, with the numbers that decided."""

from __future__ import annotations

from collections import defaultdict

from evenglot.report.blocks import Quote, QuoteGroup, Quotes, Section
from evenglot.report.facts import Sample
from evenglot.report.numbers import count, plural, significant
from evenglot.report.sections.context import Context, words

_PER_REASON = 8


def samples(context: Context) -> Section | None:
    """By reason, across languages; and by language, kept text first."""
    corpus = context.facts.corpus
    if not corpus.kept and not corpus.rejected:
        return None
    blocks = []
    if corpus.rejected:
        blocks.append(Quotes(_by_reason(context), "By reason, across languages"))
    by_language = []
    for lang in context.ordered({*corpus.kept, *corpus.rejected}):
        kept, rejected = corpus.kept.get(lang, ()), corpus.rejected.get(lang, ())
        by_language.append(
            QuoteGroup(
                context.name(lang),
                ", ".join(f"{len(found)} {what}" for found, what in ((kept, "kept"), (rejected, "rejected")) if found),
                [quote(context, sample) for sample in (*kept, *rejected)],
            )
        )
    blocks.append(Quotes(by_language, "By language, kept text first", searchable=len(by_language) > 12))
    finding = (
        "Drawn by hash, so that the same corpus always shows the same documents. "
        "Read some of them: no number replaces it."
    )
    return Section("samples", "Samples of kept and rejected text", "Samples", finding, blocks)


def _by_reason(context: Context) -> list[QuoteGroup]:
    totals = context.facts.corpus.snapshot.ledger.by_reason()
    found: dict[str, list[Sample]] = defaultdict(list)
    position: dict[tuple[str, str], int] = defaultdict(int)
    ranked: dict[str, list[tuple[int, int, Sample]]] = defaultdict(list)
    languages = context.ordered(context.facts.corpus.rejected)
    for place, lang in enumerate(languages):
        for sample in context.facts.corpus.rejected[lang]:
            reason = f"{sample.stage}/{sample.reason}"
            ranked[reason].append((position[reason, lang], place, sample))
            position[reason, lang] += 1
    for reason, entries in ranked.items():
        # One of each language before a second of any, and large and small languages alike.
        first = sorted(entries, key=lambda entry: entry[:2])
        stride = max(1, len(first) // _PER_REASON)
        found[reason] = [sample for _, _, sample in first[::stride]][:_PER_REASON]
    return [
        QuoteGroup(
            " · ".join(words(part) for part in reason.split("/", 1)),
            f"{plural(totals.get(reason, len(found[reason])), 'document')}",
            [quote(context, sample) for sample in found[reason]],
            open=number == 0,
        )
        for number, reason in enumerate(sorted(found, key=lambda reason: (-totals.get(reason, 0), reason)))
    ]


def quote(context: Context, sample: Sample) -> Quote:
    """A sample with the facts that stand under it."""
    name = context.name(sample.lang)
    facts = []
    if sample.copies > 1:
        facts.append(("copies", count(sample.copies)))
    if sample.lang_score is not None:
        facts.append(("certainty of language", significant(sample.lang_score)))
    if sample.declared and sample.declared != sample.lang:
        facts.append(("declared", sample.declared))
    if sample.quality is not None:
        facts.append(("quality", significant(sample.quality)))
    if sample.duplicate_of:
        facts.append(("duplicate of", sample.duplicate_of))
    if sample.url:
        facts.append(("url", sample.url))
    if sample.place:
        facts.append(("from", sample.place.rpartition("/")[2]))
    facts.append(("id", sample.id))
    verdict = f"{words(sample.stage)} · {words(sample.reason)}" if sample.stage else ""
    return Quote(sample.text, sample.cut, name, facts, verdict, sample.detail)
