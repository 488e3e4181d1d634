"""``evenglot augment`` as a schedule calls it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_schedule_makes_nothing_unless_the_recipe_says_so(cli: Run, corpus: Path) -> None:
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    found = cli("augment", "--corpus", corpus, "--if-enabled", "--json")
    assert (found.returncode, json.loads(found.stdout)) == (0, {"corpus": str(corpus), "enabled": False})
    assert "the recipe does not say augment.enabled" in cli("augment", "--corpus", corpus, "--if-enabled").stdout
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before
    asked = cli("augment", "--corpus", corpus, "--if-enabled", "--set", "augment.enabled=true")
    assert asked.returncode == 2
    assert "names no translation model" in asked.stderr
