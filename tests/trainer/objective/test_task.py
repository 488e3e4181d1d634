from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler.heldout import HeldoutRows
from trainer.config import ObjectiveConfig
from trainer.objective.task import make_task, mask_ratio, masked_rows, uniform

MASK = 4


def arrays(tokens: list[list[int]], segments: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(tokens, dtype=np.int64), np.array(segments, dtype=np.int32)


def test_causal_predicts_each_token_that_has_one_before_it_in_its_document() -> None:
    tokens, segments = arrays(
        [[2, 10, 11, 2, 12, 0], [13, 14, 2, 15, 16, 17]], [[0, 0, 0, 1, 1, -1], [0, 0, 1, 1, 1, 1]]
    )
    task = make_task(tokens, segments, np.array([0, 1]), np.array([False, False]), ratio=0.5, mask_id=MASK, seed=0)
    assert task.tokens.tolist() == tokens.tolist()
    assert task.select.tolist() == [0, 1, 3, 6, 8, 9, 10]
    assert task.labels.tolist() == [10, 11, 12, 14, 15, 16, 17]
    assert task.bidirectional.tolist() == [False, False]


def test_masked_hides_what_it_predicts_and_predicts_it_from_the_position_before() -> None:
    tokens = np.arange(100, 164, dtype=np.int64).reshape(2, 32)
    segments = np.zeros((2, 32), dtype=np.int32)
    segments[1, 20:] = -1
    task = make_task(tokens, segments, np.array([7, 8]), np.array([True, True]), ratio=0.3, mask_id=MASK, seed=0)
    hidden = np.flatnonzero(task.tokens == MASK)
    assert task.select.tolist() == (hidden - 1).tolist()
    assert task.labels.tolist() == tokens.reshape(-1)[hidden].tolist()
    assert not np.isin(hidden % 32, [0]).any()  # nothing stands before a document's first token
    assert not (hidden >= 32 + 20).any()  # padding
    assert 5 <= len(hidden) <= 25
    assert (tokens >= 100).all()  # the caller's rows are left alone


def test_mixed_leaves_causal_rows_whole() -> None:
    tokens = np.arange(100, 164, dtype=np.int64).reshape(2, 32)
    segments = np.zeros((2, 32), dtype=np.int32)
    task = make_task(tokens, segments, np.array([0, 1]), np.array([True, False]), ratio=0.3, mask_id=MASK, seed=0)
    assert (task.tokens[1] == tokens[1]).all()
    assert (task.select >= 32).sum() == 31
    assert 0 < (task.select < 32).sum() < 31


def test_masked_rows_come_at_the_stated_ratio() -> None:
    config = ObjectiveConfig(kind="mixed", masked_share=15 / 16)
    chosen = masked_rows(config, np.arange(16_000), seed=3)
    assert abs(chosen.mean() - 15 / 16) < 0.01
    assert not masked_rows(ObjectiveConfig(kind="causal"), np.arange(9), seed=3).any()
    assert masked_rows(ObjectiveConfig(kind="masked"), np.arange(9), seed=3).all()


def test_mask_ratio_moves_from_start_to_end() -> None:
    config = ObjectiveConfig(mask_ratio=0.4, mask_ratio_end=0.2)
    assert [round(mask_ratio(config, step, 5), 6) for step in range(5)] == [0.4, 0.35, 0.3, 0.25, 0.2]


@given(seed=st.integers(0, 2**32), first=st.integers(0, 2**40), rows=st.integers(2, 9), width=st.integers(2, 40))
@settings(max_examples=50)
def test_choices_depend_on_seed_row_and_column_alone(seed: int, first: int, rows: int, width: int) -> None:
    indices = np.arange(first, first + rows)
    whole = uniform(seed, indices, width)
    assert ((whole >= 0) & (whole < 1)).all()
    assert (uniform(seed, indices[1:], width) == whole[1:]).all()  # other company
    assert (uniform(seed, indices[::-1], width - 1) == whole[::-1, : width - 1]).all()  # other order and length
    assert (uniform(seed + 1, indices, width) != whole).any()


def test_choices_are_uniform() -> None:
    values = uniform(1, np.arange(500), 200)
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert np.abs(counts / 5000 - 1).max() < 0.06
    assert abs(np.corrcoef(values[:-1].reshape(-1), values[1:].reshape(-1))[0, 1]) < 0.02
    assert abs(np.corrcoef(values[:, :-1].reshape(-1), values[:, 1:].reshape(-1))[0, 1]) < 0.02


def test_heldout_rows_are_predicted_just_where_the_sampler_scores_them(tiny_corpus: str) -> None:
    reader = HeldoutRows(tiny_corpus, tokenizer="bytes", row_tokens=32)
    for lang in reader.languages:
        for batch in reader.batches(lang, 4):
            count = len(batch.tokens)
            task = make_task(
                batch.tokens,
                batch.segments,
                np.arange(count),
                np.zeros(count, dtype=bool),
                ratio=0.5,
                mask_id=MASK,
                seed=0,
            )
            assert (task.select + 1).tolist() == np.flatnonzero(batch.scored).tolist()
