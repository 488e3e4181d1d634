from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from evenglot.inspect import sample as module
from evenglot.inspect.sample import sample
from evenglot.inspect.selection import Selection


def kept(lang: str, number: int, site: str = "") -> dict[str, Any]:
    url = f"https://{site}/{number}" if site else None
    return {"key": f"{lang}{site}{number}", "text": f"text {number}", "lang": lang, "url": url}


def test_the_same_every_time_and_growing_from_the_same_start(build: Any) -> None:
    storage, snapshot = build([kept("eng_Latn", number) for number in range(12)])

    def ids(count: int, seed: int = 0) -> list[str]:
        rows, total = sample(storage, snapshot.select("text"), Selection(), count, seed)
        assert total == 12
        return [row["id"] for row in rows]

    assert ids(4) == ids(4) == ids(8)[:4]
    assert ids(4) != ids(4, seed=1)
    assert len(set(ids(100))) == 12


def test_small_languages_and_small_sites_come_first_round(build: Any) -> None:
    large = [kept("eng_Latn", number, "big.example") for number in range(40)]
    rows = [*large, kept("eng_Latn", 0, "small.example"), kept("swh_Latn", 0), kept("heb_Hebr", 0)]
    storage, snapshot = build(rows)
    shown, total = sample(storage, snapshot.select("text"), Selection(), 4)
    assert total == 43
    assert Counter(row["lang"] for row in shown) == {"eng_Latn": 2, "swh_Latn": 1, "heb_Hebr": 1}
    assert {row["url"].split("/")[2] for row in shown if row["url"]} == {"big.example", "small.example"}


def test_every_reason_comes_before_a_second_of_any(build: Any) -> None:
    rejected = [{"key": f"s{number}", "lang": "eng_Latn", "reason": "too_short"} for number in range(20)]
    rejected.append({"key": "l", "lang": "eng_Latn", "reason": "lines"})
    storage, snapshot = build([], rejected)
    shown, _ = sample(storage, snapshot.select("rejected"), Selection(), 2)
    assert {row["reason"] for row in shown} == {"too_short", "lines"}
    only, total = sample(storage, snapshot.select("rejected"), Selection().of_reasons(["filter/lines"]), 5)
    assert ([row["key"] for row in only], total) == (["l"], 1)


def test_documents_that_share_an_id_come_in_the_order_of_their_places(build: Any) -> None:
    rows = [{"key": "one", "text": text, "reason": "repeated_id"} for text in ("first", "second", "third")]
    storage, snapshot = build([], rows)
    for count, texts in ((9, ["first", "second", "third"]), (2, ["first", "second"])):
        shown, _ = sample(storage, snapshot.select("rejected"), Selection(), count)
        assert [row["text"] for row in shown] == texts


def test_what_is_forgotten_on_the_way_changes_nothing(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, snapshot = build([kept("eng_Latn", number, f"s{number % 7}.example") for number in range(300)])
    whole, _ = sample(storage, snapshot.select("text"), Selection(), 6)
    monkeypatch.setattr(module, "_HELD", 1)
    assert sample(storage, snapshot.select("text"), Selection(), 6) == (whole, 300)
