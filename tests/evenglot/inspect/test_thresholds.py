from __future__ import annotations

from typing import Any, get_args

from corpus.manifest import LimitOrigin, ThresholdFacts
from evenglot.inspect.thresholds import MEANINGS, Threshold, thresholds

LIMITS = {"swh_Latn": {"min_words": 4.0, "min_rare_score": 0.8}, "eng_Latn": {"min_words": 8.0}}
FACTS = ThresholdFacts(
    documents=4, sources=1.5, origins={"min_words": "by_hand", "min_rare_score": "rare_language"}, measured={}
)


def test_limits_with_their_origin_and_what_they_removed(build: Any) -> None:
    rejected = [{"key": "r", "lang": "swh_Latn"}, {"key": "s", "lang": "eng_Latn"}]
    _, snapshot = build([], rejected, thresholds=LIMITS, threshold_facts={"swh_Latn": FACTS})
    assert thresholds(snapshot, "swh_Latn") == [
        Threshold("swh_Latn", "min_rare_score", "lang_score", "min", 0.8, "rare_language", None, 4, 1.5, 0),
        Threshold("swh_Latn", "min_words", "n_words", "min", 4.0, "by_hand", None, 4, 1.5, 1),
    ]
    both = snapshot.model_copy(update={"thresholds": {**LIMITS, "zxx": {"min_words": 5.0}}})
    assert thresholds(both, limit="min_words") == thresholds(snapshot, limit="min_words")
    assert [one.value for one in thresholds(both, "zxx")] == [5.0]
    assert thresholds(snapshot, limit="min_words") == [
        Threshold("eng_Latn", "min_words", "n_words", "min", 8.0, None, None, None, None, 1),
        Threshold("swh_Latn", "min_words", "n_words", "min", 4.0, "by_hand", None, 4, 1.5, 1),
    ]


def test_every_origin_has_a_meaning() -> None:
    assert set(MEANINGS) == set(get_args(LimitOrigin))
