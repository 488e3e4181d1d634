from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from corpus.boilerplate import REMOVED_SCHEMA
from corpus.manifest import ShardFile
from corpus.shards import ShardWriter
from evenglot.inspect.boilerplate import Boilerplate, Site, boilerplate

ROWS = [
    {"site": "news.example", "line": "Home | About", "count": 7},
    {"site": "news.example", "line": "Read more", "count": 9},
    {"site": "sub.news.example", "line": "Home | About", "count": 20},
    {"site": "xnews.example", "line": "read MORE here", "count": 16},
]


@pytest.fixture
def opened(build: Any) -> Any:
    storage, snapshot = build([{"key": "k", "text": "kept", "lang": "eng_Latn"}])
    with storage.create("boilerplate/000001.arrow") as path, ShardWriter(path, REMOVED_SCHEMA) as writer:
        writer.write(pa.RecordBatch.from_pylist(ROWS, schema=REMOVED_SCHEMA))
    file = ShardFile(path="boilerplate/000001.arrow", kind="boilerplate", rows=len(ROWS))
    return storage, snapshot.model_copy(update={"files": [*snapshot.files, file]})


def test_sites_with_most_removals_first(opened: Any) -> None:
    assert boilerplate(*opened, sites=2, lines=1) == Boilerplate(
        3,
        52,
        4,
        [
            Site("sub.news.example", 20, 1, [("Home | About", 20)]),
            Site("news.example", 16, 2, [("Read more", 9)]),
        ],
    )


def test_one_site_or_lines_with_a_text(opened: Any) -> None:
    found = boilerplate(*opened, site="News.example", sites=9, lines=9)
    assert [(one.site, len(one.lines)) for one in found.shown] == [("sub.news.example", 1), ("news.example", 2)]
    more = boilerplate(*opened, contains="read more", sites=9, lines=9)
    assert (more.sites, more.removed) == (2, 25)


def test_a_snapshot_without_any(build: Any) -> None:
    assert boilerplate(*build([{"key": "k", "text": "x", "lang": "eng_Latn"}]), sites=5, lines=5) == Boilerplate(
        0, 0, 0, []
    )
