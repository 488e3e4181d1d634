"""Sentences about languages whose limits need a look."""

from __future__ import annotations

from corpus.manifest import LimitOrigin, ThresholdFacts
from pipeline.quality.concerns import concerns
from pipeline.quality.config import FilterConfig


def facts(documents: int, origin: LimitOrigin) -> ThresholdFacts:
    return ThresholdFacts(documents=documents, sources=1.5, origins={"max_urls": origin, "min_words": "by_hand"})


def test_nothing_to_say() -> None:
    assert concerns({"eng_Latn": facts(900, "derived")}, {"filter/urls": {"eng_Latn": 3}}, FilterConfig()) == []


def test_few_sources_are_one_sentence_with_the_largest_languages_first() -> None:
    found = {f"a{letter}a_Latn": facts(100 + place, "few_sources") for place, letter in enumerate("abcdefghij")}
    found |= {"eng_Latn": facts(5000, "derived"), "und": facts(5000, "few_sources")}
    assert concerns(found, {}, FilterConfig()) == [
        "10 languages of fewer than 4 effective sources (aja_Latn, aia_Latn, aha_Latn, aga_Latn, afa_Latn, aea_Latn, "
        "ada_Latn, aca_Latn and 2 more): limits derived from their own documents hold only where they reject less "
        "than the defaults"
    ]
    assert concerns(found, {}, FilterConfig(enabled=False)) == []


def test_rare_languages_are_named_with_the_way_to_let_them_in() -> None:
    rejected = {"identify/rare_language": {"kjh_Cyrl": 1, "cjs_Cyrl": 2}}
    assert concerns({}, rejected, FilterConfig()) == [
        "3 documents of 2 languages with hardly any (cjs_Cyrl, kjh_Cyrl) were rejected as rare_language, their "
        "probability being under 0.8: look at them with `evenglot inspect CORPUS --rejected rare_language`; to let a "
        "language in, set `prepare.filter.languages: {TAG: {min_lang_score: 0.25}}`"
    ]
