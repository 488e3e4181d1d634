from __future__ import annotations

import json
from typing import Any

from trainer.config import EarlyStopConfig
from trainer.heldout.early_stop import EarlyStop


def figures(**values: float) -> dict[str, dict[str, float]]:
    return {lang: {"bits_per_byte": value, "bytes": 5000} for lang, value in values.items()}


def follow(early: EarlyStop, *steps: dict[str, Any]) -> list[tuple[list[str], list[str]]]:
    return [early.observe(10 * number, found) for number, found in enumerate(steps)]


def test_a_language_stops_when_its_patience_ends() -> None:
    early = EarlyStop(EarlyStopConfig(patience=2, min_improvement=0.1), ["a", "b"])
    found = follow(
        early,
        figures(a=3.0, b=3.0),
        figures(a=2.0, b=2.95),  # b fell by less than what counts
        figures(a=1.0, b=2.95),
        figures(a=0.95, b=2.0),
    )
    assert found == [(["a", "b"], []), (["a"], []), (["a"], ["b"]), (["b"], [])]
    assert early.stopped == []  # b goes on learning under keep_best, and has improved again
    assert (early.progress["b"].best, early.progress["b"].best_step) == (2.0, 30)
    assert not early.over


def test_a_language_that_learns_no_more_stays_stopped_and_the_run_ends_with_the_last() -> None:
    early = EarlyStop(EarlyStopConfig(patience=1, action="stop_learning"), ["a", "b", "tiny"])
    small = {"tiny": {"bits_per_byte": 1.0, "bytes": 100}}
    follow(early, figures(a=3.0, b=3.0) | small, figures(a=3.0, b=2.0) | small, figures(a=1.0, b=1.5) | small)
    assert early.stopped == ["a"]
    assert early.progress["a"].best == 3.0
    assert not early.over
    early.observe(30, figures(b=1.6))
    assert early.stopped == ["a", "b"]
    assert early.over  # tiny has too little text to be judged and holds nobody up


def test_a_report_ends_nothing() -> None:
    early = EarlyStop(EarlyStopConfig(patience=1, action="report"), ["a"])
    follow(early, figures(a=3.0), figures(a=3.0))
    assert early.stopped == ["a"]
    assert not early.over


def test_state_goes_round_as_json() -> None:
    first = EarlyStop(EarlyStopConfig(patience=2), ["a", "b"])
    follow(first, figures(a=3.0, b=2.0), figures(a=3.5, b=1.0))
    second = EarlyStop(EarlyStopConfig(patience=2), ["a", "b"])
    second.load_state(json.loads(json.dumps(first.state())))
    assert second.observe(20, figures(a=3.0, b=0.5)) == first.observe(20, figures(a=3.0, b=0.5)) == (["b"], ["a"])
