"""Packed arrays."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampler.codec import pack, pack_signed, unpack, unpack_signed


def test_numbers_become_a_short_string() -> None:
    # k = 1, the low bits 1 0 1 1, the high parts 1, 0, 3 and 0: 01 1 0001 1. The bytes 01 b6 30.
    assert pack(np.array([3, 0, 7, 1])) == "AbYw"
    assert unpack("AbYw", 4).tolist() == [3, 0, 7, 1]
    assert pack(np.array([], dtype=np.int64)) == "AA=="
    assert len(pack(np.full(1000, 100_000))) == 3004  # 18 bits each


@given(st.lists(st.integers(0, 2**48 - 1), max_size=60))
def test_every_number_comes_back(numbers: list[int]) -> None:
    assert unpack(pack(np.array(numbers, dtype=np.int64)), len(numbers)).tolist() == numbers


@given(st.lists(st.integers(-(2**46), 2**46), max_size=60))
def test_signs_come_back(numbers: list[int]) -> None:
    assert unpack_signed(pack_signed(np.array(numbers, dtype=np.int64)), len(numbers)).tolist() == numbers


@pytest.mark.parametrize("text", ["", "?", "AbYw!", "AbY", "/wAA", "AbYwAAAA", "Ab", "A" * (2 << 20)])
def test_other_strings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="packed array"):
        unpack(text, 4)


@pytest.mark.parametrize("number", [-1, 2**48])
def test_numbers_that_do_not_fit_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="outside 0 to"):
        pack(np.array([number]))


@given(st.text(max_size=40), st.integers(0, 20))
def test_any_string_gives_numbers_or_says_why_not(text: str, count: int) -> None:
    with contextlib.suppress(ValueError):
        assert len(unpack(text, count)) == count
