from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.parallel.rows import Sentence, pack, pair_rows, sentence_rows


def _sentence(language: int, *tokens: int) -> Sentence:
    return Sentence(np.array(tokens, np.int64), language)


def test_a_pair_is_one_segment_with_the_language_of_each_token() -> None:
    pairs = [(_sentence(0, 11, 12, 3), _sentence(1, 21, 3)), (_sentence(1, 22, 3), _sentence(2, 31, 3))]
    rows = pair_rows(pairs, 14, begin=2, pad=0, restart=True)
    assert rows.tokens.tolist() == [[2, 11, 12, 3, 2, 21, 3, 2, 22, 3, 2, 31, 3, 0]]
    assert rows.segments.tolist() == [[0] * 7 + [1] * 6 + [-1]]
    assert rows.positions.tolist() == [[0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]]
    assert rows.languages.tolist() == [-1]
    assert rows.token_languages.tolist() == [[0] * 4 + [1] * 6 + [2] * 3 + [-1]]
    assert rows.sentences.tolist() == [[0] * 4 + [1] * 3 + [2] * 3 + [3] * 3 + [-1]]
    assert np.flatnonzero(rows.begins[0]).tolist() == [0, 4, 7, 10]
    on = pair_rows(pairs[:1], 14, begin=2, pad=0, restart=False)
    assert on.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0]]


def test_of_a_long_pair_the_longer_sentence_is_cut_first() -> None:
    pairs = [(_sentence(0, *range(10, 30)), _sentence(1, 41, 3))]
    rows = pair_rows(pairs, 8, begin=2, pad=0, restart=True)
    assert rows.tokens.tolist() == [[2, 10, 11, 12, 13, 2, 41, 3]]
    both = pair_rows([(_sentence(0, *range(10, 30)), _sentence(1, *range(40, 60)))], 9, begin=2, pad=0, restart=True)
    assert both.tokens.tolist() == [[2, 10, 11, 12, 2, 40, 41, 42, 43]]


def test_sentences_one_by_one_are_segments_of_their_own() -> None:
    rows = sentence_rows([_sentence(0, 11, 3), _sentence(1, 21, 22, 23, 24, 25, 3)], 6, begin=2, pad=0)
    assert rows.tokens.tolist() == [[2, 21, 22, 23, 24, 25], [2, 11, 3, 0, 0, 0]]
    assert rows.sentences.tolist() == [[1] * 6, [0, 0, 0, -1, -1, -1]]
    taken = rows.take(np.array([1, -1]))
    assert taken.tokens.shape == (2, 3)
    assert taken.segments.tolist() == [[0, 0, 0], [-1, -1, -1]]
    assert taken.sentences.tolist() == [[0, 0, 0], [-1, -1, -1]]
    assert not taken.begins[1].any()
    assert rows.sentences.tolist() == [[1] * 6, [0, 0, 0, -1, -1, -1]]


@given(st.lists(st.integers(1, 20), max_size=40))
def test_packing_keeps_every_item_once_and_no_row_overflows(lengths: list[int]) -> None:
    rows = pack(lengths, 20)
    assert sorted(item for row in rows for item in row) == list(range(len(lengths)))
    assert all(sum(lengths[item] for item in row) <= 20 for row in rows)
    assert sum(2 * sum(lengths[item] for item in row) <= 20 for row in rows) <= 1
