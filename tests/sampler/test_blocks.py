"""Rows of every packing: the same whoever asks, and the same documents in every block."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler import MIXED, Batch, CurriculumStream, SamplerConfig

TRAIN = {"aaa_Latn": [7, 11, 13, 40] * 40, "bbb_Cyrl": [5, 9] * 10, "ccc_Arab": [3, 4, 30]}
CONFIG = SamplerConfig(row_tokens=16, block_rows=8, mixture={"aaa_Latn": 0.6, "bbb_Cyrl": 0.3, "ccc_Arab": 0.1})
VARIANTS = {
    f"{packing}-{rows}": CONFIG.model_copy(update={"packing": packing, "rows": rows})
    for packing in ("concatenate", "best_fit")
    for rows in ("one_language", "mixed")
}
every_variant = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), TRAIN, batch=16))


def open_stream(root: str, config: SamplerConfig, seed: int = 3) -> CurriculumStream:
    return CurriculumStream(root, tokenizer="spm", config=config, seed=seed)


def equal(left: Batch, right: Batch) -> bool:
    names = ("tokens", "segments", "positions", "languages", "token_languages", "piece_begins", "piece_ends")
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in names)


@every_variant
@settings(max_examples=25, deadline=None)
@given(indices=st.lists(st.integers(0, 900), min_size=1, max_size=20))
def test_rows_do_not_depend_on_the_order_in_which_they_are_asked_for(
    root: str, config: SamplerConfig, indices: list[int]
) -> None:
    together = open_stream(root, config).rows(indices)
    stream = open_stream(root, config)
    for place, index in enumerate(indices):
        row = stream.row(index)
        for name in ("tokens", "segments", "positions", "token_languages"):
            assert np.array_equal(getattr(row, name), getattr(together, name)[place])
        assert row.language == together.languages[place]
    assert equal(stream.rows(indices), together)


@every_variant
def test_reading_on_asking_anew_and_iterating_give_the_same_rows(root: str, config: SamplerConfig) -> None:
    expected = open_stream(root, config).rows(range(100))
    stream = open_stream(root, config)
    # Batches that go on, that jump back, and that go over the end of a block.
    for first, last in ((0, 3), (3, 6), (6, 21), (90, 95), (20, 24), (24, 40), (95, 100)):
        batch = stream.rows(range(first, last))
        assert np.array_equal(batch.tokens, expected.tokens[first:last])
        assert np.array_equal(batch.segments, expected.segments[first:last])
    found = np.empty_like(expected.tokens)
    for rank in range(3):
        for step, row in enumerate(open_stream(root, config).iterate(0, 100, rank, 3)):
            found[rank + 3 * step] = row.tokens
    assert np.array_equal(found, expected.tokens)


@every_variant
@settings(max_examples=15, deadline=None)
@given(at=st.integers(0, 2000), count=st.integers(1, 40))
def test_resume_at_any_row_is_exact(root: str, config: SamplerConfig, at: int, count: int) -> None:
    whole = open_stream(root, config)
    resumed = open_stream(root, config)
    resumed.load_state(json.loads(json.dumps(whole.state(at))))
    assert equal(resumed.rows(range(at, at + count)), whole.rows(range(at, at + count)))


def test_mixed_rows_hold_what_rows_of_one_language_hold_in_every_block(root: str) -> None:
    """The same tokens of each language in each block, in whichever rows, and what each got is counted the same."""
    plain, plain_counts = per_block(root, VARIANTS["concatenate-one_language"])
    for name in ("concatenate-mixed", "best_fit-mixed"):
        found, counts = per_block(root, VARIANTS[name])
        assert found == plain
        assert counts == plain_counts


def per_block(root: str, config: SamplerConfig) -> tuple[list[list[list[int]]], list[list[int]]]:
    """The sorted tokens of each language in each block, and the tokens counted after it."""
    stream = open_stream(root, config)
    found, counts = [], []
    for block in range(25):
        batch = stream.rows(range(8 * block, 8 * block + 8))
        languages = batch.token_languages
        found.append([sorted(batch.tokens[languages == language].tolist()) for language in range(3)])
        counts.append([got.tokens for got in stream.realised().values()])
    return found, counts


def test_mixed_rows_tell_their_languages(root: str) -> None:
    stream = open_stream(root, VARIANTS["best_fit-mixed"])
    batch = stream.rows(range(200))
    several = np.array([len(set(row.tolist())) > 1 for row in batch.token_languages])
    assert np.array_equal(batch.languages == MIXED, several)
    assert 30 < several.sum() < 200  # documents longer than a row fill the others
    first = batch.token_languages[:, 0]
    assert np.array_equal(batch.languages[~several], first[~several])
    # Within a block too, what each language got is counted token by token.
    stream.seek(13)
    counted = [got.tokens for got in stream.realised().values()]
    assert counted == np.bincount(batch.token_languages[:13].ravel(), minlength=3).tolist()


@every_variant
def test_every_row_is_full_of_whole_and_cut_documents(root: str, config: SamplerConfig) -> None:
    batch = open_stream(root, config).rows(range(120))
    assert np.array_equal(np.bincount(batch.piece_rows, batch.piece_lengths), np.full(120, 16))
    starts = batch.cu_seqlens[:-1]
    tokens = batch.tokens.ravel()
    assert np.array_equal(tokens[starts] == 2, batch.piece_begins)
    assert np.array_equal(tokens[batch.cu_seqlens[1:] - 1] == 3, batch.piece_ends)
    assert np.array_equal(np.flatnonzero(batch.positions.ravel() == 0), starts)
    assert np.array_equal(batch.token_languages.ravel()[starts], batch.piece_languages)


def test_settings_change_the_rows(root: str) -> None:
    tokens = [open_stream(root, config).rows(range(40)).tokens for config in VARIANTS.values()]
    assert all(not np.array_equal(one, other) for n, one in enumerate(tokens) for other in tokens[:n])
