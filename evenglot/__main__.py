"""``python -m evenglot`` is the same as the ``evenglot`` command."""

from __future__ import annotations

import sys

from evenglot.cli import main

if __name__ == "__main__":
    sys.exit(main())
