"""The ``evenglot`` command: one module per subcommand, heavy imports only inside them."""

from __future__ import annotations

from evenglot.cli.app import main

__all__ = ["main"]
