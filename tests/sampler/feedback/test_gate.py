"""Readers wait for decisions, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sampler import CurriculumStream, SamplerConfig
from sampler.feedback.decisions import Decision
from sampler.feedback.gate import GateTimeout, Publisher, Reader
from sampler.quota import UNIT

CONFIG = SamplerConfig.model_validate(
    {"row_tokens": 16, "block_rows": 8, "feedback": {"policy": "progress", "every": 4, "delay": 1}}
)


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), {"aaa_Latn": [7] * 40, "bbb_Cyrl": [5] * 40}))


def stream(root: str) -> CurriculumStream:
    return CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=5)


def decision(block: int, share: float | None, reason: str = "test") -> Decision:
    weights = None if share is None else np.array([int(share * UNIT), UNIT - int(share * UNIT)])
    return Decision(block, weights, reason, {}, {}, {})


def test_a_reader_waits_for_the_decision_and_follows_it(root: str) -> None:
    publisher, reading = Publisher(), stream(root)
    reading.gate = Reader(reading, publisher.path, 30)
    reading.rows(range(32))
    read: list[Any] = []
    thread = threading.Thread(target=lambda: read.append(reading.rows([32, 39])))
    thread.start()
    time.sleep(0.1)
    assert not read
    publisher.publish(decision(4, 1.0))
    thread.join(30)
    assert read[0].languages.tolist() == [0, 0]
    assert reading.decided == 8
    assert reading.state(32)["changes"][0]["reason"] == "test"


def test_several_decisions_are_read_at_once_and_known_ones_left_out(root: str) -> None:
    publisher, reading = Publisher(), stream(root)
    for block, share in ((4, 1.0), (8, None), (12, 0.0)):
        publisher.publish(decision(block, share))
    reading.decide(4, np.array([UNIT, 0]), "known from the state")
    reading.gate = Reader(reading, publisher.path, 30)
    assert reading.rows([8 * 8, 8 * 12]).languages.tolist() == [0, 1]
    assert reading.decided == 16
    assert [entry["reason"] for entry in reading.state(0)["changes"]] == ["known from the state", "test"]


def test_half_a_line_is_left_for_later(root: str) -> None:
    publisher, reading = Publisher(), stream(root)
    publisher.publish(decision(4, None))
    text = publisher.path.read_bytes()
    publisher.path.write_bytes(text + text[:10])
    reading.gate = Reader(reading, publisher.path, 30)
    reading.rows([32])
    assert reading.decided == 8


def test_a_decision_that_does_not_come_is_named(root: str) -> None:
    publisher, reading = Publisher(), stream(root)
    reading.gate = Reader(reading, publisher.path, 0.05)
    with pytest.raises(
        GateTimeout,
        match=r"block 5 waits for decision 1 \(policy progress\).* rows before row 24 are reported; it did not come in "
        r"0 seconds. Call `dataset.observe",
    ):
        reading.rows([40])


def test_a_closed_publisher_ends_the_waiting(root: str) -> None:
    publisher, reading = Publisher(), stream(root)
    reading.gate = Reader(reading, publisher.path, 1e9)
    publisher.close()
    with pytest.raises(GateTimeout, match="the main process has ended"):
        reading.rows([32])


def test_the_file_goes_with_the_publisher() -> None:
    publisher = Publisher()
    path: Path = publisher.path
    assert path.exists()
    del publisher
    assert not path.exists()
