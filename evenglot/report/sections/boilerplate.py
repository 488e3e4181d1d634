"""Boilerplate: the lines that the pages of a site share, by site."""

from __future__ import annotations

from evenglot.report.blocks import Block, Cell, Column, Group, Note, Section, Table
from evenglot.report.numbers import count, percent, plural, size
from evenglot.report.sections.context import Context

_LINE = 70
"""Characters shown of a line."""


def boilerplate(context: Context) -> Section | None:
    """The sites from which most lines were removed, with their most frequent ones."""
    corpus = context.facts.corpus
    found = corpus.boilerplate
    counters = corpus.counters
    title = "Boilerplate removed"
    if not found.removed:
        looked = any(stage.name == "boilerplate" for run in corpus.runs for stage in run.stages)
        if not looked:
            return None
        return Section("boilerplate", title, "Boilerplate", "No line was shared by enough pages of a site.", [])
    text = counters.get("boilerplate/bytes", 0)
    kept = sum(one.bytes + one.heldout_bytes for one in corpus.snapshot.languages.values())
    finding = f"{count(found.removed)} lines that pages of a site share were removed"
    if counters.get("boilerplate/documents"):
        finding += f" from {plural(counters['boilerplate/documents'], 'document')}"
    finding += f" of {plural(found.sites, 'site')}"
    finding += f": {size(text)}, {percent(text / max(1, text + kept))} of the text." if text else "."
    lines: list[list[Cell]] = [
        [
            site.site or "no address",
            count(site.removed),
            count(site.different),
            " · ".join(f"{line[:_LINE]} ({count(number)})" for line, number in site.lines),
        ]
        for site in found.shown
    ]
    blocks: list[Block] = [
        Table(
            [
                Column("Site", "name"),
                Column("Lines removed"),
                Column("Different", minor=True),
                Column("Most frequent", "text"),
            ],
            [Group("", lines)],
            caption="The sites that most lines were removed from. A site whose text stands here lost what it should "
            f"have kept: {context.command('--boilerplate --source SITE')} shows its lines.",
        )
    ]
    if found.sites > len(found.shown):
        blocks.append(Note(f"And {plural(found.sites - len(found.shown), 'more site')}."))
    return Section("boilerplate", title, "Boilerplate", finding, blocks)
