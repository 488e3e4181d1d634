"""Stop words are words of many sources; what one site repeats is none, however often it does."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.quality.config import FilterConfig, StopWordsConfig
from pipeline.quality.decide import Decision, decide
from pipeline.quality.features import find
from pipeline.quality.sources import hashes, sources
from pipeline.quality.stage import QualityStage
from pipeline.quality.stop_words import HOSTS, PER_HOST, WordSample, shares, stop_words
from pipeline.quality.survey import merge, survey
from pipeline.quality.thresholds import derive
from pipeline.stage import with_column

FUNCTION_WORDS = ["ni", "ti", "sì", "ó", "wọn", "náà", "fún", "bí", "pé", "kò"]
NOUNS = [f"{first}{second}" for first in "bdfgjklmrst" for second in ("ilé", "ọ̀nà", "ìwé", "omi", "ẹja", "ọjọ́")]
CONFIG = FilterConfig(stop_words=StopWordsConfig(enabled=True))


def prose(seed: int, words: int = 120) -> str:
    draw = random.Random(seed)
    return " ".join(draw.choice(FUNCTION_WORDS if draw.random() < 0.45 else NOUNS) for _ in range(words))


def stub(seed: int) -> str:
    """What a robot writes in an encyclopaedia about each of many thousand asteroids."""
    return (
        f"{seed} jẹ́ plánẹ́tì kékeré ní ìgbàjá ástẹ́rọ́ìdì . plánẹ́tì kékeré {seed} ní ìgbàjá ástẹ́rọ́ìdì jẹ́ "
        f"plánẹ́tì kékeré tí a rí . ástẹ́rọ́ìdì kan ní ìgbàjá jẹ́ kékeré , tí a rí ní ìgbàjá {seed + 1} tí a ní kan"
    )


def batch(pages: list[tuple[str, str]], lang: str = "yor_Latn") -> pa.RecordBatch:
    columns = {
        "text": pa.array([text for _, text in pages]),
        "url": pa.array([f"https://{host}.example/" for host, _ in pages]),
        "lang": pa.array([lang] * len(pages)),
        "lang_score": pa.array([0.95] * len(pages), pa.float32()),
    }
    return QualityStage(top_words=True)(pa.record_batch(columns)).kept


STUBS = [("yo.wiki", stub(seed)) for seed in range(1800)]
PAGES = [(f"site{seed % 20}", prose(seed)) for seed in range(200)]


def test_words_of_robot_stubs_are_no_stop_words() -> None:
    both = batch(STUBS + PAGES)
    frequent = Counter(word for words in both.column("top_words").to_pylist() for word in words.split())
    # The lists of frequent words that other tools make of such a corpus begin with the stubs.
    assert {"plánẹ́tì", "kékeré", "ìgbàjá", "ástẹ́rọ́ìdì"} <= {word for word, _ in frequent.most_common(10)}
    found = derive(merge([survey(both, CONFIG)]), CONFIG)
    listed = found.thresholds.stop_words["yor_Latn"]
    assert sorted(listed[: len(FUNCTION_WORDS)]) == sorted(FUNCTION_WORDS)
    assert not set(listed) & set(stub(1).split())
    assert found.facts["yor_Latn"].stop_words == listed
    assert found.thresholds["yor_Latn"]["min_stop_words"] == 0.05


def test_one_source_or_few_have_no_list() -> None:
    for hosts in (1, 7):
        pages = [(f"site{seed % hosts}", prose(seed)) for seed in range(200)]
        found = derive(survey(batch(pages), CONFIG), CONFIG)
        assert found.thresholds.stop_words == {}
        assert "min_stop_words" not in found.thresholds["yor_Latn"]


def test_a_word_of_one_source_among_few_is_none() -> None:
    pages = [(f"site{seed % 8}", prose(seed) + (" hàmbọ́gà" * 20 if seed % 8 == 0 else "")) for seed in range(80)]
    listed = derive(survey(batch(pages), CONFIG), CONFIG).thresholds.stop_words["yor_Latn"]
    assert set(FUNCTION_WORDS) <= set(listed)
    assert "hàmbọ́gà" not in listed


def test_lists_of_key_words_are_rejected_and_prose_stays() -> None:
    draw = random.Random(5)
    spam = " ".join(draw.choices([f"ra{letter}ọ́jà" for letter in "bdfgjklmrstw"], k=150))
    little = "ọ̀rọ̀ kan ṣoṣo tí ó dúró fún ara rẹ̀ lónìí"
    both = batch([*PAGES, ("spam", spam), ("site1", little)])
    thresholds = derive(survey(both, CONFIG), CONFIG).thresholds
    thresholds["yor_Latn"] = {"min_stop_words": 0.05, "min_diversity": 0, "min_words": 5}
    decisions = decide(both, thresholds, CONFIG)
    assert decisions[-2] == Decision("filter", "no_stop_words", "stop_word_share 0 < min_stop_words 0.05")
    assert decisions[:-2] == [None] * 200
    assert decisions[-1] is None, "too few repeated words to judge"


def test_scripts_without_spaces_have_frequent_characters() -> None:
    draw = random.Random(3)
    han = "山水日月天地人口手足目耳石木竹米馬牛羊魚鳥火土金風雨雪雲春夏秋冬"
    texts = [
        "".join(draw.choices("的是了在不" if draw.random() < 0.4 else han)[0] for _ in range(150)) for _ in range(80)
    ]
    pages = [(f"site{number % 10}", text) for number, text in enumerate(texts)]
    listed = derive(survey(batch(pages, "zho_Hans"), CONFIG), CONFIG).thresholds.stop_words["zho_Hans"]
    assert sorted(listed[:5]) == sorted("的是了在不")


def test_lists_by_hand_win() -> None:
    given = StopWordsConfig(enabled=True, words={"yor_Latn": ["ni", "ti"], "eng": []})
    assert given.words == {"yor_Latn": ["ni", "ti"], "eng_Latn": []}
    config = FilterConfig(stop_words=given)
    found = derive(survey(batch(PAGES), config), config)
    assert found.thresholds.stop_words == {"yor_Latn": ["ni", "ti"]}
    assert found.facts["yor_Latn"].origins["min_stop_words"] == "by_hand"
    off = FilterConfig(stop_words=StopWordsConfig(enabled=True, words={"yor_Latn": []}))
    assert derive(survey(batch(PAGES), off), off).thresholds.stop_words == {}
    with pytest.raises(ValidationError, match="'two words' of eng is no single word"):
        StopWordsConfig(words={"eng": ["two words"]})


def test_off_by_default_and_then_without_a_column() -> None:
    kept = QualityStage()(pa.record_batch({"text": ["a b a b"]})).kept
    assert "top_words" not in kept.schema.names
    assert FilterConfig().stop_words.enabled is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the cat and the dog and the end", "the and"),
        ("a a a b b c 1 1 1 1 22", "a b"),
        ("", ""),
        ("no word twice", ""),
        ("漢字漢字漢", "漢 字"),
        (" ".join(f"w{number} w{number}" for number in range(40)), 16),
    ],
)
def test_top_words(text: str, expected: str | int) -> None:
    found = find(pa.array(["x x", text, "y y"]), with_top_words=True).top_words
    assert (found[0], found[2]) == ("x", "y")
    assert found[1] == expected if isinstance(expected, str) else len(found[1].split()) == expected


def test_shares() -> None:
    eight = "a b c d e f g h"
    rows = pa.record_batch(
        {"lang": ["one", "one", "two", "one", None], "top_words": [eight, "x b c d e f g h", eight, "a b", eight]}
    )
    found = shares(rows, {"one": ["a", "h", "z"], "two": []})
    np.testing.assert_array_equal(found, np.array([0.25, 0.125, np.nan, np.nan, np.nan], np.float32))
    assert np.isnan(shares(rows, {})).all()


SEEDS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 14)), max_size=60)


def sample(rows: list[tuple[int, int]]) -> WordSample:
    words = [" ".join(f"w{word + document}" for word in range(8)) for _, document in rows]
    places = pa.record_batch({"url": pa.array([f"http://h{host}.example" for host, _ in rows], pa.string())})
    return WordSample.of(hashes(sources(places)), words)


def same(one: WordSample, other: WordSample) -> bool:
    return (one.hosts.tolist(), one.documents.tolist(), one.words) == (
        other.hosts.tolist(),
        other.documents.tolist(),
        other.words,
    )


@settings(max_examples=40, deadline=None)
@given(SEEDS, SEEDS, SEEDS)
def test_samples_merge_in_any_order_and_stay_small(a: list, b: list, c: list) -> None:
    x, y, z = sample(a), sample(b), sample(c)
    expected = sample(a + b + c)
    assert same(x + (y + z), expected)
    assert same((z + x) + y, expected)
    assert same(expected + x, expected), "copies count once"


def test_a_sample_is_bounded() -> None:
    full = sample([(host, document) for host in range(HOSTS + 30) for document in range(PER_HOST + 5)])
    assert len(full.words) == HOSTS * PER_HOST
    assert len(set(full.hosts.tolist())) == HOSTS


def test_votes_are_shared_by_the_documents_of_a_source() -> None:
    config = StopWordsConfig(min_sources=3, source_share=0.5, most=2)
    words = ["a b c d e f g h", "a b c d e f g h i", "a b c d e f g x"]
    three = WordSample(np.array([1, 2, 3], np.uint64), np.arange(3, dtype=np.uint64), tuple(words))
    assert stop_words(three, config) == ["a", "b"]
    wide = StopWordsConfig(min_sources=3, source_share=0.5)
    assert stop_words(three, wide) == list("abcdefg"), "h has two sources of three, but a stop word needs three"
    assert stop_words(three, StopWordsConfig(min_sources=4)) == []


def test_column_stays_with_its_rows() -> None:
    both = batch([("a", "x y x y"), ("b", "z z")])
    both = with_column(both, "lang", pa.array(["one", "two"]))
    assert both.column("top_words").to_pylist() == ["x y", "z"] or both.column("top_words").to_pylist() == ["y x", "z"]
