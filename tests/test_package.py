"""What is installed is what the checkout has: every file a command reads at run time is package data."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES_ONLY = ("evenglot/demo/texts", "evenglot/demo/parallel")
"""Read by the builds of the sample and of its models alone, which run in a checkout."""


def test_every_data_file_of_the_packages_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    for package, patterns in settings["package-data"].items():
        covered = {path for pattern in patterns for path in (ROOT / package).glob(pattern)}
        data = {
            path
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix not in (".py", ".pyc") and not path.name.startswith(".")
        }
        missing = {str(path.relative_to(ROOT)) for path in data - covered}
        assert {path for path in missing if not path.startswith(SOURCES_ONLY)} == set()
