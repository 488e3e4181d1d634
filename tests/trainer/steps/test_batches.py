from __future__ import annotations

import torch

from trainer.config import TrainConfig
from trainer.steps.batches import pass_rows


def test_rows_of_a_pass_by_device() -> None:
    cpu = torch.device("cpu")
    assert pass_rows(TrainConfig(rows=32), cpu, 256, 4096) == 8
    assert pass_rows(TrainConfig(rows=4), cpu, 256, 4096) == 4
    assert pass_rows(TrainConfig(rows=32), cpu, 8192, 64_000) == 1
    assert pass_rows(TrainConfig(rows=32), torch.device("cuda"), 256, 4096) == 32
    assert pass_rows(TrainConfig(rows=32, micro_rows=5), cpu, 256, 4096) == 5
