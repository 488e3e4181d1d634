"""Documents as passages."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.naturalness.passages import passages


def test_passages_are_whole_sentences_and_numbers_are_alike() -> None:
    text = "It was 1984 there.\n\n* Nobody   knew it.\nThen came 12 ships. A short end."
    found = passages([text], ["a"], "eng_Latn", 20, 10, 0)
    assert found.texts == ("It was 0 there. Nobody knew it.", "Then came 0 ships. A short end.")
    assert found.groups == ("a", "a")
    assert found.documents.tolist() == [0, 0]
    assert found.sentence_lengths.tolist() == [15, 15, 18, 12]


def test_the_rest_of_a_document_is_dropped_unless_it_is_all() -> None:
    texts = ["A sentence of some length here. Rest.", "Short."]
    found = passages(texts, ["a", "b"], "eng_Latn", 20, 10, 0)
    assert sorted(found.texts) == ["A sentence of some length here.", "Short."]


@pytest.mark.parametrize("texts", [[], [""], [" \n "]])
def test_no_text_is_no_passage(texts: list[str]) -> None:
    found = passages(texts, ["a"] * len(texts), "eng_Latn", 20, 10, 0)
    assert found.texts == ()
    assert found.sentence_lengths.tolist() == []


def test_documents_are_taken_by_the_hash_of_their_group_in_any_order() -> None:
    texts = [f"Here is the one sentence of document {name}." for name in "abcdefghij"]
    groups = list("abcdefghij")
    found = passages(texts, groups, "eng_Latn", 20, 4, 0)
    assert len(found.texts) == 4
    assert passages(texts[::-1], groups[::-1], "eng_Latn", 20, 4, 0).texts == found.texts
    assert passages(texts, groups, "eng_Latn", 20, 4, 1).texts != found.texts
    assert found.take(np.array([2, 0])).groups == (found.groups[2], found.groups[0])


def test_scripts_without_spaces() -> None:
    found = passages(["今日は天気がいいです。明日も晴れるでしょう。"], ["a"], "jpn_Jpan", 8, 10, 0)
    assert found.texts == ("今日は天気がいいです。", "明日も晴れるでしょう。")
