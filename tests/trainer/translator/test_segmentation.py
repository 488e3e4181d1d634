from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.translator.conftest import reversed_words
from trainer.translator.rows import Rows
from trainer.translator.segmentation import Segmentations
from trainer.translator.vocabulary import END, Vocabulary, train_vocabulary

PAIRS = [*reversed_words(120), *reversed_words(40, "nld_Latn", "en")]
TEXTS = [pair.text for pair in PAIRS]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return train_vocabulary(PAIRS, 60)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, len(TEXTS) - 1), max_size=6), st.integers(0, 2**40), st.sampled_from([0.0, 0.4, 1.0]))
def test_every_cut_is_of_the_same_text(vocabulary: Vocabulary, places: list[int], seed: int, alpha: float) -> None:
    rows = Segmentations(vocabulary, TEXTS, alpha).sample(places, seed)
    assert [vocabulary.decode(row.tolist()) for row in rows] == [TEXTS[place] for place in places]
    assert all(row[-1] == END for row in rows)


def test_cuts_differ_with_the_seed_and_not_with_what_was_asked_before(vocabulary: Vocabulary) -> None:
    ways = Segmentations(vocabulary, TEXTS, 0.0)
    first = [row.tolist() for row in ways.sample([0, 1, 2], 7)]
    ways.sample([5], 3)
    assert [row.tolist() for row in ways.sample([0, 1, 2], 7)] == first
    assert len({tuple(ways.sample([0], seed)[0].tolist()) for seed in range(30)}) > 5


def test_the_likeliest_cut_comes_most_often(vocabulary: Vocabulary) -> None:
    best = vocabulary.encode([TEXTS[0]])[0].tolist()
    counts = {}
    for alpha in (0.0, 1.0):
        ways = Segmentations(vocabulary, TEXTS[:1], alpha)
        counts[alpha] = sum(ways.sample([0], seed)[0].tolist() == best for seed in range(200))
    assert counts[1.0] > counts[0.0]


def test_words_join_to_the_pieces_of_the_sentence(vocabulary: Vocabulary) -> None:
    assert vocabulary.words(["the red dog"]) == [["\u2581the", "\u2581red", "\u2581dog"]]
    best, _ = vocabulary.ways("\u2581dog", 4)[0]
    assert best.tolist() == vocabulary.encode(["dog"])[0][:-1].tolist()


def test_rows_ask_for_their_target_and_keep_within_the_longest(vocabulary: Vocabulary) -> None:
    sources = [vocabulary.encode([pair.text], pair.target)[0] for pair in PAIRS]
    targets = vocabulary.encode([pair.translation for pair in PAIRS])
    plain = Rows(vocabulary, PAIRS, sources, targets, alpha=None, longest=50)
    assert [row.tolist() for row in plain.take([3], 1)[0]] == [sources[3].tolist()]
    cut = Rows(vocabulary, PAIRS, sources, targets, alpha=0.0, longest=50).take([0, 130], 1)
    assert [row[0] for row in cut[0]] == [vocabulary.ids[">>afr<<"], vocabulary.ids[">>nld<<"]]
    assert vocabulary.decode(cut[0][0].tolist()) == PAIRS[0].text
    assert vocabulary.decode(cut[1][1].tolist()) == PAIRS[130].translation
    tight = Rows(vocabulary, PAIRS, sources, targets, alpha=0.0, longest=1).take([0], 1)
    assert (tight[0][0].tolist(), tight[1][0].tolist()) == (sources[0].tolist(), targets[0].tolist())
