"""Difficulty and diversity of documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.curriculum.score import HARDEST, Scores, measure, score
from pipeline.curriculum.statistics import Statistics, collect

PROSE = (
    "The old house stood by the river, and the man sat by the fire. The sea was cold, and by the house the old "
    "river ran to the sea. A man came to the house, and the house was warm. "
) * 3


def outside(batch: Any, statistics: Statistics, *texts: str) -> Scores:
    return score(batch(texts), statistics, np.zeros(len(texts), np.bool_))


def shuffled(text: str, by_words: bool) -> str:
    parts = text.split() if by_words else list(text)
    order = np.random.default_rng(0).permutation(len(parts))
    return (" " if by_words else "").join(parts[place] for place in order)


def test_shuffled_words_are_harder_and_shuffled_letters_harder_still(batch: Any, statistics: Statistics) -> None:
    texts = (PROSE, shuffled(PROSE, True), shuffled(PROSE, False))
    easy, words, letters = outside(batch, statistics, *texts).difficulty
    assert 0 < easy < 0.8 * words < words < 0.8 * letters < HARDEST


def test_rare_and_unknown_words_are_harder(batch: Any, statistics: Statistics) -> None:
    rare = PROSE.replace("river", "wherryman")
    unknown = PROSE.replace("river", "zxqvkjwqz")
    easy, hard, hardest = outside(batch, statistics, PROSE, rare, unknown).difficulty
    assert easy < hard < hardest


def test_rare_features_that_others_share_make_a_document_diverse(batch: Any, statistics: Statistics) -> None:
    some = f"{PROSE} The bargee poled the punt, whereupon the wherryman unshipped the rudder of his keelboat."
    plain, rich = outside(batch, statistics, PROSE, some).diversity
    assert plain < 1 < rich


def test_noise_is_not_diverse(batch: Any, statistics: Statistics) -> None:
    draw = np.random.default_rng(1)
    noise = "".join(draw.choice(list("abcdefghijklmnopqrstuvwxyz     "), 600))
    other = "".join(chr(0x4E00 + point) for point in draw.integers(0, 5000, 600))
    assert max(outside(batch, statistics, noise, other, shuffled(PROSE, False)).diversity) < 1


def test_repeating_a_document_does_not_make_it_more_diverse_than_more_of_its_text_proves(
    batch: Any, statistics: Statistics
) -> None:
    rich = "The bargee poled the punt, whereupon the wherryman unshipped the rudder of his keelboat. " * 12
    once, often = outside(batch, statistics, rich, rich * 4).diversity
    plain_once, plain_often = outside(batch, statistics, PROSE, PROSE * 4).difficulty
    assert often == pytest.approx(once, rel=0.15)
    assert plain_often == pytest.approx(plain_once, rel=0.15)


def test_other_scripts_and_languages_make_a_document_more_diverse(batch: Any, statistics: Statistics) -> None:
    shares = [None, [{"script": "Cyrl", "share": 0.4}, {"script": "Latn", "share": 0.6}], None]
    texts = [PROSE] * 3
    found = score(batch(texts, shares, [None, None, 0.5]), statistics, np.zeros(3, np.bool_)).diversity
    prior = 60 / 70  # what sixty documents prove
    assert (found - found[0]).tolist() == pytest.approx([0, 0.4 * 0.5 * prior, 0.5 * 0.5 * prior], rel=1e-4)


def test_a_script_that_a_tenth_of_the_documents_have_is_usual(batch: Any) -> None:
    shares = [[{"script": "Cyrl", "share": 0.4}]] * 3 + [None] * 17
    statistics = collect([batch([PROSE] * 20, shares)], 20 * len(PROSE), measure)
    found = score(batch([PROSE] * 2, [shares[0], None]), statistics, np.zeros(2, np.bool_)).diversity
    assert found[0] == found[1]


def test_scripts_say_nothing_where_the_sample_has_none(batch: Any, language: list[str]) -> None:
    statistics = collect([batch(language)], 50_000, measure)
    latin = [[{"script": "Latn", "share": 1.0}], None]
    found = score(batch([PROSE] * 2, latin), statistics, np.zeros(2, np.bool_)).diversity
    assert found[0] == found[1]


def test_a_document_is_judged_by_the_others_alone(batch: Any, language: list[str]) -> None:
    """Whether a document is in the sample or not does not change its scores."""
    odd = "The wherryman moored by the lighthouse. " * 3
    without = collect([batch(language)], 50_000, measure)
    within = collect([batch([*language, odd])], 50_000, measure)
    left_out = score(batch([odd]), within, np.array([True]))
    stranger = score(batch([odd]), without, np.array([False]))
    assert left_out.difficulty == pytest.approx(stranger.difficulty, rel=0.05)
    assert left_out.diversity == pytest.approx(stranger.diversity, rel=0.1)
    counted = score(batch([odd]), within, np.array([False]))
    assert counted.difficulty[0] < 0.97 * left_out.difficulty[0]


def test_little_text_is_near_the_mean_and_none_is_at_it(batch: Any, statistics: Statistics) -> None:
    found = outside(batch, statistics, "", "1 2 3", "wherryman", "wherryman " * 40)
    mean = statistics.means.bits
    assert found.difficulty[0] == pytest.approx(mean)
    assert found.diversity[0] == 1
    away = np.abs(found.difficulty - mean)
    assert away[0] < away[2] < away[3]


def test_a_word_of_thousands_of_letters_has_a_finite_difficulty(batch: Any, statistics: Statistics) -> None:
    long, short = outside(batch, statistics, "qzx" * 5000, "qzxqzxqzx " * 1500).difficulty
    assert 4 < long < HARDEST
    assert short == pytest.approx(long, rel=0.4)


def test_few_documents_leave_diversity_near_the_neutral_score(batch: Any, language: list[str]) -> None:
    few, many = (collect([batch(texts)], 50_000, measure) for texts in (language[40:51], language))
    text = "The wherryman moored his keelboat, whereupon the wherryman unshipped the rudder. " * 2
    near, far = (float(outside(batch, known, text).diversity[0]) for known in (few, many))
    assert 1 < near < far
    alone = collect([batch(language[:1])], 50_000, measure)
    assert outside(batch, alone, language[0]).diversity[0] == pytest.approx(1, abs=0.1)


def test_a_language_without_words_has_no_difficulty(batch: Any) -> None:
    found = outside(batch, collect([batch(["", "..."])], 10, measure), "word")
    assert np.isnan(found.difficulty).all()
    assert found.diversity.tolist() == [1.0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=5), st.integers(0, 31))
def test_scores_are_numbers_and_do_not_depend_on_neighbours(batch: Any, texts: list[str], members: int) -> None:
    own = np.array([bool(members >> number & 1) for number in range(len(texts))])
    sample = [text for text, mine in zip(texts, own, strict=True) if mine] or ["a word"]
    statistics = collect([batch(sample)], 1000, measure)
    together = score(batch(texts), statistics, own)
    assert np.isfinite(together.diversity).all()
    if statistics.running_words:
        assert np.isfinite(together.difficulty).all()
        assert (together.difficulty >= 0).all()
    for number, text in enumerate(texts):
        alone = score(batch([text]), statistics, own[[number]])
        assert alone.diversity[0] == pytest.approx(together.diversity[number], rel=1e-5)
        assert alone.difficulty[0] == pytest.approx(together.difficulty[number], rel=1e-5, nan_ok=True)
