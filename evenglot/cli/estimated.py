"""What ``prepare --dry-run`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenglot.cli.console import duration
from evenglot.cli.summaries import size

if TYPE_CHECKING:
    from pipeline.dry_run import Estimate
    from pipeline.estimate import Interval

_REASONS: Final = 8
_LANGUAGES: Final = 8


def estimated_text(estimate: Estimate) -> RenderableType:
    """The estimate for people: one table, the languages in a line, and what makes it uncertain."""
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    for column, justify in (("", "left"), ("expected", "right"), ("95 % of cases between", "left")):
        table.add_column(column, justify="right" if justify == "right" else "left")

    def counted(name: str, interval: Interval) -> None:
        table.add_row(name, number(interval.expected), f"{number(interval.low)} and {number(interval.high)}")

    counted("records", estimate.documents)
    counted("kept", estimate.kept)
    counted("duplicates removed", estimate.duplicates)
    reasons = list(estimate.reasons.items())
    for reason, interval in reasons[:_REASONS]:
        counted(f"  {reason}", interval)
    if len(reasons) > _REASONS:
        table.add_row(f"  and {len(reasons) - _REASONS} more reasons", "", "in --json")
    text = estimate.text_bytes
    table.add_row("text kept", size(round(text.expected)), f"{size(round(text.low))} and {size(round(text.high))}")
    cpu = estimate.cpu_seconds
    table.add_row("processor time", duration(cpu.expected), f"{duration(cpu.low)} and {duration(cpu.high)}")
    wall = estimate.wall_seconds
    workers = f"{estimate.workers} worker{'s' if estimate.workers > 1 else ''}"
    table.add_row(
        f"time with {workers}", duration(wall.expected), f"{duration(wall.low)} and {duration(wall.high)}, if free"
    )
    if estimate.cost is not None:
        cost = estimate.cost
        table.add_row("cost", money(cost.expected), f"{money(cost.low)} and {money(cost.high)}")
    table.add_row("disk while it runs", size(round(estimate.work_bytes + estimate.corpus_bytes)), "")
    table.add_row("disk in the end", size(round(estimate.corpus_bytes)), "")
    table.add_row("memory of a worker", size(round(estimate.worker_memory_bytes)), "")
    table.add_row("memory of the driver", size(round(estimate.driver_memory_bytes)), "with the local engine")
    first = list(estimate.languages.items())[:_LANGUAGES]
    named = ", ".join(f"{lang} {number(found.documents.expected)}" for lang, found in first)
    more = len(estimate.languages) - len(first)
    languages = f"{len(estimate.languages)} languages seen: {named}" + (f" and {more} more" if more > 0 else "")
    head = (
        f"from {estimate.sample_documents:,} records in {estimate.sample_ranges} ranges, "
        f"{estimate.sample_share:.2%} of {size(estimate.input_bytes)}; nothing was written"
    )
    return Group(Text(head), table, Text(languages), *(Text(f"note: {note}") for note in estimate.notes))


def number(value: float) -> str:
    """A count to three digits, for it is known no better."""
    digits = len(str(round(value))) - 3
    return f"{round(value, -digits) if digits > 0 else round(value):,.0f}"


def money(value: float) -> str:
    """A sum without its currency."""
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.4f}"
