"""What people touch: the command line, recipes, the report, the demo, inspection and verification."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _installed_version() -> str:
    try:
        return version("evenglot")
    except PackageNotFoundError:  # a source tree on the path, never installed
        return "0+source"


__version__ = _installed_version()
