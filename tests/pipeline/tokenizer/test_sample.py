"""The text a vocabulary is learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpus.errors import CorpusError
from corpus.manifest import read_snapshot
from corpus.storage import Storage
from pipeline.tokenizer.sample import LINE_CHARACTERS, sample_lines, sample_sizes


def test_everything_is_taken_when_there_is_not_more_than_wanted() -> None:
    assert sample_sizes({"a": 60, "b": 40, "c": 0}, 100, 0.3) == {"a": 60, "b": 40}


def test_shares_follow_the_exponent_and_what_is_there() -> None:
    assert sample_sizes({"a": 900, "b": 100}, 100, 1.0) == {"a": 90, "b": 10}
    assert sample_sizes({"a": 900, "b": 100}, 100, 0.0) == {"a": 50, "b": 50}
    # c has 10 bytes and gives them all; a and b share the other 90.
    assert sample_sizes({"a": 900, "b": 900, "c": 10}, 100, 0.0) == {"a": 45, "b": 45, "c": 10}


def test_no_text() -> None:
    with pytest.raises(CorpusError, match="no training text"):
        sample_sizes({"a": 0}, 100, 0.3)


def lines(root: str, sizes: dict[str, int], seed: int = 0) -> list[str]:
    storage = Storage(root)
    return list(sample_lines(storage, read_snapshot(storage), sizes, seed))


def test_only_training_text_cut_at_the_wanted_bytes(write_corpus: Any, tmp_path: Path) -> None:
    texts = [f"text{number}\nline" for number in range(8)]
    root = write_corpus(tmp_path, {"aaa_Latn": texts, "bbb_Latn": ["ééé"]}, {"aaa_Latn": ["secret"] * 4})
    everything = lines(root, {"aaa_Latn": 1000, "bbb_Latn": 1000})
    assert sorted(everything) == sorted([*(line for text in texts for line in text.split("\n")), "ééé"])
    some = lines(root, {"aaa_Latn": 25, "bbb_Latn": 3})
    # Documents of ten bytes: two whole ones and five bytes of a third; of the last one a whole character.
    assert [len(line) for line in some] == [5, 4, 5, 4, 5, 1]
    assert some[:5] == everything[:5]
    assert lines(root, {"aaa_Latn": 25, "bbb_Latn": 3}, seed=1) != some


def test_the_choice_does_not_depend_on_the_order_of_documents(write_corpus: Any, tmp_path: Path) -> None:
    texts = [f"text{number}" for number in range(9)]
    root = write_corpus(tmp_path, {"aaa_Latn": texts})
    assert lines(root, {"aaa_Latn": 20}) == lines(root, {"aaa_Latn": 20})
    assert len(set(lines(root, {"aaa_Latn": 20}))) == 4


def test_long_lines_are_cut(write_corpus: Any, tmp_path: Path) -> None:
    root = write_corpus(tmp_path, {"aaa_Latn": ["x" * (2 * LINE_CHARACTERS + 1)]})
    assert [len(line) for line in lines(root, {"aaa_Latn": 10**6})] == [LINE_CHARACTERS, LINE_CHARACTERS, 1]
