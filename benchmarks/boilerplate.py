"""Boilerplate lines: which of those planted are gone, and whether anything else is.

What was planted is known by line number. Markup and control characters planted in the same document shift lines, and
copies of a document carry its boilerplate without saying so; there, a line counts as planted that is word for word a
planted line of the document's site or of that of the document it was copied from. Lines are compared as the repairs
leave them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from benchmarks.truth import Line, share
from pipeline.normalise.config import NormaliseConfig
from pipeline.normalise.stage import normalise

KIND = "boilerplate"
SHIFTING = frozenset({"html_markup", "control_chars", "mojibake", "pii"})
"""What else, planted in the same document, makes line numbers unsafe."""


def boilerplate(lines: list[Line], texts: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """Recall over the planted lines, precision over the removed ones, in documents that were read.

    ``removed_elsewhere`` are removed lines that are a planted line of another site than the document's own; they
    count as false, like ``removed_other``, which are planted nowhere.

    Args:
        lines: every line of the corpus with what became of it.
        texts: the text that each line had, by shard and number.
    """
    read = [line for line in lines if line.text is not None and line.id and "missing_id" not in line.kinds]
    source = {id(line): texts[line.shard, line.number] for line in read}
    of_site = planted_lines(read, source)
    everywhere = set().union(*of_site.values())
    by_id = {line.id: line for line in lines if line.id is not None}
    planted = removed = found = elsewhere = other = documents = emptied = 0
    for line in read:
        now = Counter(filled(line.text or ""))
        before = filled(repaired(source[id(line)]))
        gone = Counter(before) - now
        true = planted_here(line, source[id(line)], before, of_site, by_id)
        planted += true.total()
        removed += gone.total()
        found += (gone & true).total()
        extra = gone - true
        elsewhere += sum(count for text, count in extra.items() if text in everywhere)
        other += sum(count for text, count in extra.items() if text not in everywhere)
        documents += KIND in line.kinds
        emptied += KIND in line.kinds and not now
    return {
        "documents": documents,
        "planted_lines": planted,
        "removed_lines": removed,
        "recall": share(found, planted),
        "precision": share(found, removed),
        "removed_elsewhere": elsewhere,
        "removed_other": other,
        "emptied": emptied,
    }


def repaired(text: str) -> str:
    """A text, or one line, as the repairs leave it."""
    return normalise(text.encode("utf-8", "replace").decode(), NormaliseConfig())[0]


def filled(text: str) -> list[str]:
    """The lines that hold more than blanks."""
    return [line for line in (line.strip(" \t") for line in text.split("\n")) if line]


def planted_lines(lines: list[Line], source: Mapping[int, str]) -> dict[str, set[str]]:
    """The different planted lines of every site, from the documents whose line numbers are safe."""
    found: dict[str, set[str]] = {}
    for line in lines:
        for plant in line.planted:
            if plant["kind"] == KIND:
                chosen = found.setdefault(plant["site"], set())
                if by_number(line, plant):
                    chosen.update(numbered(source[id(line)], plant["lines"]))
    return found


def by_number(line: Line, plant: Mapping[str, Any]) -> bool:
    """Whether the line numbers of what was planted are safe."""
    return plant["lines"] is not None and not line.kinds & SHIFTING


def numbered(text: str, numbers: list[int]) -> list[str]:
    """Some lines of a text, repaired one by one: the repair of a whole text may join lines."""
    lines = text.split("\n")
    return [repaired(lines[number]) for number in numbers]


def planted_here(
    line: Line, source: str, before: list[str], of_site: Mapping[str, set[str]], by_id: Mapping[str, Line]
) -> Counter[str]:
    """The boilerplate lines of a document, by text, from the text as it was and its lines as the repairs leave them."""
    plants = [plant for plant in line.planted if plant["kind"] == KIND]
    true: Counter[str] = Counter()
    for plant in plants:
        if by_number(line, plant):
            true.update(numbered(source, plant["lines"]))
    sites = {plant["site"] for plant in plants if not by_number(line, plant)}
    origin = line
    for _ in range(10):  # a copy of a copy of a copy
        of = next((plant["of"] for plant in origin.planted if plant.get("of") in by_id), None)
        if of is None or by_id[of] is origin:
            break
        origin = by_id[of]
        sites |= {plant["site"] for plant in origin.planted if plant["kind"] == KIND}
    known = set().union(*(of_site.get(site, set()) for site in sites))
    return true | Counter(text for text in before if text in known)
