"""Units and n-grams: literal texts in many scripts, and what must not depend on where a text stands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decontaminate.ngrams import OVERLAP, Units, parts
from pipeline.script.codepoints import CHUNK


def units_of(*texts: str) -> Units:
    (chunk,) = parts(pa.array(texts, pa.string()))
    return Units(chunk)


def words(text: str) -> list[str]:
    units = units_of(text)
    return units.words(0, len(units))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat – sat; on THE mat!", ["the", "cat", "sat", "on", "the", "mat"]),
        ("Straße ΟΔΟΣ ÇOK １２３", ["straße", "οδοσ", "çok", "123"]),
        ("Ọ̀rọ̀ àti ọ̀rọ̀", ["ọ̀rọ̀", "àti", "ọ̀rọ̀"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("我用iPhone 15手机", ["我", "用", "iphone", "15", "手", "机"]),
        ("がぎ", ["が", "ぎ"]),
        ("ที่นี่ a", ["ที่", "นี่", "a"]),
        ("ที่นี่aฉัน", ["ที่", "นี่", "a", "ฉั", "น"]),
        ("", []),
        (" \n--- ", []),
    ],
)
def test_units_are_words_and_single_letters_of_scripts_without_spaces(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_run_ends_where_its_weight_is_reached_whatever_its_scripts() -> None:
    units = units_of("one two three four five", "一二三四五六", "one 二三 four กขคง five", "one")
    # Weights: words 4, ideographs 2, Thai letters 1; three words weigh 12.
    assert units.bounds.tolist() == [0, 5, 11, 20, 21]
    ends = units.ends(12)
    assert ends[:5].tolist() == [3, 4, 5, 0, 0]
    assert ends[5:11].tolist() == [11, 0, 0, 0, 0, 0]


def test_runs_across_scripts() -> None:
    units = units_of("one 二三 four กขคง five")
    assert units.words(0, 9) == ["one", "二", "三", "four", "ก", "ข", "ค", "ง", "five"]
    assert units.ends(12).tolist() == [4, 8, 9, 9, 0, 0, 0, 0, 0]
    assert units.ends(4).tolist() == [1, 3, 4, 4, 8, 9, 9, 9, 9]
    assert units.ends(12, np.array([3, 1])).tolist() == [9, 8]


@given(
    st.lists(st.text(alphabet="ab 一กิ-éΣ ", max_size=40), min_size=1, max_size=6),
    st.integers(1, 20),
)
@settings(max_examples=200, deadline=None)
def test_ends_and_hashes_equal_those_of_the_document_alone(texts: list[str], weight: int) -> None:
    together = units_of(*texts)
    ends = together.ends(weight)
    for document, text in enumerate(texts):
        alone = units_of(text)
        first, last = together.bounds[document : document + 2].tolist()
        assert together.words(first, last) == alone.words(0, len(alone))
        inside = ends[first:last]
        assert np.where(inside > 0, inside - first, 0).tolist() == alone.ends(weight).tolist()
        starts = np.flatnonzero(inside)
        here = together.hashes(first + starts, inside[starts])
        assert here.tolist() == alone.hashes(starts, inside[starts] - first).tolist()
        for start, end in enumerate(alone.ends(weight).tolist()):
            total = [int(alone.weights[stop] - alone.weights[start]) for stop in range(start, len(alone) + 1)]
            expected = next((start + n for n, value in enumerate(total) if value >= weight), 0)
            assert end == expected


def test_a_passage_is_shown_as_it_stands() -> None:
    units = units_of("no", "The Cat, sat -- on the mat.")
    assert units.passage(2, 5) == "Cat, sat -- on"


def test_parts_of_a_long_document_overlap_and_lose_nothing() -> None:
    text = "".join(f"word{number} " for number in range(3 * CHUNK // 8))
    found = list(parts(pa.array(["short one", text, "last"], pa.string())))
    assert [chunk.first for chunk in found] == [0, 1, 1, 1, 1, 2]
    pieces = ["".join(map(chr, chunk.values)) for chunk in found[1:5]]
    assert all(piece[-OVERLAP:] == following[:OVERLAP] for piece, following in pairwise(pieces))
    assert pieces[0] + "".join(piece[OVERLAP:] for piece in pieces[1:]) == text
