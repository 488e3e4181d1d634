from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from trainer.config import ModelConfig, ObjectiveConfig
from trainer.continual.fisher import diagonal
from trainer.model.transformer import Transformer
from trainer.objective.task import make_task
from trainer.steps.rows import make_work


class Stream:
    """Rows of language 1 of two: four tokens of one document."""

    languages = ("eng_Latn", "swh_Latn")

    def rows(self, indices: Sequence[int]) -> Any:
        count = len(indices)
        return SimpleNamespace(
            tokens=np.tile(np.array([1, 2, 3, 2]), (count, 1)) + np.array(indices)[:, None] % 2,
            segments=np.zeros((count, 4), dtype=np.int32),
            positions=np.tile(np.arange(4, dtype=np.int32), (count, 1)),
            languages=np.ones(count, dtype=np.int32),
        )


def found(rows: int, **changes: Any) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = Transformer(ModelConfig(width=8, layers=1, heads=2), vocabulary=6, languages=3)
    for name in changes.pop("frozen", ()):
        model.get_parameter(name).requires_grad_(False)
    return diagonal(
        model,
        Stream(),
        ObjectiveConfig(),
        known=["swh_Latn", "zul_Latn", "eng_Latn"],
        mask_id=0,
        rows=rows,
        device=torch.device("cpu"),
    )


def test_it_is_the_expected_square_of_the_score() -> None:
    """At the output the Fisher information is known: of the logits of one token it is diag(p) - p p'."""
    torch.manual_seed(0)
    model = Transformer(ModelConfig(width=8, layers=1, heads=2, adapter=0), vocabulary=6, languages=1)
    rows = 500
    estimate = diagonal(
        model, Stream(), ObjectiveConfig(), known=["swh_Latn", "eng_Latn"], mask_id=0, rows=rows,
        device=torch.device("cpu"),
    )["final_norm.weight"]  # fmt: skip
    exact = torch.zeros(8)
    for number in (0, 1):
        row = Stream().rows([number])
        with torch.no_grad():
            task = make_task(
                row.tokens, row.segments, np.array([number]), np.array([False]), ratio=0.15, mask_id=0, seed=0
            )
            work = make_work(row, task, 2, torch.device("cpu"))
            outputs = model(work.inputs._replace(languages=torch.tensor([0])))
            normed = outputs.hidden.flatten(0, 1)[work.inputs.select]  # gains are 1, so the normed vector itself
            chances = outputs.logits.softmax(dim=-1)
            # The score of gain d is x_d * (w_label,d - E w_d); labels of different tokens are independent.
            vectors = model.embedding.weight
            variance = chances @ vectors.square() - (chances @ vectors).square()
            exact += (normed.square() * variance).sum(dim=0) / len(normed) / 2
    assert estimate.tolist() == pytest.approx(exact.tolist(), rel=0.3)


def test_only_the_rows_languages_and_the_parameters_that_move_count() -> None:
    estimate = found(4, frozen=("blocks.0.qkv.weight",))
    assert "blocks.0.qkv.weight" not in estimate
    up = estimate["blocks.0.adapter.up"]
    assert up[0].any()
    assert not up[1:].any()  # the rows are Swahili, the model's language 0
    assert all((value >= 0).all() for value in estimate.values())


def test_the_same_rows_give_the_same_bits() -> None:
    one, other = found(3), found(3)
    assert all(torch.equal(one[name], other[name]) for name in one)
