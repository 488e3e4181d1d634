"""Synthetic documents beside their parents, and rejected candidates with what decided."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus.errors import CorpusError
from corpus.hashing import record_id
from corpus.manifest import Snapshot
from corpus.storage import Storage
from evenglot.inspect.documents import find_document
from evenglot.inspect.selection import Selection
from evenglot.inspect.synthetic import Made, provenance, scores, synthetic

PARENT = record_id("made", "english")


def made(method: str, model: str, **facts: Any) -> str:
    return json.dumps({"method": method, "models": [model], **facts}, sort_keys=True)


KEPT = [
    {"key": "english", "lang": "eng_Latn", "text": "The roof of the school leaks when it rains."},
    {"key": "natural", "lang": "afr_Latn", "text": "Ons dak het elke winter gelek."},
    {
        "key": "translated", "lang": "afr_Latn", "text": "Die dak van die skool lek wanneer dit reën.",
        "origin": "back_translation", "parent": PARENT, "generator": "demo-eng-afr@1",
        "provenance": made("back_translation", "demo-eng-afr@1", scores={"round_trip_chrf": 0.91, "who": "me"}),
    },
    {
        "key": "orphan", "lang": "afr_Latn", "text": "Die mark is in die dorp.", "origin": "insertion",
        "parent": "0" * 32, "generator": "phenomena@1", "provenance": made("insertion", "phenomena@1"),
    },
]  # fmt: skip
REJECTED = [
    {"key": "short", "lang": "eng_Latn", "text": "Too short"},
    {
        "key": "bad", "lang": "afr_Latn", "text": "Die die die die.", "parent": PARENT, "stage": "gates",
        "reason": "repetition", "detail": "repetition 0.75 > max_repetition 0.3",
        "provenance": made("back_translation", "demo-eng-afr@1"),
    },
]  # fmt: skip


@pytest.fixture
def opened(build: Any) -> tuple[Storage, Snapshot]:
    found: tuple[Storage, Snapshot] = build(KEPT, REJECTED)
    return found


def keys(found: Made) -> tuple[list[str], list[str]]:
    return sorted(row["key"] for row in found.kept), sorted(row["key"] for row in found.rejected)


@pytest.mark.parametrize(
    ("asked", "selection", "kept", "rejected"),
    [
        ("all", Selection(), ["orphan", "translated"], ["bad"]),
        ("kept", Selection(), ["orphan", "translated"], []),
        ("rejected", Selection(), [], ["bad"]),
        ("insertion", Selection(), ["orphan"], []),
        ("back_translation", Selection(), ["translated"], ["bad"]),
        ("repetition", Selection(), [], ["bad"]),
        ("all", Selection(lang="eng_Latn"), [], []),
        ("all", Selection(generator="demo"), ["translated"], ["bad"]),
        ("all", Selection(origins=frozenset({"insertion"})), ["orphan"], []),
        ("kept", Selection(contains="mark"), ["orphan"], []),
    ],
)
def test_what_is_chosen(
    opened: tuple[Storage, Snapshot], asked: str, selection: Selection, kept: list[str], rejected: list[str]
) -> None:
    found = synthetic(*opened, selection, asked, 5)
    assert keys(found) == (kept, rejected)
    assert (found.kept_total, found.rejected_total) == (len(kept), len(rejected))


def test_the_parent_and_the_numbers_stand_beside_it(opened: tuple[Storage, Snapshot]) -> None:
    found = synthetic(*opened, Selection(), "all", 5)
    by_key = {row["key"]: row for row in [*found.kept, *found.rejected]}
    assert by_key["translated"]["parent_document"]["text"] == "The roof of the school leaks when it rains."
    assert scores(by_key["translated"]["made"]) == {"round_trip_chrf": 0.91}
    assert by_key["orphan"]["parent_document"] is None
    assert by_key["bad"]["parent_document"]["key"] == "english"


def test_a_reason_that_removed_nothing_is_an_error(opened: tuple[Storage, Snapshot]) -> None:
    with pytest.raises(CorpusError, match="no record was rejected for 'repetitoin'"):
        synthetic(*opened, Selection(), "repetitoin", 5)


def test_one_document_by_its_id_has_its_parent(opened: tuple[Storage, Snapshot]) -> None:
    row = find_document(*opened, record_id("made", "translated"))
    assert row["parent_document"]["id"] == PARENT
    assert row["made"]["method"] == "back_translation"
    assert "parent_document" not in find_document(*opened, PARENT)


def test_damaged_provenance_is_named() -> None:
    assert provenance({"id": "7", "provenance": None}) == {}
    with pytest.raises(CorpusError, match="the provenance of document 7 is damaged"):
        provenance({"id": "7", "provenance": "[1]"})
