"""Batches hold sentences of like length, never cross a power of two, and fit into memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from pipeline.translation.batches import automatic_tokens, cut, rung
from pipeline.translation.decoding import Decoding
from pipeline.translation.devices import Device


def test_sentences_are_ordered_by_length_and_cut_by_tokens_with_padding() -> None:
    assert cut([9, 3, 12, 8, 2, 40], batch_tokens=24) == [[4, 1, 3], [0, 2], [5]]


def test_equal_lengths_keep_their_order_and_groups_their_batches() -> None:
    assert cut([5, 5, 5, 5], batch_tokens=10) == [[0, 1], [2, 3]]
    assert cut([5, 5, 5, 4], batch_tokens=99, groups=[(0,), (1,), (0,), (1,)]) == [[0, 2], [3, 1]]


def test_what_is_left_joins_the_batch_before_where_it_is_little() -> None:
    assert cut([5] * 5, batch_tokens=20) == [[0, 1, 2, 3, 4]]
    assert cut([5] * 6, batch_tokens=20) == [[0, 1, 2, 3], [4, 5]]
    assert cut([5, 5, 5, 5, 9], batch_tokens=20) == [[0, 1, 2, 3], [4]], "45 would be more than half as much again"


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 2)), max_size=60), st.integers(1, 400))
def test_every_sentence_is_in_one_batch_that_is_as_small_as_asked(
    sentences: list[tuple[int, int]], batch_tokens: int
) -> None:
    lengths = [length for length, _ in sentences]
    batches = cut(lengths, batch_tokens, [(group,) for _, group in sentences])
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        inside = [lengths[index] for index in batch]
        assert inside == sorted(inside)
        assert len(batch) == 1 or max(inside) * len(batch) <= 1.5 * batch_tokens
        assert len({sentences[index][1] for index in batch}) == 1


@pytest.mark.parametrize(("tokens", "most"), [(1, 1), (2, 3), (3, 3), (15, 15), (16, 31), (31, 31), (32, 63)])
def test_the_rung_of_a_length(tokens: int, most: int) -> None:
    assert rung(tokens) == most


def test_sentences_that_share_a_batch_share_a_limit() -> None:
    decoding = Decoding(max_length_ratio=2.0, min_length_limit=32)
    assert [decoding.output_limit(rung(tokens)) for tokens in (5, 15, 16, 31, 32)] == [32, 32, 62, 62, 126]


@pytest.mark.parametrize(
    ("gibibytes", "parameters", "device", "tokens"),
    [
        (16, 75_000_000, Device("cpu"), 512),  # bounded: by beam 4
        (16, 75_000_000, Device("cuda"), 8192),  # half of 15.93 GiB, at 512 KiB a token: 16,312, down to a power of two
        (80, 75_000_000, Device("cuda"), 16_384),
        (16, 600_000_000, Device("cuda"), 2048),  # 4 times as much for each token
        (2, 600_000_000, Device("cuda"), 256),
        (1, 75_000_000, Device("cpu", translators=4), 256),
    ],
)
def test_automatic_batches_go_by_memory(gibibytes: int, parameters: int, device: Device, tokens: int) -> None:
    found = automatic_tokens(gibibytes << 30, parameters, parameters, beam=4, device=device)
    assert found == tokens


@pytest.mark.parametrize(("beam", "tokens"), [(1, 2048), (2, 1024), (3, 512), (4, 512), (12, 512)])
def test_automatic_batches_of_a_cpu_shrink_with_hypotheses(beam: int, tokens: int) -> None:
    assert automatic_tokens(16 << 30, 75_000_000, 75_000_000, beam, Device("cpu")) == tokens


def test_weights_that_do_not_fit_are_said_so() -> None:
    with pytest.raises(ConfigurationError, match=r"take 3\.0 GiB and the device has 2\.0 GiB"):
        automatic_tokens(2 << 30, 3 << 30, 10**9, 4, Device("cuda"))
