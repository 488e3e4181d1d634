"""The headline: how much was read and kept, in how many languages, by which runs, in what time."""

from __future__ import annotations

from evenglot.report.blocks import Section, Tile, Tiles
from evenglot.report.numbers import compact, count, duration, percent, plural, size
from evenglot.report.sections.context import Context


def overview(context: Context) -> Section:
    """Tiles with the numbers to read first."""
    facts = context.facts
    snapshot = facts.corpus.snapshot
    ledger = snapshot.ledger
    evidence = snapshot.languages.values()
    stored = sum(one.bytes + one.heldout_bytes for one in evidence)
    heldout = sum(one.heldout_documents for one in evidence)
    kept_share = ledger.kept_total / ledger.read if ledger.read else 0.0
    tiles = [
        Tile(count(ledger.read), "documents read", f"{count(ledger.unreadable_total)} unreadable"),
        Tile(count(ledger.kept_total), "documents kept", f"{percent(kept_share)} of those read"),
        Tile(count(len(context.sizes)), "languages", _spread(context)),
        Tile(size(stored), "of text kept", f"{count(heldout)} documents held out"),
    ]
    tokens = {name: sum(one.tokens.get(name, 0) for one in evidence) for name in snapshot.tokenizers}
    if any(tokens.values()):
        name, number = max(tokens.items(), key=lambda item: item[1])
        tiles.append(Tile(compact(number), "training tokens", f"tokenizer {name}"))
    if facts.runs:
        seen = sum(run.tokens or 0 for run in facts.runs)
        tiles.append(Tile(count(len(facts.runs)), "training runs", f"{compact(seen)} tokens seen"))
    prepare = sum(run.wall_seconds or 0.0 for run in facts.corpus.runs)
    seconds = prepare + sum(run.wall_seconds or 0.0 for run in facts.runs)
    if seconds:
        tiles.append(
            Tile(duration(seconds), "computing time", f"{duration(prepare)} of it on the corpus" if facts.runs else "")
        )
    return Section("overview", "At a glance", "Overview", _finding(context), [Tiles(tiles)])


def _spread(context: Context) -> str:
    sizes = [number for number in context.sizes.values() if number]
    if len(sizes) < 2:
        return ""
    return f"largest {compact(sizes[0] / sizes[-1])} times the smallest"


def _finding(context: Context) -> str:
    facts = context.facts
    ledger = facts.corpus.snapshot.ledger
    text = (
        f"{plural(ledger.kept_total, 'document')} in {plural(len(context.sizes), 'language')} "
        f"{'is' if ledger.kept_total == 1 else 'are'} left of {count(ledger.read)} read."
    )
    compared = effect(context)
    return f"{text} {compared}" if compared else text


def effect(context: Context) -> str:
    """The run against its baseline, for the smaller and the larger half of the languages; empty without two runs."""
    run, baseline = context.facts.run, context.facts.baseline
    if run is None or baseline is None:
        return ""
    both = context.ordered(set(run.final) & set(baseline.final) & set(context.sizes))
    if len(both) < 2:
        return ""
    half = len(both) // 2

    def change(langs: list[str]) -> float:
        ratios = [run.final[lang] / baseline.final[lang] for lang in langs if baseline.final[lang] > 0]
        return sum(ratios) / len(ratios) - 1 if ratios else 0.0

    small, large = change(both[half:]), change(both[:half])
    return (
        f"The run “{run.name}” has {_change(small)} held-out bits per byte than “{baseline.name}” for the smaller half "
        f"of the languages and {_change(large)} for the larger half, on average."
    )


def _change(share: float) -> str:
    return f"{percent(abs(share))} {'fewer' if share <= 0 else 'more'}"
