"""Passes made up of what a penalty looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from trainer.config import ModelConfig
from trainer.model.language_model import Inputs, Outputs
from trainer.model.transformer import Transformer
from trainer.regularisers.base import Evidence, Moment

MakeMoment = Callable[..., Moment]


@pytest.fixture
def model() -> Transformer:
    """Three languages, two blocks of width 8 with adapters of 4; the vocabulary has 10 pieces."""
    torch.manual_seed(0)
    return Transformer(ModelConfig(width=8, layers=2, heads=2, adapter=4), vocabulary=10, languages=3)


@pytest.fixture
def make_moment() -> MakeMoment:
    """A function that makes a pass; what is not given is empty or the plainest there is."""
    return _moment


def _moment(
    model: Any,
    *,
    share: Sequence[float] = (0.5, 0.25, 0.25),
    train_tokens: Sequence[float] = (1000.0, 100.0, 10.0),
    row_languages: Sequence[int] = (0,),
    length: int = 4,
    inner: Mapping[int, Tensor] | None = None,
    logits: Tensor | None = None,
    losses: Tensor | None = None,
    labels: Sequence[int] = (),
    languages: Sequence[int] = (),
    evidence: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Moment:
    rows = len(row_languages)
    zeros = torch.zeros(rows, length, dtype=torch.int64)
    nothing = torch.zeros(0)
    batch = Inputs(
        tokens=zeros,
        segments=zeros.int(),
        positions=zeros.int(),
        languages=torch.tensor(row_languages),
        bidirectional=torch.zeros(rows, dtype=torch.bool),
        select=torch.zeros(0, dtype=torch.int64),
    )
    outputs = Outputs(nothing, nothing if logits is None else logits, inner or {})
    known = Evidence(torch.tensor(train_tokens), torch.tensor(share), **(evidence or {}))
    return Moment(
        model=model,
        batch=fields.pop("batch", batch),
        outputs=outputs,
        losses=nothing if losses is None else losses,
        labels=torch.tensor(labels, dtype=torch.int64),
        languages=torch.tensor(languages, dtype=torch.int64),
        evidence=known,
        again=lambda: outputs,
        step=fields.pop("step", 0),
        total=fields.pop("total", 10),
        **fields,
    )
