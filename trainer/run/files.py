"""Small JSON files in a run's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corpus.storage import Storage


def write_json(folder: Path, name: str, value: Any) -> None:
    """Write a JSON file into a run's folder, all or nothing."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
    Storage(folder).write_bytes(name, (text + "\n").encode())
