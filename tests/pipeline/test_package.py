"""Which module imports which, lazily or not: Beam at the edges, one direction, no circles."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import corpus
import pipeline

PACKAGES = {package.__name__: Path(str(package.__file__)).parent for package in (corpus, pipeline)}


def sources() -> dict[str, Path]:
    """Every module of the two packages by name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """What each module imports: names of modules here, first parts of names elsewhere."""
    modules = sources()
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        targets = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                targets |= inner & set(modules) or {node.module}
        found[name] = {target if target in modules else target.partition(".")[0] for target in targets} - {name}
    return found


def test_beam_is_known_to_graphs_runner_and_workers_alone(imports: Mapping[str, set[str]]) -> None:
    knowing = {name for name, targets in imports.items() if "apache_beam" in targets}
    assert {name for name in knowing if not name.startswith("pipeline.graphs.")} == {
        "pipeline.runner",
        "pipeline.watched_worker",
        "pipeline.worker",
    }


def test_corpus_imports_no_other_part_and_pipeline_only_corpus(imports: Mapping[str, set[str]]) -> None:
    others = {"sampler", "trainer", "evenglot"}
    for name, targets in imports.items():
        parts = {target.partition(".")[0] for target in targets}
        assert not parts & (others | {"pipeline"} if name.startswith("corpus") else others), name


def test_no_imports_run_in_circles(imports: Mapping[str, set[str]]) -> None:
    left = {name: {target for target in targets if target in imports} for name, targets in imports.items()}
    while ready := {name for name, targets in left.items() if not targets}:
        left = {name: targets - ready for name, targets in left.items() if name not in ready}
    assert left == {}, "what is left imports itself in the end"


def test_beam_is_imported_only_when_a_job_runs() -> None:
    code = "import sys, pipeline.prepare, pipeline.dry_run; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
