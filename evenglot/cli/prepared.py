"""What ``prepare`` says at its end: one table of where the records went, and where to look next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus.manifest import Snapshot, read_snapshot
from corpus.storage import Storage
from evenglot.cli.console import duration
from evenglot.cli.summaries import size, split_off
from evenglot.inspect.languages import language_rows
from evenglot.inspect.stages import losses

_REASONS: Final = 4
"""Reasons named of a stage."""
_LANGUAGES: Final = 3
"""Languages named of those that lost most."""
_ENOUGH: Final = 20
"""Documents a language must have for its share lost to be worth naming."""


def run_record(storage: Storage, snapshot: Snapshot) -> dict[str, Any]:
    """What the run that prepared a snapshot measured; empty where its record is not there."""
    while snapshot.made_by != "prepare" and snapshot.parent is not None:
        snapshot = read_snapshot(storage, snapshot.parent)
    name = f"runs/{snapshot.number:06d}.json"
    record = json.loads(storage.read_bytes(name)) if storage.exists(name) else {}
    return record if isinstance(record, dict) else {}


def natural_state(storage: Storage, snapshot: Snapshot) -> Snapshot:
    """The snapshot, or the natural one below its synthetic text."""
    if snapshot.augmentation is None or snapshot.goes_on_with is None:
        return snapshot
    return read_snapshot(storage, snapshot.goes_on_with)


def prepared_result(
    snapshot: Snapshot, corpus: str, seconds: float, unchanged: bool, record: Mapping[str, Any]
) -> dict[str, Any]:
    """The result of ``prepare`` for machines.

    Args:
        snapshot: the state that is current now.
        corpus: where it lies.
        seconds: on the clock.
        unchanged: whether it was made from the same inputs and settings already.
        record: of the run that made it.
    """
    ledger = snapshot.ledger
    return {
        "corpus": corpus,
        "snapshot": snapshot.number,
        "unchanged": unchanged,
        "goes_on_with": snapshot.goes_on_with,
        "added": None if snapshot.added is None else snapshot.added.model_dump(),
        "fingerprint": snapshot.fingerprint,
        "seconds": round(seconds, 3),
        "read": ledger.read,
        "made_by_splitting": ledger.made,
        "kept": ledger.kept_total,
        "rejected": ledger.rejected_total,
        "unreadable": ledger.unreadable_total,
        "rejected_by_reason": ledger.by_reason(),
        "unreadable_by_reason": ledger.unreadable,
        "set_aside_by_stage": {stage: sum(reasons.values()) for stage, reasons in losses(ledger).items()},
        "duplicates": duplicates(snapshot),
        "languages": {lang: evidence.documents for lang, evidence in snapshot.languages.items()},
        "language_rows": [asdict(row) for row in language_rows(snapshot)],
        "bytes": sum(evidence.bytes for evidence in snapshot.languages.values()),
        "heldout": sum(evidence.heldout_documents for evidence in snapshot.languages.values()),
        "mixture": snapshot.mixture,
        "counters": record.get("counters", {}),
        "stages": record.get("stages", []),
        "cpu_seconds": record.get("cpu_seconds"),
        "peak_memory_bytes": record.get("peak_memory_bytes"),
        "warnings": snapshot.warnings,
    }


def prepared_text(
    snapshot: Snapshot,
    corpus: str,
    seconds: float,
    following: str | None,
    unchanged: bool,
    record: Mapping[str, Any],
) -> RenderableType:
    """The result of ``prepare`` for people."""
    # What a run that goes on with a snapshot did itself; of a run that began anew that is all.
    alone = snapshot if snapshot.added is None else snapshot.model_copy(update={"ledger": snapshot.added})
    ledger = alone.ledger
    heading = f"{ledger.read:,} records read{split_off(ledger)} = {ledger.kept_total:,} kept + "
    heading += f"{ledger.rejected_total:,} rejected + {ledger.unreadable_total:,} unreadable"
    lines = _repairs(record.get("counters", {}))
    lost = _lost_most(alone)
    lines += [f"lost most: {lost}"] if lost else []
    if unchanged:
        lines.append(f"snapshot {snapshot.number} of {corpus} is of these inputs and settings: nothing to prepare")
    else:
        rate = f"{ledger.read / seconds:,.0f} records/s"
        lines.append(f"snapshot {snapshot.number} of {corpus}, in {duration(seconds)} ({rate})")
    if snapshot.goes_on_with is not None:
        before = snapshot.ledger.kept_total - ledger.kept_total
        lines.append(
            f"goes on with snapshot {snapshot.goes_on_with}: {before:,} documents and {ledger.kept_total:,} new"
        )
    place = shlex.quote(corpus)
    lines.extend(f"warning: {warning.replace('inspect CORPUS', f'inspect {place}')}" for warning in snapshot.warnings)
    if ledger.rejected_total:
        lines.append(f"look: evenglot inspect {place} --rejected, evenglot report --corpus {place}")
    if following:
        lines.append(f"next: {following}")
    return Group(Text(heading, style="bold"), _table(alone), Text("\n".join(lines)))


def duplicates(snapshot: Snapshot) -> int:
    """Documents that were rejected because a kept one stands for them."""
    return sum(losses(snapshot.ledger).get("deduplicate", {}).values())


def _table(snapshot: Snapshot) -> Table:
    ledger = snapshot.ledger
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage")
    table.add_column("records", justify="right")
    table.add_column("share", justify="right")
    table.add_column("why")
    whole = max(1, ledger.read + ledger.made)
    for stage, reasons in losses(ledger).items():
        number = sum(reasons.values())
        named = [f"{reason} {many:,}" for reason, many in list(reasons.items())[:_REASONS]]
        more = f" and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
        table.add_row(stage, f"{number:,}", f"{number / whole:.2%}", ", ".join(named) + more)
    languages = sum(1 for evidence in snapshot.languages.values() if evidence.documents)
    text = sum(evidence.bytes for evidence in snapshot.languages.values())
    heldout = sum(evidence.heldout_documents for evidence in snapshot.languages.values())
    kept = f"{languages} languages, {size(text)} of training text, {heldout:,} documents held out; "
    table.add_row(
        "kept", f"{ledger.kept_total:,}", f"{ledger.kept_total / whole:.2%}", f"{kept}balanced by {snapshot.mixture}",
        style="bold",
    )  # fmt: skip
    return table


def _repairs(counters: Mapping[str, int]) -> list[str]:
    """What was mended in documents that stayed."""
    found = {
        name.partition("/")[2]: number for name, number in counters.items() if name.startswith("repaired/") and number
    }
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{name} {number:,}" for name, number in ordered]
    lines = counters.get("boilerplate/lines")
    if lines:
        parts.append(f"{lines:,} boilerplate lines")
    return [f"repaired: {', '.join(parts)}"] if parts else []


def _lost_most(snapshot: Snapshot) -> str:
    """The languages of which the largest share was rejected."""
    shares = {
        lang: rejected / (kept + rejected)
        for lang, (kept, rejected) in snapshot.ledger.language_totals().items()
        if kept and kept + rejected >= _ENOUGH and rejected
    }
    most = sorted(shares, key=lambda lang: (-shares[lang], lang))[:_LANGUAGES]
    return ", ".join(f"{lang} {shares[lang]:.1%}" for lang in most)
