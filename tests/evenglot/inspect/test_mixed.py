from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest

from evenglot.inspect.mixed import LanguageMix, Mixing, involves, language_shares

PART = pa.struct([("lang", pa.string()), ("start", pa.int32()), ("end", pa.int32())])


def parts(*found: tuple[str, int, int]) -> list[dict[str, object]]:
    return [{"lang": lang, "start": start, "end": end} for lang, start, end in found]


ROWS = pa.table(
    {
        "segments": pa.array(
            [
                parts(("deu_Latn", 0, 60), ("eng_Latn", 61, 100)),
                None,
                parts(("eng_Latn", 0, 9), ("deu_Latn", 9, 40)),
                None,
            ],
            pa.list_(PART),
        ),
        "code_switching": pa.array([0.4, 0.0, 0.25, None], pa.float32()),
    }
)


def test_counts_by_language_and_pair() -> None:
    mixing = Mixing()
    mixing.add("deu_Latn", ROWS)
    mixing.add("eng_Latn", pa.table({"id": ["a", "b"]}))
    assert mixing.recorded
    assert mixing.mixed == 2
    assert mixing.pairs == Counter({("deu_Latn", "eng_Latn"): 2})
    assert mixing.languages["eng_Latn"] == LanguageMix(documents=2)
    german = mixing.languages["deu_Latn"]
    assert (german.documents, german.looked_at, german.mixed, german.some) == (4, 3, 2, 2)
    assert german.switched == pytest.approx(0.65, abs=1e-6)


def test_nothing_recorded() -> None:
    mixing = Mixing()
    mixing.add("eng_Latn", pa.table({"id": ["a"]}))
    empty = {"segments": pa.nulls(2, pa.list_(PART)), "code_switching": pa.nulls(2, pa.float32())}
    mixing.add("eng_Latn", pa.table(empty))
    assert not mixing.recorded


def test_a_language_in_any_segment() -> None:
    column = ROWS.column("segments").combine_chunks()
    assert involves(column, "eng_Latn").to_pylist() == [True, False, True, False]
    assert involves(column, "swh_Latn").to_pylist() == [False] * 4
    assert involves(column.slice(1), "eng_Latn").to_pylist() == [False, True, False]


def test_shares_of_languages() -> None:
    found = parts(("eng_Latn", 0, 10), ("deu_Latn", 10, 40), ("eng_Latn", 40, 50))
    assert list(language_shares(found).items()) == [("deu_Latn", 0.6), ("eng_Latn", 0.4)]
    assert language_shares([]) == {}
