"""What a snapshot and the one it goes on with say together."""

from __future__ import annotations

import pytest

from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, ThresholdFacts
from pipeline.earlier.merge import carried_limits, go_on, replaces


def snapshot(number: int, languages: dict[str, LanguageEvidence], ledger: Ledger, paths: list[str]) -> Snapshot:
    kinds = {"text": "text", "tokens": "tokens", "rejected": "rejected", "index": "index"}
    return Snapshot(
        number=number,
        made_by="prepare",
        languages=languages,
        mixtures={},
        mixture="proportional",
        ledger=ledger,
        files=[ShardFile.model_validate({"path": path, "kind": kinds[path.partition("/")[0]]}) for path in paths],
    )


def test_sums_files_and_copies_of_both_days() -> None:
    first = snapshot(
        3,
        {"eng_Latn": LanguageEvidence(documents=2, bytes=20, copies=2, rejected=1, tokens={"spm": 9})},
        Ledger(read=3, kept={"eng_Latn": 2}, rejected={"filter/urls": {"eng_Latn": 1}}, unreadable={}),
        ["text/a", "tokens/a", "rejected/a", "index/a"],
    )
    second = snapshot(
        4,
        {"swh_Latn": LanguageEvidence(documents=1, bytes=5, copies=1, heldout_documents=1, rejected=2)},
        Ledger(
            read=5,
            kept={"swh_Latn": 2},
            rejected={"filter/urls": {"swh_Latn": 2}, "deduplicate/exact_duplicate": {"eng_Latn": 1}},
            unreadable={},
        ),
        ["text/b", "index/b"],
    )
    both = go_on(first, second, {("eng_Latn", False): 1, ("eng_Latn", True): 7})
    assert both.goes_on_with == 3
    assert both.added == second.ledger
    assert (both.ledger.read, both.ledger.kept) == (8, {"eng_Latn": 2, "swh_Latn": 2})
    both.ledger.check()
    assert [file.path for file in both.files] == ["index/a", "index/b", "rejected/a", "text/a", "text/b"]
    assert both.languages == {
        "eng_Latn": LanguageEvidence(documents=2, bytes=20, copies=3, rejected=2),
        "swh_Latn": LanguageEvidence(documents=1, bytes=5, copies=1, heldout_documents=1, rejected=2),
    }


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ("derived", "derived", False),
        ("derived", "few_documents", True),
        ("loosest", "few_sources", True),
        ("few_sources", "few_documents", False),
        ("few_documents", "strictest", False),
        ("by_hand", "derived", True),
        ("derived", None, True),
        ("few_documents", "rare_language", True),
        ("rare_language", "few_documents", False),
    ],
)
def test_limit_of_today_takes_the_place_of_an_uncertain_one(now: str, before: str | None, expected: bool) -> None:
    assert replaces(now, before) is expected


def test_derived_limits_stay_and_others_follow_today() -> None:
    before = ThresholdFacts.model_validate(
        {"documents": 900, "sources": 4.0, "origins": {"max_urls": "derived", "min_words": "few_documents"}}
    )
    now = ThresholdFacts.model_validate(
        {
            "documents": 50,
            "sources": 9.0,
            "origins": {"max_urls": "derived", "min_words": "derived"},
            "measured": {"max_urls": 0.7, "min_words": 12.0},
        }
    )
    other = ThresholdFacts(documents=1, sources=1.0, origins={"max_urls": "few_documents"})
    limits, facts = carried_limits(
        {"eng_Latn": {"max_urls": 0.5, "min_words": 5.0, "switched_off": 1.0}, "tha_Thai": {"max_urls": 0.3}},
        {"eng_Latn": before, "tha_Thai": other},
        {"eng_Latn": {"max_urls": 0.7, "min_words": 12.0}, "swh_Latn": {"max_urls": 0.4}},
        {"eng_Latn": now, "swh_Latn": other},
    )
    assert limits == {
        "eng_Latn": {"max_urls": 0.5, "min_words": 12.0},
        "swh_Latn": {"max_urls": 0.4},
        "tha_Thai": {"max_urls": 0.3},
    }
    assert facts["eng_Latn"].origins == {"max_urls": "derived", "min_words": "derived"}
    assert facts["eng_Latn"].measured == {"min_words": 12.0}
    assert (facts["eng_Latn"].documents, facts["swh_Latn"], facts["tha_Thai"]) == (900, other, other)
