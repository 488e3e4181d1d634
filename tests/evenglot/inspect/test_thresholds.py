from __future__ import annotations

from typing import Any

import pytest

from evenglot.inspect.thresholds import Threshold, filter_config, origin_of, thresholds
from pipeline.quality.config import FilterConfig

RECIPE = {"prepare": {"filter": {"min_documents": 2, "languages": {"swh_Latn": {"min_words": 4}}}}}


def test_limits_with_their_origin_and_what_they_removed(build: Any) -> None:
    kept = [{"key": f"k{number}", "text": "kept", "lang": "swh_Latn"} for number in range(2)]
    _, snapshot = build(
        kept,
        [{"key": "r", "lang": "swh_Latn"}],
        thresholds={"swh_Latn": {"min_words": 4.0, "max_symbols": 0.2}, "eng_Latn": {"max_symbols": 0.25}},
        recipe=RECIPE,
    )
    assert thresholds(snapshot, "swh_Latn") == [
        Threshold("swh_Latn", "min_words", "n_words", "min", 4.0, "by hand", 1, 3),
        Threshold("swh_Latn", "max_symbols", "symbol_ratio", "max", 0.2, "derived", 0, 3),
    ]
    assert [(one.lang, one.origin) for one in thresholds(snapshot, limit="max_symbols")] == [
        ("eng_Latn", "default"),
        ("swh_Latn", "derived"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "documents", "origin"),
    [
        ("min_words", 7, 100, "derived"),
        ("min_words", 10, 100, "bounded"),
        ("min_words", 5, 100, "bounded"),
        ("min_words", 8, 49, "default"),
        ("min_lang_score", 0.8, 4, "rare"),
        ("min_words", 8, 4, "default"),
    ],
)
def test_origins(name: str, value: float, documents: int, origin: str) -> None:
    assert origin_of(name, "swh_Latn", value, documents, FilterConfig()) == origin


def test_without_a_recipe_the_origin_is_unknown() -> None:
    assert filter_config({}) is None
    assert filter_config({"prepare": {"filter": {"min_wurds": 3}}}) is None
    assert origin_of("min_words", "swh_Latn", 8, 100, None) == "unknown"
