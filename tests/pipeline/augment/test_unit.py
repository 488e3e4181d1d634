"""Units: named by what they are, and never of text that must not be a parent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import CorpusError
from corpus.hashing import record_id
from corpus.storage import Storage
from pipeline.augment.unit import Document, Place, Unit, read_parents, units_of
from pipeline.translation.decoding import Decoding
from pipeline.translation.routes import Step

ROUTE = (Step("m@1", "eng_Latn", "swh_Latn"),)
UNIT = Unit("back_translation", "eng_Latn", "swh_Latn", "beam", ROUTE, (), Decoding(), "", (), 0)
TRAIN = "text/eng_Latn/000001-train-00000.arrow"


def places(*sizes: int) -> list[tuple[Place, int]]:
    return [(Place("a.arrow", row), size) for row, size in enumerate(sizes)]


def rows(units: list[Unit]) -> list[list[int]]:
    return [[place.row for place in unit.parents] for unit in units]


def test_parents_are_put_together_up_to_the_bytes_of_a_unit() -> None:
    assert rows(units_of(UNIT, places(40, 40, 40, 150, 10, 10), 100)) == [[0, 1], [2], [3], [4, 5]]
    assert rows(units_of(UNIT, places(300), 100)) == [[0]]
    assert units_of(UNIT, [], 100) == []


def test_a_name_says_everything_that_decides_the_outcome() -> None:
    (unit,) = units_of(UNIT, places(1), 100)
    others = [
        replace(unit, lang="yor_Latn"),
        replace(unit, variant="sampling"),
        replace(unit, route=(Step("m@2", "eng_Latn", "swh_Latn"),)),
        replace(unit, back=ROUTE),
        replace(unit, route=(), back=ROUTE),
        replace(unit, decoding=Decoding(beam_size=2)),
        replace(unit, tag="<BT> "),
        replace(unit, parents=(Place("b.arrow", 0),)),
        replace(unit, seed=1),
        replace(unit, settled="x"),
    ]
    assert len({unit.name, *(other.named().name for other in others)}) == len(others) + 1
    assert unit.named() == unit


def test_parents_come_in_the_order_asked_for(write_corpus: Callable[..., str], tmp_path: Path) -> None:
    corpus = Storage(write_corpus(tmp_path / "c", {"eng_Latn": ["one", "two", "three"]}))
    ids = [record_id("test", f"eng_Latn/train/{row}") for row in range(3)]
    assert read_parents(corpus, [Place(TRAIN, 2), Place(TRAIN, 0)]) == [
        Document(ids[2], "three", "test", Place(TRAIN, 2)),
        Document(ids[0], "one", "test", Place(TRAIN, 0)),
    ]


def test_held_out_text_is_never_a_parent(write_corpus: Callable[..., str], tmp_path: Path) -> None:
    corpus = Storage(write_corpus(tmp_path / "c", {"eng_Latn": ["one"]}, {"eng_Latn": ["two"]}))
    with pytest.raises(CorpusError, match="natural text of the split heldout; only natural training text"):
        read_parents(corpus, [Place("text/eng_Latn/000001-heldout-00000.arrow", 0)])
