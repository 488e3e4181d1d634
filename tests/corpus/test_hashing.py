from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import xxhash
from hypothesis import given
from hypothesis import strategies as st

from corpus.hashing import KEY_BYTES, file_hash, fingerprint, record_id, stable_hash, text_key

RECORD_ID = "74c9e9b436c661606a27ba08ea149abf"
TEXT_KEY = "7c6f8b2fe2c8a8eb2cc68f89f09affe9"
STABLE = 12065295646761852464
FINGERPRINT = "c7bf34d6e36e64447f783f4db4fdb323"


def test_ids_never_change() -> None:
    # A change here orphans every corpus on disk.
    assert record_id("web", "a1") == xxhash.xxh3_128_hexdigest(b"web\x00a1") == RECORD_ID
    assert text_key("Habari ya dunia").hex() == TEXT_KEY
    assert stable_hash("split", "a1", 7, seed=3) == STABLE
    assert fingerprint({"b": [1, 2.5, None], "a": "ü"}) == FINGERPRINT


def test_the_same_in_another_process_whatever_its_hash_seed() -> None:
    code = (
        "from corpus.hashing import *; print(record_id('s', 'k'), stable_hash('a', 1), fingerprint({'b': 1, 'a': 2}))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {f"{record_id('s', 'k')} {stable_hash('a', 1)} {fingerprint({'a': 2, 'b': 1})}\n"}


@given(st.text(alphabet=st.characters(exclude_characters="\x00")), st.text(), st.text())
def test_ids_tell_source_and_key_apart(source: str, key: str, other: str) -> None:
    assert len(record_id(source, key)) == 32
    assert (record_id(source, key) == record_id(source, other)) == (key == other)


def test_where_the_source_ends_matters() -> None:
    assert record_id("web", "1x") != record_id("web1", "x")


def test_lone_surrogates_have_ids_too() -> None:
    assert record_id("s", "\ud83d") != record_id("s", "\udc00")
    assert len(text_key("\ud83d end")) == KEY_BYTES


def test_texts_that_differ_in_white_space_alone_are_the_same() -> None:
    assert text_key("one two\nthree") == text_key("  one\ttwo\r\n\n three ")
    assert text_key("one two") != text_key("onetwo")
    assert text_key("one") != text_key("One")


@given(st.lists(st.text(min_size=1), min_size=1))
def test_text_key_folds_any_white_space(words: list[str]) -> None:
    assert text_key(" ".join(words)) == text_key("\n\u00a0".join(words))


def test_parts_of_a_choice_are_kept_apart() -> None:
    assert stable_hash("ab", "c") != stable_hash("a", "bc")
    assert stable_hash("a") != stable_hash("a", seed=1)
    assert stable_hash(1, None) == stable_hash("1", "None")


def test_choices_are_even() -> None:
    buckets = [0] * 10
    for number in range(20_000):
        buckets[stable_hash("bucket", number) % 10] += 1
    assert min(buckets) > 1_800
    assert max(buckets) < 2_200


def test_a_fingerprint_ignores_the_order_of_keys_but_not_of_items() -> None:
    assert fingerprint({"a": 1, "b": {"c": 2, "d": 3}}) == fingerprint({"b": {"d": 3, "c": 2}, "a": 1})
    assert fingerprint([1, 2]) != fingerprint([2, 1])


def test_a_files_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40_000  # more than one piece of 4 MiB
    (tmp_path / "file").write_bytes(data)
    assert file_hash(tmp_path / "file") == file_hash(str(tmp_path / "file")) == xxhash.xxh3_128_hexdigest(data)
