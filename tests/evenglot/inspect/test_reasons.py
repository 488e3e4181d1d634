from __future__ import annotations

from typing import Any

import pytest

from corpus.errors import CorpusError
from evenglot.inspect.reasons import Numbers, Reason, decided, numbers, reasons, resolve
from evenglot.inspect.selection import Selection

REJECTED = [
    {"key": "a", "lang": "swh_Latn", "detail": "n_words 5 < min_words 8"},
    {"key": "b", "lang": "swh_Latn", "detail": "n_words 3 < min_words 8"},
    {"key": "c", "lang": "eng_Latn", "detail": "n_words 9 < min_words 10"},
    {"key": "d", "lang": "eng_Latn", "reason": "symbols", "detail": "symbol_ratio 0.25 > max_symbols 0.15"},
    {"key": "e", "lang": None, "stage": "read", "reason": "empty_text", "detail": None},
]
KEPT = [{"key": "k", "text": "kept", "lang": "swh_Latn"}]


def test_counts_by_reason_and_language(build: Any) -> None:
    _, snapshot = build(KEPT, REJECTED)
    assert reasons(snapshot) == [
        Reason("filter/too_short", 3, 0.5, {"swh_Latn": 2, "eng_Latn": 1}),
        Reason("filter/symbols", 1, 1 / 6, {"eng_Latn": 1}),
        Reason("read/empty_text", 1, 1 / 6, {"und": 1}),
    ]
    assert reasons(snapshot, "swh_Latn") == [Reason("filter/too_short", 2, 2 / 3, {"swh_Latn": 2})]
    assert reasons(snapshot, "deu_Latn") == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("filter/too_short", ["filter/too_short"]),
        ("too_short", ["filter/too_short"]),
        ("min_words", ["filter/too_short"]),
        ("filter", ["filter/symbols", "filter/too_short"]),
        ("read", ["read/empty_text"]),
    ],
)
def test_names_of_reasons(build: Any, asked: str, names: list[str]) -> None:
    assert resolve(build(KEPT, REJECTED)[1], asked) == names


def test_a_misspelt_reason_and_one_that_removed_nothing(build: Any) -> None:
    _, snapshot = build(KEPT, REJECTED)
    with pytest.raises(CorpusError, match=r"'too_shrt'. Did you mean 'too_short'.*Reasons in this corpus: filter/sym"):
        resolve(snapshot, "too_shrt")
    with pytest.raises(CorpusError, match=r"nothing was rejected for 'urls'. Reasons in this corpus: filter/symbols"):
        resolve(snapshot, "urls")


def test_the_numbers_in_a_detail() -> None:
    found = {"measure": "n_words", "value": 5.0, "sign": "<", "limit": "min_words", "bound": 8.0}
    assert decided("n_words 5 < min_words 8") == found
    assert decided("symbol_ratio 1.5e-05 > max_symbols 0.15")["value"] == 1.5e-05  # type: ignore[index]
    assert decided("lang und") is None
    assert decided(None) is None


def test_the_numbers_over_all_documents(build: Any) -> None:
    storage, snapshot = build(KEPT, REJECTED)
    files = snapshot.select("rejected")
    assert numbers(storage, files, Selection()) == [
        Numbers("n_words", "min_words", "<", 3, 3.0, 5.0, 9.0, (8.0, 10.0)),
        Numbers("symbol_ratio", "max_symbols", ">", 1, 0.25, 0.25, 0.25, (0.15, 0.15)),
    ]
    assert numbers(storage, files, Selection(lang="swh_Latn"))[0].bounds == (8.0, 8.0)
    assert numbers(storage, files, Selection(contains="nothing has it")) == []
