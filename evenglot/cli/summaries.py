"""What the commands say at their end, for machines and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus.ledger import Ledger
from corpus.manifest import Snapshot
from corpus.tags import english_name
from evenglot.cli.console import duration
from evenglot.inspect.languages import LanguageRow, language_rows

if TYPE_CHECKING:
    from evenglot.demo.run import DemoResult
    from evenglot.verify import CorpusReport
    from evenglot.verify.row_order import OrderReport


def size(count: float) -> str:
    """Bytes in decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def split_off(ledger: Ledger) -> str:
    """The records that splitting documents into their languages added, as a term of the ledger; empty without any."""
    return f" + {ledger.made:,} made by splitting" if ledger.made else ""


def language_table(snapshot: Snapshot, rows: Sequence[LanguageRow]) -> RenderableType:
    """The languages of a corpus."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("language")
    table.add_column("name")
    headings = ("documents", "copies", "size", "share", f"{snapshot.mixture} share", "held out", "rejected")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.lang,
            row.name,
            f"{row.documents:,}",
            f"{row.copies:,}",
            size(row.bytes),
            f"{row.share:.2%}",
            f"{row.balanced_share:.2%}",
            f"{row.heldout_documents:,}",
            f"{row.rejected:,}",
        )
    ledger = snapshot.ledger
    total = Text(
        f"\nsnapshot {snapshot.number}: {ledger.read:,} records read{split_off(ledger)} = {ledger.kept_total:,} kept + "
        f"{ledger.rejected_total:,} rejected + {ledger.unreadable_total:,} unreadable"
    )
    reasons = ledger.by_reason()
    if not reasons:
        return Group(table, total)
    set_aside = Text("rejected for: " + ", ".join(f"{reason} {count:,}" for reason, count in reasons.items()))
    return Group(table, total, set_aside)


def languages_result(snapshot: Snapshot, corpus: str) -> dict[str, Any]:
    """The languages of a corpus, with its ledger."""
    return {
        "corpus": corpus,
        "snapshot": snapshot.number,
        "mixture": snapshot.mixture,
        "read": snapshot.ledger.read,
        "made_by_splitting": snapshot.ledger.made,
        "kept": snapshot.ledger.kept_total,
        "rejected": snapshot.ledger.rejected_total,
        "unreadable": snapshot.ledger.unreadable_total,
        "rejected_by_reason": snapshot.ledger.by_reason(),
        "unreadable_by_reason": snapshot.ledger.unreadable,
        "tokenizers": sorted(snapshot.tokenizers),
        "languages": [asdict(row) for row in language_rows(snapshot)],
    }


def heldout_table(evaluations: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """Bits per byte of each language under one or several runs.

    Args:
        evaluations: for each run's name its ``evaluation.json``; the first one is compared with the last.
    """
    names = list(evaluations)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("language")
    table.add_column("name")
    for name in names:
        table.add_column(name, justify="right")
    if len(names) > 1:
        table.add_column("change", justify="right")
    languages = sorted({lang for evaluation in evaluations.values() for lang in evaluation["languages"]})

    def cells(values: Sequence[float | None]) -> list[str]:
        shown = ["" if value is None else f"{value:.3f}" for value in values]
        first, last = values[0], values[-1]
        if len(values) > 1:
            shown.append("" if not first or last is None else f"{last / first - 1:+.1%}")
        return shown

    for lang in languages:
        values = [evaluations[name]["languages"].get(lang, {}).get("bits_per_byte") for name in names]
        table.add_row(lang, english_name(lang), *cells(values))
    for key, label in (("macro_bits_per_byte", "all languages alike"), ("micro_bits_per_byte", "all bytes alike")):
        table.add_row("", label, *cells([evaluations[name].get(key) for name in names]), style="bold")
    return table


def trained_text(summary: Mapping[str, Any], run: str, seconds: float) -> str:
    """The result of ``train`` for people."""
    lines = [
        f"{summary['step']:,} steps, {summary['tokens']:,} tokens, {summary['parameters']:,} parameters, "
        f"in {duration(seconds)}"
    ]
    final = summary.get("final") or {}
    if final.get("macro_bits_per_byte") is not None:
        lines.append(
            f"held-out bits per byte: {final['macro_bits_per_byte']:.3f} over languages, "
            f"{final['micro_bits_per_byte']:.3f} over bytes"
        )
    lines.append(f"run: {run}")
    lines.append(f"next: evenglot evaluate --run {run}, then evenglot report --run {run}")
    return "\n".join(lines)


def demo_text(result: DemoResult) -> RenderableType:
    """The result of ``demo`` for people."""
    ledger = result.ledger
    heading = Text(
        f"\n{ledger['read']:,} records read = {ledger['kept']:,} kept + {ledger['rejected']:,} rejected + "
        f"{ledger['unreadable']:,} unreadable\n{_synthetic(result)}\nHeld-out bits per byte (lower is better)\n"
    )
    times = ", ".join(f"{name} {duration(seconds)}" for name, seconds in result.seconds.items())
    closing = Text(f"\n{times}\nin all {duration(sum(result.seconds.values()))}\n\nreport: {result.report}")
    return Group(heading, heldout_table(result.evaluations), closing)


def _synthetic(result: DemoResult) -> str:
    """A line on synthetic text, where some was made."""
    if not result.synthetic:
        return ""
    kept, candidates = result.synthetic["kept"], result.synthetic["candidates"]
    return (
        f"{kept:,} of {candidates:,} translations stayed as synthetic text: "
        f"evenglot inspect {result.output}/corpus --synthetic\n"
    )


def _order_lines(order: OrderReport) -> list[str]:
    """What was compared of the order of rows, a line for each way."""
    said = {
        "resume": f"{order.rows:,} rows, gone on with before rows {', '.join(f'{row:,}' for row in order.resumed)}",
        "dealing": f"to {'; '.join(order.dealt)}",
        "stopped twice": "gone on with under other ranks and workers each time",
        "stages": f"rows around {', '.join(f'{row:,}' for row in order.stages)}, read at once and gone on with",
        "shares": f"at the ends of {order.blocks:,} blocks, {order.furthest:.3f} rows off at most; the mixture was "
        f"changed at rows {', '.join(f'{row:,}' for row in order.changed) or 'none'}",
        "passes": f"two passes over {order.languages:,} languages, {order.pass_tokens:,} tokens",
    }
    done = [check for check in order.checks if check.passed or check.problems]
    return [
        *(f"{check.name:13} {'WRONG' if check.problems else 'ok'} ({said[check.name]})" for check in done),
        f"{'state':13} {order.state_bytes:,} bytes, rows go on {1000 * order.resume_seconds:.0f} ms after it",
    ]


def verified_text(corpus: str, found: CorpusReport, order: OrderReport | None) -> RenderableType:
    """The result of ``verify`` for people."""
    lines = []
    for check in found.checks:
        if check.passed or check.problems:
            wrong = f", {len(check.problems):,} wrong" if check.problems else ""
            lines.append(f"{check.name:13} {'DAMAGED' if wrong else 'ok'} ({check.passed:,} passed{wrong})")
    problems = list(found.problems)
    if order is not None:
        lines += _order_lines(order)
        problems += order.problems
    lines += [f"  {problem}" for problem in problems[:20]]
    if len(problems) > 20:
        lines.append(f"  and {len(problems) - 20} more")
    if found.orphans:
        lines.append(f"{len(found.orphans)} files belong to no snapshot: {', '.join(found.orphans[:5])}")
    lines.append(f"snapshot {found.snapshot} of {corpus}: {found.files:,} files, {size(found.bytes)}")
    return Text("\n".join(lines))
