"""The accounts of pieces and shards added up: ledger, evidence of languages, times of stages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from corpus.ledger import Ledger, sort
from corpus.manifest import LanguageEvidence, ShardFile
from corpus.schema import HELDOUT, TRAIN
from corpus.storage import Storage
from pipeline.language_id.stage import MADE
from pipeline.work import PieceAccount


def counters(pieces: Sequence[PieceAccount]) -> Counter[str]:
    """Events counted by the stages, over all pieces."""
    total: Counter[str] = Counter()
    for piece in pieces:
        total.update(piece.counters)
    return total


def ledger_of(
    read: int,
    pieces: Sequence[PieceAccount],
    accounts: Sequence[Mapping[str, Any]],
    files: Sequence[ShardFile],
    corpus: Storage,
) -> Ledger:
    """What became of every record, counted where it lies now.

    Args:
        read: records met.
        pieces: that they came in.
        accounts: of all that was written.
        files: the same by file.
        corpus: where they are.
    """
    rejected: dict[str, Counter[str]] = {}
    for account in accounts:
        for reason, by_language in account.get("rejected", {}).items():
            rejected.setdefault(reason, Counter()).update(by_language)
    kept: Counter[str] = Counter()
    for file in files:
        if file.kind == "text" and file.lang:
            kept[file.lang] += file.rows
    return Ledger(
        read=read,
        made=counters(pieces).get(MADE, 0),
        kept=sort(kept),
        rejected={reason: sort(rejected[reason]) for reason in sorted(rejected)},
        unreadable=unreadable_reasons(files, corpus),
    )


def unreadable_reasons(files: Sequence[ShardFile], corpus: Storage) -> dict[str, int]:
    """Unreadable records by reason, counted in the files written."""
    counts: Counter[str] = Counter()
    for file in files:
        if file.kind == "unreadable":
            for line in corpus.read_bytes(file.path).splitlines():
                counts[json.loads(line)["reason"]] += 1
    return sort(counts)


def evidence(accounts: Sequence[Mapping[str, Any]], ledger: Ledger) -> dict[str, LanguageEvidence]:
    """Evidence of every language that has text."""
    totals: dict[str, Counter[str]] = {}
    for account in accounts:
        if account["kind"] != "text":
            continue
        counts = totals.setdefault(account["lang"], Counter())
        counts.update(account.get(TRAIN, {}))
        heldout = account.get(HELDOUT, {})
        counts.update({"heldout_documents": heldout.get("documents", 0), "heldout_bytes": heldout.get("bytes", 0)})
    rejected = ledger.language_totals()
    found = {}
    for lang in sorted(totals):
        if totals[lang]["documents"] or totals[lang]["heldout_documents"]:
            found[lang] = LanguageEvidence.model_validate({**totals[lang], "rejected": rejected[lang][1]})
    return found


def stage_account(names: Sequence[str], pieces: Sequence[PieceAccount]) -> list[dict[str, Any]]:
    """Seconds, records in and out, and rate of every stage.

    Args:
        names: of the stages, in order.
        pieces: that passed them.
    """
    seconds: Counter[str] = Counter()
    rows_in: Counter[str] = Counter()
    rows_out: Counter[str] = Counter()
    for piece in pieces:
        seconds.update(piece.seconds)
        for stage, (before, after) in piece.stage_rows.items():
            rows_in[stage] += before
            rows_out[stage] += after
    return [
        {
            "name": stage,
            "seconds": round(seconds[stage], 3),
            "records_in": rows_in[stage],
            "records_out": rows_out[stage],
            "documents_per_second": round(rows_in[stage] / seconds[stage], 1) if seconds[stage] else None,
        }
        for stage in names
    ]
