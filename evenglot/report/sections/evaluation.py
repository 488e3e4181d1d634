"""Decontamination: which evaluation sets were looked for, and where they were found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenglot.report.blocks import Block, Cell, Column, Group, Section, Table
from evenglot.report.numbers import count, plural
from evenglot.report.sections.context import Context

_ITEMS = 20


def evaluation(context: Context) -> Section | None:
    """Files with what could be looked for in them, and the items found in most documents."""
    account: Mapping[str, Any] = next(
        (
            run.record["decontamination"]
            for run in reversed(context.facts.corpus.runs)
            if run.record.get("decontamination")
        ),
        {},
    )
    files = account.get("files") or []
    if not files:
        return None
    documents = sum(int(file.get("documents", 0)) for file in files)
    items = sum(int(file.get("items", 0)) for file in files)
    finding = (
        f"{plural(documents, 'document holds', 'documents hold')} text of an evaluation set; "
        f"{plural(items, 'item')} of {plural(len(files), 'file')} could be looked for."
    )
    fields = ("records", "items", "too_short", "items_found", "documents")
    lines: list[list[Cell]] = [
        [str(file.get("label", "")), *(count(file.get(field, 0)) for field in fields)] for file in files
    ]
    blocks: list[Block] = [
        Table(
            [
                Column("File", "name"),
                Column("Records", minor=True),
                Column("Looked for", hint="Items long enough to be told from chance"),
                Column("Too short", minor=True),
                Column("Found", hint="Items of which a document holds something"),
                Column("Documents", hint="That hold something of it"),
            ],
            [Group("", lines)],
        )
    ]
    found = (account.get("items") or [])[:_ITEMS]
    if found:
        listed: list[list[Cell]] = [
            [str(item.get("item") or ""), str(item.get("file") or ""), str(item.get("lang") or ""),
             count(item.get("documents", 0))]
            for item in found
        ]  # fmt: skip
        columns = [Column("Item", "name"), Column("File", "text"), Column("Language", "text"), Column("Documents")]
        blocks.append(Table(columns, [Group("", listed)], caption="The items in most documents."))
    return Section("evaluation", "Evaluation text kept out", "Evaluation sets", finding, blocks)
