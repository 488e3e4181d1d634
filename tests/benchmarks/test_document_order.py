"""The benchmark of views of a language's documents."""

from __future__ import annotations

import pytest

from benchmarks.document_order import VIEWS, Made, measure


def test_a_view_is_measured_and_says_what_a_pass_holds() -> None:
    made = Made(10)
    found = {name: measure(made, view) for name, view in VIEWS.items()}
    assert found["default"]["documents"] == found["easy first"]["distinct"] == 10_240
    assert found["easier half"]["documents"] == pytest.approx(5120, abs=2)
    assert found["rehydrated"]["times"] > 2
    assert 0.099 < found["at most a tenth synthetic"]["synthetic_share"] <= 0.1
    assert all(figures["leg_cpu_microseconds_per_document"] > 0 for figures in found.values())
