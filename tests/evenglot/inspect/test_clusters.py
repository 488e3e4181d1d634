from __future__ import annotations

import json
import math
from typing import Any

import pytest

from corpus.hashing import record_id
from evenglot.inspect.clusters import ClusterCount, as_json, clusters, counts, similarity
from evenglot.inspect.difference import Change
from evenglot.inspect.selection import Selection

TEXT = "one two three four five six seven"


def copy(key: str, of: str, text: str, lang: str = "eng_Latn") -> dict[str, Any]:
    return {"key": key, "text": text, "lang": lang, "stage": "deduplicate", "reason": "near_duplicate",
            "duplicate_of": record_id("made", of)}  # fmt: skip


@pytest.fixture
def opened(build: Any) -> Any:
    kept = [{"key": "a", "text": TEXT, "lang": "eng_Latn"}, {"key": "b", "text": "夜里河水上涨", "lang": "zho_Hans"}]
    rejected = [
        copy("a1", "a", TEXT), copy("a2", "a", f"{TEXT} eight"), copy("b1", "b", "夜里江水上涨", "zho_Hans"),
        copy("c1", "gone", "x y"), {"key": "short", "lang": "eng_Latn"},
    ]  # fmt: skip
    return build(kept, rejected)


def test_sizes_and_languages(opened: Any) -> None:
    sizes, languages = counts(*opened, Selection())
    assert sizes == {record_id("made", "a"): 2, record_id("made", "b"): 1, record_id("made", "gone"): 1}
    assert languages == [ClusterCount("eng_Latn", 2, 3, 2), ClusterCount("zho_Hans", 1, 1, 1)]
    assert counts(*opened, Selection(lang="zho_Hans"))[0] == {record_id("made", "b"): 1}


def test_the_largest_cluster_with_its_copies_compared(opened: Any) -> None:
    sizes, _ = counts(*opened, Selection())
    (cluster,) = clusters(*opened, sizes, Selection(), count=1, copies=5)
    assert (cluster.copies, cluster.kept["key"]) == (2, "a")
    shown = {one.row["key"]: one for one in cluster.shown}
    assert (shown["a1"].jaccard, shown["a1"].containment, shown["a1"].changes) == (1, 1, [])
    assert (shown["a2"].jaccard, shown["a2"].containment) == (0.75, 1)
    assert shown["a2"].changes[-1] == Change("added", "eight")
    assert len(clusters(*opened, sizes, Selection(), count=1, copies=1)[0].shown) == 1


def test_characters_are_compared_where_no_spaces_part_words(opened: Any) -> None:
    sizes, _ = counts(*opened, Selection(lang="zho_Hans"))
    (cluster,) = clusters(*opened, sizes, Selection(lang="zho_Hans"), count=5, copies=5)
    assert [change.text for change in cluster.shown[0].changes] == ["夜里", "河", "江", "水上涨"]


def test_a_kept_document_that_is_elsewhere_is_no_error(opened: Any) -> None:
    sizes, _ = counts(*opened, Selection())
    (gone,) = [one for one in clusters(*opened, sizes, Selection(), count=5, copies=5) if one.kept is None]
    assert gone.id == record_id("made", "gone")
    assert math.isnan(gone.shown[0].jaccard)
    written = json.loads(json.dumps(as_json(gone), allow_nan=False))
    assert written["shown"][0]["jaccard"] is None


def test_similarity_is_exact() -> None:
    assert similarity("a b c d e f", "a b c d e f") == (1, 1)
    assert similarity("a b c d e f", "A B C D E") == (0.5, 1)
    assert similarity("a b c d e", "v w x y z") == (0, 0)
    assert similarity("a", "a") == (1, 1)
    assert similarity("abcdef", "abcde", spaced=False) == (0.5, 1)


def test_copies_that_are_not_the_same_text_come_first(build: Any) -> None:
    exact = [{**copy(f"e{number}", "a", TEXT), "reason": "exact_duplicate"} for number in range(300)]
    opened = build([{"key": "a", "text": TEXT, "lang": "eng_Latn"}], [*exact, copy("near", "a", f"{TEXT} more")])
    sizes, _ = counts(*opened, Selection())
    (cluster,) = clusters(*opened, sizes, Selection(), count=1, copies=3)
    assert (cluster.copies, cluster.shown[0].row["key"], len(cluster.shown)) == (301, "near", 3)
