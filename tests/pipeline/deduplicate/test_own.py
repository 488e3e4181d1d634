from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deduplicate.own import own_share
from pipeline.deduplicate.shingles import Lengths, shingles
from pipeline.deduplicate.similarity import shingle_sets

WORDS = [f"word{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(200)]
BASE = WORDS[:40]


def own(one: list[str], other: list[str]) -> float:
    found = shingles(pa.array([" ".join(one), " ".join(other)]), Lengths())
    (share,) = own_share(found, shingle_sets(found), np.array([0]), np.array([1]))
    return float(share)


def test_equal_texts_and_parts_have_nothing_of_their_own() -> None:
    assert own(BASE, BASE) == 0
    assert own(BASE[10:30], BASE) == 0
    assert own(BASE, BASE[10:30]) == pytest.approx(0.5)


def test_words_changed_here_and_there_are_what_a_copy_has_of_its_own() -> None:
    changed = BASE.copy()
    changed[9], changed[20], changed[31] = WORDS[100:103]
    assert own(changed, BASE) == pytest.approx(3 / 40)
    # Four words between two changed ones are in no shingle of five that both texts have.
    changed[36] = WORDS[103]
    assert own(changed, BASE) == pytest.approx(11 / 40)


def test_pages_of_one_template_have_their_blocks() -> None:
    page = [*BASE[:20], *WORDS[100:115], *BASE[20:]]
    other = [*BASE[:20], *WORDS[150:160], *BASE[20:]]
    assert own(page, other) == pytest.approx(15 / 55)
    assert own(other, page) == pytest.approx(10 / 50)


def test_texts_shorter_than_a_shingle_and_empty_ones() -> None:
    assert own(["one", "two"], ["one", "two"]) == 0
    assert own(["one", "two"], ["one", "three"]) == 1
    assert own([], ["one"]) == 0
    found = shingles(pa.array([""]), Lengths())
    assert own_share(found, shingle_sets(found), np.array([0]), np.array([0])).tolist() == [0]
    assert own_share(found, shingle_sets(found), np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


def test_letters_of_a_script_without_spaces_are_tokens() -> None:
    text = "春天的早晨城里的人们都到河边散步看花听鸟"
    found = shingles(pa.array([text + "星期日", text]), Lengths())
    (share,) = own_share(found, shingle_sets(found), np.array([0]), np.array([1]))
    assert share == pytest.approx(3 / (len(text) + 3))


@given(st.lists(st.sampled_from(WORDS[:4]), max_size=30), st.lists(st.sampled_from(WORDS[:4]), max_size=30))
def test_agrees_with_counting_words_one_by_one(one: list[str], other: list[str]) -> None:
    theirs = set(runs(other).values())
    covered = {place for start, run in runs(one).items() if run in theirs for place in range(start, start + len(run))}
    assert own(one, other) == pytest.approx(1 - len(covered) / len(one) if one else 0)


def runs(words: list[str]) -> dict[int, tuple[str, ...]]:
    """Every run of five words by its place; all of them where they are fewer."""
    width = min(5, len(words))
    return {start: tuple(words[start : start + width]) for start in range(len(words) - width + 1) if width}
