"""The index: what of evaluation items it holds, and what of documents it finds."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from corpus.storage import Storage
from pipeline.decontaminate.config import DecontaminateConfig
from pipeline.decontaminate.index import Index, Lookup, build_index, has_index
from pipeline.script.codepoints import LONGEST
from pipeline.sources import InputConfig

CONFIG = DecontaminateConfig(files=(InputConfig(path="test.jsonl"),), words=4, min_words=3)


def items(*texts: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "file": pa.array([0] * len(texts), pa.int32()),
            "id": [f"i{number}" for number in range(len(texts))],
            "text": pa.array(texts, pa.string()),
            "lang": ["eng_Latn"] * len(texts),
        }
    )


def hits(lookup: Lookup, *documents: str) -> list[tuple[int, str, int, str]]:
    found = lookup.find(pa.array(documents, pa.string()))
    return sorted((hit.row, lookup.item_id(hit.item), hit.start, hit.passage) for hit in found)


def test_items_have_ngrams_or_count_as_a_whole_or_are_too_short() -> None:
    index = build_index(items("a b c d e f", "one two three", "too short", "", "一二三四五六七八九"), CONFIG)
    assert index.items.column("ngrams").to_pylist() == [3, 1, 0, 0, 2]
    assert index.items.column("units").to_pylist() == [6, 3, 2, 0, 9]
    assert index.items.column("words").to_pylist()[0] == "a b c d e f"
    assert len(index.prefixes) == 6


def test_finds_ngrams_and_whole_short_items_and_nothing_else() -> None:
    lookup = Lookup(build_index(items("a b c d e f", "one two three", "too short"), CONFIG), CONFIG)
    assert hits(lookup, "x A, b! c D y", "zero ONE-two three four", "a b c x d e f one two", "too short", "") == [
        (0, "i0", 0, "A, b! c D"),
        (1, "i1", 0, "ONE-two three"),
    ]
    assert hits(lookup, "a b c d e f") == [
        (0, "i0", n, text) for n, text in enumerate(["a b c d", "b c d e", "c d e f"])
    ]


def test_marks_and_letters_tell_texts_apart() -> None:
    lookup = Lookup(build_index(items("ọ̀rọ̀ kan tí ó", "कमल फूल है न"), CONFIG), CONFIG)
    assert hits(lookup, "ọrọ kan tí ó", "कमला फूल है न") == []
    assert [row for row, *_ in hits(lookup, "Ọ̀RỌ̀ kan tí ó", "कमल फूल है न")] == [0, 1]


def test_an_ngram_of_several_items_names_them_all() -> None:
    lookup = Lookup(build_index(items("a b c d x", "y a b c d", "z"), CONFIG), CONFIG)
    assert hits(lookup, "a b c d") == [(0, "i0", 0, "a b c d"), (0, "i1", 1, "a b c d")]


def test_equal_hashes_of_other_text_are_no_hit() -> None:
    index = build_index(items("a b c d", "e f g h"), CONFIG)
    # The first item's n-gram claims to be the second's: what a collision would look like.
    swapped = index.ngrams.set_column(1, index.ngrams.schema.field(1), [pa.array([0, 0], pa.uint32())])
    lookup = Lookup(Index(index.items, swapped, index.prefixes), CONFIG)
    assert hits(lookup, "a b c d", "e f g h") == [(0, "i0", 0, "a b c d")]


def test_documents_longer_than_any_part_are_searched_to_their_end() -> None:
    lookup = Lookup(build_index(items("needle in the haystack"), CONFIG), CONFIG)
    hay = "hay " * (LONGEST // 4 + 50_000)
    assert hits(lookup, "hay", f"{hay} a needle in the haystack {hay[:1000]}") == [
        (1, "i0", 0, "needle in the haystack")
    ]


def test_index_survives_its_files_and_an_empty_one_finds_nothing(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert not has_index(storage)
    build_index(items("a b c d e"), CONFIG).write(storage)
    assert has_index(storage)
    assert hits(Lookup(Index.read(storage), CONFIG), "a b c d") == [(0, "i0", 0, "a b c d")]
    build_index(items(), CONFIG).write(storage)
    assert hits(Lookup(Index.read(storage), CONFIG), "a b c d") == []
