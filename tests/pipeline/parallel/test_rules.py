from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from pipeline.parallel.rules import REASONS, Found, Lengths, Sentences, group_keys, is_heldout, judge, sentence_keys

Group = Sequence[tuple[str | None, str]]


def _sentences(groups: Sequence[Group], heldout: Sequence[bool] | None = None) -> Sentences:
    sides = [len(group) for group in groups]
    flags = np.array(heldout if heldout is not None else [False] * len(groups), bool)
    return Sentences(
        np.repeat(np.arange(len(groups)), sides),
        pa.array([lang for group in groups for lang, _ in group], pa.string()),
        pa.array([text for group in groups for _, text in group], pa.string()),
        np.repeat(flags, sides),
    )


def _judged(sentences: Sentences, **known: object) -> list[str | None]:
    size = len(sentences.groups)
    facts = {
        "offsets": {},
        "heldout_keys": np.zeros(0, np.uint64),
        "repeated": np.zeros(size, bool),
        "in_documents": np.zeros(size, bool),
        **known,
    }
    reasons = judge(sentences, Found(**facts), 4.0, 200)  # type: ignore[arg-type]
    return [None if reason < 0 else REASONS[reason] for reason in reasons.tolist()]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ([("eng_Latn", "A cat."), ("swh_Latn", "Paka.")], [None, None]),
        ([("eng_Latn", "A cat."), (None, "Paka.")], ["alone", "unknown_language"]),
        ([("eng_Latn", "A cat."), ("swh_Latn", " \u200b")], ["alone", "empty"]),
        ([("eng_Latn", "a" * 201), ("swh_Latn", "b" * 199)], ["too_long", "alone"]),
        (
            [("eng_Latn", "A cat."), ("swh_Latn", "Paka."), ("swh_Latn", "Pakaa."), ("fra_Latn", "Chat.")],
            [None, "language_twice", "language_twice", None],
        ),
        (
            [("eng_Latn", "A  Cat."), ("swh_Latn", "a cat."), ("fra_Latn", "Chat."), ("deu_Latn", "Katze.")],
            ["copy", "copy", None, None],
        ),
        ([("eng_Latn", "A cat."), ("swh_Latn", "Paka " * 30)], ["length_ratio", "length_ratio"]),
        (
            [("eng_Latn", "A cat."), ("swh_Latn", "Paka."), ("fra_Latn", "Chat " * 30)],
            [None, None, "length_ratio"],
        ),
    ],
)
def test_what_is_left_out_of_a_group(group: Group, expected: list[str | None]) -> None:
    assert _judged(_sentences([group])) == expected


def test_lengths_are_compared_beyond_what_is_usual_for_the_languages() -> None:
    pair = _sentences([[("eng_Latn", "a" * 20), ("mya_Mymr", "b" * 184)]])
    assert _judged(pair) == ["length_ratio", "length_ratio"]
    assert _judged(pair, offsets={"eng_Latn": 0.0, "mya_Mymr": 1.0}) == [None, None]


def test_usual_lengths_come_from_all_groups_however_they_are_made_up() -> None:
    lengths = Lengths()
    # In bytes with 16 added, Swahili is twice as long as English, and Thai, met beside Swahili only, four times.
    lengths.add(_sentences([[("eng_Latn", "a" * 16), ("swh_Latn", "b" * 48)]]))
    lengths.add(_sentences([[("swh_Latn", "b" * 112), ("tha_Thai", "c" * 240)], [("eng_Latn", "x"), (None, "y")]]))
    found = lengths.offsets()
    assert found["swh_Latn"] - found["eng_Latn"] == pytest.approx(math.log(2))
    assert found["tha_Thai"] - found["swh_Latn"] == pytest.approx(math.log(2))
    assert Lengths().offsets() == {}


def test_no_sentence_of_a_heldout_group_trains() -> None:
    groups = [[("eng_Latn", "Yes."), ("swh_Latn", "Ndiyo.")], [("eng_Latn", "yes."), ("fra_Latn", "Oui.")]]
    sentences = _sentences(groups, [True, False])
    keys = np.unique(sentence_keys(sentences.texts)[:2])
    assert _judged(sentences, heldout_keys=keys) == [None, None, "heldout_sentence", "alone"]


def test_repeated_groups_and_sentences_of_heldout_documents() -> None:
    groups = [[("eng_Latn", "A cat."), ("swh_Latn", "Paka."), ("fra_Latn", "Chat.")]] * 2
    sentences = _sentences(groups, [False, True])
    found = np.array([True, False, False] * 2)
    assert _judged(sentences, in_documents=found) == ["heldout_document", None, None, None, None, None]
    again = np.array([False] * 3 + [True] * 3)
    assert _judged(sentences, repeated=again) == [None] * 3 + ["duplicate"] * 3


def test_groups_of_the_same_sentences_have_the_same_key_in_any_order() -> None:
    keys = group_keys(
        _sentences(
            [
                [("eng_Latn", "A cat."), ("swh_Latn", "Paka.")],
                [("swh_Latn", "paka."), ("eng_Latn", "A  cat.")],
                [("swh_Latn", "A cat."), ("eng_Latn", "Paka.")],
            ]
        )
    )
    assert keys[0] == keys[1] != keys[2]


def test_the_source_decides_what_is_held_out_and_else_the_documents_hash() -> None:
    assert not is_heldout("Train", "d", 0.99, 0)
    assert is_heldout("dev", "d", 0.0, 0)
    drawn = [is_heldout(None, f"d{number}", 0.25, 0) for number in range(2000)]
    assert sum(drawn) == 541
    assert drawn != [is_heldout(None, f"d{number}", 0.25, 1) for number in range(2000)]
