"""The unit of work: a few parents, by place, that one route takes into one language; text never travels with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from corpus.errors import CorpusError
from corpus.hashing import fingerprint
from corpus.schema import NATURAL, TRAIN
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.translation.decoding import Decoding
from pipeline.translation.routes import Route

CALIBRATION: Final = "calibration"
"""Purpose of units whose sentences are measured, and become no candidates."""
TRANSLATED: Final = "translated"
"""Purpose of units that show which topics a language has."""


@dataclass(frozen=True)
class Place:
    """Where a parent lies."""

    path: str
    """Text shard, relative to the corpus root."""
    row: int


@dataclass(frozen=True)
class Unit:
    """Parents and what is to be made of them; small, as it goes to a worker."""

    purpose: str
    """An origin of ``corpus.schema.ORIGINS``, ``CALIBRATION`` or ``TRANSLATED``."""
    source: str
    """Language of the parents."""
    lang: str
    """Language of what is made."""
    variant: str
    route: Route
    """From the parents' language to the target."""
    back: Route
    """From there to the parents' language, to see what was lost; empty where that is not looked at."""
    decoding: Decoding
    tag: str
    """Put before each text."""
    parents: tuple[Place, ...]
    seed: int
    settled: str = ""
    """Hash of what else decides the outcome: thresholds."""
    name: str = ""
    """Hash of all of the above; the name of its file."""

    def named(self) -> Unit:
        """The unit under its name."""
        bare = replace(self, name="")
        plain = [
            [bare.purpose, bare.source, bare.lang, bare.variant, bare.tag, bare.seed, bare.settled],
            [[step.model, step.source, step.target] for step in (*bare.route, *bare.back)],
            len(bare.route),
            bare.decoding.model_dump(mode="json"),
            [[place.path, place.row] for place in bare.parents],
        ]
        return replace(bare, name=fingerprint(plain))


@dataclass(frozen=True)
class Document:
    """A parent."""

    id: str
    text: str
    source: str
    """Name of the input that it came from."""
    place: Place


def read_parents(corpus: Storage, parents: Sequence[Place]) -> list[Document]:
    """The documents at some places, in their order.

    Raises:
        CorpusError: one of them is held out, or is not natural: that must never be a parent.
    """
    names = ["id", "text", "source", "split", "origin"]
    found: dict[Place, Document] = {}
    for path in sorted({place.path for place in parents}):
        rows = sorted({place.row for place in parents if place.path == path})
        with corpus.local_copy(path) as local:
            chosen = read_table(local).select(names).take(rows).to_pylist()
        for row, record in zip(rows, chosen, strict=True):
            if (record["split"], record["origin"]) != (TRAIN, NATURAL):
                raise CorpusError(
                    f"document {record['id']} is {record['origin']} text of the split {record['split']}; "
                    "only natural training text may be a parent",
                    "This is a defect of evenglot; nothing was made of it",
                )
            place = Place(path, row)
            found[place] = Document(record["id"], record["text"], record["source"], place)
    return [found[place] for place in parents]


def units_of(unit: Unit, parents: Sequence[tuple[Place, int]], unit_bytes: int) -> list[Unit]:
    """A unit for every few of some parents, in their order.

    Args:
        unit: as they all are, without parents.
        parents: places with bytes.
        unit_bytes: of text in a unit, about.
    """
    groups: list[list[Place]] = []
    size = unit_bytes
    for place, length in parents:
        if size + length > unit_bytes and (not groups or groups[-1]):
            groups.append([])
            size = 0
        groups[-1].append(place)
        size += length
    return [replace(unit, parents=tuple(group)).named() for group in groups]
