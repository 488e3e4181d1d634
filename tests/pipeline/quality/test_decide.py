"""Decisions: each reason, their order, and the numbers in the detail."""

from __future__ import annotations

import random
import string

import pyarrow as pa
import pytest

from pipeline.quality.config import FilterConfig
from pipeline.quality.decide import Decision, decide
from pipeline.quality.stage import QualityStage
from pipeline.script.stage import ScriptStage
from pipeline.stage import with_column

PROSE = (
    "The river rose in the night, and by morning the lower fields were under water. We carried what we could up the "
    "hill: two chairs, a table, my grandmother's clock. Nobody spoke much. When the sun came out at last, the whole "
    "valley shone like a plate of tin, and far off somebody began to ring the bell of the old church."
)


def judge(
    text: str, lang: str | None = "eng_Latn", score: float | None = 0.95, config: FilterConfig | None = None
) -> Decision | None:
    batch = pa.record_batch({"text": [text], "lang": pa.array([lang], pa.string())})
    batch = with_column(batch, "lang_score", pa.array([score], pa.float32()))
    scored = QualityStage()(ScriptStage()(batch).kept).kept
    return decide(scored, {}, config or FilterConfig())[0]


def test_prose_stays() -> None:
    assert judge(PROSE) is None
    assert judge(PROSE, score=None) is None


def _noise(alphabet: str, size: int, seed: int = 7) -> str:
    draw = random.Random(seed)
    return "".join(draw.choice(alphabet) for _ in range(size))


SPAM = "free casino bonus loan hotel price cheap buy online watch movie crack keygen code coupon flights"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Loading...", "too_short"),
        ("https://example.org/article/1234567\n" * 3 + "http://www.example.org/a/b/c/d/e/f/g\n" * 9, "urls"),
        (_noise(string.ascii_letters + string.digits + "+/", 900), "long_tokens"),
        ("Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt.", "filler"),
        ("152.97\t489.92\t691.28\n857.17\t68.81\t294.59\n647.80\t20.69\t882.49\n" * 3, "digits"),
        ("\n".join(f"    if (x{n} > {n}) {{ return foo(x{n}); }}" for n in range(30)), "code"),
        (" ".join(_noise("♥★☆•€§", 9) + " ab" for _ in range(30)), "symbols"),
        ("This page is a placeholder. Content coming soon. " * 6, "repetition"),
        ("The same long line of text, again and again, \n" * 20, "repetition"),
        (
            "\n".join(["News", "Home", "Cart (0)", "Login", "A-Z", "Help", "Gallery", "Jobs", "Sports", "Weather"]),
            "lines",
        ),
        (" ".join(random.Random(3).choices(SPAM.split(), k=250)), "repetition"),
        (" ".join(_noise(string.ascii_lowercase, 24 + n % 9, n) for n in range(40)), "word_length"),
    ],
)
def test_junk_is_named(text: str, reason: str) -> None:
    decision = judge(text)
    assert decision is not None
    assert (decision.stage, decision.reason) == ("filter", reason)


def test_missing_punctuation_counts_where_the_language_has_it() -> None:
    text = " ".join(_noise(string.ascii_lowercase, 3 + n % 7, n) for n in range(200))
    assert judge(text) is None
    strict = judge(text, config=FilterConfig(languages={"eng_Latn": {"min_punctuation": 0.004}}))
    assert strict == Decision("filter", "no_punctuation", "punctuation_ratio 0 < min_punctuation 0.004")


@pytest.mark.parametrize(
    ("lang", "score", "stage", "reason"),
    [
        ("und", 0.9, "identify", "undetermined"),
        (None, None, "identify", "undetermined"),
        ("zxx", 0.9, "identify", "no_language"),
        ("zxx_Latn", 0.9, "identify", "no_language"),
        ("eng_Latn", 0.1, "identify", "low_score"),
        ("rus_Cyrl", 0.9, "script", "script_mismatch"),
        ("rus_Cyrl", 0.1, "script", "script_mismatch"),
    ],
)
def test_language_and_script(lang: str | None, score: float | None, stage: str, reason: str) -> None:
    decision = judge(PROSE, lang, score)
    assert decision is not None
    assert (decision.stage, decision.reason) == (stage, reason)


def test_detail_holds_the_numbers() -> None:
    assert judge("Loading...") == Decision("filter", "too_short", "n_words 1 < min_words 8")
    assert judge(PROSE, score=0.1) == Decision("identify", "low_score", "lang_score 0.1 < min_lang_score 0.25")
    assert judge(PROSE, "rus_Cyrl") == Decision(
        "script", "script_mismatch", "lang rus_Cyrl, but 100% of the letters are Latn"
    )


def test_configuration() -> None:
    assert judge("Loading...", config=FilterConfig(enabled=False)) is None
    assert judge(PROSE, "und", config=FilterConfig(keep_undetermined=True)) is None
    excluded = judge(PROSE, config=FilterConfig(exclude=["eng_Latn"]))
    assert excluded == Decision("filter", "excluded_language", "eng_Latn is in filter.exclude")
    assert judge(PROSE, config=FilterConfig(include=["eng_Latn"])) is None
    other = judge(PROSE, config=FilterConfig(include=["deu_Latn"]))
    assert other == Decision("filter", "excluded_language", "eng_Latn is not in filter.include")
    assert judge("Two words", config=FilterConfig(languages={"eng_Latn": {"min_words": 2}})) is None


def test_thresholds_of_the_corpus_are_used() -> None:
    batch = pa.record_batch({"text": [PROSE, PROSE], "lang": pa.array(["eng_Latn", "deu_Latn"]).dictionary_encode()})
    batch = QualityStage()(with_column(batch, "lang_score", pa.array([0.9, 0.9], pa.float32()))).kept
    decisions = decide(batch, {"eng_Latn": {"min_words": 1000}}, FilterConfig())
    assert [decision and decision.reason for decision in decisions] == ["too_short", None]


def test_a_rare_language_must_be_certain() -> None:
    batch = pa.record_batch({"text": [PROSE] * 4, "lang": ["nno_Latn", "nno_Latn", "nno_Latn", "eng_Latn"]})
    scores = pa.array([0.9, 0.5, 0.1, 0.5], pa.float32())
    batch = QualityStage()(with_column(batch, "lang_score", scores)).kept
    assert decide(batch, {"nno_Latn": {"min_rare_score": 0.8}}, FilterConfig()) == [
        None,
        Decision("identify", "rare_language", "lang_score 0.5 < min_rare_score 0.8"),
        Decision("identify", "low_score", "lang_score 0.1 < min_lang_score 0.25"),
        None,
    ]


def test_a_value_on_the_limit_stays() -> None:
    assert judge(PROSE, score=0.25) is None


def test_empty_batch() -> None:
    batch = pa.record_batch({"text": pa.array([], pa.string()), "lang": pa.array([], pa.string())})
    batch = QualityStage()(with_column(batch, "lang_score", pa.array([], pa.float32()))).kept
    assert decide(batch, {}, FilterConfig()) == []
