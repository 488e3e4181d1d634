from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.boilerplate import lines as module
from pipeline.boilerplate.lines import find_lines

TEXTS = st.lists(st.text(alphabet="ab\n \té中😀.1", max_size=40), max_size=8)


def expected(texts: list[str]) -> list[tuple[int, int, str]]:
    return [
        (row, number, line.strip(" \t"))
        for row, text in enumerate(texts)
        for number, line in enumerate(text.split("\n"))
        if line.strip(" \t")
    ]


def test_places_lengths_and_keys_of_a_literal_batch() -> None:
    found = find_lines(pa.array(["Home\n\n Text é\t\nHome", "", "\n", "Home"]))
    assert found.document.tolist() == [0, 0, 0, 3]
    assert found.number.tolist() == [0, 2, 3, 0]
    assert found.bytes.tolist() == [4, 7, 4, 4]
    keys = found.key.tolist()
    assert keys[0] == keys[2] == keys[3] != keys[1]


def reference(line: str) -> int:
    """The key of a line in plain integers."""
    full = (1 << 64) - 1

    def mix(value: int) -> int:
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & full
        value = (value ^ value >> 27) * 0x94D049BB133111EB & full
        return value ^ value >> 31

    raw, golden = line.encode(), 0x9E3779B97F4A7C15
    words = [int.from_bytes(raw[start : start + 8], "little") for start in range(0, len(raw), 8)]
    total = sum(mix((word + position * golden) & full) for position, word in enumerate(words, start=1))
    return mix((total + len(raw) * golden) & full)


def test_keys_are_the_same_on_every_machine() -> None:
    """They are compared between workers and between runs."""
    texts = ["Home | About us", "Read more »", "12345678", "x"]
    found = find_lines(pa.array(texts)).key.tolist()
    assert found == [reference(text) for text in texts]
    assert f"{found[0]:016x}" == "e59bb26b0ab557bd"


def test_folded_digits() -> None:
    texts = pa.array(["7 comments", "0 comments", "12 comments"])
    plain = find_lines(texts).key.tolist()
    folded = find_lines(texts, fold_digits=True).key.tolist()
    assert len(set(plain)) == 3
    assert folded[0] == folded[1] != folded[2]


@settings(deadline=None)
@given(TEXTS, st.integers(0, 5))
def test_lines_are_those_of_split_whatever_lies_around_them(texts: list[str], skip: int) -> None:
    found = find_lines(pa.array(texts, pa.string()).slice(min(skip, len(texts))))
    wanted = expected(texts[skip:])
    places = zip(found.document.tolist(), found.number.tolist(), found.bytes.tolist(), strict=True)
    assert list(places) == [(row, number, len(line.encode())) for row, number, line in wanted]
    alone = {line: find_lines(pa.array([line])).key.tolist()[0] for _, _, line in wanted}
    assert found.key.tolist() == [alone[line] for _, _, line in wanted]
    assert len(set(alone.values())) == len(alone)


def test_documents_are_worked_on_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"line {number}\nsame\n" * 3 for number in range(50)]
    whole = find_lines(pa.array(texts))
    monkeypatch.setattr(module, "_BLOCK", 100)
    parts = find_lines(pa.array(texts))
    for name in ("document", "number", "bytes", "key"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
