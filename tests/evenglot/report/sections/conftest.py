"""A context whose run has a course of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evenglot.report.config import ReportConfig
from evenglot.report.course import Course
from evenglot.report.facts import Facts
from evenglot.report.load import load_corpus
from evenglot.report.runs import load_runs
from evenglot.report.sections.context import Context

Given = Callable[..., Context]


@pytest.fixture(scope="session")
def given(small_corpus: Path, small_runs: list[str]) -> Given:
    """``given(course, **facts)``: one run named ``balanced`` with this course and these facts changed."""
    config = ReportConfig()
    facts = Facts(load_corpus(str(small_corpus), config), load_runs(small_runs, config))
    run = facts.run
    assert run is not None

    def make(course: Course, **changes: Any) -> Context:
        changed = replace(run, name="balanced", penalties={}, course=course)
        return Context(replace(facts, runs=[replace(changed, **changes)]), config)

    return make
