from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deduplicate.shingles import Lengths, Shingles, shingle_chunks, shingles

FIVE = Lengths(5, 5)


def sets(*texts: str, lengths: Lengths = FIVE) -> list[set[int]]:
    found = shingles(pa.array(texts, pa.string()), lengths)
    return [set(found.hashes[a:b].tolist()) for a, b in pairwise(found.bounds)]


def sizes(*texts: str, lengths: Lengths = FIVE) -> list[int]:
    return shingles(pa.array(texts), lengths).sizes.tolist()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("The quick brown fox jumps over it", "the QUICK  brown\nfox, jumps; over (it)!"),
        ("on page 12 of 340 it is said", "on page 7 of 1999 it is said"),
        ("we don't know what he’d say now", "we don’t know what he'd say now"),
        ("co\u00adoperate with us as we said before", "cooperate with us as we said before"),
        ("Ο Σωκράτης είπε ότι δεν ξέρει τίποτα", "ο σωκράτης ΕΊΠΕ ότι δεν ξέρει τίποτα"),
    ],
)
def test_surface_makes_no_difference(one: str, two: str) -> None:
    first, second = sets(one, two)
    assert first == second
    assert len(first) > 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("owó ọ̀wọ̀ ọwọ́ ọ̀wọ́ ọwọ̀", "owo owo owo owo owo"),  # tones of Yoruba
        ("की का के को कू", "क क क क क"),  # vowels of Devanagari
        ("a b c d e", "e d c b a"),  # the order of words
        ("ab c d e f", "a bc d e f"),  # where words end
    ],
)
def test_marks_order_and_word_ends_do(one: str, two: str) -> None:
    first, second = sets(one, two)
    assert not first & second


def test_number_of_shingles() -> None:
    assert sizes("a b c d e", "a b c d e f", "a b", "", " ... !", "1 2") == [1, 2, 1, 0, 0, 1]
    assert sizes("a b c d e", "a b", lengths=Lengths(1, 1)) == [5, 2]
    # Eleven ideographs are tokens of their own; Thai letters take their marks along.
    assert sizes("我们今天去北京看长城吧", "ภาษาไทย", lengths=Lengths(3, 5)) == [7, 3]
    assert sizes("ที่นี่ดี", lengths=Lengths(5, 1)) == [3]
    # A few ideographs in a spaced text do not make it an unspaced one.
    assert sizes("the word 北京 is Beijing in Chinese", lengths=Lengths(5, 2)) == [4]


def test_common_runs_are_found_wherever_they_stand() -> None:
    first, second = sets("x y the cat sat on the mat today", "so the cat sat on the mat it was")
    assert len(first & second) == 2  # the cat sat on the; cat sat on the mat
    one, two = sets("天気がいいから散歩しましょう。", "今日は天気がいいから散歩")
    assert len(one & two) == len("天気がいいから散歩") - 4


def test_null_counts_as_empty_and_no_document_at_all() -> None:
    assert shingles(pa.array([None, "a"]), FIVE).sizes.tolist() == [0, 1]
    assert shingles(pa.array([], pa.string()), FIVE).bounds.tolist() == [0]


@given(st.lists(st.text(max_size=60), max_size=12))
def test_shingles_of_a_text_do_not_depend_on_its_neighbours(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    assert sets(*texts) == [sets(text)[0] for text in texts]


def test_long_text_has_the_shingles_of_its_words() -> None:
    words = [f"w{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(12_000)]
    long, tail = sets(" ".join(words * 6), " ".join(words))
    # A text longer than a chunk wraps the table of powers: one word each time it does is hashed otherwise.
    assert len(tail - long) == 0
    assert len(long) == len(words) + 4 or len(long) <= len(words) + 4 + 20


def test_chunks_are_the_whole() -> None:
    column = pa.array([f"document {chr(97 + n % 26) * 400} " * 30 for n in range(60)])
    whole = shingles(column, FIVE)
    parts = list(shingle_chunks(column, FIVE))
    assert len(parts) > 1
    assert [first for first, _ in parts] == np.cumsum([0, *(part.documents for _, part in parts[:-1])]).tolist()
    assert np.concatenate([part.hashes for _, part in parts]).tobytes() == whole.hashes.tobytes()
    assert isinstance(parts[0][1], Shingles)
