"""Arms of the benchmark of translations are settings that exist, and its table holds what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.parallel import ARMS, base, table
from trainer.config import TrainConfig


@pytest.mark.parametrize("name", ARMS)
def test_arms_are_settings(name: str) -> None:
    assert TrainConfig.model_validate({**base(10), **ARMS[name]}).steps == 10


def test_the_table_gives_each_seed() -> None:
    def run(arm: str, seed: int, bits: float, share: float, spent: float) -> dict[str, Any]:
        found = dict.fromkeys(("cosine", "margin", "centred", "embeddings"), share)
        return {
            "arm": arm,
            "seed": seed,
            "tokens": 1000,
            "translated_tokens": 500,
            "bits_per_byte": bits,
            "retrieval": {**found, "chance": 0.01},
            "cpu_seconds": spent,
        }

    runs = [run("none", 0, 2.5, 0.02, 10), run("tlm", 0, 2.4, 0.1, 12), run("none", 1, 2.6, 0.03, 20)]
    assert table(runs).splitlines()[2:] == [
        "| none | 2.500, 2.600 | 2.0%, 3.0% | 2.0%, 3.0% | 2.0%, 3.0% | 2.0%, 3.0% | 1.0%, 1.0% | 1,500 | 1.00 |",
        "| tlm | 2.400 | 10.0% | 10.0% | 10.0% | 10.0% | 1.0% | 1,500 | 1.20 |",
    ]
