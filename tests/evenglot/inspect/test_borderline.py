from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from corpus.errors import CorpusError
from corpus.manifest import ThresholdFacts
from evenglot.inspect.borderline import Choice, borderline, choices, rules_of
from evenglot.inspect.selection import Selection
from evenglot.inspect.thresholds import ALL_RULES

LIMITS = {"eng_Latn": {"min_words": 8.0}, "swh_Latn": {"min_words": 5.0}}


def words(key: str, number: int, lang: str = "eng_Latn") -> dict[str, Any]:
    return {"key": key, "text": " ".join(["word"] * number), "lang": lang}


@pytest.fixture
def opened(build: Any) -> Any:
    kept = [words("k8", 8), words("k9", 9), words("k40", 40), words("s6", 6, "swh_Latn")]
    rejected = [
        {**words("r3", 3), "detail": "n_words 3 < min_words 8"},
        {**words("r7", 7), "detail": "n_words 7 < min_words 8"},
        {**words("other", 3), "reason": "symbols", "detail": "symbol_ratio 0.3 > max_symbols 0.2"},
    ]
    return build(kept, rejected, thresholds=LIMITS)


def test_the_nearest_on_both_sides_first(opened: Any) -> None:
    (found,) = borderline(*opened, rules_of("min_words", opened[1]), Selection(), 3)
    assert [row["key"] for row in found.kept] == ["k8", "k9", "s6"]
    assert [row["key"] for row in found.rejected] == ["r7", "r3"]
    assert found.measured == 4
    assert found.kept[2]["measured"] == {
        "measure": "n_words", "value": 6.0, "sign": ">=", "limit": "min_words", "bound": 5.0,
    }  # fmt: skip
    assert found.choices == []


def test_of_one_language_with_what_other_limits_would_do(opened: Any) -> None:
    (found,) = borderline(*opened, rules_of("too_short", opened[1]), Selection(lang="eng_Latn"), 1)
    assert ([row["key"] for row in found.kept], found.measured) == (["k8"], 3)
    assert found.choices == [Choice(3, -2, -2 / 5), Choice(7, -1, -1 / 5), Choice(8, 0, 0), Choice(9, 1, 1 / 5)]


def test_a_limit_on_the_other_side() -> None:
    (rule,) = [rule for rule in ALL_RULES if rule.name == "max_symbols"]
    kept = np.arange(100) / 1000
    assert choices(rule, kept, np.array([0.3, 0.2]), 0.15) == [
        Choice(0.3, -2, -2 / 102),
        Choice(0.2, -1, -1 / 102),
        Choice(0.15, 0, 0),
        Choice(0.098, 1, 1 / 102),
        Choice(0.097, 2, 2 / 102),
        Choice(0.094, 5, 5 / 102),
    ]


def test_documents_that_the_rule_did_not_look_at_are_left_out(build: Any) -> None:
    opened = build([words("short", 29), words("long", 40)], thresholds={"eng_Latn": {"min_diversity": 0.5}})
    (found,) = borderline(*opened, rules_of("min_diversity", opened[1]), Selection(), 5)
    assert [row["key"] for row in found.kept] == ["long"]


def test_a_reason_with_several_limits_and_one_without(opened: Any) -> None:
    _, snapshot = opened
    both = snapshot.model_copy(update={"thresholds": {"eng_Latn": {"max_symbols": 0.2, "min_alphabetic": 0.5}}})
    assert [rule.name for rule in rules_of("symbols", both)] == ["max_symbols", "min_alphabetic"]
    assert [rule.name for rule in rules_of("n_words", snapshot)] == ["min_words"]
    assert [rule.name for rule in rules_of("max_symbols", snapshot)] == ["max_symbols"]
    with pytest.raises(CorpusError, match=r"'exact_duplicate' is decided by no limit. .*Limits: min_lang_score, "):
        rules_of("exact_duplicate", snapshot)
    with pytest.raises(CorpusError, match=r"'min_wurds' is decided by no limit. Did you mean 'min_words'"):
        rules_of("min_wurds", snapshot)


def test_a_rule_without_a_limit_shows_what_one_would_cost(opened: Any) -> None:
    (found,) = borderline(*opened, rules_of("max_symbols", opened[1]), Selection(lang="eng_Latn"), 2)
    assert [row["measured"]["bound"] for row in found.kept] == [None, None]
    assert found.measured == 3
    words_only = rules_of("min_words", opened[1])
    storage, snapshot = opened
    (unset,) = borderline(
        storage, snapshot.model_copy(update={"thresholds": {}}), words_only, Selection(lang="eng_Latn"), 2
    )
    assert [row["key"] for row in unset.kept] == ["k8", "k9"]
    assert Choice(9, 1, 1 / 5) in unset.choices


def test_stop_words_are_looked_for_with_the_lists_of_the_snapshot(build: Any) -> None:
    words = "na ya kwa mti mto jua mwezi nyota bahari mlima ziwa kisiwa"
    text = " ".join([words] * 5)
    facts = {"swh_Latn": ThresholdFacts(documents=1, sources=1, origins={}, stop_words=["na", "ya", "kwa"])}
    opened = build(
        [{"key": "a", "text": text, "lang": "swh_Latn"}],
        thresholds={"swh_Latn": {"min_stop_words": 0.05}},
        threshold_facts=facts,
    )
    (found,) = borderline(*opened, rules_of("min_stop_words", opened[1]), Selection(), 1)
    assert [row["measured"]["value"] for row in found.kept] == [3 / 12]
    (unknown,) = borderline(
        opened[0],
        opened[1].model_copy(update={"threshold_facts": {}}),
        rules_of("no_stop_words", opened[1]),
        Selection(),
        1,
    )
    assert (unknown.measured, unknown.kept) == (0, [])
