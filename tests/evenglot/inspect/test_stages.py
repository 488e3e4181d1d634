from __future__ import annotations

from corpus.ledger import Ledger
from evenglot.inspect.stages import losses, stage_place


def test_what_each_stage_set_aside_in_order() -> None:
    ledger = Ledger(
        read=20,
        kept={"eng_Latn": 8},
        rejected={
            "deduplicate/exact_duplicate": {"eng_Latn": 2, "swh_Latn": 1},
            "filter/lines": {"eng_Latn": 1},
            "filter/too_short": {"eng_Latn": 4},
            "read/empty_text": {"und": 1},
            "strange": {"und": 1},
        },
        unreadable={"invalid_json": 2},
    )
    assert list(losses(ledger).items()) == [
        ("unreadable", {"invalid_json": 2}),
        ("read", {"empty_text": 1}),
        ("filter", {"too_short": 4, "lines": 1}),
        ("deduplicate", {"exact_duplicate": 3}),
        ("strange", {"strange": 1}),
    ]
    assert list(losses(ledger)["filter"]) == ["too_short", "lines"]


def test_places_of_stages() -> None:
    assert stage_place("read") < stage_place("identify") < stage_place("deduplicate") < stage_place("of somebody else")
